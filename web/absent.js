// Stands in for what Seawall has no use for: age's recipients of hardware tokens and of the post-quantum kind, which
// would be half of what a phone loads, and what unlocks videos. Whoever hands us such a key is told that we do not know it.

const absent = new Proxy({}, {
  get() {
    throw new Error("This kind of key is not built in.");
  },
});

export { absent as AES_128_BLOCK_SIZE, absent as Aes128CbcContext, absent as createAes128CbcDecryptStream };
export { absent as MLKEM768P256, absent as MLKEM768X25519, absent as p256 };

// Stands in for the parts of age that Seawall has no use for: recipients of hardware tokens and the post-quantum kind.
// Without it they would be half of what a phone loads. Whoever hands us such a key is told that we do not know it.

const absent = new Proxy({}, {
  get() {
    throw new Error("This kind of age key is not built in.");
  },
});

export { absent as MLKEM768P256, absent as MLKEM768X25519, absent as p256 };

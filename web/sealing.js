// What seals and opens: the age format, signatures, hashes, keys from a secret, and how bytes are written as text.
// Bundled as vendor/sealing.js. Files are sealed in streams: `Encrypter.encrypt(file.stream())`.

export { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
export { ed25519 } from "@noble/curves/ed25519.js";
export { hkdf } from "@noble/hashes/hkdf.js";
export { sha256, sha512 } from "@noble/hashes/sha2.js";
export { base64, base64urlnopad, bech32, hex } from "@scure/base";

// The worker that turns a case's words into its master key. Served at /case/derive.js, the one address whose policy
// lets WebAssembly run; it loads nothing and can send nothing. docs/spec/sealing.md, section 2, has the parameters.

import { argon2id } from "hash-wasm/dist/argon2.umd.min.js";

self.onmessage = async ({ data: { words, salt } }) => {
  const options = { password: words, salt, memorySize: 65536, iterations: 3, parallelism: 1, hashLength: 32 };
  try {
    self.postMessage({ key: await argon2id({ ...options, outputType: "binary" }) });
  } catch {
    self.postMessage({ failed: true });
  }
};

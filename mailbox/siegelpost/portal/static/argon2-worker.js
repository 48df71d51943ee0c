// The worker of argon2.js: one message in, one out, then it is ended with its memory.

import { argon2id } from "./vendor/argon2.js";

self.addEventListener("message", async ({ data }) => {
  try {
    const output = await argon2id({
      password: data.password,
      salt: data.salt,
      iterations: 3,
      parallelism: 1,
      memorySize: 64 * 1024,
      hashLength: 64,
      outputType: "binary",
    });
    self.postMessage({ output });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
});

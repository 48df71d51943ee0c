// Argon2id away from the page: in a worker, so that phones do not freeze for a second, and so that
// WebAssembly needs to be allowed for the worker's response alone, not for the pages.

import { workerAddress } from "./trusted.js";

/** 64 bytes of Argon2id version 1.3, 64 MiB, 3 passes, 1 lane. */
export function argon2id(password, salt) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerAddress(), { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      worker.terminate();
      if (data.output) resolve(data.output);
      else reject(new Error(data.error));
    });
    worker.addEventListener("error", (event) => {
      worker.terminate();
      reject(new Error(event.message || "the worker did not start"));
    });
    worker.postMessage({ password, salt });
  });
}

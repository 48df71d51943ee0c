// A worker of covers.js, for browsers without ML-KEM of their own: unseals one cover a message.

import { openInScript } from "./sealing.js";

let seeds = [];

self.addEventListener("message", async ({ data }) => {
  if (data.seeds) {
    ({ seeds } = data);
    return;
  }
  try {
    self.postMessage({ plain: await openInScript(data.sealed, seeds) });
  } catch (error) {
    self.postMessage({ error: error.message });
  }
});

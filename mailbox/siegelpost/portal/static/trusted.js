// The one Trusted Types policy: it allows the address of our own worker and nothing else.
// Nothing in our code writes HTML; texts go into the page as text.

const WORKER = new URL("./argon2-worker.js", import.meta.url).href;

const policy = globalThis.trustedTypes?.createPolicy("siegelpost", {
  createScriptURL(address) {
    if (address !== WORKER) throw new TypeError("not our worker");
    return address;
  },
});

export const workerAddress = () => (policy ? policy.createScriptURL(WORKER) : WORKER);

// The one Trusted Types policy: it allows the addresses of our own workers and nothing else.
// Nothing in our code writes HTML; texts go into the page as text.

const WORKERS = ["./argon2-worker.js", "./cover-worker.js"].map(
  (name) => new URL(name, import.meta.url).href,
);
const [ARGON2, COVERS] = WORKERS;

const policy = globalThis.trustedTypes?.createPolicy("siegelpost", {
  createScriptURL(address) {
    if (!WORKERS.includes(address)) throw new TypeError("not our worker");
    return address;
  },
});

const trusted = (address) => (policy ? policy.createScriptURL(address) : address);

export const workerAddress = () => trusted(ARGON2);

export const coverWorkerAddress = () => trusted(COVERS);

// Unseals many covers without freezing the page: natively where the browser can, else by workers.

import { readCover } from "./manifest.js";
import { SealingError, open } from "./sealing.js";
import { coverWorkerAddress } from "./trusted.js";
import { nativeIdentity } from "./unwrap.js";

/** At once: natively to keep the browser's threads busy, by workers one each. */
const LANES = 8;
const MAX_WORKERS = 4;

/**
 * Open `entries` = [{sealed, …}] in their order, a few at a time. `each(entry, cover)` hears of
 * every one as soon as it is open; cover is null for one that does not open.
 */
export async function openCovers(entries, seeds, each) {
  const native = await Promise.all(seeds.map(nativeIdentity));
  const waiting = [...entries];
  const lanes = native.every(Boolean)
    ? Array.from({ length: LANES }, () => (sealed) => open(sealed, seeds))
    : startWorkers(Math.min(waiting.length, MAX_WORKERS), seeds);
  const run = async (unseal) => {
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      each(entry, await read(unseal, entry.sealed));
    }
    unseal.end?.();
  };
  await Promise.all(lanes.map(run));
}

async function read(unseal, sealed) {
  try {
    return readCover(await unseal(sealed));
  } catch (error) {
    console.info("a cover did not open:", error.message);
    return null;
  }
}

function startWorkers(most, seeds) {
  const count = Math.min(most, navigator.hardwareConcurrency || 1);
  return Array.from({ length: count }, () => {
    const worker = new Worker(coverWorkerAddress(), { type: "module" });
    worker.postMessage({ seeds });
    const unseal = (sealed) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) =>
          data.plain ? resolve(data.plain) : reject(new SealingError(data.error));
        worker.onerror = () => reject(new SealingError("the worker did not start"));
        worker.postMessage({ sealed });
      });
    unseal.end = () => worker.terminate();
    return unseal;
  });
}

// Opened covers across page loads, so that a long list need not be fetched and unsealed each time.
// They rest in IndexedDB sealed under a key derived from the mailbox's seed: whoever has the disk
// but not the seed reads nothing. Forgotten at logout.

import { fromUtf8, hkdf, randomBytes, utf8 } from "./bytes.js";

const DATABASE = "siegelpost-covers";
const STORE = "covers";
const INFO = "siegelpost/kept-covers/v1";

/** {notice id: {digest, cover}} of `mailbox` as kept last; empty if there is none that opens. */
export async function loadCovers(mailbox, seed) {
  try {
    const item = await withStore("readonly", (store) => store.get(mailbox));
    if (!item) return {};
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: item.nonce, additionalData: utf8(mailbox) },
      await keyOf(seed),
      item.sealed,
    );
    return JSON.parse(fromUtf8(new Uint8Array(plain)));
  } catch {
    // Another key, or storage was cleared: everything is fetched again.
    return {};
  }
}

/** Keep `covers` in place of what was kept. */
export async function keepCovers(mailbox, seed, covers) {
  try {
    const nonce = randomBytes(12);
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv: nonce, additionalData: utf8(mailbox) },
      await keyOf(seed),
      utf8(JSON.stringify(covers)),
    );
    await withStore("readwrite", (store) => store.put({ nonce, sealed }, mailbox));
  } catch {
    // Private windows may keep nothing; the list works without.
  }
}

/** Forget all covers of all mailboxes. */
export async function forgetCovers() {
  try {
    await withStore("readwrite", (store) => store.clear());
  } catch {
    // Without IndexedDB nothing was kept.
  }
}

async function keyOf(seed) {
  const raw = await hkdf(seed, new Uint8Array(0), INFO);
  return crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function withStore(mode, use) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.addEventListener("upgradeneeded", () => opening.result.createObjectStore(STORE));
  const database = await settled(opening);
  try {
    return await settled(use(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

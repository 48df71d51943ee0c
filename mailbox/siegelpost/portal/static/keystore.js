// The seeds across page loads: in sessionStorage, encrypted under a key that scripts can use but
// not read (IndexedDB, non-extractable AES-GCM). Wiped at logout; gone with the tab's session.
// An own format, as IndexedDB cannot keep ML-KEM keys themselves. Beside them, for some minutes, what
// a passkey gave that has no copy of the key in force yet.

import { base64, fromBase64, fromUtf8, randomBytes, utf8 } from "./bytes.js";

const ITEM = "siegelpost-seeds";
const DATABASE = "siegelpost";
const STORE = "keys";
const NAME = "session";
const TAP = "siegelpost-tap";

/** Keep `seeds` = [{key, seed, retired}] of a mailbox for this tab. */
export async function keep(mailbox, seeds) {
  const wrappingKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  const nonce = randomBytes(12);
  const plain = utf8(JSON.stringify(seeds.map((each) => ({ ...each, seed: base64(each.seed) }))));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: utf8(mailbox) },
    wrappingKey,
    plain,
  );
  await withStore("readwrite", (store) => store.put(wrappingKey, NAME));
  const item = { mailbox, nonce: base64(nonce), sealed: base64(new Uint8Array(sealed)) };
  sessionStorage.setItem(ITEM, JSON.stringify(item));
}

/** The kept seeds of `mailbox`, or null if there are none that open. */
export async function load(mailbox) {
  const text = sessionStorage.getItem(ITEM);
  if (text === null) return null;
  try {
    const item = JSON.parse(text);
    if (item.mailbox !== mailbox) return null;
    const wrappingKey = await withStore("readonly", (store) => store.get(NAME));
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: fromBase64(item.nonce), additionalData: utf8(mailbox) },
      wrappingKey,
      fromBase64(item.sealed),
    );
    return JSON.parse(fromUtf8(new Uint8Array(plain))).map((each) => ({
      ...each,
      seed: fromBase64(each.seed),
    }));
  } catch {
    // Another tab logged in since, or storage was cleared: unlock again.
    return null;
  }
}

/** The kept seeds of an account's mailbox, or null unless every key in force is among them. */
export async function loadFor(account) {
  const kept = await load(account.mailbox);
  const current = account.keys.filter(({ retired }) => !retired);
  const complete = current.every(({ key }) => kept?.some((each) => each.key === key));
  return complete ? kept : null;
}

/** Keep what a passkey gave, {credential, prf}, until the password was given, too. */
export async function keepTap({ credential, prf }) {
  const wrappingKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  const nonce = randomBytes(12);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, wrappingKey, prf);
  await withStore("readwrite", (store) => store.put(wrappingKey, TAP));
  const item = { credential, nonce: base64(nonce), sealed: base64(new Uint8Array(sealed)) };
  sessionStorage.setItem(TAP, JSON.stringify(item));
}

/** What `keepTap` kept, once; or null. */
export async function takeTap() {
  const kept = sessionStorage.getItem(TAP);
  if (kept === null) return null;
  sessionStorage.removeItem(TAP);
  try {
    const { credential, nonce, sealed } = JSON.parse(kept);
    const wrappingKey = await withStore("readonly", (store) => store.get(TAP));
    const algorithm = { name: "AES-GCM", iv: fromBase64(nonce) };
    const prf = await crypto.subtle.decrypt(algorithm, wrappingKey, fromBase64(sealed));
    return { credential, prf: new Uint8Array(prf) };
  } catch {
    return null;
  }
}

/** Forget the seeds and the key that encrypts them. */
export async function wipe() {
  sessionStorage.removeItem(ITEM);
  sessionStorage.removeItem(TAP);
  try {
    await withStore("readwrite", (store) => store.clear());
  } catch {
    // Without IndexedDB nothing was kept.
  }
}

async function withStore(mode, use) {
  const database = await settled(open());
  try {
    return await settled(use(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE));
  return request;
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

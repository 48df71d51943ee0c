// After an exchange of keys: every notice gets a header for the new key, some at a time.
// Each is done or not done, so that whoever closes the browser goes on later.

import { get, post } from "./api.js";
import { base64, fromBase64 } from "./bytes.js";
import { opens, rewrapHeader } from "./rewrap.js";
import { SealingError, acknowledgementKey, recipientBytes } from "./sealing.js";
import { signRewrapping } from "./statements.js";

/** How many notices wait for the key in force. */
export const waitingCount = async () => (await get("/account/rewrap")).count;

/**
 * Re-wrap all that waits, for an open mailbox {mailbox, seeds}; `progress(done, total)` on the way.
 * Returns how many could not be re-wrapped; these stay readable with the old key's seed.
 */
export async function rewrapAll({ mailbox, seeds }, progress = () => {}) {
  const own = seeds.find(({ retired }) => !retired);
  const signer = await acknowledgementKey(own.seed);
  const all = seeds.map(({ seed }) => seed);
  let total = null;
  let stuck = 0;
  for (;;) {
    const page = await get(`/account/rewrap?skip=${stuck}`);
    total ??= page.count;
    if (page.key !== own.key || page.notices.length === 0) return stuck;
    const made = [];
    for (const notice of page.notices) {
      try {
        made.push(await rewrapOne(notice, { mailbox, own, all, signer }));
      } catch (error) {
        if (!(error instanceof SealingError)) throw error;
        console.info("a notice could not be re-wrapped:", error.message);
        stuck += 1;
      }
    }
    if (made.length > 0) await post("/account/rewrap", { notices: made });
    progress(Math.max(0, total - page.count + made.length), total);
  }
}

async function rewrapOne({ notice, cover, package: sealed }, { mailbox, own, all, signer }) {
  const headers = [];
  for (const old of [cover, sealed]) {
    const made = await rewrapHeader(fromBase64(old), all, [recipientBytes(own.seed)]);
    // Looked at before the old one goes: afterwards nobody could repair it.
    if (!(await opens(made, [own.seed]))) throw new SealingError("the new header does not open");
    headers.push(made);
  }
  const signature = await signRewrapping(signer, {
    mailbox,
    notice,
    key: own.key,
    cover: headers[0],
    package: headers[1],
  });
  return {
    notice,
    cover: base64(headers[0]),
    package: base64(headers[1]),
    signature: base64(signature),
  };
}

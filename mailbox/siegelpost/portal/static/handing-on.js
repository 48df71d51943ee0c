// Notices for a delegate: headers for the delegate's key, made here because nobody else can.
// Before each, the code that the citizen gave away has to vouch for that key.

import { get, post } from "./api.js";
import { base64, fromBase64 } from "./bytes.js";
import { isVouched } from "./invitations.js";
import { rewrapHeader } from "./rewrap.js";
import { SealingError, acknowledgementKey } from "./sealing.js";
import { signRewrapping } from "./statements.js";
import { bech32 } from "./vendor/crypto.js";

/** The key is not the one of whoever got the code. */
export class NotVouched extends Error {}

/** Look whose key waits, before anything is given; NotVouched. */
export const lookAtDelegate = async ({ seeds }, mandate) => {
  await check(seeds, await get(pathOf(mandate)));
};

/** Hand on all that waits; `progress(done, total)`. Returns how many notices resisted. */
export async function handOn({ mailbox, seeds }, mandate, progress = () => {}) {
  const own = seeds.find(({ retired }) => !retired);
  const signer = await acknowledgementKey(own.seed);
  let total = null;
  let stuck = 0;
  for (;;) {
    const page = await get(`${pathOf(mandate)}?skip=${stuck}`);
    total ??= page.count;
    if (page.notices.length === 0) return stuck;
    await check(seeds, page);
    const made = [];
    for (const notice of page.notices) {
      try {
        made.push(await headersFor(notice, page, { mailbox, seeds, signer }));
      } catch (error) {
        if (!(error instanceof SealingError)) throw error;
        console.info("a notice could not be handed on:", error.message);
        stuck += 1;
      }
    }
    if (made.length > 0) await post(pathOf(mandate), { notices: made });
    progress(Math.max(0, total - page.count + made.length), total);
  }
}

const pathOf = (mandate) => `/account/delegates/${encodeURIComponent(mandate)}/headers`;

async function check(seeds, page) {
  const { delegate: mailbox, key, recipient } = page;
  const [salt, mac] = [fromBase64(page.code_salt), fromBase64(page.key_mac)];
  if (!(await isVouched(seeds, { salt, mac, mailbox, key, recipient }))) {
    throw new NotVouched("the code does not vouch for this key");
  }
}

async function headersFor({ notice, cover, package: sealed }, page, { mailbox, seeds, signer }) {
  const all = seeds.map(({ seed }) => seed);
  const recipient = recipientOf(page.recipient);
  const forCover = await rewrapHeader(fromBase64(cover), all, [recipient]);
  const forPackage =
    page.role !== "titles"
      ? await rewrapHeader(fromBase64(sealed), all, [recipient])
      : new Uint8Array(0);
  const said = { mailbox, notice, key: page.key, cover: forCover, package: forPackage };
  return {
    notice,
    cover: base64(forCover),
    package: base64(forPackage),
    signature: base64(await signRewrapping(signer, said)),
  };
}

/** The 1216 public bytes of `age1pq1…`. */
const recipientOf = (text) => bech32.fromWords(bech32.decode(text, false).words);

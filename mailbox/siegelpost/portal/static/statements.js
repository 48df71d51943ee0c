// What the mailbox's own key signs: key bindings, successions, new headers and acknowledgements, as
// in evidence/key_binding.py, key_succession.py, rewrapping.py and acknowledgement.py.

import { concat, hex, sha256, utf8 } from "./bytes.js";
import { encode } from "./canonical.js";
import { recipientText } from "./sealing.js";

/** The signature (64 bytes) by which a new key claims mailbox and recipient. */
export async function signKeyBinding(signer, { mailbox, key, recipient }) {
  const statement = encode({
    mailbox,
    key,
    recipient_sha256: hex(await sha256(utf8(recipientText(recipient)))),
    acknowledgement_key: hex(signer.publicKey),
  });
  return signer.sign(concat(utf8("siegelpost/key-binding/v1\n"), statement));
}

/** The signature (64 bytes) by which an old key vouches for the one that takes its place. */
export async function signKeySuccession(signer, { mailbox, predecessor, key, recipient, publicKey }) {
  const statement = encode({
    mailbox,
    predecessor,
    key,
    recipient_sha256: hex(await sha256(utf8(recipientText(recipient)))),
    acknowledgement_key: hex(publicKey),
  });
  return signer.sign(concat(utf8("siegelpost/key-succession/v1\n"), statement));
}

/** The signature (64 bytes) over new headers of one notice. */
export async function signRewrapping(signer, { mailbox, notice, key, cover, package: sealed }) {
  const statement = encode({
    mailbox,
    notice,
    key,
    cover_header_sha256: hex(await sha256(cover)),
    package_header_sha256: hex(await sha256(sealed)),
  });
  return signer.sign(concat(utf8("siegelpost/rewrap/v1\n"), statement));
}

/** {statement (canonical JSON bytes), signature}: this package opened here, with this manifest. */
export function signAcknowledgement(signer, { mailbox, notice, manifestDigest, payload, now }) {
  const statement = encode({
    mailbox,
    notice,
    manifest_sha256: hex(manifestDigest),
    payload_sha256: hex(payload),
    acknowledged_at: formatTime(now),
  });
  const message = concat(utf8("siegelpost/acknowledgement/v1\n"), statement);
  return { statement, signature: signer.sign(message) };
}

/** UTC with six digits of a second, of which a browser knows three. */
const formatTime = (date) => date.toISOString().replace("Z", "000Z");

// What the reader does with an opened notice: acknowledge it, save its receipt.

import { Problem, post, send } from "./api.js";
import { base64, fromUtf8 } from "./bytes.js";
import { save } from "./downloads.js";
import { signAcknowledgement } from "./statements.js";

const RECEIPT_TRIES = 8;
const RECEIPT_PAUSE_MS = 1500;

/** Sign with the mailbox's own key that the package opened, and hand it in. */
export async function acknowledge(path, { mailbox, facts, opened }, signer) {
  const { statement, signature } = signAcknowledgement(signer, {
    mailbox,
    notice: facts.id,
    manifestDigest: opened.manifestDigest,
    payload: opened.payload,
    now: new Date(),
  });
  await post(`${path}/acknowledge`, {
    statement: fromUtf8(statement),
    signature: base64(signature),
  });
}

/** Save the receipt; new events take some seconds until they are under a checkpoint. */
export async function saveReceipt(path, id, { pdf = false } = {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await send(pdf ? `${path}/receipt.pdf` : `${path}/receipt`);
      const bytes = await response.arrayBuffer();
      if (pdf) save(bytes, `Quittung-${id}.pdf`, "application/pdf");
      else save(bytes, `Quittung-${id}.json`, "application/json");
      return;
    } catch (error) {
      const waiting = error instanceof Problem && error.code === "not-yet-logged";
      if (!waiting || attempt === RECEIPT_TRIES) throw error;
      await new Promise((resume) => setTimeout(resume, RECEIPT_PAUSE_MS));
    }
  }
}

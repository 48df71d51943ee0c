// Passkeys of staff: the signature logs in and unlocks nothing, so no PRF is asked for.

import { post } from "./api.js";
import { base64, fromBase64, utf8 } from "./bytes.js";
import { Notice } from "./dom.js";
import { text } from "./texts.js";

// Ed25519, ECDSA P-256, RSA (COSE numbers), best first.
const ALGORITHMS = [-8, -7, -257];

export async function logIn() {
  const asked = await post("/console/login/passkey/prepare");
  const { rawId, response } = await asking(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: fromBase64(asked.challenge),
        rpId: asked.rp_id,
        userVerification: "required",
        timeout: asked.timeout_ms,
      },
    }),
  );
  await post("/console/login/passkey", {
    credential: bytes(rawId),
    client_data: bytes(response.clientDataJSON),
    authenticator_data: bytes(response.authenticatorData),
    signature: bytes(response.signature),
  });
}

export async function register(code, service) {
  const asked = await post("/console/invitation/prepare", { code });
  const { rawId, response } = await asking(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: fromBase64(asked.challenge),
        rp: { id: asked.rp_id, name: service },
        user: { id: utf8(asked.member), name: asked.name, displayName: asked.name },
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: {
          residentKey: "required",
          requireResidentKey: true,
          userVerification: "required",
        },
        attestation: "none",
        timeout: asked.timeout_ms,
      },
    }),
  );
  await post("/console/invitation", {
    code,
    credential: bytes(rawId),
    client_data: bytes(response.clientDataJSON),
    attestation_object: bytes(response.attestationObject),
  });
}

const bytes = (buffer) => base64(new Uint8Array(buffer));

async function asking(work) {
  if (typeof globalThis.PublicKeyCredential !== "function") {
    throw new Notice(text("passkey-unsupported"));
  }
  try {
    return await work();
  } catch (error) {
    // Also what a browser answers that knows no passkey of ours, or one already here.
    const known = ["NotAllowedError", "AbortError", "InvalidStateError"];
    if (error instanceof DOMException && known.includes(error.name)) {
      throw new Notice(text("passkey-abandoned"));
    }
    throw error;
  }
}

// Passkeys: the signature logs in, the PRF output (which stays here) opens the key.
// Web Authentication 3, 10.1.4: the browser hashes our input with a prefix of its own.

import { post } from "./api.js";
import { base64, fromBase64, randomBytes, utf8 } from "./bytes.js";
import { wrapAll } from "./secrets.js";
import { PASSKEY, SALT_SIZE, WrappingError, passkeyKey, unwrapEach } from "./wrapping.js";

const PRF = { prf: { eval: { first: utf8("siegelpost/passkey-prf/v1") } } };
// Ed25519, ECDSA P-256, RSA (COSE numbers), best first.
const ALGORITHMS = [-8, -7, -257];

/** The reader closed the browser's question, or it ran out; nothing happened. */
export class PasskeyAbandoned extends Error {}

export const supported = () => typeof globalThis.PublicKeyCredential === "function";

/** Answer the challenge of `<path>/prepare` at `path`: {credential, prf (or null)}. */
export async function assert(path) {
  const asked = await post(`${path}/prepare`);
  const { rawId, response, prf } = await sign(asked);
  await post(path, {
    credential: base64(rawId),
    client_data: base64(new Uint8Array(response.clientDataJSON)),
    authenticator_data: base64(new Uint8Array(response.authenticatorData)),
    signature: base64(new Uint8Array(response.signature)),
  });
  return { credential: base64(rawId), prf };
}

/** The seeds that a passkey opens; WrappingError if it has no PRF, or no copy is for it. */
export function unwrapByPasskey(account, { credential, prf }) {
  if (prf === null) throw new WrappingError("this passkey has no PRF");
  return unwrapEach(account, PASSKEY, ({ parameters }) =>
    parameters.credential === credential ? passkeyKey(prf, fromBase64(parameters.salt)) : null,
  );
}

/** Make a passkey for an open mailbox {mailbox, seeds}; whether it opens the key, too. */
export async function register(open, { loginName, service }) {
  const asked = await post("/account/passkeys/prepare");
  const made = await abandonable(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: fromBase64(asked.challenge),
        rp: { id: asked.rp_id, name: service },
        user: { id: utf8(open.mailbox), name: loginName, displayName: loginName },
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: {
          residentKey: "required",
          requireResidentKey: true,
          userVerification: "required",
        },
        attestation: "none",
        timeout: asked.timeout_ms,
        excludeCredentials: asked.credentials.map(descriptor),
        extensions: PRF,
      },
    }),
  );
  const credential = base64(new Uint8Array(made.rawId));
  const prf = await prfOf(made, { ...asked, credentials: [credential] });
  await post("/account/passkeys", {
    credential,
    client_data: base64(new Uint8Array(made.response.clientDataJSON)),
    attestation_object: base64(new Uint8Array(made.response.attestationObject)),
    wrapped: prf === null ? [] : await wrapFor(open, prf),
  });
  return prf !== null;
}

/** Let a passkey {credential, prf} that is registered already open the key in force again. */
export async function refresh(open, { credential, prf }) {
  await post("/account/passkeys/copies", { credential, wrapped: await wrapFor(open, prf) });
}

async function wrapFor(open, prf) {
  const salt = randomBytes(SALT_SIZE);
  return wrapAll(open, { method: PASSKEY, salt, wrappingKey: await passkeyKey(prf, salt) });
}

/** Many authenticators give the PRF output only when they sign, not when they are made. */
async function prfOf(made, asked) {
  const said = made.getClientExtensionResults().prf;
  if (said?.results?.first) return new Uint8Array(said.results.first);
  if (!said?.enabled) return null;
  try {
    return (await sign({ ...asked, challenge: base64(randomBytes(32)) })).prf;
  } catch (error) {
    if (error instanceof PasskeyAbandoned) return null;
    throw error;
  }
}

async function sign(asked) {
  const answer = await abandonable(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: fromBase64(asked.challenge),
        rpId: asked.rp_id,
        allowCredentials: asked.credentials.map(descriptor),
        userVerification: "required",
        timeout: asked.timeout_ms,
        extensions: PRF,
      },
    }),
  );
  const first = answer.getClientExtensionResults().prf?.results?.first;
  return {
    rawId: new Uint8Array(answer.rawId),
    response: answer.response,
    prf: first ? new Uint8Array(first) : null,
  };
}

const descriptor = (credential) => ({ type: "public-key", id: fromBase64(credential) });

async function abandonable(work) {
  try {
    return await work();
  } catch (error) {
    // Also what a browser answers that knows no passkey of ours, or one already here.
    const known = ["NotAllowedError", "AbortError", "InvalidStateError"];
    if (error instanceof DOMException && known.includes(error.name)) {
      throw new PasskeyAbandoned(error.name);
    }
    throw error;
  }
}

// Requests to our own service: JSON in, JSON out, errors as problem+json (RFC 9457).

const tokenHolder = () => document.querySelector('meta[name="form-token"]');
export const token = () => tokenHolder()?.content ?? "";

/** What the service refused, by a stable code. */
export class Problem extends Error {
  constructor(status, code, title = "", details = {}) {
    super(title || code);
    this.status = status;
    this.code = code;
    this.title = title;
    this.details = details;
  }
}

let leaving = false;

/** From here on the person goes by her own will: answers to what was under way lead nowhere else. */
export function leave() {
  leaving = true;
}

export const get = async (path) => (await send(path)).json();

/** The JSON answer to a POST, or null for an empty one. */
export async function post(path, body = {}) {
  const response = await send(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  });
  if (response.status === 204) return null;
  const answer = await response.json();
  // A new session has a new token; this page goes on with it.
  if (answer.form_token) tokenHolder().content = answer.form_token;
  return answer;
}

/** The bytes that a POST answers, with `progress(received, total)` on the way. */
export async function postForBytes(path, progress = () => {}) {
  const response = await send(path, { method: "POST" });
  const total = Number(response.headers.get("Content-Length")) || 0;
  const parts = [];
  let received = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.length;
    progress(received, total);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** A checked response, for downloads. */
export async function send(path, options = {}) {
  let response;
  try {
    response = await fetch(path, {
      credentials: "same-origin",
      redirect: "error",
      ...options,
      headers: {
        Accept: "application/json, application/age",
        "X-Siegelpost-Form": token(),
        ...options.headers,
      },
    });
  } catch {
    throw new Problem(0, "offline");
  }
  if (response.ok) return response;
  throw await refused(response, path);
}

/** The Problem of an answer that is no success; whoever is logged out is led to the login. */
export async function refused(response, path) {
  const known = leaving || path.startsWith("/login") || path.startsWith("/activate");
  if (response.status === 401 && !known) {
    location.assign(`/login?timed-out=1&next=${encodeURIComponent(location.pathname)}`);
  }
  let body = {};
  try {
    body = await response.json();
  } catch {
    // Not ours: a proxy, perhaps. The status has to do.
  }
  const code = String(body.code ?? body.type ?? `http-${response.status}`).split(/[/#:]/).at(-1);
  const title = body[`title_${document.documentElement.lang}`] ?? body.title ?? "";
  return new Problem(response.status, code, title, body);
}

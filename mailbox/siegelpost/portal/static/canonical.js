// Canonical JSON (RFC 8785) as in evidence/canonical.py: strings, integers below 2^53, booleans,
// null, lists and objects; one value, one byte string. Floats are refused.

import { equal, fromUtf8, utf8 } from "./bytes.js";

const MAX_DEPTH = 32;

export class CanonicalError extends Error {}

export const encode = (value) => utf8(text(value, MAX_DEPTH));

/** The value of canonical bytes; CanonicalError if they are not exactly what `encode` gives. */
export function decode(bytes, maxSize) {
  if (bytes.length > maxSize) throw new CanonicalError("too large");
  let value;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch {
    throw new CanonicalError("not JSON");
  }
  if (!equal(encode(value), bytes)) throw new CanonicalError("not in canonical form");
  return value;
}

/** An object with exactly these fields; CanonicalError otherwise. */
export function exactly(value, names) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new CanonicalError("no object");
  }
  const found = Object.keys(value).sort();
  const wanted = [...names].sort();
  if (found.length !== wanted.length || found.some((name, at) => name !== wanted[at])) {
    throw new CanonicalError("missing or unknown fields");
  }
  return value;
}

function text(value, depth) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new CanonicalError("lone surrogate");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new CanonicalError("not an integer below 2^53");
    return String(value);
  }
  if (depth === 0) throw new CanonicalError("nested too deep");
  if (Array.isArray(value)) return `[${value.map((item) => text(item, depth - 1)).join(",")}]`;
  // Default order of sort() is by UTF-16 code units, as RFC 8785, 3.2.3 wants it.
  const members = Object.keys(value)
    .sort()
    .map((key) => `${text(key, 0)}:${text(value[key], depth - 1)}`);
  return `{${members.join(",")}}`;
}

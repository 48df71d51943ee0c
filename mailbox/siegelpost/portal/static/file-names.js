// File names that are safe to unpack anywhere, as in sealing/names.py: what a phone or a scanner
// calls a file ends up on a clerk's disk.

const MAX_SIZE = 120;
const FALLBACK = "Dokument";
const RESERVED = ["manifest.json", "manifest.sig"].map(fold);
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
// Forbidden on some system, or with a meaning in shells and addresses.
const FORBIDDEN = /[/\\:*?"<>|]/g;
// Devices of Windows, which also takes small raised digits for these and overlooks spaces.
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)/i;
const EXTENSION = /^(.+)(\.[A-Za-z0-9]{1,10})$/su;
const MAX_PASSES = 8;
/** How names of what a reply may hold end; the first is given to those that end otherwise. */
const ENDINGS = new Map([
  ["application/pdf", [".pdf"]],
  ["image/jpeg", [".jpg", ".jpeg"]],
  ["image/png", [".png"]],
]);
const encoder = new TextEncoder();

/** `name` as a harmless file name; safe names stay as they are. */
export function safeName(name) {
  let before = name;
  // One step may lay bare what another one takes out (a device name behind dropped dots).
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const after = clean(before);
    if (after === before) return before;
    before = after;
  }
  return FALLBACK;
}

/** Whether a clerk's computer will take the file for what it is, by the end of its name. */
export const endsAs = (name, mediaType) =>
  ENDINGS.get(mediaType)?.some((ending) => name.toLowerCase().endsWith(ending)) ?? false;

/** A safe name that ends as the type says: one that replies may hold. */
export function nameAs(name, mediaType) {
  const safe = safeName(name);
  if (endsAs(safe, mediaType)) return safe;
  return safeName(safe.replace(/\.[A-Za-z0-9]{1,10}$/, "") + ENDINGS.get(mediaType)[0]);
}

/** Safe names in the same order; later ones that differ by case alone get ` (2)`, ` (3)`, … */
export function uniqueNames(names) {
  const taken = new Set();
  return names.map((name) => {
    const safe = safeName(name);
    let candidate = safe;
    for (let number = 2; taken.has(fold(candidate)); number++) {
      const [stem, extension] = split(safe);
      const suffix = ` (${number})`;
      candidate = trim(cut(stem, MAX_SIZE - size(suffix + extension))) + suffix + extension;
    }
    taken.add(fold(candidate));
    return candidate;
  });
}

/**
 * What two names must not share. Coarser than Python's casefold, which browsers lack: names that
 * it finds equal are equal here, and some others, too.
 */
export function fold(name) {
  return name.toLowerCase().toUpperCase().normalize("NFD").toLowerCase().toUpperCase().normalize("NFC");
}

function clean(name) {
  const visible = name.replace(INVISIBLE, "").normalize("NFC").replace(FORBIDDEN, "_");
  let plain = trim(visible.trim().replace(/\s+/g, " "));
  if (DEVICE.test(plain) || RESERVED.includes(fold(plain))) plain = `_${plain}`;
  const [stem, extension] = split(plain);
  return (trim(cut(stem, MAX_SIZE - size(extension))) || FALLBACK) + extension;
}

// A leading dot hides a file; Windows drops trailing dots and spaces.
const trim = (name) => name.replace(/^[ .]+|[ .]+$/g, "");

function split(name) {
  const [, stem, extension] = EXTENSION.exec(name) ?? [null, name, ""];
  return [stem, extension];
}

/** As many whole characters as fit into so many bytes. */
function cut(text, limit) {
  let result = "";
  let used = 0;
  for (const character of text) {
    used += size(character);
    if (used > limit) return result;
    result += character;
  }
  return result;
}

const size = (text) => encoder.encode(text).length;

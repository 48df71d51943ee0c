// What a PNG needs to be shown, and no more: where, when and with what it was made, and what a crop
// left behind its end, stay with the sender. Nothing is drawn anew, so that it stays as sharp.

/** Of the chunks that can be left out, those by which it looks as it should (PNG 3, section 11.3). */
const LOOKS = new Set(["tRNS", "gAMA", "cHRM", "sRGB", "pHYs"]);
const MARK_SIZE = 8;
/** Length, name and checksum. */
const AROUND = 12;
/** In the first letter of a name: the chunk can be left out. */
const ANCILLARY = 0x20;

/** The bytes of a PNG without what tells more than the picture, or null if it is broken. */
export function bare(png) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const made = new Uint8Array(png.length);
  made.set(png.subarray(0, MARK_SIZE));
  let size = MARK_SIZE;
  for (let at = MARK_SIZE; at + AROUND <= png.length; ) {
    const chunk = png.subarray(at, at + AROUND + view.getUint32(at));
    const name = String.fromCharCode(...chunk.subarray(4, 8));
    at += AROUND + view.getUint32(at);
    if (at > png.length) return null;
    if (!(chunk[4] & ANCILLARY) || LOOKS.has(name)) {
      made.set(chunk, size);
      size += chunk.length;
    }
    if (name === "IEND") return made.slice(0, size);
  }
  return null;
}

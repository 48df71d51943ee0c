// Files that go with a reply: PDF, JPEG or PNG by their first bytes, whatever they are called.
// Photos are drawn anew, no larger than a page needs: that spares slow connections, and takes out
// where and with what they were taken. PNGs that stay as sharp as they are lose that, too. What is no
// JPEG or PNG but can be drawn becomes a JPEG.

import { nameAs } from "./file-names.js";
import { bare } from "./png.js";

/** Pixels of the longer side: a page of A4 at about 200 dpi, and some margin. */
const LONG_SIDE = 2560;
const QUALITY = 0.85;
/** A drawing or screenshot up to here stays as sharp as it is. */
const PNG_KEPT = 2_000_000;
const HEAD = 1024;
/** Larger than any photo: a film, whose bytes a phone's memory does not hold. */
const DRAWN_MOST = 128 * 2 ** 20;

/** The file cannot be sent; the message is a name of the page's texts. */
export class FileError extends Error {}

/**
 * {name, mediaType, content, smaller} of a File that as it is may have `most` bytes; FileError
 * "file-type", "file-empty", "file-gone", "file-too-large".
 */
export async function prepareFile(file, most) {
  const head = await read(file.slice(0, HEAD));
  if (head.length === 0) throw new FileError("file-empty");
  const asItIs = async (mediaType) => {
    // Before its bytes are in memory.
    if (file.size > most) throw new FileError("file-too-large");
    return named(file, mediaType, await read(file));
  };
  const asPng = async () => {
    const found = await asItIs("image/png");
    return { ...found, content: bare(found.content) ?? found.content };
  };
  if (isPdf(head)) return asItIs("application/pdf");
  const png = starts(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  if (png && file.size <= PNG_KEPT) return asPng();
  const drawn = file.size > DRAWN_MOST ? null : await draw(file);
  if (drawn !== null) {
    return { ...named(file, "image/jpeg", drawn), smaller: drawn.length < file.size };
  }
  // Too large for this phone to draw: sent as it is, rather than not at all.
  if (png) return asPng();
  if (starts(head, [0xff, 0xd8, 0xff])) return asItIs("image/jpeg");
  throw new FileError("file-type");
}

/** An image of what `prepareFile` made, from its own bytes; null if it is no picture. */
export function preview({ mediaType, content }, alt) {
  if (!mediaType.startsWith("image/")) return null;
  const image = document.createElement("img");
  const address = URL.createObjectURL(new Blob([content], { type: mediaType }));
  image.className = "document__preview";
  image.alt = alt;
  image.decoding = "async";
  image.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
  image.addEventListener("error", () => URL.revokeObjectURL(address), { once: true });
  image.src = address;
  return image;
}

async function read(file) {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    // Moved or deleted since it was chosen, or kept somewhere that does not answer.
    throw new FileError("file-gone");
  }
}

/** The bytes of a JPEG, or null if this is no picture that the browser can draw. */
async function draw(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
    const scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const context = canvas.getContext("2d");
    // What is transparent would turn black.
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return blob === null ? null : new Uint8Array(await blob.arrayBuffer());
  } catch {
    return null;
  } finally {
    picture?.close();
  }
}

const named = (file, mediaType, content) =>
  ({ name: nameAs(file.name, mediaType), mediaType, content, smaller: false });

/** Some programs write a few bytes before the mark. */
function isPdf(bytes) {
  return String.fromCharCode(...bytes).includes("%PDF-");
}

const starts = (bytes, mark) => mark.every((byte, at) => bytes[at] === byte);

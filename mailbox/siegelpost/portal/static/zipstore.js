// ZIP files in exactly one form, as in sealing/zipstore.py: stored, no dates, extras or comments.
// Everything between, before and behind the contents is rebuilt and compared, so that no two
// programs see different files in one package.

import { concat, equal, fromUtf8, utf8 } from "./bytes.js";

const LOCAL_SIZE = 30;
const MAX_ENTRIES = 128;

export class ZipError extends Error {}

/** The files of a package as [{name, content}], contents as views on `bytes`; ZipError. */
export function readZip(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = [];
  const directory = [];
  let position = 0;
  while (position + 4 <= bytes.length && view.getUint32(position, true) === 0x04034b50) {
    if (entries.length === MAX_ENTRIES) throw new ZipError("too many files");
    if (position + LOCAL_SIZE > bytes.length) throw new ZipError("cut within a file header");
    const size = view.getUint32(position + 22, true);
    const start = position + LOCAL_SIZE + view.getUint16(position + 26, true);
    if (start + size > bytes.length) throw new ZipError("cut within a file");
    const name = decodeName(bytes.subarray(position + LOCAL_SIZE, start));
    const content = bytes.subarray(start, start + size);
    const { local, central } = headers(name, content, position);
    if (!equal(bytes.subarray(position, start), local)) {
      throw new ZipError("a file is not stored in the one form");
    }
    entries.push({ name, content });
    directory.push(central);
    position = start + size;
  }
  if (!equal(bytes.subarray(position), closing(concat(...directory), entries.length, position))) {
    throw new ZipError("the directory does not list exactly the files");
  }
  return entries;
}

/** The pieces of the ZIP of [{name, content}], contents as they are; ZipError. */
export function writeZip(entries) {
  if (entries.length > MAX_ENTRIES) throw new ZipError("too many files");
  const pieces = [];
  const directory = [];
  let position = 0;
  for (const { name, content } of entries) {
    const { local, central } = headers(name, content, position);
    pieces.push(local, content);
    directory.push(central);
    position += local.length + content.length;
  }
  return [...pieces, closing(concat(...directory), entries.length, position)];
}

function decodeName(bytes) {
  try {
    if (bytes.length > 0) return fromUtf8(bytes);
  } catch {
    // Falls through to the error below.
  }
  throw new ZipError("a file name is empty or not UTF-8");
}

function headers(name, content, position) {
  const encoded = utf8(name);
  const common = [
    [2, 20], [2, 1 << 11], [2, 0], [2, 0], [2, (1 << 5) | 1],
    [4, crc32(content)], [4, content.length], [4, content.length], [2, encoded.length], [2, 0],
  ];
  const local = pack([[4, 0x04034b50], ...common]);
  const central = pack([
    [4, 0x02014b50], [2, (3 << 8) | 20], ...common,
    [2, 0], [2, 0], [2, 0], [4, (0o100644 << 16) >>> 0], [4, position],
  ]);
  return { local: concat(local, encoded), central: concat(central, encoded) };
}

function closing(central, count, position) {
  const end = [
    [4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, central.length], [4, position],
    [2, 0],
  ];
  return concat(central, pack(end));
}

/** Little-endian fields given as [bytes, value]. */
function pack(fields) {
  const result = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(result.buffer);
  let position = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(position, value, true);
    else view.setUint32(position, value, true);
    position += size;
  }
  return result;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) {
    value = TABLE[(value ^ bytes[at]) & 0xff] ^ (value >>> 8);
  }
  return (value ^ 0xffffffff) >>> 0;
}

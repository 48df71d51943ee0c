// Files for the reader: opened or saved from memory, without another request.

/** Save bytes under a name. */
export function save(bytes, name, type) {
  const address = URL.createObjectURL(new Blob([bytes], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // Some browsers read the address only after the click has returned.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Types that browsers show and that cannot run as a page of ours, whatever a package holds. */
const SHOWN = ["application/pdf", "image/jpeg", "image/png"];

export const isShown = (mediaType) => SHOWN.includes(mediaType);

/** The address of a document for the lifetime of the page; only what `isShown` keeps its type. */
export function address(bytes, mediaType) {
  const type = isShown(mediaType) ? mediaType : "application/octet-stream";
  return URL.createObjectURL(new Blob([bytes], { type }));
}

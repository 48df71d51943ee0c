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

/**
 * The address of a document for the lifetime of the page.
 * Only PDFs keep their type: whatever else a package holds must not run as a page of ours.
 */
export function address(bytes, mediaType) {
  const type = mediaType === "application/pdf" ? mediaType : "application/octet-stream";
  return URL.createObjectURL(new Blob([bytes], { type }));
}

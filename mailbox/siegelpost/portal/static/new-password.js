// The two fields for a new password: an honest hint while typing, and what must hold at the end.

import { FieldError, byId, markField } from "./dom.js";
import { missing, rate } from "./strength.js";
import { text } from "./texts.js";

/** Rate while typing, and take back what was said to be wrong; `own()` are texts that others know of this person. */
export function watchPassword(own) {
  byId("new-passphrase").addEventListener("input", ({ target }) => {
    const rating = rate(target.value, own());
    const count = missing(target.value);
    markField(target); // from here on the hint says what is wrong
    byId("strength").textContent = target.value ? text(`strength-${rating}`, { count }) : "";
  });
  byId("repeat-passphrase").addEventListener("input", ({ target }) => markField(target));
}

/** The password that was chosen; FieldError if it is too easy or typed differently. */
export function chosenPassword(own) {
  const first = byId("new-passphrase");
  const second = byId("repeat-passphrase");
  const rating = rate(first.value, own());
  if (rating === "short") throw new FieldError(first, text("passphrase-short"));
  if (rating === "guessable") throw new FieldError(first, text("passphrase-guessable"));
  if (first.value.normalize("NFKC") !== second.value.normalize("NFKC")) {
    throw new FieldError(second, text("passphrase-different"));
  }
  return first.value;
}

/** Empty the fields. */
export function forgetPassword() {
  for (const id of ["new-passphrase", "repeat-passphrase"]) document.getElementById(id).value = "";
  byId("strength").textContent = "";
}

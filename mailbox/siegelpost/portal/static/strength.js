// An honest hint about a passphrase: its length, and patterns that anybody would try first.
// Whether somebody can guess it, no program knows; nothing is sent anywhere to find out.

export const SHORTEST = 12;
const LONG = 20;
const ROWS = ["abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertzuiop", "qwertyuiop", "asdfghjkl"];
const COMMON = ["passwort", "password", "passphrase", "jobcenter", "siegelpost", "hallo", "geheim"];

/** "short" | "guessable" | "enough" | "long". `own` are texts that others know of this person. */
export function rate(passphrase, own = []) {
  const characters = [...passphrase.normalize("NFKC")];
  if (characters.length < SHORTEST) return "short";
  if (isGuessable(passphrase.toLowerCase(), own)) return "guessable";
  return characters.length < LONG ? "enough" : "long";
}

export const missing = (passphrase) => SHORTEST - [...passphrase.normalize("NFKC")].length;

function isGuessable(text, own) {
  if (new Set(text).size < 6) return true;
  // What is left when everything that is tried first is taken out has to carry the weight.
  let rest = text;
  const known = [...COMMON, ...own.flatMap((value) => value.toLowerCase().split(/[@.\s]+/))];
  for (const word of known.filter((word) => word.length > 3)) rest = rest.replaceAll(word, "");
  rest = withoutRows(rest).replace(/(.)\1+/gu, "$1").replace(/(.{2,}?)\1+/gu, "$1");
  return [...rest].length < 8;
}

function withoutRows(text) {
  let rest = text;
  for (const row of ROWS) {
    for (const run of [row, [...row].reverse().join("")]) {
      for (let size = run.length; size >= 4; size--) {
        for (let at = 0; at + size <= run.length; at++) {
          rest = rest.replaceAll(run.slice(at, at + size), "");
        }
      }
    }
  }
  return rest;
}

// Recovery codes: 135 random bits to write down and type again, as in sealing/recovery_code.py.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_RANDOM = 27;

export class RecoveryCodeError extends Error {}

/** The code of 27 random bytes, in seven groups of four with its check character. */
export function newRecoveryCode(random) {
  if (random.length !== CODE_RANDOM) throw new RecoveryCodeError("27 random bytes are needed");
  const code = Array.from(random, (byte) => ALPHABET[byte & 31]).join("");
  return (code + checkCharacter(code)).match(/.{4}/g).join("-");
}

/** The canonical 27 characters of a typed code; RecoveryCodeError if it cannot be one. */
export function parseRecoveryCode(typed) {
  const text = normalise(typed);
  if (text.length !== CODE_RANDOM + 1) throw new RecoveryCodeError("wrong length");
  if ([...text].some((character) => !ALPHABET.includes(character))) {
    throw new RecoveryCodeError("a character that no code has");
  }
  const code = text.slice(0, -1);
  if (checkCharacter(code) !== text.at(-1)) throw new RecoveryCodeError("mistyped");
  return code;
}

/** Upper case without separators; O reads as 0, I and L as 1. */
export const normalise = (typed) =>
  typed
    .slice(0, 200)
    .toUpperCase()
    .replace(/[ \-\u2010-\u2014\u2212\t\r\n\u00a0]/g, "")
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1");

function checkCharacter(code) {
  let check = 0;
  for (const character of code) check = timesTwo(check) ^ ALPHABET.indexOf(character);
  return ALPHABET[timesTwo(check)];
}

// Doubling in GF(32) modulo x^5 + x^2 + 1.
const timesTwo = (value) => ((value << 1) > 31 ? (value << 1) ^ 37 : value << 1);

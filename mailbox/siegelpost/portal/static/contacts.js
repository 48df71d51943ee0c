// Telephone numbers and e-mail addresses in what agencies write, as links: a phone calls with one
// tap. Mirrors portal/contacts.py; whatever is not surely one number stays text.

const WRITTEN = /^\+?[0-9 \u00a0()/.\u2010-\u2013-]{3,40}$/;
const MORE = /\/\D*0|\/.*\/|\b\d{1,2}\.\s?\d{1,2}\.\s?(\d{4}|\d{2})?(?!\d)/;
const BEHIND = /^(\+(\D*\d){8}|00(\D*\d){8}|(?!\+|00)(\D*\d){7}).*[/(]/;

/** "+49234567890", or a short number such as 115 as it is; null if it is not surely one number. */
export function dialled(written) {
  let number = written.trim();
  if (!WRITTEN.test(number) || MORE.test(number) || BEHIND.test(number)) return null;
  const abroad = /^(\+|00)/.test(number);
  if (abroad) number = number.replace("(0)", "");
  let digits = number.replace(/\D/g, "");
  if (!abroad && /^1\d{2,5}$/.test(digits)) return digits;
  if (abroad) digits = digits.replace(/^00/, "");
  else if (digits.startsWith("0")) digits = `49${digits.slice(1)}`;
  else return null;
  return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : null;
}

/** Of a number in running text, which could also be a file's: what says that it is for calling. */
const CUE = /(?<!\p{L})(Tel\.?|Telefon|Handy|Mobil|Durchwahl|Phone)[:.]?\s*$/iu;
/** Before what nobody calls, or calls within the house alone, and behind hours of the day. */
const FAX = /fax[:.]?\s*$/i;
const WITHIN = /Durchwahl[:.]?\s*$/i;
const HOURS = /^\s*(Uhr|h|bis)(?!\p{L})/iu;
const NUMBER = /(?<number>(?<!\w)[+(]?\d[\d \u00a0()/.\u2010-\u2013-]{1,38}\d(?!\w))/u;
/** An address, whole: part of one with other letters would be somebody else's. */
const MAIL = /(?<mail>[\w.+-]+@[\w-]+(\.[\w-]+)+(?!\.?[\p{L}\p{M}\p{N}_-]))/u;
const NOT_AFTER = /(?<![\p{L}\p{M}\p{N}_.!#$%&'*+/=?^`{|}~-])/u;
const FOUND = new RegExp(`${NOT_AFTER.source}${MAIL.source}|${NUMBER.source}`, "gu");
/** What begins to be said in brackets behind a number. */
const ASIDE = /(?<=(\d\D*){7})[ \u00a0]*\(.*$/;

/** `words` as nodes: strings, and links where an address or number stands; `known`: one such. */
export function withLinks(words, known = "") {
  const nodes = [];
  let end = 0;
  for (const { 0: match, index, groups } of words.matchAll(FOUND)) {
    const shown = groups.mail ?? match.replace(ASIDE, "");
    const around = [words.slice(end, index), words.slice(index + shown.length)];
    const to = groups.mail ? `mailto:${shown}` : called(shown, ...around, known);
    if (to === null) continue;
    const link = document.createElement("a");
    Object.assign(link, { className: "kern-link contact", href: to, textContent: shown });
    // Whatever runs around it.
    link.dir = "ltr";
    nodes.push(around[0], link);
    end = index + shown.length;
  }
  return [...nodes, words.slice(end)].filter((node) => node !== "");
}

function called(shown, before, after, known) {
  const number = dialled(shown);
  if (number === null || FAX.test(before) || HOURS.test(after)) return null;
  if (WITHIN.test(before) && !number.startsWith("+")) return null;
  const meant = shown.startsWith("+") || CUE.test(before) || number === dialled(known);
  return meant ? `tel:${number}` : null;
}

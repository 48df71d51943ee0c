"""Bytes to text without ever raising: charsets, transfer encodings, RFC 2047 words, HTML.

Implements the decoding half of RFC 2045, RFC 2047 and RFC 2231 as far as reports need it.
Every function is linear in its input and takes any bytes.
"""

import binascii
import html
import re

# Codecs outside this list are not looked up: some of Python's are not charsets at all, and
# punycode and idna take quadratic time.
_CHARSET = re.compile(
    r"(?:us-?)?ascii|utf-?(?:8|16|32)(?:-?[bl]e)?|utf8|latin-?\d|iso-?8859-?\d{1,2}(?:-[ei])?"
    r"|windows-?\d{3,4}|cp-?\d{3,5}|koi8-?[rut]|iso-?2022-?(?:jp|kr)(?:-?[123])?|shift[_-]?jis"
    r"|sjis|euc-?(?:jp|kr)|gb(?:2312|k|18030)|big5(?:hkscs)?|hz|tis-?620|mac(?:intosh|roman)",
    re.IGNORECASE,
)
_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bqBQ])\?([^?\r\n]{0,2000})\?=")
_WORD_GAP = re.compile(r"\?=[ \t\r\n]+=\?")
_TAG = re.compile(r"<[^<>]{0,4000}>")
_BREAK = re.compile(
    r"<(?:br|/?p|/?div|/?tr|/?table|/?h\d|/?li|/?ul|/?pre|/?blockquote)\b[^<>]{0,500}>",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


def charset_text(data: bytes, charset: str | None) -> str:
    """Decode with the named charset; an unknown or lying one falls back to UTF-8, then cp1252."""
    if charset and _CHARSET.fullmatch(charset):
        name = "cp1252" if charset.lower() in {"iso-8859-1", "latin1", "latin-1"} else charset
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            pass
    try:
        return data.decode("utf-8")
    except ValueError:
        return data.decode("cp1252", "replace")


def transfer_decoded(data: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding; what is not decodable comes back as it was."""
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if encoding == "base64":
        return base64_decoded(data)
    return data


def base64_decoded(data: bytes) -> bytes:
    """Decode as much as is there, padding or not, line breaks and junk skipped."""
    letters = _NOT_BASE64.sub(b"", data)
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    try:
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    except (ValueError, binascii.Error):
        return data


def header_text(value: str) -> str:
    """RFC 2047 words decoded, white space folded. Undecodable words stay as they are."""
    if "=?" in value:
        value = _WORD.sub(_word, _WORD_GAP.sub("?==?", value))
    return _SPACES.sub(" ", value).strip()


def _word(match: re.Match[str]) -> str:
    charset, method, words = match.groups()
    data = words.encode("ascii", "replace")
    plain = base64_decoded(data) if method in "bB" else binascii.a2b_qp(data, header=True)
    return charset_text(plain, charset)


def html_text(markup: str) -> str:
    """The words of an HTML page, a line for each block. A reader's help, not a sanitiser."""
    markup = _without_element(_without_element(markup, "style"), "script")
    markup = _BREAK.sub("\n", markup.replace("\r", "").replace("\n", " "))
    lines = html.unescape(_TAG.sub("", markup)).replace("\xa0", " ").split("\n")
    return "\n".join(line.strip() for line in lines)


def _without_element(markup: str, name: str) -> str:
    low = markup.lower()
    if len(low) != len(markup):  # a few letters change length: positions would not fit
        return markup
    kept, at = [], 0
    while (start := low.find(f"<{name}", at)) >= 0:
        kept.append(markup[at:start])
        end = low.find(f"</{name}", start)
        if end < 0:
            at = len(markup)
            break
        at = end
    kept.append(markup[at:])
    return "".join(kept)


def folded(value: str) -> str:
    """All white space runs become one space."""
    return _SPACES.sub(" ", value).strip()

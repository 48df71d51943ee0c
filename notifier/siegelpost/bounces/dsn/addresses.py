"""Addresses as they stand in reports: typed, bracketed, xtext, routed, encapsulated by Exchange.

Implements RFC 3464 section 2.3.1 (typed addresses), RFC 3461 section 4 (xtext) and RFC 6533
section 3 (utf-8 addresses).
Nothing is validated beyond what is needed to tell an address from a word.
"""

import re

_LOCAL = r"[^\s<>\"'()\[\],;:@\\=|]"
#: An address inside running text. Bounded, so that no input makes it slow.
IN_TEXT = re.compile(
    r"(?<![^\s<>\"'()\[\],;:|={*“„«（【《：，、。「])"
    r"(\"[^\"\r\n@]{1,64}\"|[^\s<>\"'()\[\],;:@\\|“”„«»（）【】《》：，、。「」]{1,160})"
    r"@((?:[^\W_][\w-]{0,62}(?:\.|(?=[\s<>\"'()\[\],;:|）】》，、。」]|$))){1,12}|\[[\d.]{7,15}\]"
    r"|\[IPv6:[\dA-Fa-f:.]{2,45}\])",
)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNICODE = re.compile(r"\\x\{(1?0?[0-9A-Fa-f]{2,4}|[0-9A-Fa-f]{5})\}")
_ENCAPSULATED = re.compile(r"IMCEA(?:SMTP|MAILTO)-(.+)@[^@]+", re.IGNORECASE)
_ENCAPSULATED_OCTET = re.compile(r"\+([0-9A-Fa-f]{2})")
_ROUTE = re.compile(r"@[^\s:]{1,255}:([^\s:]+@[^\s:]+)")
_REPLY = re.compile(r"^[245]\d\d-")  # a reply's continuation line
_DOMAIN = re.compile(r"[^\s<>@;:,()|/=]+")
_BROKEN = re.compile(r"[\s<>]")
_COMMENT = re.compile(r"\s*\([^()]{0,500}\)\s*")
_PREFIX = re.compile(r"(?:rfc822|smtp|mailto|utf-8|unknown)[;:=]\s*", re.IGNORECASE)
#: Address types of RFC 3464 and those seen in the wild; longer ones are words, not types.
_TYPE = re.compile(r"\s*([A-Za-z][\w.-]{0,30})\s*;\s*(.*)", re.DOTALL)


def in_text(words: str) -> list[str]:
    """All addresses in running text, in order, without repetition."""
    found: dict[str, None] = {}
    at = 0
    # The pattern is tried around each "@" only: a full scan of long lines would be quadratic.
    while (sign := words.find("@", at)) >= 0 and len(found) < 200:
        start = max(at, sign - 162)
        for match in IN_TEXT.finditer(words, start, min(len(words), sign + 258)):
            if match.end() > sign:
                if match.start(2) - 1 == sign:
                    found.setdefault(_trimmed(match.group()))
                    at = match.end()
                break
        at = max(at, sign + 1)
    return [address for address in found if is_address(address)]


def _trimmed(address: str) -> str:
    address = address.strip(".,;:'`*-").removeprefix("mailto:").removeprefix("=3D")
    return _REPLY.sub("", address, count=1)


def is_address(value: str) -> bool:
    """Whether the value is one `local@domain`, liberally."""
    local, sign, domain = value.rpartition("@")
    return bool(
        sign
        and local
        and len(value) <= 320
        and _DOMAIN.fullmatch(domain)
        and not _BROKEN.search(local.strip('"') if local[0] == '"' == local[-1] else local)
        and domain.strip(".")
    )


def typed(value: str) -> tuple[str, str]:
    """Split `rfc822; alice@example.org` into its lower-case type and the cleaned address.

    A value without a type comes back with the type "". The address may be no address at all
    (`local; alice`): ask `is_address`.
    """
    match = _TYPE.fullmatch(value.strip())
    kind, rest = (match[1].lower(), match[2]) if match else ("", value)
    return kind, cleaned(rest)


def cleaned(value: str) -> str:
    """One address out of a field value: brackets, comments, quotes, routes and types removed."""
    value = value.strip()
    if "<" in value and ">" in value:
        inside = value[value.rfind("<") + 1 :].split(">", 1)[0].strip()
        if "@" in inside or not value.split("<", 1)[0].strip():
            value = inside
    if "@" in value:
        value = _COMMENT.sub("", value)
    if prefix := _PREFIX.match(value):
        value = value[prefix.end() :]
    value = value.strip().strip("<>").rstrip(";,").strip()
    if len(value) > 2 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    if route := _ROUTE.fullmatch(value):
        value = route[1]
    if inner := _ENCAPSULATED.fullmatch(value):
        plain = _ENCAPSULATED_OCTET.sub(lambda m: chr(int(m[1], 16)), inner[1])
        value = plain if is_address(plain) else value
    if not is_address(value) and "@" in value:
        value = next(iter(in_text(value)), value)
    return value[:320]


def xtext_decoded(value: str) -> str:
    """Undo the xtext of RFC 3461 section 4 and the `\\x{…}` of RFC 6533 section 3.

    Systems differ in whether they decode before they report, so a `+40` in an address that has
    its `@` already is taken for a part of the name.
    """
    value = _UNICODE.sub(_character, value)
    if "@" in value:
        return re.sub(r"\+(2B|3D)", lambda m: chr(int(m[1], 16)), value)
    if _XTEXT.search(value):
        try:
            return _XTEXT.sub(lambda m: chr(int(m[1], 16)), value)
        except ValueError:
            return value
    return value


def _character(match: re.Match[str]) -> str:
    point = int(match[1], 16)
    return match[0] if 0xD800 <= point <= 0xDFFF or point < 0x21 else chr(point)

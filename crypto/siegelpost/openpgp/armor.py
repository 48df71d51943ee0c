"""What an upload claims to be, before gpg sees it (RFC 9580, 6.2). Pure.

Not here: decoding the armour or checking its checksum, which gpg does.
"""

from __future__ import annotations

import re

from siegelpost.openpgp.errors import KeyRefused, Refusal

#: Most bytes of an uploaded or fetched key; keys with many foreign signatures have 100 KB.
MAX_KEY = 256 * 1024
#: Most bytes of a cleaned key as it is kept and used.
MAX_CLEAN_KEY = 48 * 1024

_BEGIN = re.compile(rb"-----BEGIN PGP ([A-Z0-9 ,/]{1,40})-----")
_PUBLIC = b"PUBLIC KEY BLOCK"


def one_public_key(data: bytes) -> bytes:
    """Return `data` if it is one armoured public key and nothing else that is armoured.

    Text around the armour, as in a mail, does not matter. Raises KeyRefused.
    """
    _check_size(data)
    found = _BEGIN.findall(data)
    if any(b"PRIVATE KEY" in label for label in found):
        raise KeyRefused(Refusal.PRIVATE_KEY)
    if _PUBLIC not in found:
        raise KeyRefused(Refusal.UNREADABLE)
    if len(found) > 1:
        raise KeyRefused(Refusal.SEVERAL_KEYS)
    return data


def binary_public_key(data: bytes) -> bytes:
    """Return `data` if it begins like an OpenPGP public key packet, as WKD serves it.

    RFC 9580, 4.2: the first octet has its top bit set; the packet type is 6. Raises KeyRefused.
    """
    _check_size(data)
    if not data or not data[0] & 0x80:
        raise KeyRefused(Refusal.UNREADABLE)
    packet_type = data[0] & 0x3F if data[0] & 0x40 else (data[0] & 0x3C) >> 2
    if packet_type == 5:
        raise KeyRefused(Refusal.PRIVATE_KEY)
    if packet_type != 6:
        raise KeyRefused(Refusal.UNREADABLE)
    return data


def _check_size(data: bytes) -> None:
    if len(data) > MAX_KEY:
        raise KeyRefused(Refusal.TOO_LARGE)

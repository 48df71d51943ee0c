"""The eight digits that confirm an e-mail address, recomputed instead of stored.

The outbox row holds nothing readable: the alert worker derives the code from the alert's id and a
secret of the keyring when it composes the mail (DESIGN sections 1 and 8).
The service checks what the citizen types against a keyed digest in the address row.
"""

from __future__ import annotations

import hashlib
import hmac

from siegelpost.keyring.protocol import KeyPurpose, Keyring

#: Digits of a code.
ADDRESS_CODE_DIGITS = 8


def address_code(secret: bytes, alert_id: str) -> str:
    """Eight digits for one mail: HMAC-SHA256(secret, prefix ‖ alert id) modulo 10^8."""
    mac = hmac.new(secret, b"siegelpost/address-code/v1\0" + alert_id.encode(), hashlib.sha256)
    # 64 bits leave a bias of less than 10^-11.
    return f"{int.from_bytes(mac.digest()[:8]) % 10**ADDRESS_CODE_DIGITS:0{ADDRESS_CODE_DIGITS}}"


def address_code_for(keyring: Keyring, alert_id: str) -> str:
    """The code that goes into the mail of ``alert_id``."""
    return address_code(keyring.secret(KeyPurpose.PEPPER), alert_id)

"""The seal by certificate over a court file's manifest: detached CAdES-B (ETSI EN 319 122-1).

By the key that seals PDF receipts, so that programs for ASiC-E which know nothing of Siegelpost
find a signature that they know. With a certificate that the service signed itself they will say
that they do not know who vouches for it; the trust file pins it.
Blocking, with a token perhaps: never call it on the event loop.
"""

from __future__ import annotations

import asyncio

from siegelpost.keyring.pins import Pin
from siegelpost.keyring.seal_key import SealKey
from siegelpost.receipts.sealing import SealingFailed, signer_of


def seal_manifest(manifest: bytes, key: SealKey, *, pin: Pin | None = None) -> bytes:
    """The CMS signature, DER; `pin` opens the token, if one holds the key. Raises SealingFailed."""
    signer = signer_of(key, pin)
    try:
        signed = asyncio.run(
            signer.async_sign_general_data(
                manifest, digest_algorithm="sha256", detached=True, use_cades=True
            )
        )
    except Exception as error:  # pyHanko, asn1crypto and PKCS #11 share no root
        raise SealingFailed(f"{type(error).__name__}: {error}") from error
    return bytes(signed.dump())

"""Makes tests/vectors/sealing/formats.json, which the browser's mirror of sealing is held to.

Run `python -m tests.support.sealing_vectors` from the repository's root after a deliberate change
of a format; the test that compares shows whatever else changed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from siegelpost.evidence.ids import KeyId
from siegelpost.sealing.covers import cover_digest, encode_cover
from siegelpost.sealing.keys import acknowledgement_key
from siegelpost.sealing.manifest import encode_manifest, sign_manifest
from siegelpost.sealing.recovery_code import new_recovery_code, parse_recovery_code
from siegelpost.sealing.wrapping import (
    Method,
    passkey_key,
    recovery_code_key,
    recovery_login_proof,
    split_passphrase,
    wrap_seed,
)
from tests.support.sealing import (
    AGENCY_SIGNER,
    ALICE,
    COVER,
    MAILBOX,
    documents,
    manifest_for,
    seed,
)

PATH = Path(__file__).parents[1] / "vectors" / "sealing" / "formats.json"
_SALT = bytes(range(16))
_NONCE = bytes(range(12))
_KEY_ID = KeyId("key-1")
_PASSPHRASE = "Gr\u00fc\u00dfe aus Musterstadt \u2460"


def make() -> dict[str, Any]:
    """All vectors as JSON values."""
    code_random = seed("recovery code")[:27]
    code = new_recovery_code(code_random)
    prf = seed("prf output")
    proof, passphrase_key = split_passphrase(_PASSPHRASE, _SALT)
    manifest = encode_manifest(manifest_for(documents()))
    unsalted = encode_manifest(replace(manifest_for(documents()), salt=None))
    return {
        "mailbox_key": {
            "seed": ALICE.seed.hex(),
            "identity": ALICE.encode(),
            "recipient": ALICE.recipient.encode(),
            "acknowledgement_public_key": acknowledgement_key(ALICE.seed)
            .public_key()
            .public_bytes_raw()
            .hex(),
        },
        "wrapping": {
            "mailbox_id": MAILBOX,
            "key_id": _KEY_ID,
            "salt": _SALT.hex(),
            "nonce": _NONCE.hex(),
            "passphrase": {
                "passphrase": _PASSPHRASE,
                "login_proof": proof.hex(),
                **_wrapped(Method.PASSPHRASE, passphrase_key),
            },
            "recovery-code": {
                "random": code_random.hex(),
                "code": code,
                "canonical": parse_recovery_code(code),
                "login_proof": recovery_login_proof(code, _SALT).hex(),
                **_wrapped(Method.RECOVERY_CODE, recovery_code_key(code, _SALT)),
            },
            "passkey": {
                "prf_output": prf.hex(),
                **_wrapped(Method.PASSKEY, passkey_key(prf, _SALT)),
            },
        },
        "cover": {
            "utf8": encode_cover(COVER).decode(),
            "sha256": cover_digest(COVER).hex(),
        },
        "manifest": {
            "utf8": manifest.decode(),
            "signature_utf8": sign_manifest(manifest, AGENCY_SIGNER).decode(),
            "vkey": AGENCY_SIGNER.verifier.vkey,
        },
        "manifest_without_salt": {
            "utf8": unsalted.decode(),
            "signature_utf8": sign_manifest(unsalted, AGENCY_SIGNER).decode(),
        },
    }


def _wrapped(method: Method, key: bytes) -> dict[str, str]:
    wrapped = wrap_seed(
        ALICE.seed,
        wrapping_key=key,
        mailbox_id=MAILBOX,
        key_id=_KEY_ID,
        method=method,
        salt=_SALT,
        nonce=_NONCE,
    )
    return {"wrapping_key": key.hex(), "ciphertext": wrapped.ciphertext.hex()}


if __name__ == "__main__":
    PATH.write_text(json.dumps(make(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

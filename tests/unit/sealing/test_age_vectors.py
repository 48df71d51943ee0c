"""All age vectors that concern what the product has, each by name and by its own outcome.

Left out by name: ASCII armour and scrypt, which the product does not have. Two scrypt vectors
stay, because any reader must refuse a scrypt stanza that is not alone.
"""

from __future__ import annotations

import hashlib
import io

import pytest

from siegelpost.sealing.age import Source, open_
from siegelpost.sealing.errors import (
    HeaderError,
    MacError,
    NoMatch,
    PayloadError,
    SealingError,
)
from tests.support.age_vectors import Vector, load_all

VECTORS = load_all()
FAILURES: dict[str, type[SealingError]] = {
    "no match": NoMatch,
    "HMAC failure": MacError,
    "header failure": HeaderError,
    "payload failure": PayloadError,
}
NEEDS_NO_PASSPHRASE = {"scrypt_and_x25519", "scrypt_double"}


def _reason_to_skip(vector: Vector) -> str | None:
    if vector.armored:
        return "armour"
    if vector.passphrase and vector.name not in NEEDS_NO_PASSPHRASE:
        return "scrypt"
    return None


APPLICABLE = [vector for vector in VECTORS if _reason_to_skip(vector) is None]


def _open(vector: Vector, source: Source) -> tuple[str, bytes]:
    """The outcome and all plaintext that was released."""
    released = b""
    try:
        for chunk in open_(source, vector.unwrappers()):
            released += chunk
    except SealingError as error:
        outcome = next(name for name, kind in FAILURES.items() if type(error) is kind)
        return outcome, released
    return "success", released


@pytest.mark.parametrize("vector", APPLICABLE, ids=lambda vector: str(vector.name))
@pytest.mark.parametrize("shape", ["bytes", "stream"])
def test_vector(vector: Vector, shape: str) -> None:
    source = vector.data if shape == "bytes" else io.BytesIO(vector.data)
    outcome, released = _open(vector, source)
    assert outcome == vector.expect
    if vector.payload is None:
        assert released == b""
    else:
        assert hashlib.sha256(released).hexdigest() == vector.payload


def test_every_vector_is_run_or_left_out_for_a_named_reason() -> None:
    left_out = {vector.name: _reason_to_skip(vector) for vector in VECTORS}
    counts = {reason: list(left_out.values()).count(reason) for reason in ("armour", "scrypt")}
    print(f"age vectors: {len(APPLICABLE)} run, left out {counts}")
    assert len(VECTORS) == 143
    assert len(APPLICABLE) == len(VECTORS) - sum(counts.values())
    assert all(
        name.startswith({"armour": "armor", "scrypt": "scrypt"}[reason])
        for name, reason in left_out.items()
        if reason
    )
    assert {vector.expect for vector in APPLICABLE} == {"success", *FAILURES}

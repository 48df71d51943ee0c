"""Damage at random: a receipt either fails with an explanation or says the same as before."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from siegelpost.evidence.errors import EvidenceError, VerificationError
from siegelpost.evidence.events import parse_event
from siegelpost.evidence.notes import split_note
from siegelpost.evidence.proofs import parse_proof
from siegelpost.evidence.tiles import TileId, parse_bundle
from siegelpost.evidence.trust import parse_trust
from siegelpost.evidence.verify import verify_receipt

VECTORS = Path("tests/vectors/receipts")
RECEIPT = VECTORS.joinpath("receipt.json").read_bytes()
TRUST = VECTORS.joinpath("trust.json").read_bytes()
UNTOUCHED = verify_receipt(RECEIPT, TRUST)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(RECEIPT) - 1), st.integers(1, 255))
def test_changed_byte_in_a_receipt_changes_no_proven_statement(at: int, change: int) -> None:
    damaged = RECEIPT[:at] + bytes([RECEIPT[at] ^ change]) + RECEIPT[at + 1 :]
    try:
        verification = verify_receipt(damaged, TRUST)
    except VerificationError:
        return
    assert verification.events == UNTOUCHED.events
    assert verification.mailbox_events == UNTOUCHED.mailbox_events
    assert verification.acceptance == UNTOUCHED.acceptance
    assert verification.checkpoint == UNTOUCHED.checkpoint


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(TRUST) - 1), st.integers(1, 255))
def test_changed_byte_in_a_trust_file_never_ends_in_another_error(at: int, change: int) -> None:
    damaged = TRUST[:at] + bytes([TRUST[at] ^ change]) + TRUST[at + 1 :]
    with suppress(VerificationError):
        verify_receipt(RECEIPT, damaged)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8")))
def test_any_bytes_are_read_or_refused_by_every_parser(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for parse in (
        lambda: parse_event(data),
        lambda: parse_trust(data),
        lambda: verify_receipt(data, data),
        lambda: split_note(data),
        lambda: parse_proof("c2sp.org/tlog-proof@v1\n" + text),
        lambda: parse_bundle(data),
        lambda: TileId.from_path(text),
    ):
        with suppress(EvidenceError):
            parse()

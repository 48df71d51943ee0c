"""Sealing and opening: round trips, limits, tampering, re-wrapping."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siegelpost.sealing import age
from siegelpost.sealing.age_header import (
    FILE_KEY_SIZE,
    MAX_HEADER_SIZE,
    Stanza,
    header_size,
    parse_header,
    write_header,
)
from siegelpost.sealing.errors import (
    HeaderError,
    MacError,
    NoMatch,
    PayloadError,
    RecipientError,
    SealingError,
    TooLarge,
)
from siegelpost.sealing.keys import HYBRID
from tests.support.sealing import ALICE, BOB, CHARLIE

CHUNK = 64 * 1024
SEALED = age.seal_bytes(b"Guten Tag, Alice Beispiel.", [ALICE.recipient])


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17])
def test_round_trip_at_chunk_borders(size: int) -> None:
    plaintext = bytes(range(256)) * (size // 256) + bytes(size % 256)
    sealed = age.seal_bytes(plaintext, [ALICE.recipient])
    assert age.open_bytes(sealed.data, [ALICE]) == plaintext
    assert age.open_bytes(io.BytesIO(sealed.data), [ALICE]) == plaintext
    assert len(sealed.data) == age.sealed_size(size, sealed.header_size)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 2 * CHUNK + 3), max_size=6),
    st.sampled_from([bytes, bytearray, memoryview]),
)
def test_pieces_of_any_size_and_type_give_the_same_plaintext(
    sizes: list[int], kind: type[bytes]
) -> None:
    pieces = [bytes([index]) * size for index, size in enumerate(sizes)]
    sealed = age.seal_bytes((kind(piece) for piece in pieces), [ALICE.recipient])
    assert b"".join(age.open_(sealed.data, [ALICE])) == b"".join(pieces)


def test_every_recipient_opens_and_nobody_else() -> None:
    sealed = age.seal_bytes(b"geheim", [ALICE.recipient, BOB.recipient])
    assert age.open_bytes(sealed.data, [ALICE]) == b"geheim"
    assert age.open_bytes(sealed.data, [CHARLIE, BOB]) == b"geheim"
    with pytest.raises(NoMatch):
        age.open_bytes(sealed.data, [CHARLIE])
    with pytest.raises(NoMatch):
        age.open_bytes(sealed.data, [])


@pytest.mark.parametrize("count", [0, 33])
def test_too_few_or_too_many_recipients_are_refused(count: int) -> None:
    with pytest.raises(RecipientError):
        age.seal([b""], [ALICE.recipient] * count)
    with pytest.raises(RecipientError):
        age.rewrap(SEALED.data, [ALICE], [ALICE.recipient] * count)


def test_the_most_recipients_fit_into_the_header_limit() -> None:
    sealed = age.seal_bytes(b"alle", [CHARLIE.recipient] * 31 + [ALICE.recipient])
    assert sealed.header_size <= MAX_HEADER_SIZE
    assert age.open_bytes(sealed.data, [ALICE]) == b"alle"


def test_sealing_is_lazy_and_knows_the_digest_at_the_end() -> None:
    taken: list[int] = []

    def chunks() -> Iterator[bytes]:
        for index in range(4):
            taken.append(index)
            yield bytes(CHUNK)

    sealing = age.seal(chunks(), [ALICE.recipient])
    header = next(sealing)
    assert header.startswith(b"age-encryption.org/v1\n")
    assert len(header) == sealing.header_size
    assert taken == []
    with pytest.raises(RuntimeError):
        _ = sealing.payload_digest
    payload = b"".join(sealing)
    assert sealing.payload_digest == hashlib.sha256(payload).digest()


def test_payload_digest_stays_when_rewrapped() -> None:
    again = age.rewrap(SEALED.data, [ALICE], [ALICE.recipient, BOB.recipient])
    assert again.data != SEALED.data
    assert again.payload_digest == SEALED.payload_digest
    assert age.payload_digest(again.data) == age.payload_digest(SEALED.data)
    assert age.open_bytes(again.data, [BOB]) == age.open_bytes(SEALED.data, [ALICE])
    header, payload = age.split_header(again.data)
    assert len(header) == again.header_size
    assert hashlib.sha256(payload).digest() == SEALED.payload_digest


def test_rewrapping_needs_a_key_of_the_file() -> None:
    with pytest.raises(NoMatch):
        age.rewrap(SEALED.data, [CHARLIE], [CHARLIE.recipient])


def test_every_changed_byte_is_noticed() -> None:
    for position in range(0, len(SEALED.data), 7):
        changed = bytearray(SEALED.data)
        changed[position] ^= 1
        with pytest.raises((HeaderError, NoMatch, MacError, PayloadError)):
            age.open_bytes(changed, [ALICE])


def test_every_truncation_is_noticed() -> None:
    for size in range(0, len(SEALED.data), 5):
        with pytest.raises((HeaderError, PayloadError)):
            age.open_bytes(SEALED.data[:size], [ALICE])


@given(st.binary(max_size=300))
def test_any_bytes_raise_only_our_errors(data: bytes) -> None:
    for candidate in (
        data,
        b"age-encryption.org/v1\n" + data,
        b"age-encryption.org/v1\n-> " + data,
    ):
        with pytest.raises(SealingError):
            age.open_bytes(candidate, [ALICE])


def test_swapped_payload_is_noticed() -> None:
    other = age.seal_bytes(b"Guten Tag, Charlie Fremd...", [ALICE.recipient])
    mixed = SEALED.data[: SEALED.header_size] + other.data[other.header_size :]
    with pytest.raises(PayloadError):
        age.open_bytes(mixed, [ALICE])


def test_header_is_checked_before_the_first_chunk_is_asked_for() -> None:
    with pytest.raises(NoMatch):
        age.open_(SEALED.data, [CHARLIE])


def test_header_without_end_is_refused_within_the_limit() -> None:
    start = b"age-encryption.org/v1\n-> "
    endless = io.BytesIO(start + b"x" * 1_000_000)
    with pytest.raises(HeaderError, match="does not end"):
        age.open_(endless, [ALICE])
    assert endless.tell() < 2 * MAX_HEADER_SIZE
    with pytest.raises(HeaderError, match="does not end"):
        age.open_(endless.getvalue(), [ALICE])


def test_more_stanzas_than_the_limit_are_refused() -> None:
    stanza = Stanza(arguments=("x",), body=b"")
    parse_header(write_header([stanza] * 32, bytes(16)))
    with pytest.raises(HeaderError, match="more than 32"):
        parse_header(write_header([stanza] * 33, bytes(16)))


@given(
    st.lists(
        st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1), min_size=1
    ),
    st.binary(max_size=200),
)
def test_stanzas_round_trip(arguments: list[str], body: bytes) -> None:
    stanza = Stanza(arguments=tuple(arguments), body=body)
    header = parse_header(write_header([stanza], bytes(16)) + b"payload")
    assert header.stanzas == (stanza,)
    header.check_mac(bytes(16))
    with pytest.raises(MacError):
        header.check_mac(bytes(15) + b"\1")


@given(
    arguments=st.lists(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)),
    body=st.binary(max_size=200),
    payload=st.binary(max_size=100),
)
def test_the_quick_look_for_a_header_s_size_finds_what_the_parser_finds(
    arguments: list[str], body: bytes, payload: bytes
) -> None:
    stanza = Stanza(arguments=("type", *arguments), body=body)
    data = write_header([stanza, stanza], bytes(FILE_KEY_SIZE)) + payload
    assert header_size(data) == parse_header(data).size
    with pytest.raises(HeaderError):
        header_size(data[: header_size(data) - 50])


def test_files_of_others_can_be_held_to_hybrid_stanzas_alone() -> None:
    parse_header(SEALED.data).require_only(HYBRID)
    classical = Stanza(arguments=("X25519", "A" * 43), body=bytes(32))
    mixed = write_header([*parse_header(SEALED.data).stanzas, classical], bytes(16))
    with pytest.raises(HeaderError, match="another type"):
        parse_header(mixed).require_only(HYBRID)


def test_results_above_the_limit_are_refused() -> None:
    with pytest.raises(TooLarge):
        age.open_bytes(SEALED.data, [ALICE], max_size=5)
    with pytest.raises(TooLarge):
        age.seal_bytes(bytes(10_000), [ALICE.recipient], max_size=5_000)


def test_no_file_key_or_nonce_is_used_twice() -> None:
    again = age.seal_bytes(b"Guten Tag, Alice Beispiel.", [ALICE.recipient])
    assert again.data[again.header_size :][:16] != SEALED.data[SEALED.header_size :][:16]
    assert again.payload_digest != SEALED.payload_digest


def test_every_error_explains_itself() -> None:
    def all_kinds(kind: type[SealingError]) -> Iterator[type[SealingError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from all_kinds(child)

    kinds = list(all_kinds(SealingError))
    assert len({kind.meaning for kind in kinds}) == len(kinds)
    assert NoMatch("x").diagnostics() == {"reason": "x", "meaning": NoMatch.meaning}

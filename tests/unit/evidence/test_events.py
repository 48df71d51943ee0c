"""Events, times, ids, commitments, acknowledgements and key bindings as values."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siegelpost.evidence import acknowledgement, key_binding
from siegelpost.evidence.acknowledgement import Acknowledgement, parse_acknowledgement
from siegelpost.evidence.commitments import commitment, document_commitment
from siegelpost.evidence.errors import FormatError, SignatureError
from siegelpost.evidence.events import ERDS_EVIDENCE, MAX_BODY, Event, EventType, parse_event
from siegelpost.evidence.ids import EventId, check_id, new_id
from siegelpost.evidence.key_binding import KeyBinding, parse_key_binding
from siegelpost.evidence.signatures import verify_ed25519
from siegelpost.evidence.times import format_time, parse_time
from tests.support.receipts import (
    AGENCY,
    KEY,
    MAILBOX,
    MAILBOX_KEY,
    NOTICE,
    START,
    STRANGER,
    digest,
)

EVENT = Event(
    id=EventId("018f2d6e-8a3b-7c11-9d2e-0123456789ab"),
    type=EventType.ALERT_SENT,
    time_at=datetime(2026, 11, 22, 13, 36, 0, 123456, tzinfo=UTC),
    agency=AGENCY,
    notice=NOTICE,
    mailbox=MAILBOX,
    actor="service",
    facts={"reply": ["250 Grüße"], "port": 25, "tls": True, "queue": None},
    previous=digest("previous"),
)


def test_body_is_canonical_json_that_reads_back() -> None:
    body = EVENT.body()
    assert body.startswith(b'{"actor":"service","agency":"jobcenter-musterstadt","facts":{')
    assert b'"time_at":"2026-11-22T13:36:00.123456Z","type":"alert-sent"}' in body
    assert parse_event(body) == EVENT


def test_subject_is_the_notice_before_the_mailbox_before_the_agency() -> None:
    assert EVENT.subject == f"notice:{NOTICE}"
    assert replace(EVENT, notice=None).subject == f"mailbox:{MAILBOX}"
    assert replace(EVENT, notice=None, mailbox=None).subject == f"agency:{AGENCY}"


@pytest.mark.parametrize(
    "changes",
    [
        {"notice": None, "mailbox": None, "agency": None},
        {"time_at": datetime(2026, 11, 22)},  # noqa: DTZ001 - naive on purpose
        {"actor": ""},
        {"actor": "Alice Beispiel"},
        {"actor": "client:"},
        {"previous": b"short"},
        {"id": "with space"},
        {"mailbox": "x" * 101},
    ],
    ids=str,
)
def test_unfit_events_cannot_be_made(changes: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        replace(EVENT, **changes)  # type: ignore[arg-type]  # wrong values are the point


def test_body_has_a_limit_both_ways() -> None:
    with pytest.raises(FormatError, match="exceeds"):
        replace(EVENT, facts={"x": "x" * MAX_BODY}).body()
    with pytest.raises(FormatError):
        parse_event(b'"' + b"x" * MAX_BODY + b'"')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"type":"alert-sent"', b'"type":"read"'),
        (b'"actor"', b'"aktor"'),
        (b'{"actor":"service",', b"{"),
        (b'"facts":{', b'"facts":{"pi":3.14,'),
        (b".123456Z", b".123Z"),
        (b".123456Z", b".123456+00:00"),
        (b'{"actor"', b'{"a":1,"actor"'),
    ],
)
def test_other_bodies_are_refused(old: bytes, new: bytes) -> None:
    assert old in EVENT.body()
    with pytest.raises(FormatError):
        parse_event(EVENT.body().replace(old, new))


def test_previous_is_lower_case_hex_only() -> None:
    text = digest("previous").hex()
    with pytest.raises(FormatError):
        parse_event(EVENT.body().replace(text.encode(), text.upper().encode()))


def test_commitments_are_salted_hashes_with_their_own_prefix() -> None:
    salt = digest("salt")
    expected = hashlib.sha256(b"siegelpost/event/v1\0" + salt + b"body").digest()
    assert commitment(salt, b"body") == expected
    expected = hashlib.sha256(b"siegelpost/document/v1\0" + salt + b"body").digest()
    assert document_commitment(salt, b"body") == expected
    with pytest.raises(FormatError):
        commitment(b"short", b"body")


@pytest.mark.parametrize(
    "encoded",
    [
        *(y.to_bytes(32, "little").hex() for y in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18)),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ],
)
@pytest.mark.parametrize("sign", [0, 0x80])
def test_keys_of_small_order_are_refused_for_acknowledging_and_binding(
    encoded: str, sign: int
) -> None:
    """Under the neutral point, the neutral point and zero are a signature of every message."""
    raw = bytearray.fromhex(encoded)
    raw[31] |= sign
    forged = (1).to_bytes(32, "little") + bytes(32)
    binding = KeyBinding(
        mailbox=MAILBOX, key=KEY, recipient_sha256=digest("r"), acknowledgement_key=bytes(raw)
    )
    with pytest.raises(SignatureError, match="small order"):
        binding.verify(forged)
    with pytest.raises(SignatureError, match="small order"):
        verify_ed25519(bytes(raw), b"any message", forged, "acknowledgement")


def test_types_are_those_of_the_vocabulary() -> None:
    table = Path("docs/design.md").read_text().split("| event | when | ERDS evidence |")[1]
    rows = table.split("\n\n")[0].splitlines()[2:]
    listed = [name for row in rows for name in re.split(r" / |, ", row.split("|")[1].strip())]
    assert sorted(listed) == sorted(kind.value for kind in EventType)
    assert {kind.value for kind in ERDS_EVIDENCE} <= {kind.value for kind in EventType}


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_read_back(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment


def test_times_are_utc_and_never_naive() -> None:
    berlin = timezone(timedelta(hours=1))
    moment = datetime(2026, 11, 22, 14, 36, tzinfo=berlin)
    assert format_time(moment) == "2026-11-22T13:36:00.000000Z"
    with pytest.raises(FormatError, match="naive"):
        format_time(moment.replace(tzinfo=None))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T13:36:00Z",
        "2026-11-22T13:36:00.123456",
        "2026-11-22t13:36:00.123456z",
        "2026-11-22 13:36:00.123456Z",
        "2026-02-30T13:36:00.123456Z",
        "2026-11-22T24:00:00.000000Z",
        "2026-12-31T23:59:60.000000Z",
        "2026-11-22T13:36:00.123456Z\n",
        "٢٠٢٦-11-22T13:36:00.123456Z",
        "0000-11-22T13:36:00.123456Z",
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_time(text)


def test_id_equals_the_example_of_rfc_9562_appendix_a_6() -> None:
    moment = datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(timedelta(hours=-5)))
    random = bytes.fromhex("0cc318c4dc0c0c07398f")
    assert new_id(moment, random) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    assert new_id(moment, b"\xff" * 10) == "017f22e2-79b0-7fff-bfff-ffffffffffff"


def test_ids_need_ten_random_bytes_and_an_aware_time() -> None:
    for now, random in (
        (START, bytes(9)),
        (START.replace(tzinfo=None), bytes(10)),
        (START.replace(year=1960), bytes(10)),
    ):
        with pytest.raises(ValueError, match=r"random|time"):
            new_id(now, random)
    for text in ("", "-x", "a b", "a/b", "ä"):
        with pytest.raises(FormatError):
            check_id(text)


ACK = Acknowledgement(
    mailbox=MAILBOX,
    notice=NOTICE,
    manifest_sha256=digest("manifest"),
    payload_sha256=digest("payload"),
    acknowledged_at=START,
)
BINDING = KeyBinding(
    mailbox=MAILBOX,
    key=KEY,
    recipient_sha256=digest("recipient"),
    acknowledgement_key=MAILBOX_KEY.verifier.public_key,
)


def test_acknowledgement_bytes_are_what_the_browser_signs() -> None:
    assert ACK.message() == (
        b"siegelpost/acknowledgement/v1\n"
        b'{"acknowledged_at":"2026-11-22T09:30:00.000000Z","mailbox":"'
        + MAILBOX.encode()
        + b'","manifest_sha256":"'
        + digest("manifest").hex().encode()
        + b'","notice":"'
        + NOTICE.encode()
        + b'","payload_sha256":"'
        + digest("payload").hex().encode()
        + b'"}'
    )
    assert parse_acknowledgement(ACK.message()) == ACK


def test_acknowledgement_verifies_under_its_key_only() -> None:
    signature = MAILBOX_KEY.sign(ACK.message())
    ACK.verify(MAILBOX_KEY.verifier.public_key, signature)
    facts = ACK.facts(key=KEY, signature=signature)
    assert acknowledgement.from_facts(facts, mailbox=MAILBOX, notice=NOTICE) == (
        ACK,
        KEY,
        signature,
    )
    for key, made in (
        (STRANGER.verifier.public_key, signature),
        (MAILBOX_KEY.verifier.public_key, STRANGER.sign(ACK.message())),
        (MAILBOX_KEY.verifier.public_key, b""),
        (b"short", signature),
    ):
        with pytest.raises(SignatureError):
            ACK.verify(key, made)


def test_binding_is_signed_by_the_bound_key_itself() -> None:
    message = BINDING.message()
    assert message.startswith(b'siegelpost/key-binding/v1\n{"acknowledgement_key":"')
    assert parse_key_binding(message) == BINDING
    BINDING.verify(MAILBOX_KEY.sign(message))
    facts = BINDING.facts(signature=MAILBOX_KEY.sign(message))
    assert key_binding.from_facts(facts, mailbox=MAILBOX)[0] == BINDING
    with pytest.raises(SignatureError):
        BINDING.verify(STRANGER.sign(message))


def test_statement_of_one_kind_is_none_of_another() -> None:
    with pytest.raises(FormatError):
        parse_acknowledgement(BINDING.message())
    with pytest.raises(FormatError):
        parse_key_binding(ACK.message())
    with pytest.raises(FormatError):
        parse_acknowledgement(ACK.message() + b" ")

"""Cosignatures and policies: whose word is in a checkpoint, and whether it is enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from siegelpost.evidence.cosignature import Witness, cosign, cosignatures, witness_of
from siegelpost.evidence.errors import FormatError, NoteError, SignatureError
from siegelpost.evidence.notes import split_note
from siegelpost.evidence.policy import NO_WITNESSES, parse_policy
from tests.support.logs import COUNTY, COURT, SEEN_AT, MemoryLog, entries
from tests.support.receipts import STRANGER

NOTE = MemoryLog(entries(3)).note()
TEXT, _ = split_note(NOTE)
COURT_KEY, COUNTY_KEY = witness_of(COURT), witness_of(COUNTY)


def test_a_cosigned_note_tells_who_signed_and_when() -> None:
    note = NOTE + cosign(TEXT, COURT, SEEN_AT).line()
    later = SEEN_AT + timedelta(seconds=7, microseconds=999)
    note += cosign(TEXT, COUNTY, later).line() + cosign(TEXT, STRANGER, SEEN_AT).line()
    found = cosignatures(note, [COUNTY_KEY, COURT_KEY])
    assert [(item.witness, item.at) for item in found] == [
        (COURT_KEY, SEEN_AT),
        (COUNTY_KEY, later.replace(microsecond=0)),
    ]


def test_a_cosignature_of_another_head_or_time_is_forged() -> None:
    other = cosign(split_note(MemoryLog(entries(4)).note())[0], COURT, SEEN_AT)
    with pytest.raises(SignatureError):
        cosignatures(NOTE + other.line(), [COURT_KEY])
    good = cosign(TEXT, COURT, SEEN_AT)
    earlier = (int(SEEN_AT.timestamp()) - 3600).to_bytes(8)
    forged = replace(good, signature=earlier + good.signature[8:])
    with pytest.raises(SignatureError):
        cosignatures(NOTE + forged.line(), [COURT_KEY])
    for signature in (good.signature[:-1], b"\xff" * 8 + good.signature[8:]):
        with pytest.raises(SignatureError):
            cosignatures(NOTE + replace(good, signature=signature).line(), [COURT_KEY])


def test_a_plain_signature_of_the_same_key_is_no_cosignature() -> None:
    plain = COURT.sign(TEXT.encode())
    line = replace(cosign(TEXT, COURT, SEEN_AT), signature=bytes(8) + plain)
    with pytest.raises(SignatureError):
        cosignatures(NOTE + line.line(), [COURT_KEY])


def test_naive_times_are_refused() -> None:
    with pytest.raises(NoteError):
        cosign(TEXT, COURT, datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


def test_witness_keys_are_read_back_and_told_from_log_keys() -> None:
    assert Witness.from_vkey(COURT_KEY.vkey) == COURT_KEY
    for vkey in (
        COURT.verifier.vkey,
        COURT_KEY.vkey[:-4],
        COURT_KEY.vkey.replace("court", "count"),
        COURT_KEY.vkey + "=",
        "court",
    ):
        with pytest.raises(NoteError):
            Witness.from_vkey(vkey)


LINES = (
    "# two courts or the county",
    f"witness court {COURT_KEY.vkey} https://witness.court.example/",
    f"\twitness  county {COUNTY_KEY.vkey}",
    f"witness third {witness_of(STRANGER).vkey}",
    "",
    "group outside 2 court county",
    "group any-of any outside third",
    "quorum any-of",
)


def test_groups_count_their_members() -> None:
    policy = parse_policy(LINES)
    assert policy.witnesses[0].url == "https://witness.court.example/"
    assert not policy.satisfied_by([])
    assert not policy.satisfied_by([COURT_KEY])
    assert policy.satisfied_by([COURT_KEY, COUNTY_KEY])
    assert policy.satisfied_by([witness_of(STRANGER)])
    assert not policy.satisfied_by([replace(COURT_KEY, name="x"), COUNTY_KEY])


def test_no_policy_demands_nobody() -> None:
    assert NO_WITNESSES.satisfied_by([])
    assert parse_policy([]).satisfied_by([])
    assert parse_policy(["quorum none"]).satisfied_by([])
    assert parse_policy([*LINES[1:3], "quorum court"]).satisfied_by([COURT_KEY])


@pytest.mark.parametrize(
    "lines",
    [
        [LINES[1]],
        ["quorum court"],
        [LINES[1], "quorum court", "quorum court"],
        [LINES[1], LINES[1], "quorum court"],
        [LINES[1], LINES[1].replace("court ", "copy "), "quorum court"],
        [LINES[1], "group none any court", "quorum court"],
        [LINES[1], "group g 2 court", "quorum g"],
        [LINES[1], "group g 0 court", "quorum g"],
        [LINES[1], "group g any court court", "quorum g"],
        [LINES[1], "group g any court", "group h any court", "quorum g"],
        [LINES[1], "group g any later", "quorum g"],
        [LINES[1], "group g any", "quorum court"],
        ["log x", "quorum none"],
        ["witness x y", "quorum x"],
        ["quorum none\n"],
        ["quorum none"] * 300,
    ],
)
def test_malformed_policies_are_refused(lines: list[str]) -> None:
    with pytest.raises(FormatError):
        parse_policy(lines)

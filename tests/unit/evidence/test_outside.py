"""Witnesses and timestamps in receipts: steps 13 and 14, and keys that were stolen later.

Longer than others: one receipt is taken through every answer of two outside parties.
"""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from siegelpost.evidence.checkpoint import Checkpoint, sign_checkpoint
from siegelpost.evidence.cosignature import cosign, witness_of
from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.explanations import FAILURES
from siegelpost.evidence.notes import Ed25519Signer, split_note
from siegelpost.evidence.policy import parse_policy
from siegelpost.evidence.proofs import parse_proof
from siegelpost.evidence.receipt import Receipt, ReceiptEvent, write_receipt
from siegelpost.evidence.renewal import renewal_leaf, renewal_path, renewal_root
from siegelpost.evidence.seal import seal_receipt
from siegelpost.evidence.timestamps import CheckpointTimestamp, Renewal, timestamped_message
from siegelpost.evidence.trust import (
    DatingRule,
    Purpose,
    Trust,
    TrustedKey,
    parse_trust,
    write_trust,
)
from siegelpost.evidence.verify import Verification, verify_receipt
from tests.support.logs import COUNTY, COURT, SEEN_AT
from tests.support.receipts import (
    ACCEPTANCE,
    LOG,
    ORIGIN,
    START,
    STRANGER,
    Sample,
    digest,
    sample_trust,
)
from tests.support.tsa import LocalAuthority, authority, make_authority, stamp, trusted

__all__ = ["authority"]

E = EventType
NOW = datetime.now(UTC)
SOON = START - timedelta(days=1)
#: All events of a plain sample are under the tree of this size.
ALL = 317
SEALER = Ed25519Signer.from_seed("post.example/acceptance", digest("next acceptance"))


@pytest.fixture(scope="module")
def short_lived(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    """An authority whose certificate ends tomorrow."""
    return make_authority(tmp_path_factory.mktemp("short"), "TSA Kurz", days=1)


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    """An authority that nobody trusts."""
    return make_authority(tmp_path_factory.mktemp("strange"), "TSA Fremd", days=10)


def verify(receipt: Receipt, trust: Trust, **more: Any) -> Verification:
    """Sealed after the changes, as these tests are not about the seal."""
    more = {"now": NOW} | more
    data = write_receipt(seal_receipt(receipt, SEALER))
    return verify_receipt(data, write_trust(with_sealer(trust)), **more)


def with_sealer(trust: Trust) -> Trust:
    """The next acceptance key is trusted, too: seals of a stolen one count for nothing."""
    key = TrustedKey(
        purpose=Purpose.ACCEPTANCE, verifier=SEALER.verifier, valid_from=START - timedelta(days=9)
    )
    return replace(trust, keys=(*trust.keys, key))


def refused(receipt: Receipt, trust: Trust, **more: Any) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify(receipt, trust, **more)
    return caught.value


def with_note(receipt: Receipt, note: str) -> Receipt:
    def swap(event: ReceiptEvent) -> ReceiptEvent:
        return replace(event, proof=replace(parse_proof(event.proof), checkpoint=note).text())

    return replace(
        receipt,
        checkpoint=note,
        events=tuple(map(swap, receipt.events)),
        mailbox_events=tuple(map(swap, receipt.mailbox_events)),
    )


def cosigned(receipt: Receipt, *signers: Any) -> Receipt:
    text, _ = split_note(receipt.checkpoint)
    lines = "".join(cosign(text, signer, SEEN_AT).line() for signer in signers)
    return with_note(receipt, receipt.checkpoint + lines)


def dated(
    tsa: LocalAuthority, sample: Sample | None = None, size: int = ALL
) -> tuple[Receipt, CheckpointTimestamp]:
    sample = sample or Sample()
    receipt = sample.receipt()
    note, proof = sample.earlier(size, receipt)
    token = stamp(tsa, timestamped_message(note))
    timestamp = CheckpointTimestamp(checkpoint=note, consistency=proof, token=token)
    return replace(receipt, timestamps=(timestamp,)), timestamp


def renewed(timestamp: CheckpointTimestamp, tsa: LocalAuthority) -> CheckpointTimestamp:
    """Renewed once more, as one of three."""
    message, token = timestamped_message(timestamp.checkpoint), timestamp.token
    for renewal in timestamp.renewals:
        message = _root(renewal, token, message)
        token = renewal.token
    leaves = [digest("a") * 2, renewal_leaf(token, message), digest("b") * 2]
    renewal = Renewal(
        token=stamp(tsa, renewal_root(leaves)), index=1, size=3, path=renewal_path(1, leaves)
    )
    return replace(timestamp, renewals=(*timestamp.renewals, renewal))


def _root(renewal: Renewal, token: bytes, message: bytes) -> bytes:
    return renewal_root([digest("a") * 2, renewal_leaf(token, message), digest("b") * 2])


def trust_with(*authorities: LocalAuthority, **changes: Any) -> Trust:
    return replace(
        sample_trust(), timestamp_authorities=tuple(map(trusted, authorities)), **changes
    )


def compromised(trust: Trust, purpose: Purpose, at: datetime) -> Trust:
    keys = tuple(
        replace(key, compromised_at=at, valid_until=at + timedelta(days=9))
        if key.purpose is purpose
        else key
        for key in trust.keys
    )
    return replace(trust, keys=keys)


POLICY = parse_policy(
    [
        f"witness court {witness_of(COURT).vkey}",
        f"witness county {witness_of(COUNTY).vkey}",
        "group both all court county",
        "quorum both",
    ]
)
WITNESSED = replace(sample_trust(), policy=POLICY)


def test_without_witnesses_and_authorities_the_steps_say_so() -> None:
    steps = verify(Sample().receipt(), sample_trust()).steps
    assert [(s.name, s.checked) for s in steps[12:14]] == [
        ("witnesses", False),
        ("timestamps", False),
    ]
    assert all("Nicht geprüft" in step.result_de for step in steps[12:14])


def test_enough_witnesses_are_named() -> None:
    verification = verify(cosigned(Sample().receipt(), COURT, COUNTY, STRANGER), WITNESSED)
    assert [item.witness.name for item in verification.witnesses] == [COURT.name, COUNTY.name]
    assert verification.steps[12].checked


def test_a_trust_file_keeps_policy_authorities_and_rule(authority: LocalAuthority) -> None:
    trust = trust_with(
        authority,
        policy=POLICY,
        dating=DatingRule(since=START, since_size=7, max_delay=timedelta(hours=1)),
    )
    assert parse_trust(write_trust(trust)) == trust


def test_one_timestamp_dates_every_event_under_it(authority: LocalAuthority) -> None:
    begun = datetime.now(UTC).replace(microsecond=0)
    receipt, _ = dated(authority)
    verification = verify(receipt, trust_with(authority))
    bounds = {verification.dating.bound(item.leaf_index) for item in verification.events}
    (bound,) = bounds
    assert bound is not None
    assert timedelta(0) <= bound - begun < timedelta(minutes=5)
    assert "8 von 8 Ereignissen" in verification.steps[13].result_de


def test_an_earlier_checkpoint_dates_what_it_holds_and_no_more(authority: LocalAuthority) -> None:
    sample = Sample()
    receipt, _ = dated(authority, sample, size=306)
    verification = verify(receipt, trust_with(authority))
    known = [item.leaf_index < 306 for item in verification.events]
    assert True in known
    assert False in known
    assert [verification.dating.bound(i.leaf_index) is not None for i in verification.events] == (
        known
    )


def test_a_renewed_timestamp_keeps_its_date_and_lives_longer(
    authority: LocalAuthority, short_lived: LocalAuthority
) -> None:
    receipt, timestamp = dated(short_lived)
    trust = trust_with(short_lived, authority)
    later = NOW + timedelta(days=400)
    verify(receipt, trust)
    assert refused(receipt, trust, at=later).code == "timestamp-expired"
    once = replace(receipt, timestamps=(renewed(timestamp, authority),))
    twice = replace(receipt, timestamps=(renewed(renewed(timestamp, authority), authority),))
    first = verify(receipt, trust).dating.bound(0)
    for longer in (once, twice):
        assert verify(longer, trust, at=later).dating.bound(0) == first


def test_a_renewal_that_came_too_late_is_refused(authority: LocalAuthority, tmp_path: Path) -> None:
    brief = make_authority(tmp_path, "TSA Kurz", days=6 / 86400)
    ended = datetime.now(UTC) + timedelta(seconds=6)
    receipt, timestamp = dated(brief)
    trust = trust_with(brief, authority)
    assert verify(receipt, trust).steps[13].checked
    time.sleep(max(0.0, (ended - datetime.now(UTC)).total_seconds()))
    late = replace(receipt, timestamps=(renewed(timestamp, authority),))
    assert refused(late, trust).code == "timestamp-expired"


def test_without_the_library_the_step_says_what_to_install(
    authority: LocalAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt, _ = dated(authority)
    _hide_library(monkeypatch)
    step = verify(receipt, trust_with(authority)).steps[13]
    assert not step.checked
    assert "pip install 'siegelpost[verify]'" in step.result_de
    stolen = compromised(trust_with(authority), Purpose.LOG, NOW + timedelta(hours=1))
    assert refused(receipt, stolen).code == "checkpoint-key-compromised"


def test_a_key_stolen_after_the_timestamp_still_counts(authority: LocalAuthority) -> None:
    receipt, _ = dated(authority)
    for purpose, number in ((Purpose.LOG, 3), (Purpose.ACCEPTANCE, 10)):
        trust = compromised(trust_with(authority), purpose, NOW + timedelta(hours=1))
        step = verify(receipt, trust).steps[number - 1]
        assert "später entwendet" in step.result_de


def test_a_seal_of_a_stolen_key_counts_for_nothing(authority: LocalAuthority) -> None:
    """Nothing dates a seal; everything else of this receipt is older than the theft."""
    receipt, _ = dated(authority)
    trust = compromised(trust_with(authority), Purpose.ACCEPTANCE, NOW + timedelta(hours=1))
    data = write_receipt(seal_receipt(receipt, ACCEPTANCE))
    with pytest.raises(VerificationError) as caught:
        verify_receipt(data, write_trust(trust), now=NOW)
    assert caught.value.code == "seal-key-compromised"


def test_a_key_stolen_before_the_timestamp_proves_nothing(authority: LocalAuthority) -> None:
    receipt, _ = dated(authority)
    for purpose, name in ((Purpose.LOG, "checkpoint"), (Purpose.ACCEPTANCE, "acceptance")):
        trust = compromised(trust_with(authority), purpose, NOW - timedelta(hours=1))
        assert refused(receipt, trust).code == f"{name}-key-compromised"


def test_a_thief_cannot_hide_behind_an_older_timestamp(authority: LocalAuthority) -> None:
    """Events that were logged after the dated checkpoint are not covered by it."""
    sample = Sample()
    receipt, _ = dated(authority, sample, size=306)
    trust = compromised(trust_with(authority), Purpose.LOG, NOW + timedelta(hours=1))
    assert refused(receipt, trust).code == "checkpoint-key-compromised"


def _forged_cosignature(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    receipt = Sample().receipt()
    line = cosign("another text\n", COURT, SEEN_AT).line()
    return with_note(receipt, receipt.checkpoint + line), WITNESSED


def _too_few_witnesses(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    return cosigned(Sample().receipt(), COURT, STRANGER), WITNESSED


def _forked_after_dating(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    """The operator stamped one tree and shows another: both signed by the log."""
    fork = sign_checkpoint(Checkpoint(origin=ORIGIN, size=200, root=digest("fork")), LOG)
    receipt, timestamp = dated(tsa, size=200)
    other = replace(timestamp, checkpoint=fork, token=stamp(tsa, timestamped_message(fork)))
    return replace(receipt, timestamps=(other,)), trust_with(tsa)


def _truncated_after_dating(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    larger = sign_checkpoint(Checkpoint(origin=ORIGIN, size=9000, root=digest("large")), LOG)
    receipt, timestamp = dated(tsa)
    other = replace(timestamp, checkpoint=larger, token=stamp(tsa, timestamped_message(larger)))
    return replace(receipt, timestamps=(other,)), trust_with(tsa)


def _foreign_checkpoint(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    note = sign_checkpoint(Checkpoint(origin=ORIGIN, size=9, root=digest("")), STRANGER)
    receipt, timestamp = dated(tsa)
    return replace(receipt, timestamps=(replace(timestamp, checkpoint=note),)), trust_with(tsa)


def _strange_authority(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    return dated(strange)[0], trust_with(tsa)


def _other_message(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    receipt, timestamp = dated(tsa)
    wrong = replace(timestamp, token=stamp(tsa, b"something else"))
    return replace(receipt, timestamps=(wrong,)), trust_with(tsa)


def _damaged_token(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    receipt, timestamp = dated(tsa)
    token = timestamp.token[:-1] + bytes([timestamp.token[-1] ^ 1])
    return replace(receipt, timestamps=(replace(timestamp, token=token),)), trust_with(tsa)


def _renewal_of_another(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    receipt, timestamp = dated(tsa)
    longer = renewed(timestamp, tsa)
    wrong = replace(longer, renewals=(replace(longer.renewals[0], index=0),))
    return replace(receipt, timestamps=(wrong,)), trust_with(tsa)


def _authority_ended(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    ended = replace(trusted(tsa), valid_until=NOW - timedelta(days=1))
    return dated(tsa)[0], replace(sample_trust(), timestamp_authorities=(ended,))


#: With what the sample's events need, on any day that these tests run.
RULE = DatingRule(since=SOON, since_size=0, max_delay=timedelta(minutes=5))


def test_only_the_verifiers_clock_excuses_a_missing_timestamp(authority: LocalAuthority) -> None:
    sample = Sample(mailbox_plan=(), plan=Sample().plan[:4], made_at=START + timedelta(seconds=40))
    receipt, trust = sample.receipt(), trust_with(authority, dating=RULE)
    soon, late = START + timedelta(minutes=4), START + timedelta(minutes=6)
    verify(receipt, trust, now=soon)
    for clocks in ({"now": None}, {"now": late}, {"now": soon, "at": late}):
        assert refused(receipt, trust, **clocks).code == "timestamp-missing"


def test_what_the_log_held_before_the_first_timestamp_needs_none(
    authority: LocalAuthority,
) -> None:
    rule = replace(RULE, since=START + timedelta(days=2), since_size=ALL)
    verify(Sample().receipt(), trust_with(authority, dating=rule))


def _event_of_the_future(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    years = 20 * 365 * 86400
    plan = tuple((kind, seconds + years) for kind, seconds in Sample().plan)
    sample = Sample(plan=plan, made_at=START + timedelta(days=20 * 366))
    return dated(tsa, sample)[0], trust_with(tsa)


def _back_dated(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    """Logged and stamped today, but it claims to be of START: longer ago than allowed."""
    allowed = (NOW - START - timedelta(hours=2)) / 2
    rule = DatingRule(since=SOON, since_size=0, max_delay=max(allowed, timedelta(seconds=1)))
    return dated(tsa)[0], trust_with(tsa, dating=rule)


def _left_out(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    return Sample().receipt(), trust_with(tsa, dating=RULE)


def _left_out_and_made_soon(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    """The receipt claims to have been made when no timestamp was due yet."""
    sample = Sample(plan=Sample().plan[:4], made_at=START + timedelta(seconds=40))
    return sample.receipt(), trust_with(tsa, dating=RULE)


def _older_than_the_rule(tsa: LocalAuthority, strange: LocalAuthority) -> tuple[Receipt, Trust]:
    """Logged behind the first dated checkpoint, but it claims to be from before."""
    rule = DatingRule(since=START + timedelta(days=2), since_size=300, max_delay=RULE.max_delay)
    return Sample().receipt(), trust_with(tsa, dating=rule)


OUTSIDE: dict[str, tuple[str, Callable[[LocalAuthority, LocalAuthority], tuple[Receipt, Trust]]]]
OUTSIDE = {
    "forged cosignature": ("cosignature-invalid", _forged_cosignature),
    "one witness instead of two": ("witness-quorum", _too_few_witnesses),
    "log forked after a timestamp": ("timestamp-fork", _forked_after_dating),
    "log truncated after a timestamp": ("timestamp-fork", _truncated_after_dating),
    "timestamp of a foreign checkpoint": ("timestamp-checkpoint", _foreign_checkpoint),
    "timestamp of an unknown authority": ("timestamp-invalid", _strange_authority),
    "timestamp over something else": ("timestamp-invalid", _other_message),
    "timestamp with a changed signature": ("timestamp-invalid", _damaged_token),
    "renewal of another timestamp": ("timestamp-invalid", _renewal_of_another),
    "authority trusted no more": ("timestamp-invalid", _authority_ended),
    "event later than its timestamp": ("timestamp-before-event", _event_of_the_future),
    "event back-dated": ("timestamp-late", _back_dated),
    "timestamp left out": ("timestamp-missing", _left_out),
    "timestamp left out of a receipt made soon": ("timestamp-missing", _left_out_and_made_soon),
    "event that claims to be older than the rule": ("timestamp-missing", _older_than_the_rule),
}


@pytest.mark.parametrize("tampering", OUTSIDE)
def test_each_tampering_has_its_own_failure(
    tampering: str, authority: LocalAuthority, strange: LocalAuthority
) -> None:
    code, make = OUTSIDE[tampering]
    receipt, trust = make(authority, strange)
    assert refused(receipt, trust).code == code


def test_every_failure_of_witnesses_and_timestamps_has_a_test() -> None:
    tested = {code for code, _ in OUTSIDE.values()} | {"timestamp-expired"}
    assert tested == {code for code, (step, _) in FAILURES.items() if step in (13, 14)}


def _hide_library(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "rfc3161_client":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)

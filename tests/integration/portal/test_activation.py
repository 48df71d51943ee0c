"""Activation refuses what does not belong together, and bears repetition."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from siegelpost.citizens.enrol import CODE_LIFETIME, enrol
from siegelpost.citizens.errors import AgencyUnknown, EnrolmentActive, InputInvalid
from siegelpost.citizens.letters import PostalAddress
from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.events import events_of
from tests.support.portal import BIRTH_DATE, CLIENT, OTHER_AGENCY, PASSPHRASE, Town

UNKNOWN = "0000-0000-0000-0000-0000-0000-0000"
EMAIL = "alice@beispiel.example"


async def refusal(citizen: Citizen, path: str, body: Mapping[str, Any]) -> PortalRefused:
    with pytest.raises(PortalRefused) as refused:
        await citizen.post(path, body)
    return refused.value


async def tried(citizen: Citizen, code: str, born: str) -> tuple[int, str]:
    refused = await refusal(citizen, "/activate/code", {"code": code, "birth_date": born})
    return refused.status, refused.code


async def ready(town: Town, code: str) -> tuple[Citizen, dict[str, Any]]:
    """Somebody with a confirmed address, and the body of the last step."""
    assert isinstance(town.context.clock, VirtualClock)
    town.context.clock.advance(timedelta(seconds=1))  # the newest mail is found by its time
    citizen = town.citizen()
    begun = await citizen.begin(code=code, birth_date=BIRTH_DATE)
    await citizen.post("/activate/address", {"email": EMAIL})
    await citizen.post("/activate/address/confirm", {"code": await town.mailed_code(EMAIL)})
    body = citizen.finish_body(
        begun["mailbox"],
        begun["key"],
        passphrase=PASSPHRASE,
        recovery_code=new_recovery_code(bytes(range(27))),
    )
    return citizen, body | {"login_name": EMAIL, "language": "de", "salutation_allowed": True}


async def test_unknown_code_and_wrong_birth_date_look_alike_until_both_are_locked(
    town: Town, clock: VirtualClock
) -> None:
    enrolled = await town.letter()
    citizen = town.citizen()
    await citizen.load("/activate")
    answers = []
    for code in (enrolled.activation_code, UNKNOWN):
        seen = []
        for _ in range(7):
            clock.advance(timedelta(hours=1))
            seen.append(await tried(citizen, code, "1970-01-01"))
        answers.append(seen)
    assert answers[0] == answers[1]
    assert answers[0] == [(403, "activation-refused")] * 5 + [(403, "activation-locked")] * 2
    clock.advance(timedelta(hours=1))
    right = await tried(citizen, enrolled.activation_code, BIRTH_DATE)
    assert right == (403, "activation-locked")
    again = await town.letter("BG-1")
    assert again.enrolment_id == enrolled.enrolment_id
    await citizen.begin(code=again.activation_code, birth_date=BIRTH_DATE)


async def test_tries_in_a_row_are_delayed_more_and_more(town: Town, clock: VirtualClock) -> None:
    citizen = town.citizen()
    await citizen.load("/activate")
    for _ in range(4):
        assert (await tried(citizen, UNKNOWN, BIRTH_DATE))[1] == "activation-refused"
    refused = await refusal(citizen, "/activate/code", {"code": UNKNOWN, "birth_date": BIRTH_DATE})
    assert (refused.status, refused.problem["retry_after"]) == (429, 15)
    clock.advance(timedelta(seconds=15))
    assert (await tried(citizen, UNKNOWN, BIRTH_DATE))[1] == "activation-refused"
    refused = await refusal(citizen, "/activate/code", {"code": UNKNOWN, "birth_date": BIRTH_DATE})
    assert refused.problem["retry_after"] == 60


async def test_expired_replaced_and_used_codes_are_refused(town: Town, clock: VirtualClock) -> None:
    old = await town.letter("BG-9")
    new = await town.letter("BG-9")
    citizen = town.citizen()
    await citizen.load("/activate")
    assert await tried(citizen, old.activation_code, BIRTH_DATE) == (403, "activation-refused")
    clock.advance(CODE_LIFETIME)
    assert await tried(citizen, new.activation_code, BIRTH_DATE) == (403, "activation-expired")
    assert await tried(citizen, new.activation_code, "1970-01-01") == (403, "activation-refused")
    fresh = await town.letter("BG-9")
    await town.active(EMAIL, enrolled=fresh)
    assert await tried(citizen, fresh.activation_code, BIRTH_DATE) == (409, "activation-used")
    assert await tried(citizen, fresh.activation_code, "1970-01-01") == (403, "activation-refused")
    with pytest.raises(EnrolmentActive):
        await town.letter("BG-9")


async def test_enrolment_of_another_agency_with_the_same_reference_is_another(town: Town) -> None:
    one = await town.letter("BG-1")
    other = await town.letter("BG-1", agency=OTHER_AGENCY)
    assert one.enrolment_id != other.enrolment_id
    address = PostalAddress(name="A", street="B", postal_code="1", city="C")
    arguments: dict[str, Any] = {
        "client_id": CLIENT, "reference": "x", "salutation": "Frau Beispiel",
        "birth_date": BIRTH_DATE, "language": "de", "address": address,
    }  # fmt: skip
    with pytest.raises(AgencyUnknown):
        await enrol(town.context, agency_id="nobody", **arguments)
    for field, value in (
        ("reference", ""),
        ("reference", "a\nb"),
        ("salutation", "x" * 101),
        ("birth_date", "31.02.1990"),
        ("language", "fr"),
    ):
        with pytest.raises(InputInvalid) as invalid:
            await enrol(town.context, agency_id=OTHER_AGENCY, **arguments | {field: value})
        assert invalid.value.field == field


async def test_wrong_digits_are_limited_and_only_the_newest_work(
    town: Town, clock: VirtualClock
) -> None:
    enrolled = await town.letter()
    citizen = town.citizen()
    await citizen.begin(code=enrolled.activation_code, birth_date=BIRTH_DATE)
    confirm = "/activate/address/confirm"
    assert (await refusal(citizen, confirm, {"code": "12345678"})).code == "address-unconfirmed"
    await citizen.post("/activate/address", {"email": EMAIL})
    first = await town.mailed_code(EMAIL)
    clock.advance(timedelta(minutes=1))
    await citizen.post("/activate/address", {"email": EMAIL})
    second = await town.mailed_code(EMAIL)
    wrong = f"{(int(second) + 1) % 10**8:08}"
    for digits in (first, wrong, wrong, wrong, wrong):
        assert (await refusal(citizen, confirm, {"code": digits})).code == "address-code-wrong"
    assert (await refusal(citizen, confirm, {"code": second})).code == "address-code-wrong"
    await citizen.post("/activate/address", {"email": EMAIL})
    third = await town.mailed_code(EMAIL)
    clock.advance(timedelta(minutes=31))
    assert (await refusal(citizen, confirm, {"code": third})).code == "address-code-wrong"
    assert (await refusal(citizen, confirm, {"code": "1234"})).code == "input-invalid"


async def test_nobody_is_flooded_with_confirmation_mails(town: Town, clock: VirtualClock) -> None:
    codes = []
    for _ in range(5):
        enrolled = await town.letter()
        citizen = town.citizen()
        await citizen.begin(code=enrolled.activation_code, birth_date=BIRTH_DATE)
        try:
            await citizen.post("/activate/address", {"email": "Opfer@beispiel.example"})
            codes.append("sent")
        except PortalRefused as refused:
            codes.append(refused.code)
    assert codes == ["sent"] * 4 + ["too-many-tries"]


async def test_without_confirmed_address_nothing_is_made(town: Town) -> None:
    enrolled = await town.letter()
    citizen = town.citizen()
    begun = await citizen.begin(code=enrolled.activation_code, birth_date=BIRTH_DATE)
    body = citizen.finish_body(
        begun["mailbox"],
        begun["key"],
        passphrase=PASSPHRASE,
        recovery_code=new_recovery_code(bytes(range(27))),
    ) | {"login_name": "alice", "language": "de", "salutation_allowed": True}
    assert (await refusal(citizen, "/activate/finish", body)).code == "address-unconfirmed"
    assert await _count(town, tables.Mailbox) == 0
    assert await _count(town, tables.Event) == 0


async def test_bad_finishes_are_refused_and_a_good_one_still_works(town: Town) -> None:
    enrolled = await town.letter()
    citizen, body = await ready(town, enrolled.activation_code)
    copies = body["wrapped"]
    other = town.citizen().finish_body(
        MailboxId("other-mailbox"),
        KeyId("key"),
        passphrase="x",
        recovery_code=new_recovery_code(bytes(27)),
    )
    for change, code in (
        ({"consent": {"receive": False, "wording": "2026-11"}}, "consent-missing"),
        ({"consent": {"receive": True, "wording": "1999-01"}}, "input-invalid"),
        ({"consent": {"receive": "true", "wording": "2026-11"}}, "input-invalid"),
        ({"wrapped": copies[:1]}, "key-binding-wrong"),
        ({"wrapped": [copies[0], copies[0]]}, "key-binding-wrong"),
        ({"wrapped": copies * 6}, "input-invalid"),
        ({"wrapped": [copies[0], copies[1] | {"method": "magic"}]}, "input-invalid"),
        ({"wrapped": [copies[0], copies[1] | {"nonce": "AAAA"}]}, "key-binding-wrong"),
        ({"wrapped": [copies[0], copies[1] | {"nonce": "?"}]}, "input-invalid"),
        ({"binding_signature": other["binding_signature"]}, "key-binding-wrong"),
        ({"recipient": other["recipient"]}, "key-binding-wrong"),
        ({"recipient": "age1pq1"}, "key-binding-wrong"),
        ({"acknowledgement_key": other["acknowledgement_key"]}, "key-binding-wrong"),
        ({"login_proof": "AAAA"}, "input-invalid"),
        ({"login_salt": ""}, "input-invalid"),
        ({"login_name": "a b c"}, "input-invalid"),
        ({"login_name": ""}, "input-invalid"),
        ({"language": "tlh"}, "input-invalid"),
        ({"surprise": 1}, "input-invalid"),
    ):
        assert (await refusal(citizen, "/activate/finish", body | change)).code == code, change
    assert await _count(town, tables.Mailbox) == 0
    await citizen.finish(body)
    assert await citizen.inbox() == []


async def test_double_click_on_finish_makes_one_mailbox(town: Town) -> None:
    enrolled = await town.letter()
    citizen, body = await ready(town, enrolled.activation_code)
    answers = await asyncio.gather(*(citizen.post("/activate/finish", body) for _ in range(4)))
    assert len({answer["mailbox"] for answer in answers}) == 1
    mailbox = answers[0]["mailbox"]
    events = await town.context.store.read(lambda c: events_of(c, f"mailbox:{mailbox}"))
    assert [event.type for event in events] == ["key-bound", "consent-given", "address-changed"]
    assert await _count(town, tables.Consent) == 1
    other = citizen.finish_body(
        mailbox, KeyId("key"), passphrase="anders", recovery_code=new_recovery_code(bytes(27))
    )
    for change in (
        {"login_proof": other["login_proof"]},
        {"recipient": other["recipient"], "login_proof": other["login_proof"]},
    ):
        code = (await refusal(citizen, "/activate/finish", body | change)).code
        assert code in ("activation-used", "key-binding-wrong")


async def test_of_two_activations_of_one_letter_the_second_to_finish_is_told(town: Town) -> None:
    enrolled = await town.letter()
    one, body = await ready(town, enrolled.activation_code)
    two, other = await ready(town, enrolled.activation_code)
    outcomes = await asyncio.gather(
        one.finish(body),
        two.finish(other | {"login_name": "somebody-else"}),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, PortalRefused)]
    assert [refusal.code for refusal in refused] == ["activation-used"]
    assert await _count(town, tables.Mailbox) == 1


async def test_new_letter_ends_activations_that_the_old_one_began(town: Town) -> None:
    enrolled = await town.letter("BG-5")
    thief, body = await ready(town, enrolled.activation_code)
    await town.letter("BG-5")
    assert (await refusal(thief, "/activate/finish", body)).code == "activation-over"


async def test_activation_ends_after_an_hour(town: Town, clock: VirtualClock) -> None:
    enrolled = await town.letter()
    citizen, body = await ready(town, enrolled.activation_code)
    clock.advance(timedelta(minutes=60))
    assert (await refusal(citizen, "/activate/finish", body)).code == "activation-over"
    stranger = town.citizen()
    await stranger.load("/activate")
    assert (await refusal(stranger, "/activate/finish", body)).code == "activation-over"


async def _count(town: Town, table: type[tables.Table]) -> int:
    query = select(func.count()).select_from(tables.core(table))
    return await town.context.store.read(lambda c: c.execute(query).scalar_one())

"""What citizens and delegates without a browser do about a mandate."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass, field
from typing import Any

from siegelpost.evidence.ids import KeyId, MailboxId, NoticeId
from siegelpost.evidence.rewrapping import Rewrapping
from siegelpost.sealing.age_header import parse_header, write_header
from siegelpost.sealing.keys import Identity, Recipient, acknowledgement_key
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.demo.citizen import Citizen
from tests.support.custody import b64, prove
from tests.support.portal import PASSPHRASE, Town

#: What the citizen wants if a test says nothing else; the tests' clock stands in November 2026.
WANTED: dict[str, Any] = {
    "helper_name": "Bob Muster",
    "giver_name": "Alice Beispiel",
    "role": "read",
    "counts": False,
    "agency": None,
    "starts_on": "2026-01-01",
    "ends_on": None,
}


@dataclass(kw_only=True)
class Invited:
    """An invitation as its code goes from hand to hand."""

    #: names the mandate
    mandate: str
    #: the half that the service may know
    proof: bytes = field(default_factory=lambda: os.urandom(32))


async def invite(alice: Citizen, **wishes: Any) -> Invited:
    """The citizen opens an invitation."""
    proof = os.urandom(32)
    made = await alice.post(
        "/account/delegates/invite",
        {**WANTED, **wishes, "code_salt": b64(os.urandom(16)), "code_proof": b64(proof)},
    )
    return Invited(mandate=made["mandate"], proof=proof)


async def accept(bob: Citizen, invited: Invited) -> None:
    """Somebody with an account takes it; the browser's word for the key is not checked here."""
    await bob.load("/invitation")
    body = {
        "code_proof": b64(invited.proof),
        "key": next(iter(bob.seeds)),
        "key_mac": b64(os.urandom(32)),
    }
    await bob.post("/invitation/accept", body)


async def new_account(town: Town, invited: Invited, email: str) -> Citizen:
    """Somebody without an account makes one with the code."""
    bob = town.citizen()
    await bob.load("/invitation")
    begun = await bob.post("/invitation/begin", {"code_proof": b64(invited.proof)})
    await bob.post("/activate/address", {"email": email})
    code = await town.mailed_code(email)
    confirmed = await bob.post("/activate/address/confirm", {"code": code})
    body = bob.finish_body(
        MailboxId(begun["mailbox"]),
        KeyId(begun["key"]),
        passphrase=PASSPHRASE,
        recovery_code=new_recovery_code(bytes(range(27))),
    )
    del body["consent"]
    await bob.finish(
        body
        | {
            "login_name": confirmed["login_name"],
            "language": "de",
            "salutation_allowed": False,
            "key_mac": b64(os.urandom(32)),
        }
    )
    return bob


async def give(alice: Citizen, invited: Invited) -> int:
    """The citizen gives the mandate and hands on what there is; return how many notices."""
    await prove(alice, PASSPHRASE)
    await alice.post(f"/account/delegates/{invited.mandate}/give", {})
    return await hand_on_all(alice, invited.mandate)


async def hand_on_all(alice: Citizen, mandate: str) -> int:
    """Make headers for all that waits; return how many notices that were."""
    count = 0
    path = f"/account/delegates/{mandate}/headers"
    while (page := await alice.get(path))["notices"]:
        made = [headers_for(alice, page, item) for item in page["notices"]]
        await alice.post(path, {"notices": made})
        count += len(made)
    return count


def headers_for(alice: Citizen, page: dict[str, Any], item: dict[str, Any]) -> dict[str, str]:
    """Headers of one notice for the delegate's key, signed by the citizen's."""
    assert alice.mailbox is not None
    theirs = Recipient.parse(page["recipient"])
    made = []
    for name in ("cover", "package"):
        if name == "package" and page["role"] == "titles":
            made.append(b"")
            continue
        old = parse_header(base64.b64decode(item[name]))
        known = [Identity(seed).unwrap(old.stanzas) for seed in alice.seeds.values()]
        file_key = next(each for each in known if each is not None)
        made.append(write_header([theirs.wrap(file_key)], file_key))
    said = Rewrapping(
        mailbox=alice.mailbox,
        notice=NoticeId(item["notice"]),
        key=KeyId(page["key"]),
        cover_header_sha256=hashlib.sha256(made[0]).digest(),
        package_header_sha256=hashlib.sha256(made[1]).digest(),
    )
    seed = next(iter(alice.seeds.values()))
    return {
        "notice": item["notice"],
        "cover": b64(made[0]),
        "package": b64(made[1]),
        "signature": b64(acknowledgement_key(seed).sign(said.message())),
    }


async def delegated(town: Town, alice: Citizen, bob: Citizen, **wishes: Any) -> str:
    """A mandate from ``alice`` to ``bob``, who both have accounts; return its id."""
    invited = await invite(alice, **wishes)
    await accept(bob, invited)
    await give(alice, invited)
    return invited.mandate

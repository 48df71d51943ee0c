"""What a citizen without a browser does who lets the service keep the key."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable

from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.demo.citizen import Citizen
from tests.support.custody import b64


async def activate_managed(
    citizen: Citizen,
    *,
    code: str,
    birth_date: str,
    email: str,
    read_code: Callable[[], Awaitable[str]],
    passphrase: str,
) -> dict[str, object]:
    """Go through the wizard; return the answer to the letter code."""
    begun = await citizen.begin(code=code, birth_date=birth_date)
    await citizen.post("/activate/address", {"email": email})
    confirmed = await citizen.post("/activate/address/confirm", {"code": await read_code()})
    body = citizen.finish_body(
        MailboxId(begun["mailbox"]),
        KeyId(begun["key"]),
        passphrase=passphrase,
        recovery_code=new_recovery_code(bytes(27)),
    )
    del body["recovery_salt"], body["recovery_proof"]
    body |= {
        "wrapped": [],
        "managed_seed": b64(next(iter(citizen.seeds.values()))),
        "login_name": confirmed["login_name"],
        "language": "de",
        "salutation_allowed": False,
    }
    citizen.seeds = {}
    await citizen.finish(body)
    await citizen.load("/account")
    return begun


async def open_key(citizen: Citizen) -> None:
    """Have the service hand out the seeds."""
    answer = await citizen.post("/account/key/open", {})
    citizen.seeds = {KeyId(item["key"]): base64.b64decode(item["seed"]) for item in answer["keys"]}

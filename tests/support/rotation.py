"""What a citizen without a browser does to exchange the key and to re-wrap."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any

from siegelpost.evidence.ids import KeyId, NoticeId
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.key_succession import KeySuccession
from siegelpost.evidence.rewrapping import Rewrapping
from siegelpost.sealing.age_header import parse_header, write_header
from siegelpost.sealing.keys import SEED_SIZE, Identity, acknowledgement_key
from siegelpost.sealing.wrapping import NONCE_SIZE, SALT_SIZE, Method, successor_key, wrap_seed
from siegelpost.service.demo.citizen import Citizen
from tests.support.custody import b64, new_passphrase, new_recovery


async def rotation_body(
    citizen: Citizen, passphrase: str, code: str
) -> tuple[dict[str, Any], KeyId, bytes]:
    """The body of ``POST /account/key``, the new key's id and its seed."""
    assert citizen.mailbox is not None
    reserved = await citizen.post("/account/key/prepare", {})
    key, old = KeyId(reserved["key"]), next(iter(citizen.seeds))
    seed, salt = citizen.entropy(SEED_SIZE), citizen.entropy(SALT_SIZE)
    signer, old_signer = acknowledgement_key(seed), acknowledgement_key(citizen.seeds[old])
    recipient = Identity(seed).recipient.encode()
    binding = KeyBinding(
        mailbox=citizen.mailbox,
        key=key,
        recipient_sha256=hashlib.sha256(recipient.encode("ascii")).digest(),
        acknowledgement_key=signer.public_key().public_bytes_raw(),
    )
    succession = KeySuccession(predecessor=old, successor=binding)
    copy = wrap_seed(
        citizen.seeds[old],
        wrapping_key=successor_key(seed, salt),
        mailbox_id=citizen.mailbox,
        key_id=old,
        method=Method.SUCCESSOR,
        salt=salt,
        nonce=citizen.entropy(NONCE_SIZE),
    )
    own = replace(citizen, seeds={key: seed})
    body = {
        "key": key,
        "ticket": reserved["ticket"],
        "predecessor": old,
        "recipient": recipient,
        "acknowledgement_key": b64(binding.acknowledgement_key),
        "binding_signature": b64(signer.sign(binding.message())),
        "succession_signature": b64(old_signer.sign(succession.message())),
        "old_seed": {
            "key": old,
            "method": "successor",
            "parameters": {"salt": b64(salt)},
            "nonce": b64(copy.nonce),
            "sealed": b64(copy.ciphertext),
        },
        "passphrase": new_passphrase(own, passphrase),
        "recovery_code": new_recovery(own, code),
        "passkeys": [],
    }
    return body, key, seed


async def rotate(citizen: Citizen, passphrase: str, code: str) -> KeyId:
    """Exchange the key; the citizen then holds old and new seed, the new one first."""
    body, key, seed = await rotation_body(citizen, passphrase, code)
    await citizen.post("/account/key", body)
    citizen.seeds = {key: seed, **citizen.seeds}
    await citizen.load("/account")
    return key


def new_headers(citizen: Citizen, item: dict[str, Any]) -> dict[str, str]:
    """New headers for one notice of ``GET /account/rewrap``, signed by the newest seed."""
    assert citizen.mailbox is not None
    key, seed = next(iter(citizen.seeds.items()))
    made = []
    for name in ("cover", "package"):
        old = parse_header(base64.b64decode(item[name]))
        for known in citizen.seeds.values():
            file_key = Identity(known).unwrap(old.stanzas)
            if file_key is not None:
                break
        assert file_key is not None
        made.append(write_header([Identity(seed).recipient.wrap(file_key)], file_key))
    said = Rewrapping(
        mailbox=citizen.mailbox,
        notice=NoticeId(item["notice"]),
        key=key,
        cover_header_sha256=hashlib.sha256(made[0]).digest(),
        package_header_sha256=hashlib.sha256(made[1]).digest(),
    )
    return {
        "notice": item["notice"],
        "cover": b64(made[0]),
        "package": b64(made[1]),
        "signature": b64(acknowledgement_key(seed).sign(said.message())),
    }


async def rewrap_all(citizen: Citizen) -> int:
    """Re-wrap everything that waits; return how many notices that were."""
    count = 0
    while (page := await citizen.get("/account/rewrap"))["notices"]:
        made = [new_headers(citizen, item) for item in page["notices"]]
        await citizen.post("/account/rewrap", {"notices": made})
        count += len(made)
    return count

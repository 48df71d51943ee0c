"""What a citizen without a browser does with passwords, codes and passkeys."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from siegelpost.evidence.ids import KeyId
from siegelpost.sealing.wrapping import (
    NONCE_SIZE,
    SALT_SIZE,
    Method,
    recovery_code_key,
    recovery_login_proof,
    wrap_seed,
)
from siegelpost.service.demo.citizen import Citizen
from tests.support.remembered import split_passphrase


async def first_step(citizen: Citizen, login_name: str, passphrase: str) -> str:
    """Give the password at the login page; returns the second factor that is asked for."""
    await citizen.load("/login")
    prepared = await citizen.post("/login/prepare", {"login_name": login_name})
    salt = base64.b64decode(prepared["login_salt"])
    proof, _ = await asyncio.to_thread(split_passphrase, passphrase, salt)
    body = {"login_name": login_name, "login_proof": b64(proof)}
    return str((await citizen.post("/login", body))["second_factor"])


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def copies(citizen: Citizen, method: Method, salt: bytes, wrapping_key: bytes) -> list[Any]:
    """One wrapped copy of every key that the citizen holds, as the portal takes them."""
    assert citizen.mailbox is not None
    made = []
    for key, seed in citizen.seeds.items():
        wrapped = wrap_seed(
            seed,
            wrapping_key=wrapping_key,
            mailbox_id=citizen.mailbox,
            key_id=KeyId(key),
            method=method,
            salt=salt,
            nonce=citizen.entropy(NONCE_SIZE),
        )
        made.append(
            {
                "key": key,
                "method": method.value,
                "parameters": {"salt": b64(salt)},
                "nonce": b64(wrapped.nonce),
                "sealed": b64(wrapped.ciphertext),
            }
        )
    return made


def new_passphrase(citizen: Citizen, passphrase: str) -> dict[str, Any]:
    """A new passphrase for ``POST /account/secrets``."""
    salt = citizen.entropy(SALT_SIZE)
    proof, wrapping_key = split_passphrase(passphrase, salt)
    wrapped = copies(citizen, Method.PASSPHRASE, salt, wrapping_key)
    return {"salt": b64(salt), "proof": b64(proof), "wrapped": wrapped}


def new_recovery(citizen: Citizen, code: str) -> dict[str, Any]:
    """A new recovery code for ``POST /account/secrets``."""
    salt = citizen.entropy(SALT_SIZE)
    wrapped = copies(citizen, Method.RECOVERY_CODE, salt, recovery_code_key(code, salt))
    return {"salt": b64(salt), "proof": b64(recovery_login_proof(code, salt)), "wrapped": wrapped}


async def prove(citizen: Citizen, passphrase: str) -> None:
    """Prove the passphrase again, as the account page does."""
    account = await citizen.get("/account/overview")
    proof, _ = split_passphrase(passphrase, base64.b64decode(account["login_salt"]))
    await citizen.post("/account/prove", {"login_proof": b64(proof)})


async def recover(citizen: Citizen, name: str, code: str) -> None:
    """Log in with the recovery code and unwrap."""
    await citizen.load("/recover")
    prepared = await citizen.post("/login/recovery/prepare", {"login_name": name})
    proof = recovery_login_proof(code, base64.b64decode(prepared["recovery_salt"]))
    await citizen.post("/login/recovery", {"login_name": name, "recovery_proof": b64(proof)})
    await citizen.unlock_with_recovery_code(code)
    await citizen.load("/account")

"""A citizen without a browser: plays the portal's protocol over HTTP with the same cryptography.

For the demo, tests and load: activates with a letter, logs in, unseals, checks, acknowledges,
fetches receipts. What the browser's JavaScript does byte by byte is done here by
``siegelpost.sealing``, so both are held to one format.
Not here: HTTP details (`browser`) and pages.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from siegelpost.evidence.acknowledgement import PREFIX, Acknowledgement
from siegelpost.evidence.ids import AgencyId, KeyId, MailboxId, NoticeId
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.notes import Verifier
from siegelpost.sealing.age import payload_digest
from siegelpost.sealing.covers import Cover, cover_digest, open_cover
from siegelpost.sealing.keys import SEED_SIZE, Identity, acknowledgement_key
from siegelpost.sealing.manifest import encode_manifest
from siegelpost.sealing.package import Package, open_package
from siegelpost.sealing.recovery_code import CODE_RANDOM, new_recovery_code
from siegelpost.sealing.wrapping import (
    NONCE_SIZE,
    SALT_SIZE,
    Method,
    WrappedSeed,
    recovery_code_key,
    recovery_login_proof,
    split_passphrase,
    successor_key,
    unwrap_seed,
    wrap_seed,
)
from siegelpost.service.demo.browser import Browser, PortalRefused

__all__ = ["Citizen", "InboxLine", "OpenedNotice", "PortalRefused"]

#: Version of the consent's text that this citizen agrees to.
WORDING = "2026-11"


@dataclass(frozen=True, kw_only=True)
class InboxLine:
    """One entry of the list, its cover unsealed."""

    #: the notice
    id: NoticeId
    #: its sender's name
    agency: str
    #: where it stands
    state: str
    #: the unsealed cover
    cover: Cover


@dataclass(frozen=True, kw_only=True)
class OpenedNotice:
    """A notice whose package was retrieved, unsealed and found genuine."""

    #: the notice
    id: NoticeId
    #: manifest and documents, every digest checked
    package: Package
    #: the sealed file as it came
    sealed: bytes
    #: the notice's facts as the portal gave them before
    facts: Mapping[str, Any]


@dataclass(kw_only=True)
class Citizen(Browser):
    """One person with one browser's worth of cookies and keys."""

    #: returns so many random bytes
    entropy: Callable[[int], bytes] = os.urandom
    #: waits for the mail with a login's second factor: login name in, eight digits out
    read_login_code: Callable[[str], Awaitable[str]] | None = None
    #: id of the mailbox, once activated or logged in
    mailbox: MailboxId | None = None
    #: unwrapped seeds by key id, newest key first
    seeds: dict[KeyId, bytes] = field(default_factory=dict)
    #: login name, once known
    login_name: str = ""

    async def activate(
        self,
        *,
        code: str,
        birth_date: str,
        email: str,
        read_code: Callable[[], Awaitable[str]],
        passphrase: str,
        login_name: str | None = None,
        language: str = "de",
        salutation_allowed: bool = True,
    ) -> str:
        """Go through the wizard; return the recovery code that a person would note on the letter.

        ``read_code`` waits for the mail and returns its eight digits.
        """
        begun = await self.begin(code=code, birth_date=birth_date)
        await self.post("/activate/address", {"email": email})
        confirmed = await self.post("/activate/address/confirm", {"code": await read_code()})
        recovery_code = new_recovery_code(self.entropy(CODE_RANDOM))
        body = await asyncio.to_thread(
            self.finish_body,
            MailboxId(begun["mailbox"]),
            KeyId(begun["key"]),
            passphrase=passphrase,
            recovery_code=recovery_code,
        )
        body |= {
            "login_name": login_name or confirmed["login_name"],
            "language": language,
            "salutation_allowed": salutation_allowed,
        }
        await self.finish(body)
        return recovery_code

    async def begin(self, *, code: str, birth_date: str) -> dict[str, Any]:
        """The wizard's first step; returns the reserved ids, agency and salutation."""
        await self.load("/activate")
        return await self.post("/activate/code", {"code": code, "birth_date": birth_date})

    async def finish(self, body: Mapping[str, Any]) -> None:
        """The wizard's last step; afterwards this citizen is logged in."""
        done = await self.post("/activate/finish", body)
        self.mailbox = MailboxId(done["mailbox"])
        self.login_name = body["login_name"]

    def finish_body(
        self, mailbox: MailboxId, key: KeyId, *, passphrase: str, recovery_code: str
    ) -> dict[str, Any]:
        """Make a seed, wrap it twice, bind its public halves (about 0.3 s: Argon2id)."""
        seed = self.entropy(SEED_SIZE)
        signer = acknowledgement_key(seed)
        recipient = Identity(seed).recipient.encode()
        binding = KeyBinding(
            mailbox=mailbox,
            key=key,
            recipient_sha256=hashlib.sha256(recipient.encode("ascii")).digest(),
            acknowledgement_key=_public(signer),
        )
        salt, other_salt = self.entropy(SALT_SIZE), self.entropy(SALT_SIZE)
        proof, wrapping_key = split_passphrase(passphrase, salt)
        wrapped = [
            wrap_seed(
                seed,
                wrapping_key=wrapping,
                mailbox_id=mailbox,
                key_id=key,
                method=method,
                salt=used,
                nonce=self.entropy(NONCE_SIZE),
            )
            for method, wrapping, used in (
                (Method.PASSPHRASE, wrapping_key, salt),
                (Method.RECOVERY_CODE, recovery_code_key(recovery_code, other_salt), other_salt),
            )
        ]
        self.seeds = {key: seed}
        return {
            "login_salt": _b64(salt),
            "login_proof": _b64(proof),
            "recovery_salt": _b64(other_salt),
            "recovery_proof": _b64(recovery_login_proof(recovery_code, other_salt)),
            "recipient": recipient,
            "acknowledgement_key": _b64(_public(signer)),
            "binding_signature": _b64(signer.sign(binding.message())),
            "wrapped": [
                {
                    "method": copy.method.value,
                    "parameters": {"salt": _b64(copy.salt)},
                    "nonce": _b64(copy.nonce),
                    "sealed": _b64(copy.ciphertext),
                }
                for copy in wrapped
            ],
            "consent": {"receive": True, "wording": WORDING},
        }

    async def log_in(self, login_name: str, passphrase: str) -> None:
        """Log in with passphrase and mailed code; unwrap every key that the passphrase opens."""
        await self.load("/login")
        prepared = await self.post("/login/prepare", {"login_name": login_name})
        salt = base64.b64decode(prepared["login_salt"])
        proof, wrapping_key = await asyncio.to_thread(split_passphrase, passphrase, salt)
        await self.post("/login", {"login_name": login_name, "login_proof": _b64(proof)})
        if self.read_login_code is None:
            raise LookupError("nobody reads this citizen's mails")
        done = await self.post("/login/code", {"code": await self.read_login_code(login_name)})
        self.mailbox, self.login_name = MailboxId(done["mailbox"]), login_name
        await self._unwrap(Method.PASSPHRASE, lambda copy_salt: wrapping_key)

    async def unlock_with_recovery_code(self, recovery_code: str) -> None:
        """While logged in: unwrap the keys with the code from the letter."""
        await self._unwrap(
            Method.RECOVERY_CODE, lambda salt: recovery_code_key(recovery_code, salt)
        )

    async def log_out(self) -> None:
        """End the session and forget the keys."""
        await self.post("/logout")
        self.seeds, self.mailbox = {}, None

    async def inbox(self) -> list[InboxLine]:
        """The whole list, newest first, covers unsealed."""
        lines: list[InboxLine] = []
        cursor = ""
        while True:
            page = await self.get(f"/inbox/notices?limit=100{cursor}")
            lines += [
                InboxLine(
                    id=NoticeId(line["id"]),
                    agency=line["agency"],
                    state=line["state"],
                    cover=open_cover(base64.b64decode(line["cover"]), self._identities()),
                )
                for line in page["notices"]
            ]
            if page["next"] is None:
                return lines
            cursor = f"&cursor={page['next']}"

    async def open(self, notice: NoticeId) -> OpenedNotice:
        """Retrieve, unseal, and check signature, digests, recipient and cover.

        Raises PortalRefused, or an error of ``siegelpost.sealing`` if anything does not match.
        """
        facts = await self.get(f"/notices/{notice}/facts")
        cover = open_cover(base64.b64decode(facts["cover"]), self._identities())
        answer = await self.send("POST", f"/notices/{notice}/retrieve")
        package = await asyncio.to_thread(
            open_package,
            answer.content,
            self._identities(),
            verifiers=[Verifier.from_vkey(vkey) for vkey in facts["manifest_keys"]],
            notice_id=notice,
            mailbox_id=self._mailbox(),
            agency_id=AgencyId(facts["agency"]["id"]),
            cover_sha256=cover_digest(cover),
        )
        return OpenedNotice(id=notice, package=package, sealed=answer.content, facts=facts)

    async def acknowledge(self, opened: OpenedNotice) -> str:
        """Sign that the package opened; return when the portal recorded it."""
        said = Acknowledgement(
            mailbox=self._mailbox(),
            notice=opened.id,
            manifest_sha256=hashlib.sha256(encode_manifest(opened.package.manifest)).digest(),
            payload_sha256=payload_digest(opened.sealed),
            acknowledged_at=datetime.now(UTC),
        )
        signer = acknowledgement_key(next(iter(self.seeds.values())))
        body = {
            "statement": said.message().removeprefix(PREFIX).decode("utf-8"),
            "signature": _b64(signer.sign(said.message())),
        }
        answer = await self.post(f"/notices/{opened.id}/acknowledge", body)
        return str(answer["acknowledged_at"])

    async def receipt(self, notice: NoticeId, *, patience_seconds: float = 15) -> bytes:
        """The receipt as JSON text; waits until the notice's events are in the log."""
        async with asyncio.timeout(patience_seconds):
            while True:
                try:
                    answer = await self.send("GET", f"/notices/{notice}/receipt")
                except PortalRefused as refused:
                    if refused.code != "not-yet-logged":
                        raise
                    await asyncio.sleep(0.25)
                else:
                    return answer.content

    async def _unwrap(self, method: Method, key_for: Callable[[bytes], bytes]) -> None:
        account = await self.get("/account/keys")
        self.mailbox = MailboxId(account["mailbox"])
        self.seeds = {}
        for entry in account["keys"]:
            for copy in entry["wrapped"]:
                if copy["method"] == method.value:
                    salt = base64.b64decode(copy["parameters"]["salt"])
                    wrapped = WrappedSeed(
                        mailbox_id=self.mailbox,
                        key_id=KeyId(entry["key"]),
                        method=method,
                        salt=salt,
                        nonce=base64.b64decode(copy["nonce"]),
                        ciphertext=base64.b64decode(copy["sealed"]),
                    )
                    self.seeds[wrapped.key_id] = unwrap_seed(wrapped, key_for(salt))
        for entry in account["keys"]:
            self._unwrap_older(account["keys"], entry)

    def _unwrap_older(self, keys: Sequence[Mapping[str, Any]], newer: Mapping[str, Any]) -> None:
        """The seed of the key before ``newer``, which ``newer``'s seed opens."""
        for entry in keys:
            if entry["key"] != newer["succeeds"] or newer["key"] not in self.seeds:
                continue
            for copy in entry["wrapped"]:
                salt = base64.b64decode(copy["parameters"]["salt"])
                wrapped = WrappedSeed(
                    mailbox_id=self._mailbox(),
                    key_id=KeyId(entry["key"]),
                    method=Method(copy["method"]),
                    salt=salt,
                    nonce=base64.b64decode(copy["nonce"]),
                    ciphertext=base64.b64decode(copy["sealed"]),
                )
                wrapping_key = successor_key(self.seeds[KeyId(newer["key"])], salt)
                self.seeds[wrapped.key_id] = unwrap_seed(wrapped, wrapping_key)

    def _identities(self) -> list[Identity]:
        return [Identity(seed) for seed in self.seeds.values()]

    def _mailbox(self) -> MailboxId:
        if self.mailbox is None:
            raise LookupError("not logged in")
        return self.mailbox


def _public(signer: Ed25519PrivateKey) -> bytes:
    return signer.public_key().public_bytes_raw()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

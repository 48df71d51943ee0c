"""Sending over HTTP: ask for the keys, check them, seal here, hand over, check what comes back.

A repetition after a lost answer sends the very same bytes under the same idempotency key. If the
keys changed meanwhile the notice is sealed again to the new ones, once they are checked.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from siegelpost.evidence.acceptance import open_acceptance
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.ids import MailboxId
from siegelpost.evidence.trust import Purpose, Trust
from siegelpost.sending.keys import ManifestKey
from siegelpost.sending.seal import Letter, SealedNotice, Target, check_recipients, seal_notice

#: How often a call is sent before its fate is left open, and a notice sealed to changed keys.
TRIES = 3
#: How long a service that is unavailable is left alone before the next try.
PAUSE_SECONDS = 2.0
#: Answers that leave open whether the call was done: its own (503), and a proxy's.
_UNKNOWN = frozenset({502, 503, 504})
_CHANGED = "urn:siegelpost:problem:key-changed"


class Refused(Exception):
    """The service said no; carries its problem document (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        """Keep HTTP status and problem; ``str()`` says type and detail, fit for a terminal."""
        said = f"{status} {problem.get('type', '')}: {problem.get('detail', '')}"
        super().__init__(one_line(said))
        self.status = status
        self.problem = problem


class SealingClient:
    """Seals for one agency. ``bearer`` gives a valid access token for each call."""

    def __init__(
        self, http: httpx2.Client, *, bearer: Callable[[], str], trust: Trust, key: ManifestKey
    ) -> None:
        """Speak through ``http``, whose base URL is the service's."""
        self._http = http
        self._bearer = bearer
        self._trust = trust
        self._key = key

    def target(self, enrolment: str, *, mailbox: MailboxId | None = None) -> Target:
        """The current keys of an enrolment's mailbox, checked; see ``check_recipients``."""
        answer = self._send("GET", f"/v1/enrolments/{enrolment}/recipients")
        return self._checked(answer.json(), mailbox)

    def send(
        self,
        enrolment: str,
        letter: Letter,
        *,
        mailbox: MailboxId | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Seal and dispatch; return the 201's JSON, its acceptance checked against what was sent.

        Raises Refused, httpx2.TransportError (unknown whether it arrived), errors of
        ``siegelpost.evidence`` if keys or acceptance do not hold.
        """
        call = idempotency_key or secrets.token_hex(16)
        target = self.target(enrolment, mailbox=mailbox)
        for number in range(TRIES):
            sealed = seal_notice(letter, target, self._key, enrolment=enrolment)
            # What was refused is settled: other bytes are another call, or a repetition of an
            # earlier run's, which the service then refuses as reused.
            try:
                answer = self.hand_over(sealed, idempotency_key=call)
            except Refused as refused:
                again = refused.problem.get("type") == _CHANGED and number < TRIES - 1
                if not again:
                    raise
                given = refused.problem.get("recipients")
                target = (
                    self._checked(given, target.mailbox_id)
                    if given
                    else self.target(enrolment, mailbox=target.mailbox_id)
                )
            else:
                self.check_acceptance(answer, sealed, target)
                return answer
        raise AssertionError("unreachable: the last try returns or raises")

    def hand_over(self, sealed: SealedNotice, *, idempotency_key: str) -> dict[str, Any]:
        """Send sealed parts; the same again if the connection breaks or the service is unavailable.

        Refused with 502, 503 or 504 leaves open whether it was delivered: call again with the same
        ``sealed`` and key.
        """
        files = [
            ("notice", (None, json.dumps(sealed.notice).encode(), "application/json")),
            ("cover", ("cover.age", sealed.cover, "application/age")),
            ("package", ("package.age", sealed.package, "application/age")),
        ]
        for number in range(TRIES):
            try:
                response = self._send(
                    "POST",
                    "/v1/notices",
                    files=files,
                    headers={"Idempotency-Key": idempotency_key},
                )
            except httpx2.TransportError:
                if number == TRIES - 1:
                    raise
                continue
            except Refused as refused:
                # Unavailable is no refusal: it may have been delivered, so the same bytes again.
                if refused.status not in _UNKNOWN or number == TRIES - 1:
                    raise
                time.sleep(PAUSE_SECONDS)
                continue
            answer: dict[str, Any] = response.json()
            return answer
        raise AssertionError("unreachable: the last try returns or raises")

    def check_acceptance(
        self, answer: Mapping[str, Any], sealed: SealedNotice, target: Target
    ) -> None:
        """Return if the service vouches for exactly what was sent; EvidenceError if not."""
        verifiers = self._trust.verifiers(Purpose.ACCEPTANCE, target.agency_id)
        accepted, _ = open_acceptance(str(answer.get("acceptance", "")), verifiers)
        said = (
            accepted.notice,
            accepted.agency,
            accepted.mailbox,
            (accepted.package_payload_sha256, accepted.cover_payload_sha256),
            accepted.documents,
        )
        sent = (
            target.notice_id,
            target.agency_id,
            target.mailbox_id,
            sealed.payload_digests,
            sealed.commitments,
        )
        if said != sent:
            raise FormatError("the acceptance speaks of something else than what was sent")

    def _checked(self, answer: Any, mailbox: MailboxId | None) -> Target:
        return check_recipients(answer, self._trust, agency=self._key.agency, mailbox=mailbox)

    def _send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        headers = {**arguments.pop("headers", {}), "Authorization": f"Bearer {self._bearer()}"}
        response = self._http.request(method, path, headers=headers, **arguments)
        if response.status_code >= 400:
            raise Refused(response.status_code, problem_of(response))
        return response


def one_line(text: str) -> str:
    """What somebody else wrote, as one line of a terminal or log.

    Line breaks would pass for words of ours, escapes and overrides of direction change what stands
    there already.
    """
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def problem_of(response: httpx2.Response) -> dict[str, Any]:
    """The problem document of a refusal, or one that says that there is none."""
    try:
        problem = response.json()
    except (ValueError, RecursionError):
        problem = None
    return problem if isinstance(problem, dict) else {"type": "", "detail": "no problem document"}

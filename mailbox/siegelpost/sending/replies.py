"""For agencies' own programs: fetch replies, check who signed them, open them with the own key.

A reply is believed after these steps:

1. The log has bound the key that signed (`siegelpost.evidence.key_proof`), to the mailbox that the
   statement names; for a delegate's reply to some mailbox, which is the delegate's by the service's
   word. Which mailbox is the citizen's, too, only the caller can know (`Expected`).
2. That key signed the statement, which speaks of the reply that was asked for, of the notice that
   the service names, and of the agency and mailbox that the caller expects.
3. The statement names the very key of the agency's that opens it: to the sender's browser no other
   was given out as the agency's, under which somebody could have read first.
4. The sealed file is the one that the statement names, opens with that key, and holds what its
   manifest says (`siegelpost.sealing.replies`).

What the caller still owes: that the notice is the agency's own and the mailbox its citizen's, that
the mandate is in force by the agency's own rules, and that the key was not retired before: the
proof is of its binding alone, so whoever stole an older key of a mailbox, and runs the service or
has its help, can sign with it. Step 17 of `verify` sees retirements, in the notice's receipt.
Files come from outside: whoever opens them looks at them as at any upload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx2

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.key_proof import parse_key_proof, verify_binding
from siegelpost.evidence.reply import PREFIX, ReplyStatement, parse_reply
from siegelpost.evidence.trust import Trust
from siegelpost.sealing.errors import NoMatch
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.replies import MAX_REPLY_SIZE, Reply, open_reply
from siegelpost.sending.client import Refused, problem_of

#: Bytes of the largest sealed file that is read.
_LARGEST = MAX_REPLY_SIZE + (1 << 20)
_PAGE = 200
#: Replies after which a list ends here.
_MOST = 100_000
_FETCHED_AT = "siegelpost-fetched-at"


@dataclass(frozen=True, kw_only=True)
class FetchedReply:
    """A reply as the service handed it out. Nothing of it is to be believed before `check`."""

    #: what the service says of it
    answer: dict[str, Any]
    #: the age file
    sealed: bytes

    @property
    def id(self) -> str:
        """Names it."""
        return str(self.answer["id"])


class ReplyClient:
    """Fetches for one agency. ``bearer`` gives a valid access token for each call."""

    def __init__(self, http: httpx2.Client, *, bearer: Callable[[], str]) -> None:
        """Speak through ``http``, whose base URL is the service's."""
        self._http = http
        self._bearer = bearer

    def waiting(self) -> Iterator[str]:
        """The ids of the replies that were never fetched, oldest first; Refused, FormatError.

        At most 100,000, however many the service says there are: the rest once these are fetched.
        """
        cursor, seen = "", set[str]()
        while len(seen) < _MOST:
            page = _read(self._get(f"/v1/replies?waiting=true&limit={_PAGE}{cursor}"), "list")
            try:
                ids, following = [str(each["id"]) for each in page["replies"]], page["next"]
            except (KeyError, TypeError):
                raise FormatError("the service answers with no list of replies") from None
            if following is not None and seen.issuperset(ids):
                raise FormatError("the service lists the same replies again and again")
            seen.update(ids)
            yield from ids
            if following is None:
                return
            cursor = f"&cursor={quote(str(following), safe='')}"

    def fetch(self, reply: str) -> FetchedReply:
        """One reply with its sealed file; which then counts as fetched. Refused, FormatError."""
        answer = _read(self._get(f"/v1/replies/{reply}"), "reply")
        package = self._get(f"/v1/replies/{reply}/package")
        # The service's own word: when it first handed the file out, which may be right now.
        if answer.get("fetched_at") is None and _FETCHED_AT in package.headers:
            answer["fetched_at"] = package.headers[_FETCHED_AT]
        return FetchedReply(answer=answer, sealed=package.content)

    def _get(self, path: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self._bearer()}"}
        with self._http.stream("GET", path, headers=headers) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST:
                    raise FormatError("the service answers with more than any reply can be")
            whole = httpx2.Response(
                response.status_code, headers=_plain(response.headers), content=bytes(body)
            )
        if whole.status_code >= 400:
            raise Refused(whole.status_code, problem_of(whole))
        return whole


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the caller knows of a reply, from elsewhere than the service's answer; None: unknown."""

    #: which was asked for
    reply: str | None = None
    #: who asks
    agency: str | None = None
    #: whose enrolment it is about
    mailbox: str | None = None


#: Nothing is known.
ANY = Expected()


def check_signer(answer: Json, trust: Trust, expected: Expected = ANY) -> ReplyStatement:
    """The statement of a reply, after steps 1 and 2; errors of ``siegelpost.evidence``."""
    fields = Fields(
        answer,
        "reply",
        required=("id", "notice", "mandate", "statement", "signature", "bound"),
        open_ended=True,
    )
    said = parse_reply(PREFIX + fields.text("statement", max_length=4096).encode("utf-8"))
    # 1.
    mailbox = said.mailbox if said.mandate is None else None
    proof = parse_key_proof(fields.mapping("bound"))
    binding = verify_binding(proof, trust, mailbox=mailbox)
    # 2.
    said.verify(binding.acknowledgement_key, fields.hex("signature", size=64))
    mandate = fields.text("mandate") if fields.has("mandate") else None
    if (said.reply, said.notice, said.mandate) != (
        fields.text("id"),
        fields.text("notice"),
        mandate,
    ):
        raise FormatError("the statement speaks of another reply, notice or mandate")
    for name in ("reply", "agency", "mailbox"):
        wanted, found = getattr(expected, name), getattr(said, name)
        if wanted is not None and found != wanted:
            raise FormatError(f"the statement speaks of {name} {found} instead of {wanted}")
    return said


def check(
    fetched: FetchedReply,
    identities: Iterable[Identity],
    trust: Trust,
    expected: Expected = ANY,
) -> Reply:
    """The opened reply, after all steps; errors of ``siegelpost.evidence`` and ``.sealing``."""
    # 1. and 2.
    said = check_signer(fetched.answer, trust, expected)
    # 3.
    named = said.recipient_sha256
    meant = [each for each in identities if sha256(each.recipient.raw).digest() == named]
    if not meant:
        raise NoMatch(
            "the sender sealed it to a key that is none of the agency's (SHA-256 "
            f"{named.hex()}): somebody else may have read it"
        )
    # 4.
    return open_reply(fetched.sealed, meant, said)


def _read(response: httpx2.Response, what: str) -> dict[str, Any]:
    try:
        found: Any = response.json()
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the service answers with no JSON: {error}") from None
    if not isinstance(found, dict):
        raise FormatError(f"the service answers with no {what}")
    return found


def _plain(headers: httpx2.Headers) -> dict[str, str]:
    # The body is decoded already.
    left_out = ("content-encoding", "content-length", "transfer-encoding")
    return {name: value for name, value in headers.items() if name.lower() not in left_out}

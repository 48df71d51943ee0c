"""Covers: the small sealed part that the citizen's list shows (DESIGN sections 3 and 5).

Plaintext is canonical JSON with exactly these fields (due_on is YYYY-MM-DD or null):

    due_on, format ("siegelpost/cover/v1"), kind, language, title, what_is_this, what_to_do,
    who_helps

A cover carries no signature of its own. It is genuine once the package is open, whose signed
manifest names the cover's digest; a list that shows covers before says nothing certain.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from siegelpost.evidence import canonical
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.fields import Fields
from siegelpost.sealing.age import SealedFile, Source, Unwrapper, open_bytes, seal_bytes
from siegelpost.sealing.errors import CoverError
from siegelpost.sealing.keys import Recipient

FORMAT = "siegelpost/cover/v1"
#: Largest cover plaintext, in bytes.
MAX_COVER_SIZE = 32 * 1024
#: Most characters of the title, and of each longer text.
MAX_TITLE = 200
MAX_TEXT = 2000

_KIND = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FIELDS = (
    "due_on", "format", "kind", "language", "title", "what_is_this", "what_to_do", "who_helps",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cover:
    """What the citizen reads before opening. Raises CoverError for values that no cover has."""

    #: Title in plain words, one line.
    title: str
    #: Kind of notice as a short lower-case word, such as bewilligung.
    kind: str
    #: "Was ist das?"; may be empty.
    what_is_this: str
    #: "Was muss ich tun?"; may be empty.
    what_to_do: str
    #: Until when something must be done, if there is such a day.
    due_on: date | None
    #: "Wer hilft mir?"; may be empty.
    who_helps: str
    #: Language of the texts (BCP 47).
    language: str

    def __post_init__(self) -> None:
        if not self.title.strip() or len(self.title) > MAX_TITLE or "\n" in self.title:
            raise CoverError(f"the title is not one line of 1 to {MAX_TITLE} characters")
        for text in (self.what_is_this, self.what_to_do, self.who_helps):
            if len(text) > MAX_TEXT:
                raise CoverError(f"a text is longer than {MAX_TEXT} characters")
        if len(self.kind) > 60 or _KIND.fullmatch(self.kind) is None:
            raise CoverError("malformed kind")
        if len(self.language) > 35 or _LANGUAGE.fullmatch(self.language) is None:
            raise CoverError("malformed language")


def encode_cover(cover: Cover) -> bytes:
    """The plaintext of `cover`; CoverError for texts without a canonical form."""
    try:
        return canonical.encode(
            {
                "due_on": cover.due_on.isoformat() if cover.due_on else None,
                "format": FORMAT,
                "kind": cover.kind,
                "language": cover.language,
                "title": cover.title,
                "what_is_this": cover.what_is_this,
                "what_to_do": cover.what_to_do,
                "who_helps": cover.who_helps,
            }
        )
    except EvidenceError as error:
        raise CoverError(str(error)) from None


def decode_cover(data: bytes) -> Cover:
    """The cover of `data`; CoverError unless canonical, complete and of this version."""
    try:
        value = canonical.decode_object(data, max_size=MAX_COVER_SIZE)
        fields = Fields(value, "cover", required=_FIELDS)
        fields.expect("format", FORMAT)
        return Cover(
            title=fields.text("title"),
            kind=fields.text("kind"),
            what_is_this=fields.text("what_is_this", max_length=MAX_TEXT),
            what_to_do=fields.text("what_to_do", max_length=MAX_TEXT),
            due_on=_date(fields.text("due_on")) if fields.has("due_on") else None,
            who_helps=fields.text("who_helps", max_length=MAX_TEXT),
            language=fields.text("language"),
        )
    except EvidenceError as error:
        raise CoverError(str(error)) from None


def cover_digest(cover: Cover) -> bytes:
    """SHA-256 of the plaintext, as the manifest names it."""
    return hashlib.sha256(encode_cover(cover)).digest()


def seal_cover(
    cover: Cover, recipients: Sequence[Recipient], *, apart: Sequence[Recipient] = ()
) -> SealedFile:
    """The sealed cover, see `age.seal`."""
    return seal_bytes(encode_cover(cover), recipients, apart=apart)


def open_cover(source: Source, identities: Iterable[Unwrapper]) -> Cover:
    """The cover in `source`; errors of `age.open_` and CoverError.

    The caller compares `cover_digest` with the manifest once the package is open.
    """
    return decode_cover(open_bytes(source, identities, max_size=MAX_COVER_SIZE))


def _date(text: str) -> date:
    try:
        if _DATE.fullmatch(text) is not None:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise CoverError("due_on is no date")

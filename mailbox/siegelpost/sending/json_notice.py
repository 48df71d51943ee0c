"""The part ``notice`` of an ordinary dispatch as a letter: one JSON for both ways of sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.sealing.covers import MAX_TEXT, Cover
from siegelpost.sealing.manifest import Remedy
from siegelpost.sealing.package import Document
from siegelpost.sending.earlier import Earlier
from siegelpost.sending.seal import Letter

_COVER = ("title", "kind", "what_is_this", "what_to_do", "who_helps")


def letter_of(
    notice: Mapping[str, Any],
    documents: Sequence[tuple[str, bytes]],
    *,
    earlier: Earlier | None = None,
) -> tuple[str, Letter]:
    """Enrolment and letter of the same JSON that an unsealed dispatch takes.

    ``earlier`` is needed if it ``reprovides`` another notice, for its salts. Raises FormatError,
    CoverError. The file reference goes beside who helps, as the service does.
    """
    fields = Fields(
        dict(notice),
        "notice",
        required=("enrolment", "cover", "remedy", "issued_at"),
        optional=("regime", "reference", "circumstances", "reprovides"),
    )
    if fields.has("reprovides") and earlier is None:
        raise FormatError("notice: reprovides needs the answer to the notice that it names")
    if earlier is not None and (
        not fields.has("reprovides") or fields.text("reprovides") != earlier.notice_id
    ):
        raise FormatError(f"notice: it does not say that it reprovides {earlier.notice_id}")
    cover = Fields(
        fields.mapping("cover"), "cover", required=_COVER, optional=("due_on", "language")
    )
    texts = {name: cover.text(name, max_length=MAX_TEXT) for name in _COVER}
    if fields.has("reference"):
        line = f"Aktenzeichen: {fields.text('reference', max_length=100)}"
        texts["who_helps"] = "\n".join(filter(None, (texts["who_helps"], line)))
    try:
        due_on = date.fromisoformat(cover.text("due_on")) if cover.has("due_on") else None
        issued_at = datetime.fromisoformat(fields.text("issued_at"))
        remedy = Remedy(fields.text("remedy"))
    except ValueError as error:
        raise FormatError(f"notice: {error}") from None
    if issued_at.tzinfo is None:
        raise FormatError("notice: issued_at names no time zone")
    return fields.text("enrolment"), Letter(
        cover=Cover(
            due_on=due_on,
            language=cover.text("language") if cover.has("language") else "de",
            **texts,
        ),
        documents=[
            Document(name=name, media_type="application/pdf", content=content)
            for name, content in documents
        ],
        remedy=remedy,
        issued_at=issued_at,
        regime=fields.text("regime") if fields.has("regime") else "sgb10-37-2a",
        circumstances=_circumstances(fields),
        reprovides=earlier,
    )


def _circumstances(fields: Fields) -> dict[str, bool | str]:
    """What is said; which names there are, the service knows."""
    if not fields.has("circumstances"):
        return {}
    said: dict[str, bool | str] = {}
    for name, value in fields.mapping("circumstances").items():
        if not isinstance(value, bool | str | None):
            raise FormatError(
                f"notice: circumstances: {name[:50]} is neither text nor true or false"
            )
        if value is not None:
            said[name] = value
    return said

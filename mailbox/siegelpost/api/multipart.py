"""The multipart body of a dispatch, parsed as it arrives (RFC 7578).

Starlette's form parser spools large parts to a temporary file, in plaintext; here no byte reaches
a disk. Taken are exactly one part ``notice``, and either one to many parts ``document`` or, sealed
by the agency itself (DESIGN section 5), one ``cover`` and one ``package``; nothing else.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from multipart import (  # type: ignore[import-untyped]  # ships no types
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)
from starlette.requests import Request

from siegelpost.api.bodies import chunks
from siegelpost.api.problems import ApiProblem
from siegelpost.api.settings import ApiSettings
from siegelpost.notices.documents import PDF
from siegelpost.notices.errors import Refusal, RefusalCode
from siegelpost.notices.limits import Limits
from siegelpost.sealing.age_header import MAX_HEADER_SIZE
from siegelpost.sealing.covers import MAX_COVER_SIZE
from siegelpost.sealing.package import Document

#: Name given to a document that comes without one.
UNNAMED = "Dokument.pdf"
_JSON = "application/json"
_AGE = "application/age"
#: Bytes of age headers and tags that a sealed part may have beside its plaintext.
_SEALING_BYTES = MAX_HEADER_SIZE


@dataclass(kw_only=True)
class Parts:
    """The parts of a dispatch as they came."""

    #: JSON text of the notice
    notice: bytes = b""
    #: in the order of the body
    documents: list[Document] = field(default_factory=list)
    #: age file of the agency's own sealing, or empty
    cover: bytes = b""
    #: likewise
    package: bytes = b""

    @property
    def sealed(self) -> bool:
        """Whether the agency has sealed on its own side."""
        return bool(self.cover or self.package)


async def read_parts(request: Request, settings: ApiSettings) -> Parts:
    """Return the parts; ApiProblem for a broken body, Refusal for one beyond the limits."""
    limits = settings.limits
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get("boundary", "")
    if content_type != "multipart/form-data" or not boundary:
        raise ApiProblem("media-type", "multipart/form-data with a boundary is needed")
    collector = _Collector(limits)
    try:
        parser = PushMultipartParser(
            boundary,
            max_header_size=1024,
            max_header_count=4,
            max_segment_count=limits.documents + 2,
            strict=True,
        )
        async for chunk in chunks(request, settings, limit=limits.request_bytes):
            for event in parser.parse(chunk):
                collector.take(event)
        parser.close()
    except ParserLimitReached as error:
        if collector.full:
            raise Refusal(
                RefusalCode.TOO_MANY_DOCUMENTS, f"at most {limits.documents} documents"
            ) from None
        raise ApiProblem("multipart-malformed", str(error)) from None
    except (MultipartError, UnicodeError) as error:
        raise ApiProblem("multipart-malformed", _words(error)) from None
    if collector.parts.notice == b"":
        raise ApiProblem("part-missing", "the part `notice` is missing or empty")
    parts = collector.parts
    if parts.sealed and not (parts.cover and parts.package):
        raise ApiProblem("part-missing", "of `cover` and `package` one is missing or empty")
    if not parts.sealed and not parts.documents:
        raise ApiProblem("part-missing", "no part `document`")
    return parts


class _Collector:
    """Gathers parts and refuses early what is too large, unknown or repeated."""

    def __init__(self, limits: Limits) -> None:
        self.parts = Parts()
        self._limits = limits
        self._segment: MultipartSegment | None = None
        self._buffer = io.BytesIO()
        self._limit = 0

    @property
    def full(self) -> bool:
        """Whether no further document is taken."""
        return len(self.parts.documents) >= self._limits.documents

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if event is None:
            self._finish()
        elif isinstance(event, MultipartSegment):
            self._begin(event)
        else:
            if self._buffer.tell() + len(event) > self._limit:
                self._refuse_size()
            self._buffer.write(event)

    def _begin(self, segment: MultipartSegment) -> None:
        self._segment = segment
        self._buffer = io.BytesIO()
        if segment.name == "notice":
            if self.parts.notice:
                raise ApiProblem("part-unexpected", "a second part `notice`")
            if segment.content_type not in (None, _JSON):
                raise ApiProblem("part-media-type", "`notice` is not application/json")
            self._limit = self._limits.notice_bytes
        elif segment.name in ("cover", "package"):
            self._begin_sealed(segment)
        elif segment.name == "document":
            if self.parts.sealed:
                raise ApiProblem("part-unexpected", "a `document` beside sealed parts")
            if self.full:
                raise Refusal(
                    RefusalCode.TOO_MANY_DOCUMENTS, f"at most {self._limits.documents} documents"
                )
            if segment.content_type != PDF:
                raise ApiProblem("part-media-type", "a `document` is not application/pdf")
            self._limit = self._limits.document_bytes
        else:
            raise ApiProblem("part-unexpected", "a part of another name")

    def _begin_sealed(self, segment: MultipartSegment) -> None:
        if self.parts.documents:
            raise ApiProblem("part-unexpected", "a sealed part beside a `document`")
        if getattr(self.parts, segment.name):
            raise ApiProblem("part-unexpected", f"a second part `{segment.name}`")
        if segment.content_type != _AGE:
            raise ApiProblem("part-media-type", f"`{segment.name}` is not application/age")
        most = MAX_COVER_SIZE if segment.name == "cover" else self._limits.documents_bytes
        # Tags of 16 bytes a chunk of 64 KiB, and what a package has beside its documents.
        self._limit = most + most // 2048 + 4 * _SEALING_BYTES

    def _finish(self) -> None:
        assert self._segment is not None
        # The buffer's bytes are handed out without a copy.
        content = self._buffer.getvalue()
        if self._segment.name == "notice":
            if not content:
                raise ApiProblem("part-missing", "the part `notice` is empty")
            self.parts.notice = content
        elif self._segment.name in ("cover", "package"):
            setattr(self.parts, self._segment.name, content)
        else:
            name = self._segment.filename or UNNAMED
            self.parts.documents.append(Document(name=name, media_type=PDF, content=content))
        self._segment = None
        self._buffer = io.BytesIO()

    def _refuse_size(self) -> None:
        assert self._segment is not None
        if self._segment.name == "notice":
            raise ApiProblem("body-too-large", f"`notice` of more than {self._limit} bytes")
        if self._segment.name in ("cover", "package"):
            raise Refusal(RefusalCode.NOTICE_TOO_LARGE, f"more than {self._limit} bytes")
        raise Refusal(
            RefusalCode.DOCUMENT_TOO_LARGE,
            f"more than {self._limit} bytes",
            document=len(self.parts.documents),
        )


def _words(error: Exception) -> str:
    # Some of the parser's errors carry the bytes that they could not decode.
    return "a header is not UTF-8" if isinstance(error, UnicodeError) else str(error.args[0])

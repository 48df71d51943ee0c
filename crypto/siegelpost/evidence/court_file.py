"""Court files: everything about one notice in one ASiC-E container (ETSI EN 319 162-1).

A ZIP whose first file is `mimetype`; `META-INF/ASiCManifest.xml` lists every other file with its
SHA-256 (EN 319 162-1, 4.4 and A.4). Two signatures are over the manifest:
- `META-INF/siegel.txt`, a signed note of the service's acceptance key over one line of canonical
  JSON with the manifest's digest: always there, checked by the same trust file as receipts;
- `META-INF/signature.p7s`, detached CMS (CAdES) of the service's seal certificate, where it has
  one, for programs that know nothing of us. Without one the manifest refers to the note instead,
  and such programs see a container without a signature that they know.
The ZIP has one form only (`zipstore`), so that no two programs see different files.
Format only: who makes one is `siegelpost.receipts.court_file`, what it proves says `court_verify`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from siegelpost.evidence import canonical
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import NoticeId, check_id
from siegelpost.evidence.notes import Signer, sign_note
from siegelpost.evidence.redacted import Redaction
from siegelpost.evidence.times import format_time
from siegelpost.evidence.zipstore import Entry, read_zip, write_zip

FORMAT = "siegelpost/court-file/v1"
MEDIA_TYPE = "application/vnd.etsi.asic-e+zip"
#: Largest court file that is read, in bytes; most files in it.
MAX_COURT_FILE = 256 << 20
MAX_FILES = 4096

RECEIPT = "quittung.json"
PDF = "quittung.pdf"
PROTOCOL = "pruefprotokoll.txt"
GUIDE = "LIESMICH.txt"
TRUST = "vertrauensdatei.json"
PROOFS, TIMESTAMPS, REPORTS = "nachweise/", "zeitstempel/", "berichte/"
CHECKPOINT = PROOFS + "pruefpunkt.txt"

MIMETYPE = "mimetype"
MANIFEST = "META-INF/ASiCManifest.xml"
NOTE = "META-INF/siegel.txt"
CMS = "META-INF/signature.p7s"

_MEDIA_TYPES = {
    "json": "application/json",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "tlog-proof": "text/plain",
    "tst": "application/vnd.etsi.timestamp-token",
    "eml": "message/rfc822",
    "age": "application/octet-stream",
}
#: Also what unpacks everywhere, and needs no escaping in a URI reference.
_NAME = re.compile(r"(?:[a-z]+/)?[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.([a-z-]+)", re.ASCII)
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_REFERENCE = re.compile(
    r' <asic:DataObjectReference MimeType="[^"]*" URI="([^"]*)">\n'
    r'  <ds:DigestMethod Algorithm="[^"]*"/>\n'
    r"  <ds:DigestValue>([A-Za-z0-9+/]{43}=)</ds:DigestValue>\n"
    r" </asic:DataObjectReference>\n",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class CourtFile:
    """The files of a container. None of it is to be believed before `court_verify`."""

    #: Name → bytes, in order, without mimetype and META-INF.
    files: Mapping[str, bytes]
    #: ASiCManifest.xml as it stands.
    manifest: bytes
    #: The signed note.
    note: str
    #: Detached CMS, DER, or None.
    cms: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What the note says."""

    notice: NoticeId
    made_at: datetime
    redaction: Redaction
    #: SHA-256 of ASiCManifest.xml.
    manifest_sha256: bytes

    def text(self) -> str:
        """The note's text."""
        value = {
            "format": FORMAT,
            "notice": check_id(self.notice, "notice"),
            "made_at": format_time(self.made_at),
            "redaction": self.redaction.value,
            "manifest_sha256": self.manifest_sha256.hex(),
        }
        return canonical.encode(value).decode("utf-8") + "\n"


def write_manifest(files: Mapping[str, bytes], *, cms: bool) -> bytes:
    """ASiCManifest.xml of `files`; FormatError for a name that a court file cannot hold."""
    return _manifest(
        {name: hashlib.sha256(content).digest() for name, content in files.items()}, cms=cms
    )


def sign_manifest(
    manifest: bytes, signer: Signer, *, notice: NoticeId, made_at: datetime, redaction: Redaction
) -> str:
    """The note over a manifest."""
    statement = Statement(
        notice=notice,
        made_at=made_at,
        redaction=redaction,
        manifest_sha256=hashlib.sha256(manifest).digest(),
    )
    return sign_note(statement.text(), signer)


def write_court_file(court_file: CourtFile) -> bytes:
    """The container's bytes; ZipError above the limits of a ZIP without extensions."""
    entries = [
        (MIMETYPE, MEDIA_TYPE.encode()),
        *court_file.files.items(),
        (MANIFEST, court_file.manifest),
        (NOTE, court_file.note.encode("utf-8")),
    ]
    if court_file.cms is not None:
        entries.append((CMS, court_file.cms))
    pieces = write_zip(
        [Entry(name=name, content=content) for name, content in entries], max_entries=MAX_FILES
    )
    return b"".join(pieces)


def parse_court_file(data: bytes) -> CourtFile:
    """The container in `data`; FormatError if it is malformed. Nothing is verified."""
    if len(data) > MAX_COURT_FILE:
        raise FormatError(f"a court file of more than {MAX_COURT_FILE} bytes")
    found: dict[str, bytes] = {}
    for entry in read_zip(data, max_entries=MAX_FILES):
        if entry.name in found:
            raise FormatError(f"the file {entry.name[:100]!r} is there twice")
        found[entry.name] = bytes(entry.content)
    if next(iter(found), None) != MIMETYPE or found.pop(MIMETYPE) != MEDIA_TYPE.encode():
        raise FormatError("the first file does not say that this is an ASiC-E container")
    try:
        manifest, note = found.pop(MANIFEST), found.pop(NOTE).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        raise FormatError("the container has no manifest, or no readable seal") from None
    return CourtFile(files=found, manifest=manifest, note=note, cms=found.pop(CMS, None))


def parse_manifest(manifest: bytes, *, cms: bool) -> dict[str, bytes]:
    """Name → SHA-256 as the manifest lists them; FormatError unless `write_manifest` wrote it.

    One form only, so no XML is interpreted.
    """
    try:
        text = manifest.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError("the manifest is not UTF-8") from None
    listed = {name: base64.b64decode(value) for name, value in _REFERENCE.findall(text)}
    if not listed or _manifest(listed, cms=cms) != manifest:
        raise FormatError("the manifest is not in the one form that court files have")
    return listed


def parse_statement(text: str) -> Statement:
    """What the note's text says; FormatError if malformed."""
    fields = Fields(
        canonical.decode(text.removesuffix("\n").encode("utf-8")),
        "court file",
        required=("format", "notice", "made_at", "redaction", "manifest_sha256"),
    )
    fields.expect("format", FORMAT)
    try:
        redaction = Redaction(fields.text("redaction"))
    except ValueError:
        raise FormatError("court file: unknown redaction") from None
    return Statement(
        notice=NoticeId(check_id(fields.text("notice"), "notice")),
        made_at=fields.time("made_at"),
        redaction=redaction,
        manifest_sha256=fields.hex("manifest_sha256", size=32),
    )


def _manifest(digests: Mapping[str, bytes], *, cms: bool) -> bytes:
    signature = (CMS, "application/pkcs7-signature") if cms else (NOTE, "text/plain")
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#"'
        ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#">',
        f' <asic:SigReference MimeType="{signature[1]}" URI="{signature[0]}"/>',
    ]
    for name, digest in digests.items():
        lines += [
            f' <asic:DataObjectReference MimeType="{_media_type(name)}" URI="{escape(name)}">',
            f'  <ds:DigestMethod Algorithm="{_SHA256}"/>',
            f"  <ds:DigestValue>{base64.b64encode(digest).decode()}</ds:DigestValue>",
            " </asic:DataObjectReference>",
        ]
    return "\n".join([*lines, "</asic:ASiCManifest>", ""]).encode("utf-8")


def _media_type(name: str) -> str:
    match = _NAME.fullmatch(name)
    if match is None or match[1] not in _MEDIA_TYPES:
        raise FormatError(f"a court file holds no file called {name[:100]!r}")
    return _MEDIA_TYPES[match[1]]


def event_file_names(types: Sequence[str]) -> list[str]:
    """The names of the proofs of events of these types, in the receipt's order."""
    return [f"{PROOFS}{number:04}-{kind}.tlog-proof" for number, kind in enumerate(types, 1)]

"""Packages: round trip, what other programs see, and one refusal per defect."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from siegelpost.evidence import canonical
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId
from siegelpost.sealing.errors import (
    ManifestError,
    ManifestSignatureError,
    NoMatch,
    PackageError,
    SealingError,
    TooLarge,
)
from siegelpost.sealing.manifest import (
    MAX_MANIFEST_SIZE,
    DocumentEntry,
    decode_manifest,
    encode_manifest,
    sign_manifest,
)
from siegelpost.sealing.package import (
    Document,
    Package,
    describe,
    open_package,
    read_package,
    seal_package,
    write_package,
)
from siegelpost.sealing.zipstore import Entry, write_zip
from tests.support.sealing import (
    AGENCY,
    AGENCY_SIGNER,
    ALICE,
    CHARLIE,
    COVER,
    FOREIGN_SIGNER,
    MAILBOX,
    NOTICE,
    documents,
    manifest_for,
    seed,
)

MANIFEST = manifest_for(documents())
ENCODED = encode_manifest(MANIFEST)
PLAIN = b"".join(bytes(piece) for piece in write_package(MANIFEST, documents(), AGENCY_SIGNER))


def _read(data: bytes, **changes: Any) -> Package:
    expected: dict[str, Any] = {
        "verifiers": [AGENCY_SIGNER.verifier],
        "notice_id": NOTICE,
        "mailbox_id": MAILBOX,
        "agency_id": AGENCY,
    }
    return read_package(data, **{**expected, **changes})


def _zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    entries = [Entry(name=name, content=content) for name, content in files]
    return b"".join(bytes(piece) for piece in write_zip(entries))


def _files() -> list[tuple[str, bytes]]:
    return [
        ("manifest.json", ENCODED),
        ("manifest.sig", sign_manifest(ENCODED, AGENCY_SIGNER)),
        *((document.name, bytes(document.content)) for document in documents()),
    ]


def _with_manifest(encoded: bytes) -> bytes:
    return _zip(
        [
            ("manifest.json", encoded),
            ("manifest.sig", sign_manifest(encoded, AGENCY_SIGNER)),
            *_files()[2:],
        ]
    )


def test_package_round_trip_through_sealing() -> None:
    sealed = seal_package(MANIFEST, documents(), AGENCY_SIGNER, [ALICE.recipient])
    opened = open_package(
        sealed.data,
        [ALICE],
        verifiers=[AGENCY_SIGNER.verifier],
        notice_id=NOTICE,
        mailbox_id=MAILBOX,
        agency_id=AGENCY,
        cover_sha256=MANIFEST.cover_sha256,
    )
    assert opened == Package(manifest=MANIFEST, documents=tuple(documents()))
    with pytest.raises(NoMatch):
        open_package(
            sealed.data,
            [CHARLIE],
            verifiers=[AGENCY_SIGNER.verifier],
            notice_id=NOTICE,
            mailbox_id=MAILBOX,
            agency_id=AGENCY,
        )


def test_package_of_same_input_is_the_same_bytes() -> None:
    assert _zip(_files()) == PLAIN
    manifest = replace(
        MANIFEST, issued_at=MANIFEST.issued_at.astimezone(timezone(timedelta(hours=1)))
    )
    assert encode_manifest(manifest) == ENCODED


def test_python_zipfile_reads_the_package() -> None:
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == dict(_files())


@pytest.mark.skipif(shutil.which("unzip") is None, reason="needs unzip")
def test_unzip_unpacks_names_with_umlauts(tmp_path: Path) -> None:
    packed = [Document(name="Änderung März.pdf", media_type="application/pdf", content=b"%PDF")]
    path = tmp_path / "package.zip"
    path.write_bytes(b"".join(write_package(manifest_for(packed), packed, AGENCY_SIGNER)))
    subprocess.run(["unzip", "-tq", path], check=True, capture_output=True)
    subprocess.run(
        ["unzip", "-q", path, "-d", tmp_path / "out"],
        check=True,
        capture_output=True,
        env={"LC_ALL": "C.UTF-8"},
    )
    assert (tmp_path / "out" / "Änderung März.pdf").read_bytes() == b"%PDF"


def test_manifest_has_the_documented_form() -> None:
    assert canonical.encode(json.loads(ENCODED)) == ENCODED
    assert json.loads(ENCODED) == {
        "agency": AGENCY,
        "cover_sha256": MANIFEST.cover_sha256.hex(),
        "documents": [
            {
                "media_type": "application/pdf",
                "name": entry.name,
                "sha256": entry.sha256.hex(),
                "size": entry.size,
            }
            for entry in MANIFEST.documents
        ],
        "format": "siegelpost/package/v1",
        "issued_at": "2026-11-23T08:30:00.000000Z",
        "mailbox": MAILBOX,
        "notice": NOTICE,
        "regime": "sgb10-37-2a",
        "remedy": "given",
        "salt": seed("manifest salt").hex(),
    }


def test_contents_are_passed_on_without_copying() -> None:
    content = memoryview(bytearray(b"%PDF" * 1000))
    packed = [Document(name="a.pdf", media_type="application/pdf", content=content)]
    pieces = list(write_package(manifest_for(packed), packed, AGENCY_SIGNER))
    assert any(piece is content for piece in pieces)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"notice_id": NoticeId("notice-2")}, "another notice"),
        ({"mailbox_id": MailboxId("mailbox-charlie")}, "another mailbox"),
        ({"agency_id": AgencyId("anderswo")}, "another agency"),
        ({"cover_sha256": bytes(32)}, "another cover"),
    ],
)
def test_package_of_something_else_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        _read(PLAIN, **changes)


def test_package_signed_by_nobody_we_trust_is_refused() -> None:
    with pytest.raises(ManifestSignatureError, match="no known key"):
        _read(PLAIN, verifiers=[FOREIGN_SIGNER.verifier])
    forged = _files()
    forged[1] = ("manifest.sig", sign_manifest(ENCODED, FOREIGN_SIGNER))
    with pytest.raises(ManifestSignatureError):
        _read(_zip(forged))


def test_signature_over_another_manifest_is_refused() -> None:
    files = _files()
    files[0] = ("manifest.json", ENCODED.replace(b"given", b"missing"))
    with pytest.raises(ManifestSignatureError, match="another manifest"):
        _read(_zip(files))


def _swapped() -> list[tuple[str, bytes]]:
    files = _files()
    return [files[0], files[1], files[3], files[2]]


@pytest.mark.parametrize(
    "files",
    [
        _files()[:-1],
        [*_files(), ("mehr.pdf", b"%PDF")],
        [*_files(), _files()[-1]],
        [*_files()[:3], ("../Anlage.pdf", _files()[3][1])],
        [*_files()[:3], ("Anlage.pdf", _files()[3][1] + b" ")],
        [*_files()[:3], ("Anlage.pdf", _files()[3][1][:-1] + b"X")],
        _swapped(),
        [_files()[1], _files()[0], *_files()[2:]],
        _files()[2:],
        _files()[:1],
        [],
    ],
    ids=[
        "missing document", "extra document", "duplicate document", "path traversal",
        "other size", "other digest", "swapped documents", "manifest not first", "no manifest",
        "no signature", "empty",
    ],
)  # fmt: skip
def test_files_other_than_the_manifest_says_are_refused(files: list[tuple[str, bytes]]) -> None:
    with pytest.raises(PackageError):
        _read(_zip(files))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"siegelpost/package/v1", b"siegelpost/package/v2"),
        (b'"regime"', b'"regimf"'),
        (b'"remedy":"given"', b'"remedy":"perhaps"'),
        (b'"remedy":"given"', b'"remedy":"given","x":1'),
        (b'"format"', b' "format"'),
        (b"Anlage.pdf", b"bescheid.pdf"),
        (b"Anlage.pdf", b"../lage.pdf"),
        (b"Anlage.pdf", b"manifest.sig"),
        (b"08:30:00.000000Z", b"08:30:00Z"),
        (b"application/pdf", b"application/pdf; x"),
        (b'"size":20', b'"size":-1'),
        (b"sgb10-37-2a", b"SGB X"),
        (b"notice-1", b"notice 1"),
    ],
)
def test_malformed_manifest_is_refused_though_signed(old: bytes, new: bytes) -> None:
    assert old in ENCODED
    with pytest.raises(ManifestError):
        _read(_with_manifest(ENCODED.replace(old, new)))


def test_signed_manifest_with_a_wrong_size_is_refused() -> None:
    with pytest.raises(PackageError, match="another size"):
        _read(_with_manifest(ENCODED.replace(b'"size":20', b'"size":22')))


def test_oversized_manifest_is_refused() -> None:
    with pytest.raises(ManifestError):
        decode_manifest(b" " * (MAX_MANIFEST_SIZE + 1))
    files = _files()
    files[1] = ("manifest.sig", files[1][1] + b"x" * MAX_MANIFEST_SIZE)
    with pytest.raises(ManifestSignatureError, match="too large"):
        _read(_zip(files))


def test_every_changed_byte_of_the_plaintext_is_noticed() -> None:
    for position in range(len(PLAIN)):
        changed = bytearray(PLAIN)
        changed[position] ^= 1
        with pytest.raises(SealingError):
            _read(bytes(changed))


def test_every_truncation_and_extension_is_noticed() -> None:
    for size in range(0, len(PLAIN), 3):
        with pytest.raises(SealingError):
            _read(PLAIN[:size])
    for extended in (PLAIN + b"\0", b"\0" + PLAIN, PLAIN + PLAIN):
        with pytest.raises(PackageError):
            _read(extended)


def test_zip_of_another_program_is_refused() -> None:
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, content in _files():
                archive.writestr(name, content)
        with pytest.raises(PackageError):
            _read(buffer.getvalue())


def test_manifest_of_other_documents_is_not_packed() -> None:
    other = [Document(name="a.pdf", media_type="application/pdf", content=b"%PDF")]
    with pytest.raises(ManifestError, match="other documents"):
        write_package(MANIFEST, other, AGENCY_SIGNER)


def test_too_many_files_are_refused() -> None:
    with pytest.raises(TooLarge):
        _zip([(f"{number}", b"") for number in range(129)])


def test_manifest_without_documents_or_with_naive_time_is_refused() -> None:
    with pytest.raises(ManifestError):
        replace(MANIFEST, documents=())
    with pytest.raises(ManifestError, match="naive"):
        replace(MANIFEST, issued_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the refused value
    with pytest.raises(ManifestError):
        DocumentEntry(name="a/b.pdf", media_type="application/pdf", size=1, sha256=bytes(32))


def test_describe_makes_names_safe_and_unique() -> None:
    named = [
        Document(name=name, media_type="application/pdf", content=b"%PDF")
        for name in ("../../etc/passwd", "Bescheid.pdf", "BESCHEID.PDF", "manifest.json")
    ]
    assert [entry.name for entry in describe(named)] == [
        "_.._etc_passwd",
        "Bescheid.pdf",
        "BESCHEID (2).PDF",
        "_manifest.json",
    ]
    assert COVER.title not in repr(describe(named))


def test_equal_notices_have_digests_that_confirm_no_guess() -> None:
    """Evidence names a manifest's digest; without its salt nobody finds it by trying texts."""
    other = replace(MANIFEST, salt=bytes(32))
    assert encode_manifest(other) != ENCODED
    assert decode_manifest(ENCODED).salt == MANIFEST.salt is not None


def test_manifests_from_before_there_were_salts_are_read_as_they_were() -> None:
    before = encode_manifest(replace(MANIFEST, salt=None))
    assert b"salt" not in before
    assert decode_manifest(before) == replace(MANIFEST, salt=None)


@pytest.mark.parametrize("salt", [None, "", "00" * 31, "00" * 33, "ZZ" * 32, 7])
def test_malformed_salt_is_refused(salt: Any) -> None:
    with pytest.raises(ManifestError):
        decode_manifest(canonical.encode({**json.loads(ENCODED), "salt": salt}))
    with pytest.raises(ManifestError):
        replace(MANIFEST, salt=bytes(31))

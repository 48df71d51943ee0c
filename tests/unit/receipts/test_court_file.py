"""Court files verify with a trust file alone; each tampering is refused for its own reason.

Longer than others: the list of all tamperings of one container.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest

from siegelpost.evidence import court_file as form
from siegelpost.evidence.court_explanations import COURT_FAILURES, COURT_STEPS
from siegelpost.evidence.court_file import CourtFile, parse_court_file, sign_manifest
from siegelpost.evidence.court_verify import verify_court_file
from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.explanations import FAILURES
from siegelpost.evidence.files import FileKind, kind_of, verify_file
from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.notes import sign_note
from siegelpost.evidence.pdf_explanations import PdfError
from siegelpost.evidence.proofs import parse_proof
from siegelpost.evidence.receipt import Receipt, parse_receipt, write_receipt
from siegelpost.evidence.redacted import Redaction
from siegelpost.evidence.seal import seal_receipt
from siegelpost.evidence.seal_certificate import SealCertificate
from siegelpost.evidence.trust import Purpose, Trust, write_trust
from siegelpost.keyring.seal_key import SealKey, new_seal_key
from siegelpost.receipts.court_seal import seal_manifest
from siegelpost.receipts.pdf import make_pdf
from siegelpost.receipts.sealing import seal_pdf
from tests.support.court_files import (
    MADE_AT,
    REPORT,
    TRUST,
    changed,
    court_file,
    receipt_with_report,
    sealed_anew,
    with_file,
)
from tests.support.receipts import (
    ACCEPTANCE,
    DOCUMENTS,
    NOTICE,
    START,
    STRANGER,
    Sample,
    sample_trust,
)

FULL = court_file()
SEAL_KEY = new_seal_key("post.example", now=START)
OTHER_KEY = new_seal_key("charlie.example", now=START)


def pinned(key: SealKey = SEAL_KEY, **changes: object) -> Trust:
    certificate = SealCertificate(der=key.certificates[0], valid_from=START)
    return replace(
        sample_trust(),
        seal_certificates=(replace(certificate, **changes),),  # type: ignore[arg-type]  # any field
    )


def by_certificate(key: SealKey = SEAL_KEY) -> bytes:
    return court_file(pdf=None, cms=lambda manifest: seal_manifest(manifest, key))


@pytest.mark.parametrize("level", list(Redaction))
def test_court_file_verifies(level: Redaction) -> None:
    verification = verify_court_file(court_file(level), TRUST)
    assert [step.number for step in verification.steps] == list(COURT_STEPS)
    assert verification.receipt.redaction is level
    assert verification.statement.redaction is level


def test_documents_are_compared_through_the_container() -> None:
    verify_court_file(FULL, TRUST, documents=DOCUMENTS)
    with pytest.raises(VerificationError) as caught:
        verify_court_file(FULL, TRUST, documents=[b"%PDF-1.7 Bob Muster"])
    assert caught.value.code == "document-differs"


@pytest.mark.parametrize("level", [Redaction.WITHOUT_ADDRESSES, Redaction.TIMES_ONLY])
def test_redacted_court_file_holds_no_address_anywhere(level: Redaction) -> None:
    data = court_file(level)
    assert b"alice" not in data.lower()
    names = set(parse_court_file(data).files)
    assert form.PDF not in names
    assert not any(name.startswith(form.REPORTS) for name in names)


def test_any_zip_program_opens_it_and_the_first_file_tells_what_it_is() -> None:
    with zipfile.ZipFile(BytesIO(FULL)) as opened:
        assert opened.testzip() is None
        first = opened.infolist()[0]
        assert (first.filename, first.compress_type, first.header_offset) == ("mimetype", 0, 0)
        assert opened.read("mimetype") == form.MEDIA_TYPE.encode()
        # EN 319 162-1: the media type stands at offset 38 for programs that look at bytes.
        assert FULL[38 : 38 + len(form.MEDIA_TYPE)] == form.MEDIA_TYPE.encode()
        listed = ElementTree.fromstring(opened.read(form.MANIFEST))  # noqa: S314 - our own
        names = {item.get("URI") for item in listed.iter() if "DataObject" in item.tag}
        assert names == {
            name
            for name in opened.namelist()
            if name != "mimetype" and not name.startswith("META-INF/")
        }


def test_proofs_inside_are_plain_tlog_proofs() -> None:
    files = parse_court_file(FULL).files
    proofs = [files[name].decode() for name in files if name.endswith(".tlog-proof")]
    assert len(proofs) == len(receipt_with_report().events) + 2
    assert {parse_proof(text).checkpoint for text in proofs} == {files[form.CHECKPOINT].decode()}


def test_guide_and_protocol_speak_german_and_fit_into_80_columns() -> None:
    files = parse_court_file(FULL).files
    guide, protocol = files[form.GUIDE].decode(), files[form.PROTOCOL].decode()
    assert "Was die Akte nicht beweist" in guide
    assert "Jobcenter Musterstadt" in guide
    assert "16. Siegel des Dienstes" in protocol
    assert "alert-sent" in protocol
    for text in (guide, protocol):
        assert max(map(len, text.splitlines())) <= 80


def test_seal_by_certificate_is_checked_against_the_trust_file() -> None:
    data = by_certificate()
    verification = verify_court_file(data, write_trust(pinned()))
    assert verification.steps[3].checked
    assert "Siegel post.example" in verification.steps[3].result_de
    without = verify_court_file(data, TRUST)
    assert not without.steps[3].checked
    assert b'URI="META-INF/signature.p7s"' in parse_court_file(data).manifest


def test_seal_by_certificate_is_read_without_pyhanko(tmp_path: Path) -> None:
    """pyHanko teaches asn1crypto attributes; the verifier must not count on it."""
    parsed = parse_court_file(by_certificate())
    assert parsed.cms is not None
    (tmp_path / "cms").write_bytes(parsed.cms)
    (tmp_path / "manifest").write_bytes(parsed.manifest)
    script = (
        "import sys; from pathlib import Path; from siegelpost.evidence.cms import verify_cms;"
        "verify_cms(Path('cms').read_bytes(), Path('manifest').read_bytes());"
        "assert 'pyhanko' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


def sealed_pdf(receipt: Receipt) -> bytes:
    return seal_pdf(make_pdf(write_receipt(receipt), language="de"), SEAL_KEY)


def test_pdf_inside_is_verified_and_holds_the_same_receipt() -> None:
    data = court_file(pdf=sealed_pdf(receipt_with_report()))
    last = verify_court_file(data, write_trust(pinned())).steps[5]
    assert (last.name, last.checked) == ("pdf", True)
    other = court_file(pdf=sealed_pdf(Sample().receipt()))
    with pytest.raises(VerificationError) as caught:
        verify_court_file(other, write_trust(pinned()))
    assert caught.value.code == "pdf-differs"
    damaged = court_file(pdf=sealed_pdf(receipt_with_report())[:-100])
    with pytest.raises(PdfError):
        verify_court_file(damaged, write_trust(pinned()))


def test_openssl_accepts_the_seal_by_certificate(tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    folder = tmp_path
    parsed = parse_court_file(by_certificate())
    assert parsed.cms is not None
    certificate = x509.load_der_x509_certificate(SEAL_KEY.certificates[0])
    (folder / "ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "signature.p7s").write_bytes(parsed.cms)
    (folder / "manifest.xml").write_bytes(parsed.manifest)
    command = [
        "openssl",
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-cades",
        "-purpose",
        "any",
    ]
    files = ["-in", "signature.p7s", "-content", "manifest.xml", "-CAfile", "ca.pem"]
    subprocess.run(
        [*command, *files, "-partial_chain", "-no_check_time", "-out", "/dev/null"],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def test_kind_is_told_by_the_bytes() -> None:
    assert kind_of(FULL) is FileKind.COURT_FILE
    assert kind_of(b"%PDF-1.7") is FileKind.PDF
    assert kind_of(b'{"a": "%PDF-"}') is FileKind.RECEIPT
    assert kind_of(b"") is FileKind.RECEIPT
    verify_file(FULL, TRUST)


# Tampering


def _bytes(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new)

    return change


def _repacked(compression: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        out = BytesIO()
        with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w", compression) as new:
            for name in old.namelist():
                new.writestr(name, old.read(name))
        return out.getvalue()

    return change


def _with(change: Callable[[CourtFile], CourtFile]) -> Callable[[bytes], bytes]:
    return lambda data: changed(data, change)


def _twice(data: bytes) -> bytes:
    """A second file of one name: programs differ in which one they show."""
    from siegelpost.evidence.zipstore import Entry, read_zip, write_zip

    entries = read_zip(data, max_entries=form.MAX_FILES)
    again = Entry(name=form.GUIDE, content=b"another guide")
    return b"".join(write_zip([*entries, again], max_entries=form.MAX_FILES))


def _first(data: bytes) -> bytes:
    from siegelpost.evidence.zipstore import read_zip, write_zip

    entries = read_zip(data, max_entries=form.MAX_FILES)
    return b"".join(write_zip([*entries[1:], entries[0]], max_entries=form.MAX_FILES))


def _receipt_of_another_notice(parsed: CourtFile) -> CourtFile:
    data = write_receipt(Sample(notice=NoticeId("another")).receipt())
    return with_file(form.RECEIPT, data)(parsed)


def _later_events_cut_off(parsed: CourtFile) -> CourtFile:
    receipt = parse_receipt(parsed.files[form.RECEIPT])
    cut = seal_receipt(replace(receipt, events=receipt.events[:3]), ACCEPTANCE)
    return with_file(form.RECEIPT, write_receipt(cut))(parsed)


def _note(**changes: object) -> Callable[[CourtFile], CourtFile]:
    said = {"notice": NOTICE, "made_at": MADE_AT, "redaction": Redaction.FULL, **changes}
    return lambda parsed: replace(
        parsed,
        note=sign_manifest(parsed.manifest, ACCEPTANCE, **said),  # type: ignore[arg-type]  # any
    )


def _proof_name(number: int) -> str:
    return [name for name in parse_court_file(FULL).files if name.endswith("proof")][number]


#: Name → (expected code, what is done to the bytes).
TAMPERED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "cut off": ("court-file-malformed", lambda data: data[:-50]),
    "bytes put before": ("court-file-malformed", lambda data: b"PK\x03\x04" + data),
    "bytes put behind": ("court-file-malformed", lambda data: data + b"\0"),
    "packed anew": ("court-file-malformed", _repacked(zipfile.ZIP_STORED)),
    "packed anew, compressed": ("court-file-malformed", _repacked(zipfile.ZIP_DEFLATED)),
    "a second file of one name": ("court-file-malformed", _twice),
    "media type not first": ("court-file-malformed", _first),
    "another media type": (
        "court-file-malformed",
        _bytes(b"vnd.etsi.asic-e+zip", b"vnd.etsi.asic-s+zip"),
    ),
    "checksum of a file changed": (
        "court-file-malformed",
        lambda data: data.replace(struct.pack("<L", zlib.crc32(REPORT)), b"\0\0\0\0", 1),
    ),
    "manifest removed": (
        "court-file-malformed",
        lambda data: _bytes(b"META-INF/ASiCManifest.xml", b"META-INF/ASiCManifest.xxx")(data),
    ),
    "manifest with a comment": (
        "manifest-malformed",
        _with(lambda p: replace(p, manifest=p.manifest + b"<!-- -->")),
    ),
    "manifest with a weaker digest": (
        "manifest-malformed",
        _with(lambda p: replace(p, manifest=p.manifest.replace(b"xmlenc#sha256", b"xmldsig#sha1"))),
    ),
    "manifest points to another signature": (
        "manifest-malformed",
        _with(lambda p: replace(p, manifest=p.manifest.replace(b"siegel.txt", b"siegel2.txt"))),
    ),
    "receipt removed": ("file-missing", _with(with_file(form.RECEIPT, None))),
    "report removed": ("file-missing", _with(with_file(form.REPORTS + "r1.eml", None))),
    "file added": ("file-unlisted", _with(with_file(form.REPORTS + "r9.eml", b"250 ok"))),
    "report altered": ("file-altered", _with(with_file(form.REPORTS + "r1.eml", REPORT + b"."))),
    "guide altered": ("file-altered", _with(with_file(form.GUIDE, b"believe everything"))),
    "protocol altered": ("file-altered", _with(with_file(form.PROTOCOL, b"all holds"))),
    "pdf exchanged": ("file-altered", _with(with_file(form.PDF, b"%PDF-1.7 other"))),
    "enclosed trust file exchanged": ("file-altered", _with(with_file(form.TRUST, b"{}"))),
    "manifest made anew without the seal": (
        "court-seal-differs",
        _with(
            lambda p: replace(
                sealed_anew(with_file(form.GUIDE, b"believe everything"))(p), note=p.note
            )
        ),
    ),
    "sealed anew by a stranger": (
        "court-seal-signature",
        _with(sealed_anew(with_file(form.GUIDE, b"x"), signer=STRANGER)),
    ),
    "seal's time changed": (
        "court-seal-signature",
        _with(lambda p: replace(p, note=p.note.replace("2026-11-23", "2026-11-22"))),
    ),
    "seal of another kind": (
        "court-seal-malformed",
        _with(
            lambda p: replace(p, note=sign_note('{"format":"siegelpost/seal/v1"}\n', ACCEPTANCE))
        ),
    ),
    "seal that is no note": ("court-seal-malformed", _with(lambda p: replace(p, note="sealed"))),
    "seal of a time before the key": (
        "court-seal-key-validity",
        _with(_note(made_at=START - timedelta(days=365))),
    ),
    "seal of another notice": ("other-notice", _with(_note(notice=NoticeId("another")))),
    "seal calls it redacted": ("other-notice", _with(_note(redaction=Redaction.TIMES_ONLY))),
    "sealed anew without receipt": (
        "receipt-missing",
        _with(sealed_anew(with_file(form.RECEIPT, None))),
    ),
    "sealed anew with another notice's receipt": (
        "other-notice",
        _with(sealed_anew(_receipt_of_another_notice)),
    ),
    "sealed anew with a receipt that is none": (
        "receipt-malformed",
        _with(sealed_anew(with_file(form.RECEIPT, b"{}"))),
    ),
    "sealed anew with a foreign proof": (
        "proof-differs",
        _with(sealed_anew(with_file(_proof_name(1), b"c2sp.org/tlog-proof@v1\n"))),
    ),
    "sealed anew with another checkpoint": (
        "proof-differs",
        _with(sealed_anew(with_file(form.CHECKPOINT, b"post.example/log\n1\n"))),
    ),
    "sealed anew with a foreign timestamp": (
        "timestamp-differs",
        _with(sealed_anew(with_file(form.TIMESTAMPS + "0001.tst", b"0"))),
    ),
    "sealed anew with an invented report": (
        "report-differs",
        _with(sealed_anew(with_file(form.REPORTS + "r1.eml", b"250 delivered"))),
    ),
    "sealed anew with later events cut off": (
        "proof-differs",
        _with(sealed_anew(_later_events_cut_off)),
    ),
    "receipt's seal removed inside": (
        "seal-missing",
        _with(
            sealed_anew(
                lambda p: with_file(
                    form.RECEIPT,
                    write_receipt(replace(parse_receipt(p.files[form.RECEIPT]), seal=None)),
                )(p)
            )
        ),
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_court_file_is_refused(name: str) -> None:
    code, tamper = TAMPERED[name]
    with pytest.raises(VerificationError) as caught:
        verify_court_file(tamper(FULL), TRUST)
    assert caught.value.code == code, caught.value


#: Name → (expected code, container, trust).
BY_CERTIFICATE: dict[str, tuple[str, Callable[[], bytes], Callable[[], Trust]]] = {
    "of another manifest": (
        "certificate-seal-invalid",
        lambda: changed(
            by_certificate(), lambda p: replace(p, cms=seal_manifest(b"other", SEAL_KEY))
        ),
        pinned,
    ),
    "no CMS": (
        "certificate-seal-invalid",
        lambda: changed(by_certificate(), lambda p: replace(p, cms=b"0\x00")),
        pinned,
    ),
    "of a stranger": ("certificate-seal-unknown", lambda: by_certificate(OTHER_KEY), pinned),
    "signature changed": (
        "certificate-seal-invalid",
        lambda: changed(
            by_certificate(),
            lambda p: replace(p, cms=(p.cms or b"")[:-1] + bytes([(p.cms or b"0")[-1] ^ 1])),
        ),
        pinned,
    ),
    "after its time": (
        "certificate-seal-validity",
        by_certificate,
        lambda: pinned(valid_until=START),
    ),
    "stolen key": (
        "certificate-seal-compromised",
        by_certificate,
        lambda: pinned(compromised_at=START),
    ),
    "removed": (
        "manifest-malformed",
        lambda: changed(by_certificate(), lambda p: replace(p, cms=None)),
        pinned,
    ),
}


@pytest.mark.parametrize("name", BY_CERTIFICATE)
def test_tampered_seal_by_certificate_is_refused(name: str) -> None:
    code, make, trust = BY_CERTIFICATE[name]
    with pytest.raises(VerificationError) as caught:
        verify_court_file(make(), write_trust(trust()))
    assert caught.value.code == code, caught.value


def test_court_file_of_a_stolen_key_is_refused() -> None:
    trust = sample_trust()
    stolen = tuple(
        replace(key, compromised_at=START) if key.purpose is Purpose.ACCEPTANCE else key
        for key in trust.keys
    )
    with pytest.raises(VerificationError) as caught:
        verify_court_file(FULL, write_trust(replace(trust, keys=stolen)))
    assert caught.value.code == "court-seal-key-compromised"


def test_every_failure_has_a_test_and_its_own_words() -> None:
    tested = {code for code, _ in TAMPERED.values()} | {
        code for code, _, _ in BY_CERTIFICATE.values()
    }
    later = {"court-seal-key-compromised", "pdf-differs"}
    assert set(COURT_FAILURES) <= tested | later
    assert not set(COURT_FAILURES) & set(FAILURES)
    texts = [text for _, text in COURT_FAILURES.values()]
    assert len({text.de for text in texts}) == len({text.en for text in texts}) == len(texts)

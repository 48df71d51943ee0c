# mypy: disable-error-code="no-untyped-call"
# Reason: pyHanko's PDF objects have no types.
"""Tampered PDF receipts: each defect is found, and each for its own reason."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Stream, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.pdf_explanations import PDF_FAILURES, PdfError
from siegelpost.evidence.pdf_verify import verify_pdf
from siegelpost.evidence.receipt import write_receipt
from siegelpost.keyring.seal_key import new_seal_key
from siegelpost.receipts import sealing
from siegelpost.receipts.pdf import make_pdf
from tests.support.pdf_receipts import Sealer, receipt_json, unsealed
from tests.support.receipts import MAILBOX, Sample, sample_id, sample_trust

NOW = datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class World:
    """One sealed PDF that verifies, made once."""

    sealer: Sealer
    plain: bytes
    sealed: bytes
    trust: bytes


@pytest.fixture(scope="module")
def world() -> World:
    sealer, plain = Sealer(), unsealed()
    return World(sealer=sealer, plain=plain, sealed=sealer.seal(plain), trust=sealer.trust())


Change = Callable[[World], bytes]


def test_an_untampered_pdf_verifies(world: World) -> None:
    verified = verify_pdf(world.sealed, world.trust, now=NOW)
    assert verified.data == receipt_json()
    assert [step.number for step in verified.steps] == [1, 2, 3, 4, 5, 6, 7]
    assert len(verified.receipt.steps) == 17


def updated(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """An incremental update, as an editor would append it."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def rebuilt(pdf: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    """The PDF written anew with another content, to be sealed afterwards."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        out = io.BytesIO()
        document.save(out)
    return out.getvalue()


def cut(world: World) -> bytes:
    return world.sealed[: len(world.sealed) // 2]


def polyglot(world: World) -> bytes:
    return b"#!/bin/sh\n" + world.sealed


def encrypted(world: World) -> bytes:
    with pikepdf.open(io.BytesIO(world.plain)) as document:
        out = io.BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="x", user=""))
    return out.getvalue()


def no_seal(world: World) -> bytes:
    return world.plain


def one_byte(world: World) -> bytes:
    place = world.sealed.index(b"/FontDescriptor")
    return world.sealed[:place] + b"/FontDescriptoR" + world.sealed[place + 15 :]


def swapped_in_place(world: World) -> bytes:
    """The embedded stream's bytes changed, the rest as it was."""
    place = world.sealed.index(b"stream", world.sealed.index(b"/EmbeddedFile")) + 40
    changed = bytes([world.sealed[place] ^ 1])
    return world.sealed[:place] + changed + world.sealed[place + 1 :]


def short_range(world: World) -> bytes:
    """The seal says that it is over less than the whole document."""
    start = world.sealed.index(b"/ByteRange [") + len(b"/ByteRange [")
    end = world.sealed.index(b"]", start)
    numbers = world.sealed[start:end].split()
    numbers[3] = b"%d" % (int(numbers[3]) - 10)
    shorter = b" ".join(numbers).ljust(end - start)
    return world.sealed[:start] + shorter + world.sealed[end:]


def forged_signature(world: World) -> bytes:
    # The value of the signature is the last OCTET STRING of the CMS: one digit of it.
    start = world.sealed.index(b"/Contents <") + len(b"/Contents <")
    content = world.sealed[start : world.sealed.index(b">", start)]
    end = len(content.rstrip(b"0")) - 6
    digit = b"1" if content[end : end + 1] != b"1" else b"2"
    return world.sealed[: start + end] + digit + world.sealed[start + end + 1 :]


def trailing(world: World) -> bytes:
    return world.sealed + b"\n% a word more\n"


def other_title(world: World) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        information = writer.trailer["/Info"]
        information["/Title"] = generic.pdf_string("Etwas anderes")
        writer.update_container(information)

    return updated(world.sealed, change)


def page_painted_over(world: World) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        stream = generic.StreamObject(stream_data=b"1 1 1 rg 0 0 600 850 re f")
        writer.add_stream_to_page(0, writer.add_object(stream))

    return updated(world.sealed, change)


def note_on_top(world: World) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        note = generic.DictionaryObject(
            {
                generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
                generic.pdf_name("/Subtype"): generic.pdf_name("/FreeText"),
                generic.pdf_name("/Contents"): generic.pdf_string("nicht zugestellt"),
                generic.pdf_name("/Rect"): generic.ArrayObject(
                    [generic.NumberObject(value) for value in (50, 700, 300, 750)]
                ),
            }
        )
        writer.register_annotation(
            writer.root["/Pages"]["/Kids"].raw_get(0), writer.add_object(note)
        )

    return updated(world.sealed, change)


def receipt_swapped_by_update(world: World) -> bytes:
    other = write_receipt(Sample(mailbox=MAILBOX, noise=17).receipt())

    def change(writer: IncrementalPdfFileWriter) -> None:
        specification = writer.root["/Names"]["/EmbeddedFiles"]["/Names"][1]
        embedded = specification["/EF"]
        stream = generic.StreamObject(
            {generic.pdf_name("/Type"): generic.pdf_name("/EmbeddedFile")}, stream_data=other
        )
        reference = writer.add_object(stream)
        for key in list(embedded):
            embedded[key] = reference
        writer.update_container(embedded)

    return updated(world.sealed, change)


def second_signature(world: World) -> bytes:
    stranger = new_seal_key("charlie.example", now=NOW)
    metadata = signers.PdfSignatureMetadata(
        field_name="Zweite", subfilter=fields.SigSeedSubFilter.PADES
    )
    out = io.BytesIO()
    signers.PdfSigner(metadata, signer=sealing.signer_of(stranger, None)).sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(_approval(world))), output=out
    )
    return out.getvalue()


def strangers_seal(world: World) -> bytes:
    return Sealer(key=new_seal_key("post.example", now=NOW)).seal(world.plain)


def seal_that_permits(world: World) -> bytes:
    return _approval(world)


def resealed(change: Callable[[pikepdf.Pdf], None]) -> Change:
    """What a careless service would seal: the verifier looks into the file all the same."""

    def make(world: World) -> bytes:
        return world.sealer.seal(rebuilt(world.plain, change))

    return make


def without_file(document: pikepdf.Pdf) -> None:
    del document.Root.Names.EmbeddedFiles
    del document.Root.AF
    for item in list(document.objects):
        if isinstance(item, Dictionary) and "/EF" in item:
            del item["/EF"]


def second_file(document: pikepdf.Pdf) -> None:
    document.attachments["other.json"] = b"{}"


def annotated_file(document: pikepdf.Pdf) -> None:
    file = document.make_indirect(Stream(document, b"{}"))
    file.Type = Name.EmbeddedFile
    specification = Dictionary(Type=Name.Filespec, F=String("x.json"), EF=Dictionary(F=file))
    annotation = Dictionary(
        Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[0, 0, 9, 9], FS=specification
    )
    document.pages[0].Annots = Array([document.make_indirect(annotation)])


def unreachable_file(document: pikepdf.Pdf) -> None:
    file = document.make_indirect(Stream(document, b"{}"))
    file.Type = Name.EmbeddedFile
    document.Root.PieceInfo = Dictionary(X=Dictionary(Private=file))


def two_names(document: pikepdf.Pdf) -> None:
    names = document.Root.Names.EmbeddedFiles.Names
    file = document.make_indirect(Stream(document, b"{}"))
    names[1].EF.UF = file


def two_sources(document: pikepdf.Pdf) -> None:
    document.Root.AF = Array([document.make_indirect(Dictionary(Type=Name.Filespec))])


def renamed(document: pikepdf.Pdf) -> None:
    names = document.Root.Names.EmbeddedFiles.Names
    names[1].UF = String("quittung.json")


def script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def other_notice(world: World) -> bytes:
    other = Sample(notice=sample_id("another notice"))  # type: ignore[arg-type]  # an id is a text
    mine = write_receipt(other.receipt())
    pdf = make_pdf(mine, language="de")

    def change(document: pikepdf.Pdf) -> None:
        document.docinfo["/Title"] = String("Quittung 0000")

    return world.sealer.seal(rebuilt(pdf, change))


DEFECTS: tuple[tuple[str, Change], ...] = (
    ("pdf-malformed", cut),
    ("pdf-malformed", polyglot),
    ("pdf-encrypted", encrypted),
    ("pdf-unsealed", no_seal),
    ("pdf-altered", one_byte),
    ("pdf-altered", swapped_in_place),
    ("pdf-signature", forged_signature),
    ("pdf-changed-later", trailing),
    ("pdf-changed-later", other_title),
    ("pdf-changed-later", page_painted_over),
    ("pdf-changed-later", note_on_top),
    ("pdf-changed-later", receipt_swapped_by_update),
    ("pdf-seals", second_signature),
    ("pdf-permits-changes", seal_that_permits),
    ("pdf-unknown-certificate", strangers_seal),
    ("pdf-no-receipt", resealed(without_file)),
    ("pdf-more-files", resealed(second_file)),
    ("pdf-coverage", short_range),
    ("pdf-more-files", resealed(annotated_file)),
    ("pdf-more-files", resealed(unreachable_file)),
    ("pdf-file-ambiguous", resealed(two_names)),
    ("pdf-file-ambiguous", resealed(two_sources)),
    ("pdf-no-receipt", resealed(renamed)),
    ("pdf-active", resealed(script)),
    ("pdf-other-receipt", other_notice),
)


@pytest.mark.parametrize(
    ("code", "change"),
    DEFECTS,
    ids=[f"{code}-{number}" for number, (code, _) in enumerate(DEFECTS)],
)
def test_each_defect_is_refused_for_its_own_reason(world: World, code: str, change: Change) -> None:
    with pytest.raises(PdfError) as caught:
        verify_pdf(change(world), world.trust, now=NOW)
    assert caught.value.code == code
    number, text = PDF_FAILURES[code]
    assert caught.value.step == number
    assert caught.value.message_de == text.de


def test_a_forged_receipt_under_a_good_seal_fails_at_the_receipts_own_step(world: World) -> None:
    forged = (
        receipt_json()
        .replace(b'"250 2.0.0 Ok', b'"250 2.0.1 Ok')
        .replace(b"250 2.0.0 Ok", b"250 2.0.1 Ok")
    )
    sealed = world.sealer.seal(make_pdf(forged, language="de"))
    with pytest.raises(VerificationError) as caught:
        verify_pdf(sealed, world.trust, now=NOW)
    assert caught.value.code == "event-not-in-log"
    assert not isinstance(caught.value, PdfError)


@pytest.mark.parametrize(
    ("code", "sealer"),
    [
        ("pdf-key-validity", {"since": NOW + timedelta(days=1)}),
        ("pdf-key-validity", {"until": NOW - timedelta(hours=1)}),
        ("pdf-key-compromised", {"compromised_at": NOW + timedelta(days=1)}),
    ],
)
def test_a_key_counts_only_while_it_is_the_services(
    world: World, code: str, sealer: dict[str, datetime]
) -> None:
    other = Sealer(key=world.sealer.key, **sealer)  # type: ignore[arg-type]  # times all
    with pytest.raises(PdfError) as caught:
        verify_pdf(world.sealed, other.trust(), now=NOW)
    assert caught.value.code == code


def test_a_malformed_trust_file_says_so(world: World) -> None:
    with pytest.raises(PdfError) as caught:
        verify_pdf(world.sealed, world.trust[:-9], now=NOW)
    assert caught.value.code == "pdf-trust-malformed"


def test_every_way_a_pdf_can_fail_is_tried() -> None:
    text = Path(__file__).read_text("utf-8")
    text += Path(__file__).with_name("test_long_term.py").read_text("utf-8")
    assert [code for code in PDF_FAILURES if f'"{code}"' not in text] == []


def test_a_trust_file_without_seal_certificates_says_so(world: World) -> None:
    from siegelpost.evidence.trust import write_trust

    with pytest.raises(PdfError) as caught:
        verify_pdf(world.sealed, write_trust(sample_trust()), now=NOW)
    assert caught.value.code == "pdf-no-pinned-certificate"


@pytest.mark.parametrize("step", range(0, 100, 4))
def test_no_damage_makes_the_verifier_fail_in_another_way(world: World, step: int) -> None:
    size = len(world.sealed)
    damaged = bytearray(world.sealed)
    for place in range(size * step // 100, min(size, size * step // 100 + 300)):
        damaged[place] ^= 0x55
    with pytest.raises(PdfError):
        verify_pdf(bytes(damaged), world.trust, now=NOW)


def _approval(world: World) -> bytes:
    """Sealed by the right key, but as an approval that leaves the document open."""
    key = world.sealer.key
    metadata = signers.PdfSignatureMetadata(
        field_name="Siegel", subfilter=fields.SigSeedSubFilter.PADES
    )
    out = io.BytesIO()
    signers.PdfSigner(metadata, signer=sealing.signer_of(key, None)).sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(world.plain)), output=out
    )
    return out.getvalue()

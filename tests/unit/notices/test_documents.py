"""Only whole, unencrypted PDFs without active content pass, whichever way they are written."""

from __future__ import annotations

import io
import time
import zlib

import pikepdf
import pytest

from siegelpost.notices.documents import (
    PDF,
    check_documents,
    check_pdf,
    check_thoroughly,
    look,
)
from siegelpost.notices.errors import Refusal, RefusalCode
from siegelpost.notices.limits import Limits
from siegelpost.notices.pdf_scan import is_ordinary
from siegelpost.sealing.package import Document
from tests.support.pdfs import make_pdf, make_text_pdf, save_variant

LIMITS = Limits()
JAVASCRIPT = b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"


def refused(data: bytes, limits: Limits = LIMITS) -> RefusalCode:
    with pytest.raises(Refusal) as caught:
        check_pdf(data, limits)
    return caught.value.code


def test_ordinary_pdf_passes_the_fast_look() -> None:
    for data in (make_pdf(), make_text_pdf(50_000)):
        assert is_ordinary(data)
        check_pdf(data, LIMITS)


@pytest.mark.parametrize(
    "options",
    [
        {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
        {"object_stream_mode": pikepdf.ObjectStreamMode.disable},
        {"linearize": True},
        {"qdf": True},
    ],
)
def test_every_usual_form_of_pdf_passes(options: dict[str, object]) -> None:
    check_pdf(save_variant(make_text_pdf(20_000), **options), LIMITS)


def test_a_name_in_ordinary_text_is_no_active_content() -> None:
    text = save_variant(
        make_pdf(catalogue=b"/Lang (/JavaScript /JS means nothing in a text)"),
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )
    check_pdf(text, LIMITS)
    check_pdf(make_pdf(catalogue=b"/Lang (/JavaScript /JS in a text)"), LIMITS)


@pytest.mark.parametrize("data", [b"hello", b"PK\x03\x04" + bytes(100), bytes(2000) + make_pdf()])
def test_what_does_not_start_like_a_pdf_is_none(data: bytes) -> None:
    assert refused(data) is RefusalCode.DOCUMENT_NOT_PDF


def test_empty_document_is_refused() -> None:
    assert refused(b"") is RefusalCode.DOCUMENT_EMPTY


def test_pdf_without_pages_is_refused() -> None:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.save(out)
    # qpdf itself calls it damaged.
    assert refused(out.getvalue()) in (RefusalCode.DOCUMENT_EMPTY, RefusalCode.DOCUMENT_DAMAGED)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_truncated_pdf_is_refused_and_not_repaired(kept: float) -> None:
    for data in (
        make_text_pdf(20_000),
        save_variant(make_text_pdf(20_000), object_stream_mode=pikepdf.ObjectStreamMode.generate),
    ):
        assert refused(data[: int(len(data) * kept)]) is RefusalCode.DOCUMENT_DAMAGED


def test_pdf_with_shifted_objects_is_refused() -> None:
    data = make_text_pdf(20_000)
    broken = data.replace(b"3 0 obj", b"xxxxxxxxx3 0 obj", 1)
    assert not is_ordinary(broken)
    assert refused(broken) is RefusalCode.DOCUMENT_DAMAGED


@pytest.mark.parametrize("password", ["", "geheim"])
def test_encrypted_pdf_is_refused_with_and_without_a_password(password: str) -> None:
    data = save_variant(make_pdf(), encryption=pikepdf.Encryption(owner="x", user=password))
    assert refused(data) is RefusalCode.DOCUMENT_ENCRYPTED


@pytest.mark.parametrize(
    ("catalogue", "extra"),
    [
        (JAVASCRIPT, b""),
        (b"/OpenAction << /S /J#61vaScript /J#53 (x) >>", b""),
        (b"/OpenAction << /S /Launch /F (calc.exe) >>", b""),
        (b"/Names << /EmbeddedFiles << /Names [] >> >>", b""),
        (b"", b"<< /Type /Filespec /F (x) /EF << /F 4 0 R >> >>"),
        (b"/AcroForm << /XFA [] >>", b""),
        (b"/Unused [[[ << /A << /S /JavaScript >> >> ]]]", b""),
        # A text that looks like the begin of a stream hides nothing.
        (b"/X (>>\nstream\n) /Length 9 " + JAVASCRIPT, b""),
        (b"", b"<< /Length 60 /X (>>\nstream\n) /S /JavaScript /JS (x) >>\nendstream"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_active_content_is_refused_wherever_it_hides(
    catalogue: bytes, extra: bytes, packed: bool
) -> None:
    data = make_pdf(catalogue=catalogue, extra=extra)
    if packed:
        if b"endstream" in extra:
            pytest.skip("qpdf would repair it")
        if extra:
            data = make_pdf(catalogue=b"/Kept 6 0 R", extra=extra)
        data = save_variant(data, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        assert b"JavaScript" not in data
    assert not is_ordinary(data)
    assert refused(data) in (RefusalCode.DOCUMENT_ACTIVE_CONTENT, RefusalCode.DOCUMENT_DAMAGED)


def test_object_stream_that_inflates_beyond_the_limit_is_refused() -> None:
    # 64 MiB of spaces in an object stream that the catalogue needs.
    inner = b"1 0 " + b"<< /Type /Catalog /Pages 2 0 R >>" + b" " * (64 << 20)
    packed = zlib.compress(inner, 9)
    objects = [
        b"2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n",
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n",
        b"4 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n"
        % len(packed)
        + packed
        + b"\nendstream\nendobj\n",
    ]
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for content in objects:
        offsets.append(len(out))
        out += content
    start = len(out)
    table = b"\x00" + bytes(4) + b"\x00"
    table += b"\x02" + (4).to_bytes(4) + b"\x00"
    for offset in (*offsets, start):
        table += b"\x01" + offset.to_bytes(4) + b"\x00"
    out += (
        b"5 0 obj\n<< /Type /XRef /Size 6 /Root 1 0 R /W [1 4 1] /Length %d >>\nstream\n"
        % len(table)
        + table
        + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    )
    data = bytes(out)
    with pikepdf.open(io.BytesIO(make_pdf())):
        pass
    assert len(data) < 100_000
    assert refused(data) in (RefusalCode.DOCUMENT_DAMAGED, RefusalCode.DOCUMENT_TOO_COMPLEX)


def _with_arrays(count: int, arrays: int, row: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        for number in range(arrays):
            array = pikepdf.Object.parse(b"[" + row * count + b"]")
            pdf.Root[f"/X{number}"] = pdf.make_indirect(array)
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


#: Twenty-one objects; the text looks like a name.
_ROW = b"[(/JS )" + b" 0" * 20 + b"]"


@pytest.mark.parametrize(
    ("count", "arrays", "limits"),
    [
        # One object stream beyond its bound.
        (25_000, 1, LIMITS),
        # Small ones, which take too long to walk through, or are too much together.
        (50, 60, LIMITS),
        (50, 60, Limits(pdf_objects_bytes=128 * 1024, pdf_nodes=1_000_000)),
    ],
)
def test_small_file_that_unpacks_to_much_work_is_refused_soon(
    count: int, arrays: int, limits: Limits
) -> None:
    data = _with_arrays(count, arrays, _ROW)
    assert len(data) < 20_000
    began_at = time.process_time()
    assert refused(data, limits) in (
        RefusalCode.DOCUMENT_DAMAGED,
        RefusalCode.DOCUMENT_TOO_COMPLEX,
    )
    assert time.process_time() - began_at < 1.5


def test_text_that_looks_like_a_name_passes_in_usual_numbers() -> None:
    check_pdf(_with_arrays(10, 60, _ROW), LIMITS)


def test_too_many_objects_are_refused() -> None:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.X = pikepdf.Array([pdf.make_indirect(pikepdf.Array([0])) for _ in range(300)])
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert refused(out.getvalue(), Limits(pdf_objects=250)) is RefusalCode.DOCUMENT_TOO_COMPLEX
    check_pdf(out.getvalue(), Limits(pdf_objects=350))


def test_what_the_look_leaves_over_is_named_and_checked() -> None:
    plain = Document(name="a.pdf", media_type=PDF, content=make_pdf())
    packed = save_variant(make_pdf(), object_stream_mode=pikepdf.ObjectStreamMode.generate)
    doubtful = Document(name="b.pdf", media_type=PDF, content=packed)
    assert look([plain, doubtful, plain], LIMITS) == (1,)
    active = Document(name="c.pdf", media_type=PDF, content=make_pdf(catalogue=JAVASCRIPT))
    with pytest.raises(Refusal) as caught:
        check_thoroughly([plain, active], look([plain, active], LIMITS), LIMITS)
    assert caught.value.document == 1


def test_deeply_nested_pdf_is_refused_without_exhausting_the_stack() -> None:
    data = make_pdf(catalogue=b"/A " + b"[" * 5000 + b"/JS" + b"]" * 5000)
    assert refused(data) in (RefusalCode.DOCUMENT_DAMAGED, RefusalCode.DOCUMENT_TOO_COMPLEX)


def test_limits_of_the_whole_notice_name_the_document() -> None:
    limits = Limits(document_bytes=1000, documents=2, documents_bytes=5000)

    def code(*documents: Document) -> tuple[RefusalCode, int | None]:
        with pytest.raises(Refusal) as caught:
            check_documents(documents, limits)
        return caught.value.code, caught.value.document

    small = Document(name="a.pdf", media_type=PDF, content=make_pdf())
    large = Document(name="a.pdf", media_type=PDF, content=make_text_pdf(3000))
    assert code() == (RefusalCode.NO_DOCUMENT, None)
    assert code(small, small, small) == (RefusalCode.TOO_MANY_DOCUMENTS, None)
    assert code(small, large) == (RefusalCode.DOCUMENT_TOO_LARGE, 1)
    huge = Document(name="a.pdf", media_type=PDF, content=make_text_pdf(6000))
    assert code(huge) == (RefusalCode.NOTICE_TOO_LARGE, None)
    unnamed = Document(name="", media_type=PDF, content=make_pdf())
    assert code(unnamed) == (RefusalCode.DOCUMENT_NAME, 0)
    text = Document(name="a.txt", media_type="text/plain", content=make_pdf())
    assert code(text) == (RefusalCode.DOCUMENT_NOT_PDF, 0)

"""The receipt inside a PDF: found in one way only, with nothing hidden beside it.

A PDF can carry files in a name tree, as associated files, in annotations and in collections, and
can run programs. A sealed receipt has one file, under one name, reached both as embedded and as
associated file, and nothing that acts. Every object of the file is looked at, not only those that
a viewer would reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from siegelpost.evidence.pdf_explanations import pdf_failure
from siegelpost.evidence.receipt import MAX_RECEIPT

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

#: Name of the receipt inside.
NAME = "receipt.json"
#: Most objects of a PDF that are looked at.
MAX_OBJECTS = 100_000
_DEPTH = 60

#: Names that make a PDF act, fetch or play something (ISO 32000-2, 12.6, 13).
_ACTIVE = frozenset(
    {
        "/JavaScript", "/JS", "/Launch", "/OpenAction", "/AA", "/RichMedia", "/XFA", "/SubmitForm",
        "/ImportData", "/GoToE", "/GoToR", "/Movie", "/Sound", "/Screen", "/Rendition",
    }
)  # fmt: skip


def receipt_inside(reader: PdfFileReader) -> bytes:
    """The bytes of the one file; PdfError (`pdf-no-receipt`, `pdf-more-files` and others)."""
    specifications, streams = _survey(reader)
    root = reader.root
    named = _named(root)
    if not named and not streams:
        raise pdf_failure("pdf-no-receipt", "no embedded file")
    if len(named) != 1 or len(specifications) != 1 or len(streams) != 1 or "/Collection" in root:
        raise pdf_failure(
            "pdf-more-files",
            f"{len(named)} named, {len(specifications)} specified, {len(streams)} embedded files",
        )
    ((name, specification),) = named
    associated = [_resolved(item) for item in _resolved(root.get("/AF", []))]
    names = {name, str(specification.get("/F", "")), str(specification.get("/UF", ""))}
    if names != {NAME}:
        raise pdf_failure("pdf-no-receipt", f"the embedded file is called {sorted(names)}")
    if len(associated) != 1 or associated[0] != specification:
        raise pdf_failure("pdf-file-ambiguous", f"{len(associated)} associated files")
    embedded = _resolved(specification["/EF"])
    if set(embedded) - {"/F", "/UF"} or "/F" not in embedded:
        raise pdf_failure("pdf-file-ambiguous", f"embedded as {sorted(map(str, embedded))}")
    if len({str(embedded.raw_get(key)) for key in embedded}) != 1:
        raise pdf_failure("pdf-file-ambiguous", "two files under one name")
    try:
        data = bytes(_resolved(embedded["/F"]).data)
    except Exception as error:  # filters fail in many ways
        raise pdf_failure("pdf-no-receipt", f"the embedded file is unreadable: {error}") from error
    if len(data) > MAX_RECEIPT:
        raise pdf_failure("pdf-no-receipt", f"{len(data)} bytes")
    return data


def _survey(reader: PdfFileReader) -> tuple[list[Any], list[Any]]:
    """Every file specification with a file, and every embedded file, reachable or not."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.generic import Reference

    specifications: list[Any] = []
    streams: list[Any] = []
    numbers = _numbers(reader)
    if len(numbers) > MAX_OBJECTS:
        raise pdf_failure("pdf-malformed", f"more than {MAX_OBJECTS} objects")
    for number, generation in sorted(numbers):
        try:
            top: Any = _resolved(Reference(number, generation, reader))
        except Exception as error:  # a damaged object may hide what others read
            raise pdf_failure("pdf-malformed", f"object {number}: {error}") from error
        for item in _dictionaries(top, generic, 0):
            _check_active(item, number)
            if "/EF" in item:
                specifications.append(item)
            if item.get("/Type") == "/EmbeddedFile" or (
                isinstance(item, generic.StreamObject) and "/Params" in item
            ):
                streams.append(item)
    trailer = [reader.trailer.flatten()] if hasattr(reader.trailer, "flatten") else []
    for part in trailer:
        for item in _dictionaries(part, generic, 0):
            _check_active(item, 0)
            if "/EF" in item:
                specifications.append(item)
    return specifications, streams


def _numbers(reader: PdfFileReader) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for revision in range(reader.xrefs.total_revisions):
        found |= {
            (reference.idnum, reference.generation)
            for reference in reader.xrefs.explicit_refs_in_revision(revision)
        }
    return found


def _dictionaries(value: Any, generic: Any, depth: int) -> Iterator[Any]:
    # References are not followed: every object is visited by its number.
    if depth > _DEPTH:
        raise pdf_failure("pdf-malformed", "nested too deeply")
    if isinstance(value, generic.DictionaryObject):
        yield value
        for key in list(value):
            yield from _dictionaries(value.raw_get(key), generic, depth + 1)
    elif isinstance(value, generic.ArrayObject):
        for index in range(len(value)):
            yield from _dictionaries(value.raw_get(index), generic, depth + 1)


def _check_active(item: Any, number: int) -> None:
    kinds = {str(item.get(key, "")) for key in ("/S", "/Subtype", "/Type")}
    found = _ACTIVE & ({str(key) for key in item} | kinds)
    if found:
        raise pdf_failure("pdf-active", f"object {number}: {', '.join(sorted(found))}")
    if str(item.get("/Subtype", "")) == "/FileAttachment":
        raise pdf_failure("pdf-more-files", f"object {number}: an annotation holds a file")


def _named(root: Any) -> list[tuple[str, Any]]:
    """The name tree of embedded files; ours are flat, deeper ones are read as well."""
    tree = _resolved(_resolved(root.get("/Names", {})).get("/EmbeddedFiles", {}))
    found: list[tuple[str, Any]] = []
    open_nodes = [tree]
    for _ in range(1000):
        if not open_nodes:
            return found
        node = _resolved(open_nodes.pop())
        names = _resolved(node.get("/Names", []))
        found += [
            (str(names[index]), _resolved(names[index + 1])) for index in range(0, len(names), 2)
        ]
        open_nodes += list(_resolved(node.get("/Kids", [])))
    raise pdf_failure("pdf-more-files", "the tree of files is too large")


def _resolved(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value

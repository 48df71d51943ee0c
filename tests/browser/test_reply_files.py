"""Files of replies as the scripts prepare them: photos without metadata, types by first bytes."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest
from playwright.sync_api import Page

from tests.support.page_scripts import as_text, run
from tests.support.reply_pages import png

pytestmark = pytest.mark.browser


def test_photo_is_drawn_anew_and_tells_no_longer_where_it_was_taken(page: Page) -> None:
    made = run(
        page,
        """
      const { prepareFile } = await load("photos");
      const { concat } = await import("/static/bytes.js");
      const canvas = new OffscreenCanvas(4000, 3000);
      canvas.getContext("2d").fillRect(10, 10, 100, 100);
      const blob = await canvas.convertToBlob({ type: "image/jpeg" });
      const plain = new Uint8Array(await blob.arrayBuffer());
      const told = utf8("Exif\\0\\0 taken at home");
      const marker = Uint8Array.of(0xff, 0xe1, 0, told.length + 2);
      const photo = concat(plain.subarray(0, 2), marker, told, plain.subarray(2));
      const made = await prepareFile(new File([photo], "DSC 1.JPEG"), 1e6);
      const size = await createImageBitmap(new Blob([made.content]));
      return [t(photo), t(made.content), made.name, made.mediaType, size.width, size.height];""",
    )
    assert b"at home" in base64.b64decode(made[0])
    content = base64.b64decode(made[1])
    assert content.startswith(b"\xff\xd8\xff")
    assert b"at home" not in content
    assert made[2:] == ["DSC 1.JPEG", "image/jpeg", 2560, 1920]


def test_png_stays_the_same_picture_and_tells_nothing_else(page: Page) -> None:
    pixel = zlib.compress(b"\0\x80")
    shown = [
        ("IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        ("sRGB", b"\0"),
        ("tRNS", b"\0\x01"),
        ("IDAT", pixel[:4]),
        ("IDAT", pixel[4:]),
        ("IEND", b""),
    ]
    told = [(name, b"at home") for name in ("eXIf", "tEXt", "zTXt", "iTXt", "tIME", "iCCP", "prVt")]
    plain = png(*shown)
    whole = png(shown[0], *told, *shown[1:4], told[1], *shown[4:]) + b"cropped away at home"
    broken = png(*shown[:4], told[1])  # no end: who knows what it is
    made = run(
        page,
        """
      const { prepareFile } = await load("photos");
      const size = await createImageBitmap(new Blob([b(given.plain)]));
      const made = [];
      for (const each of [given.plain, given.whole, given.broken]) {
        const { mediaType, content } = await prepareFile(new File([b(each)], "a.png"), 1e6);
        made.push([mediaType, t(content)]);
      }
      return [size.width, ...made];""",
        plain=plain,
        whole=whole,
        broken=broken,
    )
    assert made[0] == 1
    assert made[1] == made[2] == ["image/png", as_text(plain)]
    assert made[3] == ["image/png", as_text(broken)]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.pdf", b"%PDF-1.7 x", ["a.pdf", "application/pdf"]),
        ("a.txt", b"  %PDF-1.7 x", ["a.pdf", "application/pdf"]),
        ("no ending", b"%PDF-1.7", ["no ending.pdf", "application/pdf"]),
        # Called a photo, and none that can be drawn: the agency gets it as it is.
        ("a.png", b"\xff\xd8\xff broken", ["a.jpg", "image/jpeg"]),
        ("a.pdf", b"MZ\x90", ["file-type"]),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", ["file-type"]),
        ("a.pdf", b"", ["file-empty"]),
        ("a.pdf", b"%PDF-1.7" + bytes(50), ["file-too-large"]),
        ("a.jpg", b"\xff\xd8\xff" + bytes(50), ["file-too-large"]),
    ],
)
def test_files_are_what_their_first_bytes_say(
    page: Page, name: str, content: bytes, found: list[str]
) -> None:
    made = run(
        page,
        """
      const { prepareFile } = await load("photos");
      try {
        const { name, mediaType } = await prepareFile(new File([b(given.content)], given.name), 50);
        return [name, mediaType];
      } catch (error) { return [error.message]; }""",
        name=name,
        content=content,
    )
    assert made == found


@pytest.mark.parametrize(("head", "found"), [("%PDF-1.7", "file-too-large"), ("mp4", "file-type")])
def test_what_is_too_large_is_told_before_its_bytes_are_in_memory(
    page: Page, head: str, found: str
) -> None:
    made = run(
        page,
        """
      const { prepareFile } = await load("photos");
      const file = new File([given.head, new Uint8Array(129 * 2 ** 20)], "film.mp4");
      const read = [];
      file.arrayBuffer = () => read.push("whole");
      const drawn = createImageBitmap;
      globalThis.createImageBitmap = () => read.push("drawn");
      try {
        await prepareFile(file, 20 * 2 ** 20);
      } catch (error) {
        return [error.message, ...read];
      } finally {
        globalThis.createImageBitmap = drawn;
      }""",
        head=head,
    )
    assert made == [found]

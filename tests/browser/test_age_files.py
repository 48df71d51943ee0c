"""The scripts' readers of age files against the vectors: small, native and in script."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from playwright.sync_api import Page

from siegelpost.sealing.keys import Identity
from tests.support import age_vectors
from tests.support.page_scripts import as_text, run

pytestmark = pytest.mark.browser


#: What of the vectors is about header and payload alone, whatever wraps the file key.
FRAMES = ("header_", "hmac_", "stanza_", "stream_", "version_")


def _vectors_of_frames() -> list[tuple[str, str, str | None, bytes, str]]:
    found = []
    for vector in age_vectors.load_all():
        head = (age_vectors.FOLDER / vector.name).read_bytes().partition(b"\n\n")[0].decode()
        keys = re.findall("^file key: ([0-9a-f]+)$", head, re.MULTILINE)
        if vector.name.startswith(FRAMES) and keys and not vector.armored:
            found.append((vector.name, vector.expect, vector.payload, vector.data, keys[0]))
    assert len(found) > 30
    return found


def test_small_files_are_read_as_the_vectors_demand(page: Page) -> None:
    opening = """
      const { isSmall, openSmall } = await load("small-file");
      const { fileHeaderSize } = await load("sealing");
      const sealed = b(given.data);
      const key = Uint8Array.from(given.key.match(/../g), (byte) => parseInt(byte, 16));
      try {
        const size = fileHeaderSize(sealed);
        if (!isSmall(sealed, size)) return "large";
        return t(await openSmall(sealed, size, [{ unwrapFileKey: () => key }]));
      } catch (error) { return `refused: ${error.message}`; }"""
    outcomes = []
    for name, expect, payload, data, key in _vectors_of_frames():
        outcome = run(page, opening, data=data, key=key)
        if outcome == "large":
            continue
        outcomes.append(outcome.startswith("refused"))
        if expect == "success":
            digest = hashlib.sha256(base64.b64decode(outcome)).hexdigest()
            assert digest == payload, name
        else:
            assert outcome.startswith("refused"), name
    assert len(outcomes) > 25
    assert not all(outcomes)


@pytest.mark.parametrize("way", ["open", "openInScript"])
def test_files_for_our_kind_of_key_are_opened_as_the_vectors_demand(page: Page, way: str) -> None:
    opening = """
      const sealing = await load("sealing");
      try { return t(await sealing[given.way](b(given.data), given.seeds.map(b))); }
      catch (error) { return `refused: ${error.message}`; }"""
    taken = 0
    for vector in age_vectors.load_all():
        if vector.armored or not all("-PQ-" in text for text in vector.identities):
            continue
        if not vector.identities or vector.name == "hybrid_and_x25519":
            continue
        taken += 1
        seeds = [as_text(Identity.parse(text).seed) for text in vector.identities]
        outcome = run(page, opening, way=way, data=vector.data, seeds=seeds)
        assert outcome.startswith("refused") == (vector.expect != "success"), vector.name
    assert taken > 5

"""Make the golden log: `python tests/vectors/log/make.py` from the repository root.

Log, proofs and roots come from the naive tree of RFC 6962 and from hashlib, not from the code under
test; only the checkpoint's signature is made with it (Ed25519 is deterministic). Own work.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from siegelpost.evidence.notes import sign_note
from tests.support import naive_merkle as naive
from tests.support.receipts import LOG, ORIGIN

SIZES = (0, 1, 2, 255, 256, 257, 300)
INDICES = (0, 1, 128, 255, 256, 299)


def make() -> dict[str, object]:
    """The golden log as one JSON object."""
    entries = [hashlib.sha256(f"golden {number}".encode()).digest() for number in range(SIZES[-1])]
    hashes = [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
    root = naive.mth(entries)
    text = f"{ORIGIN}\n{len(entries)}\n{base64.b64encode(root).decode()}\n"
    note = sign_note(text, LOG)
    tiles = {
        "tile/0/000": b"".join(hashes[:256]),
        "tile/0/001.p/44": b"".join(hashes[256:]),
        "tile/1/000.p/1": naive.mth(entries[:256]),
        "tile/entries/000": b"".join(b"\0\x20" + entry for entry in entries[:256]),
        "tile/entries/001.p/44": b"".join(b"\0\x20" + entry for entry in entries[256:]),
    }
    return {
        "expect": "same roots, tiles, checkpoint and proofs",
        "vkey": LOG.verifier.vkey,
        "entries": "sha256('golden <n>') for n from 0 to 299",
        "roots": {str(size): naive.mth(entries[:size]).hex() for size in SIZES},
        "checkpoint": note,
        "tiles_sha256": {
            path: hashlib.sha256(tile).hexdigest() for path, tile in sorted(tiles.items())
        },
        "proofs": {
            str(index): "c2sp.org/tlog-proof@v1\n"
            + f"index {index}\n"
            + "".join(base64.b64encode(part).decode() + "\n" for part in naive.path(index, entries))
            + "\n"
            + note
            for index in INDICES
        },
    }


if __name__ == "__main__":
    target = Path(__file__).with_name("golden.json")
    target.write_text(json.dumps(make(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

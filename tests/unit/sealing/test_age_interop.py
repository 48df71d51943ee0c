"""Both ways with the npm package age-encryption, run in node (tests/support/node)."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from siegelpost.sealing import age
from siegelpost.sealing.keys import Identity, Recipient
from tests.support.sealing import ALICE, BOB, CHARLIE

FOLDER = Path(__file__).parents[2] / "support" / "node"

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (FOLDER / "node_modules" / "age-encryption").is_dir(),
    reason="needs node and `npm ci --prefix tests/support/node`",
)
SIZES = [0, 1, 65_536, 65_537, 200_000]


def _node(**request: object) -> dict[str, str]:
    done = subprocess.run(
        ["node", "age.mjs"],
        cwd=FOLDER,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    reply: dict[str, str] = json.loads(done.stdout)
    return reply


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@pytest.mark.parametrize("size", SIZES)
def test_node_opens_what_we_seal(size: int) -> None:
    plaintext = bytes(index * 7 % 251 for index in range(size))
    sealed = age.seal_bytes(plaintext, [BOB.recipient, ALICE.recipient])
    reply = _node(do="open", identity=ALICE.encode(), data=_base64(sealed.data))
    assert base64.b64decode(reply["data"]) == plaintext


@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_node_seals(size: int) -> None:
    plaintext = bytes(index * 11 % 251 for index in range(size))
    recipients = [ALICE.recipient.encode(), BOB.recipient.encode()]
    reply = _node(do="seal", recipients=recipients, data=_base64(plaintext))
    sealed = base64.b64decode(reply["data"])
    assert age.open_bytes(sealed, [ALICE]) == plaintext
    assert age.open_bytes(sealed, [BOB]) == plaintext


def test_both_derive_the_same_recipient_from_an_identity() -> None:
    made = _node(do="generate")
    assert Identity.parse(made["identity"]).recipient == Recipient.parse(made["recipient"])
    assert _node(do="recipient", identity=ALICE.encode()) == {"recipient": ALICE.recipient.encode()}


def test_node_refuses_foreign_and_changed_files() -> None:
    sealed = age.seal_bytes(b"geheim", [ALICE.recipient]).data
    assert "error" in _node(do="open", identity=CHARLIE.encode(), data=_base64(sealed))
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    assert "error" in _node(do="open", identity=ALICE.encode(), data=_base64(changed))


def test_lock_file_names_no_download_addresses() -> None:
    assert "resolved" not in (FOLDER / "package-lock.json").read_text()

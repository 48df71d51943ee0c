"""Signed notes: the example of Go's sumdb/note, and everything malformed."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pytest

from siegelpost.evidence.errors import NoteError, SignatureError
from siegelpost.evidence.notes import (
    Ed25519Signer,
    NoteVerifier,
    Verifier,
    open_note,
    sign_note,
    split_note,
)

# The example of golang.org/x/mod/sumdb/note (package documentation, BSD-3-Clause).
SKEY = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb"
    "6KE6RyyBwJnAM=\n"
)
NOTE = f"{TEXT}\n{LINE}"

PETER = Ed25519Signer.from_seed("PeterNeumann", base64.b64decode(SKEY)[1:])
ENOCH = Ed25519Signer.from_seed("enoch.example/root", bytes(31) + b"\1")


def test_example_of_go_is_signed_and_opened() -> None:
    assert PETER.verifier.vkey == VKEY
    assert Verifier.from_vkey(VKEY) == PETER.verifier
    assert sign_note(TEXT, PETER) == NOTE
    opened = open_note(NOTE.encode(), [Verifier.from_vkey(VKEY)])
    assert (opened.text, opened.unknown) == (TEXT, ())
    assert opened.signatures[0].line() == LINE


def test_example_of_the_specification_has_the_shape_of_a_note() -> None:
    note = (
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n"
        "ed è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddn"
        "GITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    text, (signature,) = split_note(note)
    assert text.endswith("\n\ned è subito sera.\n")
    assert (signature.name, len(signature.signature)) == ("quasimodo.example/salvatore", 64)


def test_text_may_hold_empty_lines() -> None:
    note = sign_note("a\n\n\nb\n", PETER)
    assert open_note(note, [PETER.verifier]).text == "a\n\n\nb\n"


def test_unknown_signatures_are_ignored_and_listed() -> None:
    opened = open_note(sign_note(TEXT, ENOCH, PETER), [PETER.verifier])
    assert [signature.name for signature in opened.signatures] == ["PeterNeumann"]
    assert [signature.name for signature in opened.unknown] == ["enoch.example/root"]


def test_known_name_with_another_hash_is_an_unknown_key() -> None:
    namesake = Ed25519Signer.from_seed("PeterNeumann", bytes(32))
    with pytest.raises(SignatureError, match="no known key"):
        open_note(sign_note(TEXT, namesake), [PETER.verifier])


def test_repeated_signature_counts_once() -> None:
    assert len(open_note(NOTE + LINE, [PETER.verifier]).signatures) == 1


def test_known_key_with_a_bad_signature_spoils_the_note() -> None:
    note = sign_note(TEXT, ENOCH) + sign_note("other\n", PETER).rpartition("\n\n")[2]
    open_note(note, [ENOCH.verifier])
    with pytest.raises(SignatureError, match="PeterNeumann"):
        open_note(note, [ENOCH.verifier, PETER.verifier])


def test_changed_text_does_not_verify() -> None:
    with pytest.raises(SignatureError):
        open_note(NOTE.replace("your", "my", 1), [PETER.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        TEXT,
        TEXT + "\n",
        "\n\n" + LINE,
        NOTE[:-1],
        NOTE + "\n",
        TEXT + LINE,
        NOTE.replace("— ", "- "),
        NOTE.replace("PeterNeumann", "Peter Neumann"),
        NOTE.replace("PeterNeumann", "Peter+Neumann"),
        NOTE.replace("PeterNeumann", ""),
        NOTE.replace("nAM=", "nAN="),
        NOTE.replace("nAM=", "nAM"),
        NOTE.replace("nAM=", "n_M="),
        f"{TEXT}\n— PeterNeumann x08gow==\n",
        NOTE.replace("If you", "If\tyou"),
        NOTE.replace("If you", "If\ryou"),
        NOTE.replace("If you", "If\ud800you"),
        NOTE.encode() + b"\xff\n",
        f"{TEXT}\n" + LINE * 101,
        "x" * 1_000_000 + NOTE,
    ],
    ids=range(22),
)
def test_malformed_notes_are_refused(note: str | bytes) -> None:
    with pytest.raises(NoteError):
        open_note(note, [PETER.verifier])


def test_sixteen_signatures_are_accepted() -> None:
    signers = [Ed25519Signer.from_seed(f"w{number}.example", bytes(32)) for number in range(15)]
    assert len(open_note(sign_note(TEXT, *signers, PETER), [PETER.verifier]).unknown) == 15


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("c74f20a3", "C74F20A3"),
        VKEY.replace("+ARpc", "+Apc"),
        VKEY.replace("+ARpc", "+BRpc"),
        VKEY.replace("PeterNeumann", "Peter Neumann"),
        VKEY + "AAAA",
        "x" * 2000,
    ],
)
def test_malformed_verifier_keys_are_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        Verifier.from_vkey(vkey)


def test_notes_cannot_be_made_of_unfit_texts_or_names() -> None:
    for text in ("", "no newline", "a\tb\n"):
        with pytest.raises(NoteError):
            sign_note(text, PETER)
    with pytest.raises(NoteError):
        sign_note(TEXT)
    with pytest.raises(NoteError):
        Ed25519Signer.from_seed("a b", bytes(32))


def test_two_verifiers_for_one_key_are_ambiguous() -> None:
    with pytest.raises(NoteError, match="share"):
        open_note(NOTE, [PETER.verifier, PETER.verifier])


def test_verifier_of_another_algorithm_sees_its_own_signatures() -> None:
    """The shape that witness cosignatures will use: they sign other bytes than the text."""

    @dataclass(frozen=True)
    class Cosigner:
        name: str
        key_hash: bytes

        def verify(self, message: bytes, signature: bytes) -> None:
            PETER.verifier.verify(b"cosignature/v1\n" + message, signature)

    cosigner: NoteVerifier = Cosigner("witness.example", b"abcd")
    raw = b"abcd" + PETER.sign(b"cosignature/v1\n" + TEXT.encode())
    line = f"— witness.example {base64.b64encode(raw).decode()}\n"
    opened = open_note(NOTE + line, [PETER.verifier, cosigner])
    assert len(opened.signatures) == 2

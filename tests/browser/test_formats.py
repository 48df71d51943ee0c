"""The scripts' formats against Python's: what one side makes, the other opens, and no more."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page

from siegelpost.evidence import canonical
from siegelpost.evidence.acknowledgement import PREFIX, parse_acknowledgement
from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.sealing.age import payload_digest
from siegelpost.sealing.covers import cover_digest, seal_cover
from siegelpost.sealing.keys import Identity, Recipient, acknowledgement_key
from siegelpost.sealing.manifest import Manifest, encode_manifest
from siegelpost.sealing.package import Document, seal_package, write_package
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.sealing.wrapping import (
    Method,
    WrappedSeed,
    passkey_key,
    recovery_code_key,
    recovery_login_proof,
    split_passphrase,
    unwrap_seed,
    wrap_seed,
)
from tests.support.contacts import NUMBERS, SENTENCES
from tests.support.page_scripts import as_text, run
from tests.support.sealing import (
    AGENCY,
    AGENCY_SIGNER,
    ALICE,
    BOB,
    COVER,
    FOREIGN_SIGNER,
    MAILBOX,
    NOTICE,
    documents,
    manifest_for,
    seed,
)

pytestmark = pytest.mark.browser

KEY = KeyId("key-1")
PASSPHRASE = "Straße ﬁn ｆüｌｌ 12"
SALT = bytes(range(16))


def test_numbers_and_addresses_are_links_where_they_surely_are_some(page: Page) -> None:
    dialled = """
      const { dialled } = await load("contacts");
      return given.numbers.map(dialled);"""
    assert run(page, dialled, numbers=list(NUMBERS)) == list(NUMBERS.values())
    links = """
      const { withLinks } = await load("contacts");
      return given.sentences.map(([words, known]) => {
        const nodes = withLinks(words, known);
        const links = nodes.filter((node) => node.href);
        const said = nodes.map((node) => node.textContent ?? node).join("");
        return [said, known, links.map((link) => [link.textContent, link.getAttribute("href")])];
      });"""
    sentences = [[words, known] for words, known, _ in SENTENCES]
    expected = [[words, known, [list(link) for link in found]] for words, known, found in SENTENCES]
    assert run(page, links, sentences=sentences) == expected


def test_passphrase_gives_the_same_halves_in_any_unicode_form(page: Page) -> None:
    split = """
      const { splitPassphrase } = await load("wrapping");
      const halves = await splitPassphrase(given.passphrase, b(given.salt));
      return [t(halves.loginProof), t(halves.wrappingKey)];"""
    expected = [as_text(half) for half in split_passphrase(PASSPHRASE, SALT)]
    assert run(page, split, passphrase=PASSPHRASE, salt=SALT) == expected


def test_seed_wrapped_in_the_browser_opens_in_python(page: Page) -> None:
    code = new_recovery_code(bytes(range(27)))
    made = run(
        page,
        """
      const { recoveryCodeKey, wrapSeed } = await load("wrapping");
      const wrappingKey = await recoveryCodeKey(given.code, b(given.salt));
      const names = { mailbox: given.mailbox, key: given.key, method: "recovery-code" };
      return wrapSeed(b(given.seed), { ...names, wrappingKey, salt: b(given.salt) });""",
        code=code.lower().replace("-", " "),
        salt=SALT,
        seed=ALICE.seed,
        mailbox=MAILBOX,
        key=KEY,
    )
    wrapped = WrappedSeed(
        mailbox_id=MAILBOX,
        key_id=KEY,
        method=Method.RECOVERY_CODE,
        salt=base64.b64decode(made["parameters"]["salt"]),
        nonce=base64.b64decode(made["nonce"]),
        ciphertext=base64.b64decode(made["sealed"]),
    )
    assert unwrap_seed(wrapped, recovery_code_key(code, SALT)) == ALICE.seed


@pytest.mark.parametrize("mailbox", [MAILBOX, "mailbox-charlie"])
def test_seed_wrapped_in_python_opens_in_the_browser_for_its_mailbox_only(
    page: Page, mailbox: str
) -> None:
    wrapped = wrap_seed(
        ALICE.seed,
        wrapping_key=seed("wrapping"),
        mailbox_id=MAILBOX,
        key_id=KEY,
        method=Method.PASSPHRASE,
        salt=SALT,
        nonce=bytes(12),
    )
    opened = run(
        page,
        """
      const { unwrapSeed, WrappingError } = await load("wrapping");
      const copy = { method: "passphrase", nonce: given.nonce, sealed: given.sealed };
      const names = { wrappingKey: b(given.wrappingKey), mailbox: given.mailbox, key: given.key };
      try { return t(await unwrapSeed(copy, names)); }
      catch (error) { return error instanceof WrappingError ? "refused" : String(error); }""",
        nonce=wrapped.nonce,
        sealed=wrapped.ciphertext,
        wrappingKey=seed("wrapping"),
        mailbox=mailbox,
        key=KEY,
    )
    assert opened == (as_text(ALICE.seed) if mailbox == MAILBOX else "refused")


def test_halves_of_recovery_code_and_passkey_are_the_same(page: Page) -> None:
    code = new_recovery_code(bytes(range(27)))
    prf = seed("prf output")
    made = run(
        page,
        """
      const { passkeyKey, recoveryCodeKey, recoveryLoginProof } = await load("wrapping");
      const salt = b(given.salt);
      return [
        t(await recoveryCodeKey(given.code, salt)),
        t(await recoveryLoginProof(given.code, salt)),
        t(await passkeyKey(b(given.prf), salt)),
      ];""",
        code=code.lower(),
        salt=SALT,
        prf=prf,
    )
    expected = (recovery_code_key(code, SALT), recovery_login_proof(code, SALT))
    assert made == [as_text(value) for value in (*expected, passkey_key(prf, SALT))]
    assert len(set(made)) == 3


def test_recovery_codes_are_the_same_and_slips_are_found(page: Page) -> None:
    code = new_recovery_code(bytes(range(100, 127)))
    swapped = code[1] + code[0] + code[2:]
    assert run(
        page,
        """
      const { newRecoveryCode, parseRecoveryCode } = await load("recovery-code");
      let slip = "";
      try { parseRecoveryCode(given.swapped); } catch (error) { slip = error.message; }
      return [newRecoveryCode(b(given.random)), slip];""",
        random=bytes(range(100, 127)),
        swapped=swapped,
    ) == [code, "mistyped"]


def test_keys_of_a_seed_and_their_binding_are_the_same(page: Page) -> None:
    made = run(
        page,
        """
      const { acknowledgementKey, identityText, recipientBytes, recipientText } =
        await load("sealing");
      const { signKeyBinding } = await load("statements");
      const seed = b(given.seed);
      const recipient = recipientBytes(seed);
      const signer = await acknowledgementKey(seed);
      const names = { mailbox: given.mailbox, key: given.key, recipient };
      const signature = await signKeyBinding(signer, names);
      return [recipientText(recipient), identityText(seed), t(signer.publicKey), t(signature)];""",
        seed=ALICE.seed,
        mailbox=MAILBOX,
        key=KEY,
    )
    assert Recipient.parse(made[0]) == ALICE.recipient
    assert Identity.parse(made[1]).seed == ALICE.seed
    public = acknowledgement_key(ALICE.seed).public_key().public_bytes_raw()
    assert base64.b64decode(made[2]) == public
    KeyBinding(
        mailbox=MailboxId(MAILBOX),
        key=KEY,
        recipient_sha256=hashlib.sha256(ALICE.recipient.encode().encode()).digest(),
        acknowledgement_key=public,
    ).verify(base64.b64decode(made[3]))


def test_acknowledgement_signed_in_the_browser_verifies(page: Page) -> None:
    statement, signature = run(
        page,
        """
      const { acknowledgementKey } = await load("sealing");
      const { signAcknowledgement } = await load("statements");
      const made = signAcknowledgement(await acknowledgementKey(b(given.seed)), {
        mailbox: given.mailbox, notice: given.notice, now: new Date(0),
        manifestDigest: b(given.manifest), payload: b(given.payload) });
      return [t(made.statement), t(made.signature)];""",
        seed=ALICE.seed,
        mailbox=MAILBOX,
        notice=NOTICE,
        manifest=seed("manifest"),
        payload=seed("payload"),
    )
    said = parse_acknowledgement(PREFIX + base64.b64decode(statement))
    assert said.acknowledged_at.year == 1970
    assert (said.manifest_sha256, said.payload_sha256) == (seed("manifest"), seed("payload"))
    public = acknowledgement_key(ALICE.seed).public_key().public_bytes_raw()
    said.verify(public, base64.b64decode(signature))


@pytest.mark.parametrize(
    "value",
    [{"ö": 1, "a": [True, None, '\u2028\n"\\'], "€": -(2**53) + 1, "\U0001f600": {}}, "x", 0],
)
def test_canonical_json_is_the_same(page: Page, value: Any) -> None:
    encoded = canonical.encode(value)
    assert run(
        page,
        """
      const { decode, encode } = await load("canonical");
      return t(encode(decode(b(given.encoded), 1000)));""",
        encoded=encoded,
    ) == as_text(encoded)


@pytest.mark.parametrize(
    "text",
    ['{"b":1,"a":2}', '{"a": 1}', '{"a":1,"a":1}', "1.5", "1e3", "-0", "9007199254740993", ""],
)
def test_other_json_is_refused(page: Page, text: str) -> None:
    refused = """
      const { decode, CanonicalError } = await load("canonical");
      try { decode(b(given.encoded), 1000); return "taken"; }
      catch (error) { return error instanceof CanonicalError; }"""
    assert run(page, refused, encoded=text.encode()) is True


def _package(manifest: Manifest, packed: list[Document], **changes: Any) -> bytes:
    signer = changes.get("signer", AGENCY_SIGNER)
    return b"".join(bytes(piece) for piece in write_package(manifest, packed, signer))


READ = """
  const { readPackage } = await load("package");
  const { parseVerifier } = await load("notes");
  try {
    const opened = await readPackage(b(given.data), [await parseVerifier(given.vkey)], {
      notice: given.notice, mailbox: given.mailbox,
      agency: given.agency, coverDigest: given.cover });
    return [t(opened.manifestDigest), ...opened.documents.map(({ content }) => t(content))];
  } catch (error) { return `${error.constructor.name}: ${error.message}`; }"""


def read(page: Page, data: bytes, **others: str) -> Any:
    """What the browser makes of an unsealed package that is expected to be Alice's notice."""
    expected = {"notice": NOTICE, "mailbox": MAILBOX, "agency": AGENCY, **others}
    cover = expected.pop("cover", cover_digest(COVER).hex())
    vkey = AGENCY_SIGNER.verifier.vkey
    return run(page, READ, data=data, vkey=vkey, cover=cover, **expected)


def test_package_made_in_python_opens_in_the_browser(page: Page) -> None:
    packed = documents()
    manifest = manifest_for(packed)
    sealed = seal_package(manifest, packed, AGENCY_SIGNER, [BOB.recipient, ALICE.recipient])
    plain, digest = run(
        page,
        """
      const { open, payloadDigest } = await load("sealing");
      const sealed = b(given.data);
      return [t(await open(sealed, [b(given.seed)])), hex(await payloadDigest(sealed))];
    """,
        data=sealed.data,
        seed=ALICE.seed,
    )
    assert digest == payload_digest(sealed.data).hex() == sealed.payload_digest.hex()
    expected = [hashlib.sha256(encode_manifest(manifest)).digest(), *(d.content for d in packed)]
    assert read(page, base64.b64decode(plain)) == [as_text(bytes(part)) for part in expected]


def test_package_from_before_there_were_salts_opens_and_a_malformed_salt_does_not(
    page: Page,
) -> None:
    packed = documents()
    before = replace(manifest_for(packed), salt=None)
    assert read(page, _package(before, packed))[1:] == [as_text(bytes(d.content)) for d in packed]
    salted = json.loads(encode_manifest(manifest_for(packed)))
    opening = """
      const { readManifest } = await load("manifest");
      try { return readManifest(b(given.data)).salt; }
      catch (error) { return error.constructor.name; }"""
    salt = salted["salt"]
    for value, found in ((salt, salt), ("00", "ManifestError"), (None, "ManifestError")):
        data = canonical.encode({**salted, "salt": value})
        assert run(page, opening, data=data) == found


def test_cover_opens_for_its_owner_only(page: Page) -> None:
    opening = """
      const { open } = await load("sealing");
      const { readCover } = await load("manifest");
      try { return readCover(await open(b(given.data), [b(given.seed)])).title; }
      catch (error) { return error.constructor.name; }"""
    sealed = seal_cover(COVER, [ALICE.recipient]).data
    assert run(page, opening, data=sealed, seed=ALICE.seed) == COVER.title
    assert run(page, opening, data=sealed, seed=seed("charlie")) == "SealingError"
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    assert run(page, opening, data=changed, seed=ALICE.seed) == "SealingError"


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"notice": "notice-2"}, "ManifestError: another notice"),
        ({"mailbox": "mailbox-charlie"}, "ManifestError: another mailbox"),
        ({"agency": "jobcenter-anderswo"}, "ManifestError: another agency"),
        ({"cover": "00" * 32}, "ManifestError: another cover"),
    ],
)
def test_package_of_another_notice_is_refused(
    page: Page, others: dict[str, str], reason: str
) -> None:
    packed = documents()
    assert read(page, _package(manifest_for(packed), packed), **others) == reason


def test_package_that_another_agency_signed_is_refused(page: Page) -> None:
    packed = documents()
    data = _package(manifest_for(packed), packed, signer=FOREIGN_SIGNER)
    assert read(page, data) == "NoteError: the note is signed by no known key"


def test_package_with_an_exchanged_document_is_refused(page: Page) -> None:
    packed = documents()
    other = Document(
        name=packed[0].name,
        media_type=packed[0].media_type,
        content=bytes(packed[0].content).replace(b"eins", b"EINS"),
    )
    data = _package(manifest_for(packed), [other, packed[1]])
    assert read(page, data) == "PackageError: a file has another digest"


@pytest.mark.parametrize("at", [0, 6, 14, 40, -30, -1])
def test_package_with_a_changed_byte_is_refused(page: Page, at: int) -> None:
    packed = documents()
    data = bytearray(_package(manifest_for(packed), packed))
    data[at] ^= 1
    assert str(read(page, bytes(data))).split(":")[0] in ("ZipError", "PackageError", "NoteError")


@pytest.mark.parametrize(
    ("passphrase", "rating"),
    [
        ("kurz", "short"),
        ("aaaaaaaaaaaaaaaa", "guessable"),
        ("passwort12345", "guessable"),
        ("alice@example.org", "guessable"),
        ("qwertzuiop1234", "guessable"),
        ("Laterne Zebra Kupfer Wolke", "long"),
        ("Teichrose 27 v", "enough"),
    ],
)
def test_strength_hint_is_about_length_and_the_obvious(
    page: Page, passphrase: str, rating: str
) -> None:
    rate = """
      const { rate } = await load("strength");
      return rate(given.passphrase, ["alice@example.org"]);"""
    assert run(page, rate, passphrase=passphrase) == rating

"""PGP/MIME as RFC 3156 and Thunderbird want it, opened and verified by the real gpg."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from siegelpost.alerts.compose import Mail
from siegelpost.alerts.openpgp import Protector, RecipientKey
from siegelpost.openpgp import AgencyKey, GpgFailed, OpenPgp, PublicKey
from tests.support.alerts import claimed, composer, settings
from tests.support.openpgp import Person, person

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def alice() -> Iterator[Person]:
    with person() as somebody:
        yield somebody


@pytest.fixture(scope="module")
def engine() -> Iterator[OpenPgp]:
    with OpenPgp() as opened:
        yield opened


@pytest.fixture(scope="module")
def agency_key(engine: OpenPgp, alice: Person) -> AgencyKey:
    key = engine.make_key("Jobcenter Kreis Musterland", "jobcenter@kreis.example", days=700)
    alice.gpg("--import", data=key.public)
    return key


@pytest.fixture(scope="module")
def recipient(engine: OpenPgp, alice: Person) -> RecipientKey:
    made = alice.make("Alice Beispiel <alice@example.org>")
    return kept(engine.read_key(alice.export(made)))


def kept(key: PublicKey) -> RecipientKey:
    return RecipientKey(fingerprint=key.fingerprint, armored=key.armored, expires_at=key.expires_at)


def write(
    engine: OpenPgp,
    recipient: RecipientKey | None = None,
    agency_key: AgencyKey | None = None,
    *,
    protector: Protector | None = None,
    language: str = "uk",
) -> Mail:
    protector = protector or Protector(engine)
    return composer(settings(25)).compose(
        claimed(language=language),
        now=NOW,
        protect=lambda entity: protector.protect(
            entity, recipient=recipient, agency_key=agency_key, now=NOW
        ),
    )


def plain_mail(language: str = "uk") -> EmailMessage:
    return parse(composer(settings(25)).compose(claimed(language=language), now=NOW).data)


def parse(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.SMTP)
    assert not any(part.defects for part in message.walk())
    return message


def parts(data: bytes) -> list[bytes]:
    """The raw parts between the outermost boundaries (RFC 2046, 5.1.1), byte by byte."""
    head, _, body = data.partition(b"\r\n\r\n")
    unfolded = re.sub(rb"\r\n[ \t]+", b" ", head)
    found = re.search(rb'^Content-Type: multipart/[^\r]*boundary="([^"]+)"', unfolded, re.M)
    assert found
    pieces = (b"\r\n" + body).split(b"\r\n--" + found[1])
    assert pieces[0] == b""  # no preamble
    assert pieces[-1] == b"--\r\n"  # no epilogue
    assert all(piece.startswith(b"\r\n") for piece in pieces[1:-1])
    return [piece[2:] for piece in pieces[1:-1]]


def test_signed_mail_has_the_structure_of_rfc_3156_and_verifies(
    engine: OpenPgp, alice: Person, agency_key: AgencyKey
) -> None:
    mail = write(engine, agency_key=agency_key)
    message = parse(mail.data)
    assert message.get_content_type() == "multipart/signed"
    assert message.get_param("protocol") == "application/pgp-signature"
    content, signature = parts(mail.data)
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "multipart/alternative",
        "application/pgp-signature",
    ]
    armored = signature.partition(b"\r\n\r\n")[2]
    status = alice.verify(armored, content)
    assert f"VALIDSIG {agency_key.fingerprint}" in status
    # VALIDSIG's ninth field is the hash's number (gnupg doc/DETAILS): what micalg must say
    number = re.search(r"VALIDSIG (?:\S+ ){7}(\d+)", status)
    assert number
    assert message.get_param("micalg") == {"8": "pgp-sha256", "10": "pgp-sha512"}[number[1]]
    assert "BADSIG" in alice.verify(armored, content.replace(b"Postfach", b"Postfech"))
    assert mail.openpgp == {"encrypted_to": None, "signed_by": agency_key.fingerprint}


def test_what_is_signed_survives_the_way(engine: OpenPgp, agency_key: AgencyKey) -> None:
    """RFC 3156, 3 and 5: 7 bit, canonical line ends, no space at line ends, no "From " lines."""
    data = write(engine, agency_key=agency_key, language="ar").data
    assert data.isascii()
    content = parts(data)[0]
    lines = content.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert not any(line.endswith((b" ", b"\t")) or line.startswith(b"From ") for line in lines)
    assert max(len(line) for line in data.split(b"\r\n")) <= 78


def test_encrypted_mail_has_the_structure_of_rfc_3156_and_opens(
    engine: OpenPgp, alice: Person, recipient: RecipientKey
) -> None:
    mail = write(engine, recipient)
    message = parse(mail.data)
    assert message.get_content_type() == "multipart/encrypted"
    assert message.get_param("protocol") == "application/pgp-encrypted"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "application/pgp-encrypted",
        "application/octet-stream",
    ]
    version, sealed = parts(mail.data)
    assert version.partition(b"\r\n\r\n")[2] == b"Version: 1\r\n"
    armored = sealed.partition(b"\r\n\r\n")[2]
    assert armored.startswith(b"-----BEGIN PGP MESSAGE-----\r\n")
    assert max(len(line) for line in mail.data.split(b"\r\n")) <= 78
    entity, status = alice.decrypt(armored)
    assert "VALIDSIG" not in status
    inner, plain = parse(entity), plain_mail()
    assert inner.get_content_type() == "multipart/alternative"
    for kind in ("plain", "html"):
        one, other = inner.get_body((kind,)), plain.get_body((kind,))
        assert one is not None
        assert other is not None
        assert one.get_content() == other.get_content()
    assert mail.openpgp == {"encrypted_to": recipient.fingerprint, "signed_by": None}
    assert b"Beispiel" not in mail.data


def test_encrypted_and_signed_is_one_message(
    engine: OpenPgp, alice: Person, recipient: RecipientKey, agency_key: AgencyKey
) -> None:
    mail = write(engine, recipient, agency_key)
    assert parse(mail.data).get_content_type() == "multipart/encrypted"
    entity, status = alice.decrypt(parts(mail.data)[1].partition(b"\r\n\r\n")[2])
    assert f"VALIDSIG {agency_key.fingerprint}" in status
    assert parse(entity).get_content_type() == "multipart/alternative"
    assert mail.openpgp == {
        "encrypted_to": recipient.fingerprint,
        "signed_by": agency_key.fingerprint,
    }


def test_headers_outside_are_those_of_any_alert(engine: OpenPgp, recipient: RecipientKey) -> None:
    outer, plain = parse(write(engine, recipient).data), plain_mail()
    for name in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"):
        assert outer[name] == plain[name]
    assert outer["Subject"]


def test_expired_key_lets_the_alert_go_unencrypted_and_says_so(
    engine: OpenPgp, recipient: RecipientKey
) -> None:
    late = RecipientKey(
        fingerprint=recipient.fingerprint,
        armored=recipient.armored,
        expires_at=NOW - timedelta(seconds=1),
    )
    mail = write(engine, late)
    assert parse(mail.data).get_content_type() == "multipart/alternative"
    assert mail.openpgp == {
        "encrypted_to": None,
        "signed_by": None,
        "not_encrypted_because": "key-expired",
    }


@pytest.mark.parametrize("kind", ["expired", "revoked"])
def test_gpg_s_own_refusal_is_explained_and_the_signature_stays(
    engine: OpenPgp, alice: Person, agency_key: AgencyKey, kind: str
) -> None:
    if kind == "expired":
        made = alice.make("Old <old@example.org>", expires="1y", on="20200101")
    else:
        made = alice.make("Gone <gone@example.org>")
        alice.revoke(made)
    bad = RecipientKey(fingerprint=made, armored=alice.export(made).decode(), expires_at=None)
    mail = write(engine, bad, agency_key)
    assert parse(mail.data).get_content_type() == "multipart/signed"
    assert mail.openpgp == {
        "encrypted_to": None,
        "signed_by": agency_key.fingerprint,
        "not_encrypted_because": f"key-{kind}",
    }


def test_without_gpg_the_alert_goes_out_as_it_is(
    recipient: RecipientKey, agency_key: AgencyKey
) -> None:
    mail = write(OpenPgp(program="/nowhere/gpg"), recipient, agency_key)
    assert parse(mail.data).get_content_type() == "multipart/alternative"
    assert mail.openpgp == {
        "encrypted_to": None,
        "signed_by": None,
        "not_encrypted_because": "gpg-failed",
        "not_signed_because": "gpg-failed",
    }


def test_gpg_that_fails_again_and_again_is_left_alone_for_a_minute(
    recipient: RecipientKey, agency_key: AgencyKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, asked, moment = OpenPgp(), 0, 1000.0

    def fail(*_: object, **__: object) -> str:
        nonlocal asked
        asked += 1
        raise GpgFailed("on purpose")

    monkeypatch.setattr(engine, "open", lambda: None)
    for name in ("load", "encrypt", "sign", "read_key"):
        monkeypatch.setattr(engine, name, fail)
    protector = Protector(engine, monotonic=lambda: moment)
    for _ in range(3):
        write(engine, recipient, agency_key, protector=protector)
    before = asked
    mail = write(engine, recipient, agency_key, protector=protector)
    assert asked == before
    assert mail.openpgp is not None
    assert mail.openpgp["not_encrypted_because"] == "gpg-failed"
    moment += 61
    write(engine, recipient, agency_key, protector=protector)
    assert asked > before

"""Our DKIM signatures, judged by dkimpy."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import dkim  # type: ignore[import-untyped]  # dkimpy has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siegelpost.alerts import mime
from siegelpost.alerts.dkim import DkimSigner, make_keys, relaxed_body, signer
from siegelpost.store.outbox import AlertKind
from tests.support import alerts

NOW = datetime(2025, 11, 23, 8, 0, tzinfo=UTC)  # dkimpy refuses times to come
ED25519, RSA = make_keys()
DOMAINS = ("post.example.org", "kreis.example")
BOTH = signer((ED25519, RSA), DOMAINS, "siegelpost")
SENDER = "jobcenter@kreis.example"


def write(**changes: object) -> bytes:
    values: dict[str, object] = {
        "sender_name": "Jobcenter Kreis Müsterland",
        "sender": SENDER,
        "recipient": "alice@example.org",
        "subject": "Ein neues Schreiben liegt in Ihrem Postfach",
        "date": NOW,
        "message_id": "<1@post.example.org>",
        "languages": ["de"],
        "entity": mime.alternative("Guten Tag,\n\n  zwei  Leerzeichen \n\n\n", "<p>ä</p>\n"),
    }
    return mime.mail(**(values | changes))  # type: ignore[arg-type]  # values of many types


def dns(dkim_signer: DkimSigner, domain: str) -> Callable[..., bytes]:
    records = {f"{r.name}.{domain}.": r.value.encode() for r in dkim_signer.records()}

    def look_up(name: bytes, timeout: float = 5) -> bytes:
        return records.get(name.decode(), b"")

    return look_up


def verdicts(
    data: bytes, dkim_signer: DkimSigner = BOTH, domain: str = "kreis.example"
) -> list[bool]:
    look_up = dns(dkim_signer, domain)
    count = data.count(b"DKIM-Signature:")
    found = []
    for index in range(count):
        verifier = dkim.DKIM(data)
        try:
            found.append(bool(verifier.verify(idx=index, dnsfunc=look_up)))
        except dkim.DKIMException:
            found.append(False)
    return found


def test_dkimpy_accepts_both_signatures() -> None:
    signed = BOTH.sign(write(), sender=SENDER, now=NOW)
    assert verdicts(signed) == [True, True]
    assert signed.endswith(write())
    assert re.findall(rb"a=([\w-]+);", signed) == [b"ed25519-sha256", b"rsa-sha256"]


@pytest.mark.parametrize("private", [ED25519, RSA], ids=["ed25519", "rsa"])
def test_each_key_can_sign_alone(private: bytes) -> None:
    alone = signer((private,), DOMAINS, "siegelpost")
    assert verdicts(alone.sign(write(), sender=SENDER, now=NOW), alone) == [True]


@pytest.mark.parametrize("kind", list(AlertKind))
@pytest.mark.parametrize("language", ["de", "ar"])
def test_dkimpy_accepts_every_mail(kind: AlertKind, language: str) -> None:
    mail = alerts.composer(alerts.settings(25), dkim=lambda: BOTH).compose(
        alerts.claimed(kind=kind, language=language), now=NOW
    )
    assert verdicts(mail.data) == [True, True]
    assert max(len(line) for line in mail.data.split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    "change",
    [
        lambda mail: mail.replace(b"Guten Tag", b"Guten Abend"),
        lambda mail: mail.replace(b"To: <alice@", b"To: <charlie@"),
        lambda mail: mail.replace(b"Auto-Submitted: auto-generated\r\n", b""),
        lambda mail: mail.replace(b"From: ", b"From: charlie@example.org\r\nFrom: ", 1),
        lambda mail: mail.replace(b"\r\nSubject:", b"\r\nSubject: Mahnung\r\nSubject:", 1),
        lambda mail: mail.replace(b"Date: ", b"Date: Mon, 1 Jan 2029 00:00:00 +0000\r\nDate: ", 1),
        lambda mail: mail + b"more\r\n",
    ],
)
def test_dkimpy_refuses_what_was_changed_on_the_way(change: Callable[[bytes], bytes]) -> None:
    signed = BOTH.sign(write(), sender=SENDER, now=NOW)
    changed = change(signed)
    assert changed != signed
    assert verdicts(changed) == [False, False]


def test_what_relays_may_change_breaks_nothing() -> None:
    signed = BOTH.sign(write(), sender=SENDER, now=NOW)
    relayed = b"Received: from a by b;\r\n Mon, 23 Nov 2026 08:00:01 +0000\r\n" + signed
    relayed = relayed.replace(b"Auto-Submitted: auto-", b"Auto-Submitted:   auto-")
    assert verdicts(relayed + b"\r\n\r\n") == [True, True]


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        (SENDER, "kreis.example"),
        ("amt@sub.KREIS.example", "kreis.example"),
        ("amt@notkreis.example", "post.example.org"),
        ("amt@post.example.org", "post.example.org"),
    ],
)
def test_signs_for_the_domain_that_from_belongs_to(sender: str, domain: str) -> None:
    signed = BOTH.sign(write(sender=sender), sender=sender, now=NOW)
    assert set(re.findall(rb" d=([\w.]+);", signed)) == {domain.encode()}
    assert verdicts(signed, domain=domain) == [True, True]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"x", b"--", b"  y \r\n"]), max_size=30).map(
        b"".join
    )
)
def test_bodies_are_made_canonical_as_dkimpy_does_it(body: bytes) -> None:
    from dkim.canonicalization import Relaxed  # type: ignore[import-untyped]  # as above

    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    assert relaxed_body(body) in (Relaxed.canonicalize_body(body), b"")
    if relaxed_body(body) == b"":
        assert Relaxed.canonicalize_body(body).strip() == b""


def test_records_fit_into_strings_of_a_zone_file() -> None:
    for record in BOTH.records():
        strings = re.findall(r'"([^"]*)"', record.zone_line)
        assert "".join(strings) == record.value
        assert max(map(len, strings)) <= 255
    assert [record.name for record in BOTH.records()] == [
        "siegelpost-ed25519._domainkey",
        "siegelpost-rsa._domainkey",
    ]


def test_no_key_or_no_domain_is_no_signer() -> None:
    with pytest.raises(ValueError, match="a key and a domain"):
        DkimSigner([], domains=DOMAINS, selector="s")
    with pytest.raises(ValueError, match="a key and a domain"):
        signer((ED25519,), (), "s")

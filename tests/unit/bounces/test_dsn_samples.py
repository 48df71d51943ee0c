"""Every sample report in tests/vectors/dsn is read as its table says."""

import json
from pathlib import Path

import pytest

from siegelpost.bounces.dsn import Action, Kind, dsn_line, parse_dsn
from siegelpost.bounces.dsn.__main__ import main
from siegelpost.bounces.dsn.verdict import recipient_report

FOLDER = Path(__file__).parents[2] / "vectors" / "dsn"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_sample_is_read_as_the_table_says(name: str) -> None:
    line = dsn_line(name, (FOLDER / name).read_bytes())
    assert line == {"file": name, **EXPECTED[name]}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_line_ends_do_not_change_the_meaning(name: str) -> None:
    raw = (FOLDER / name).read_bytes()
    if name == "binary-noise.eml":
        pytest.skip("line ends are part of the noise")
    unix = raw.replace(b"\r\n", b"\n")
    for other in (unix, unix.replace(b"\n", b"\r\n"), b"From x@example.org Tue\n" + unix):
        assert dsn_line(name, other) == dsn_line(name, raw)


def test_every_sample_file_is_in_the_table_and_kinds_are_covered() -> None:
    assert {path.name for path in FOLDER.glob("*.eml")} == set(EXPECTED)
    assert {entry["kind"] for entry in EXPECTED.values()} == {kind.value for kind in Kind}
    assert len(EXPECTED) >= 60


def test_report_carries_the_evidence_of_the_returned_message() -> None:
    report = parse_dsn((FOLDER / "postfix-unknown-user.eml").read_bytes())
    assert report.original_message_id == "<a-77@agency.example>"
    assert report.envelope_id == "a-77+1"
    assert report.reporting_mta == "mx.example.net"
    assert report.arrival_at is not None
    assert report.arrival_at.isoformat() == "2026-03-03T08:14:01+00:00"
    assert ("auto-submitted", "auto-generated") in report.original_headers
    (recipient,) = report.recipients
    assert recipient.remote_mta == "mail.example.org"
    assert recipient.smtp_code == 550
    assert recipient.remote_words.endswith("User unknown in virtual mailbox table")


def test_delayed_report_says_until_when_is_tried() -> None:
    (recipient,) = parse_dsn((FOLDER / "postfix-delayed.eml").read_bytes()).recipients
    assert recipient.will_retry_until_at is not None
    assert recipient.will_retry_until_at.isoformat() == "2026-03-05T04:14:01+00:00"


def test_several_recipients_keep_their_own_outcome() -> None:
    report = parse_dsn((FOLDER / "sendmail-two-recipients.eml").read_bytes())
    told = [(one.recipient, one.action, one.permanent) for one in report.recipients]
    assert told == [("bob@example.org", "delivered", None), ("alice@example.org", "failed", True)]
    report = parse_dsn((FOLDER / "exim-rcpt-refused.eml").read_bytes())
    why = [(one.recipient, one.reason, one.permanent) for one in report.recipients]
    assert why == [
        ("alice@example.org", "unknown-user", True),
        ("bob@example.org", "expired", False),
    ]


def test_text_notice_gives_the_returned_message_id() -> None:
    report = parse_dsn((FOLDER / "qmail-no-mailbox.eml").read_bytes())
    assert report.original_message_id == "<a-77@agency.example>"


def test_command_prints_one_line_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = [str(FOLDER / "arf.eml"), str(tmp_path / "missing.eml"), str(FOLDER / "empty.eml")]
    assert main(names) == 1
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["kind"] for line in lines] == ["feedback", "other"]
    assert list(lines[0]) == [
        "file", "kind", "recipient", "action", "status", "permanent", "reason",
    ]  # fmt: skip
    assert printed.err.startswith("siegelpost: ")


def wordings() -> list[tuple[str, str]]:
    lines = (FOLDER / "wordings.txt").read_text(encoding="utf-8").splitlines()
    told = [line.split(" | ", 1) for line in lines if line and not line.startswith("#")]
    return [(reason, words) for reason, words in told]


@pytest.mark.parametrize(("reason", "words"), wordings())
def test_wording_of_a_refusal_gets_its_class(reason: str, words: str) -> None:
    report = recipient_report(recipient="alice@example.org", action=Action.FAILED, words=words)
    assert report.reason == reason

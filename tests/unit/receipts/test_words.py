"""What documents say of events: each consent by its own name."""

from __future__ import annotations

import pytest

from siegelpost.receipts.deadlines import _what_if
from siegelpost.receipts.words import event_words


@pytest.mark.parametrize("kind", ["consent-given", "consent-revoked"])
def test_consents_to_receive_and_to_send_are_told_apart(kind: str) -> None:
    receive = event_words(kind, {"kind": "receive"})
    send = event_words(kind, {"kind": "send"})
    withheld = event_words(kind, {})
    assert "elektronische Bekanntgabe" in receive.shows.de
    assert "über das Postfach" in send.shows.de
    # What is blackened is not guessed.
    assert "Bekanntgabe" not in withheld.shows.de
    assert len({words.name.de for words in (receive, send, withheld)}) == 3


def test_what_would_change_nothing_is_said_to() -> None:
    now = {"deemed": "2026-12-03", "end": "2027-01-04", "de": "heute", "en": "today"}
    words = {"then_not": "nicht", "then_served": "am", "then_end": "bis", "then_same": "wie jetzt"}
    assert _what_if({**now, "de": "bestritten"}, now, words, "de").endswith("wie jetzt.")
    later = {**now, "end": "2027-01-05"}
    assert "wie jetzt" not in _what_if(later, now, words, "de")

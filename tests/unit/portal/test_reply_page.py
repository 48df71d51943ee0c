"""What the page of a reply promises is true for whoever writes there."""

from __future__ import annotations

import pytest

from tests.support.pages import COMMON, page_environment


def reply_page(**values: object) -> str:
    """The page's HTML, in German."""
    values = {**COMMON, "notice_id": "notice-1", "language": "de", "direction": "ltr", **values}
    return page_environment().get_template("pages/reply.html").render(values)


def test_delegate_is_told_that_the_agency_learns_a_number_of_the_own_mailbox() -> None:
    assert "eine Nummer Ihres Postfachs. Daran kann sie Sie wiedererkennen." in reply_page()
    own = reply_page(mandate=None, giver=None)
    assert "Nummer Ihres Postfachs" not in own


@pytest.mark.parametrize("whose", ["managed", "giver_managed"])
def test_nobody_is_told_that_only_they_can_read_what_we_hold_a_key_to(whose: str) -> None:
    for_somebody = reply_page(**{whose: True})
    assert "Lesen können Ihre Antwort nur" not in for_somebody
    assert "Einen der Schlüssel dazu verwahren wir." in for_somebody
    own = reply_page(managed=True, mandate=None, giver=None)
    assert "Lesen können Ihre Antwort nur" not in own
    assert "Ihren Schlüssel verwahren wir. Wir könnten Ihre Antwort also öffnen." in own


def test_who_keeps_the_own_key_is_told_who_alone_can_read() -> None:
    unmanaged: dict[str, object] = {"managed": False, "giver_managed": False}
    own = reply_page(**unmanaged, mandate=None, giver=None)
    assert "Lesen können Ihre Antwort nur die Behörde und Sie." in own
    for_somebody = reply_page(**unmanaged)
    assert "Lesen können Ihre Antwort nur die Behörde, Alice Beispiel und Sie." in for_somebody
    assert "verwahren wir" not in for_somebody.partition("<footer")[0]

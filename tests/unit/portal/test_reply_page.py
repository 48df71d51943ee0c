"""What the page of a reply promises is true for whoever writes there."""

from __future__ import annotations

from tests.support.pages import COMMON, page_environment


def reply_page(**values: object) -> str:
    """The page's HTML, in German."""
    values = {**COMMON, "notice_id": "notice-1", "language": "de", "direction": "ltr", **values}
    return page_environment().get_template("pages/reply.html").render(values)


def test_delegate_is_told_that_the_agency_learns_a_number_of_the_own_mailbox() -> None:
    assert "eine Nummer Ihres Postfachs. Daran kann sie Sie wiedererkennen." in reply_page()
    own = reply_page(mandate=None, giver=None)
    assert "Nummer Ihres Postfachs" not in own

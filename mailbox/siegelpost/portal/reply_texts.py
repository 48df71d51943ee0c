"""What the portal says when a reply is not taken: status, German, English."""

from __future__ import annotations

from collections.abc import Mapping

#: By code.
REPLY_TEXTS: Mapping[str, tuple[int, str, str]] = {
    "replies-not-offered": (
        409,
        "Diese Behörde nimmt hier noch keine Antworten an. Bitte schreiben oder rufen Sie sie an.",
        "This authority does not take replies here yet. Please write to it or call it.",
    ),
    "no-consent-to-send": (
        409,
        "Sie haben noch nicht zugestimmt, dieser Behörde etwas über das Postfach zu schicken. "
        "Das können Sie unter „Einstellungen“ nachholen.",
        "You have not agreed to send things to this authority by the mailbox. "
        "You can do so under “Settings”.",
    ),
    "reply-key-changed": (
        409,
        "Gerade wurde ein Schlüssel gewechselt. Bitte senden Sie noch einmal.",
        "A key has just been changed. Please send again.",
    ),
    "reply-invalid": (
        422,
        "Ihre Antwort kam nicht richtig an und wurde nicht angenommen. Bitte laden Sie die Seite "
        "neu und senden Sie noch einmal.",
        "Your reply did not arrive properly and was not accepted. Please reload the page and send "
        "it again.",
    ),
    "reply-id-taken": (
        422,
        "Diese Antwort wurde schon mit anderem Inhalt gesendet. Bitte laden Sie die Seite neu.",
        "This reply was sent before with other contents. Please reload the page.",
    ),
    "too-many-replies": (
        429,
        "Zu diesem Schreiben haben Sie schon so oft geantwortet, wie es hier geht. Bitte rufen Sie "
        "die Behörde an.",
        "You have replied to this letter as often as is possible here. Please call the authority.",
    ),
    "too-many-replies-today": (
        429,
        "Das sind zu viele Antworten an einem Tag. Bitte warten Sie einen Tag, oder rufen Sie die "
        "Behörde an.",
        "These are too many replies in one day. Please wait a day, or call the authority.",
    ),
    "sending-already": (
        429,
        "Es wird gerade schon eine Antwort gesendet. Bitte warten Sie, bis das fertig ist.",
        "A reply is being sent already. Please wait until that is done.",
    ),
    "not-age": (415, "Die Antwort ist nicht versiegelt.", "The reply is not sealed."),
}

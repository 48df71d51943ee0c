"""What the portal says when a citizen's OpenPGP key is refused: status, German, English."""

from __future__ import annotations

from collections.abc import Mapping

#: By code; ``openpgp-key-refused-`` is followed by a `siegelpost.openpgp.Refusal`.
OPENPGP_TEXTS: Mapping[str, tuple[int, str, str]] = {
    "openpgp-key-refused-unreadable": (
        422,
        "Das ist kein öffentlicher OpenPGP-Schlüssel. "
        "Ein Schlüssel beginnt mit der Zeile BEGIN PGP PUBLIC KEY BLOCK.",
        "This is no OpenPGP public key. A key begins with the line BEGIN PGP PUBLIC KEY BLOCK.",
    ),
    "openpgp-key-refused-too-large": (
        422,
        "Dieser Schlüssel ist zu groß. Bitte exportieren Sie ihn ohne fremde Unterschriften.",
        "This key is too large. Please export it without other people's signatures.",
    ),
    "openpgp-key-refused-several-keys": (
        422,
        "Das sind mehrere Schlüssel. Bitte nehmen Sie genau einen.",
        "These are several keys. Please use exactly one.",
    ),
    "openpgp-key-refused-private-key": (
        422,
        "Das ist Ihr privater Schlüssel. Wir haben ihn nicht gespeichert. "
        "Geben Sie ihn bitte niemandem, und machen Sie sich einen neuen.",
        "This is your private key. We have not kept it. "
        "Please give it to nobody, and make a new one.",
    ),
    "openpgp-key-refused-expired": (
        422,
        "Dieser Schlüssel ist abgelaufen. Bitte verlängern Sie ihn oder nehmen Sie einen anderen.",
        "This key has expired. Please extend it or use another one.",
    ),
    "openpgp-key-refused-revoked": (
        422,
        "Dieser Schlüssel ist widerrufen. Wir benutzen ihn nicht. Bitte nehmen Sie einen anderen.",
        "This key is revoked. We do not use it. Please use another one.",
    ),
    "openpgp-key-refused-cannot-encrypt": (
        422,
        "Mit diesem Schlüssel kann man nichts verschlüsseln. Bitte nehmen Sie einen anderen.",
        "Nothing can be encrypted with this key. Please use another one.",
    ),
    "openpgp-key-refused-too-weak": (
        422,
        "Dieser Schlüssel ist zu kurz, um sicher zu sein. Bitte nehmen Sie einen anderen.",
        "This key is too short to be safe. Please use another one.",
    ),
    "openpgp-key-unknown": (
        404,
        "Diesen Schlüssel gibt es hier nicht mehr. Bitte laden Sie die Seite neu.",
        "This key is no longer here. Please reload the page.",
    ),
    "openpgp-key-not-found": (
        404,
        "Bei Ihrem E-Mail-Anbieter haben wir keinen Schlüssel für Ihre Adresse gefunden. "
        "Sie können ihn selbst einfügen.",
        "We found no key for your address with your e-mail provider. You can paste it yourself.",
    ),
    "openpgp-fingerprint-wrong": (
        422,
        "Dieser Fingerabdruck gehört zu einem anderen Schlüssel. Bitte prüfen Sie ihn. "
        "Wenn er stimmt, ist der Schlüssel hier nicht Ihrer: Lehnen Sie ihn dann ab.",
        "This fingerprint belongs to another key. Please check it. "
        "If it is right, the key here is not yours: then refuse it.",
    ),
    "openpgp-unavailable": (
        503,
        "Wir können gerade keine Schlüssel prüfen. E-Mails kommen wie bisher. "
        "Bitte versuchen Sie es später noch einmal.",
        "We cannot check keys just now. E-mails come as before. Please try again later.",
    ),
}

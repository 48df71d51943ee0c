"""German names of the facts, for reasons and pages.

One name per field of `Facts` that holds a fact; a test keeps the two in step.
"""

FACTS_DE = {
    "issued": "Erlass des Bescheids",
    "provided": "Bereitstellung",
    "providing_unproven": "Bereitstellung nicht nachgewiesen",
    "alert_sent": "Absendung der Benachrichtigung",
    "alert_failed": "Benachrichtigung gescheitert",
    "alert_delivered": "Annahme durch den Mailserver der Person",
    "disputed": "Zugang der Benachrichtigung bestritten",
    "receipt_proven": "Nachweis des Zugangs",
    "alert_received": "Eingang der Benachrichtigung",
    "retrieved": "Abruf",
    "consent_given": "Einwilligung",
    "consent_revoked": "Widerruf der Einwilligung",
    "excluded": "Ausschluss der elektronischen Bekanntgabe",
    "sent": "Absendung des Bescheids",
    "access_opened": "Eröffnung des Zugangs",
    "received": "Zugang des Bescheids",
    "not_received": "Bescheid nicht zugegangen",
    "in_doubt": "Zugang zweifelhaft",
    "login_confirmed": "Abholbestätigung",
    "confirmation_arrived": "Eingang der Abholbestätigung",
    "mandatory_electronic": "elektronische Abwicklung auf Verlangen",
    "instructed": "vorherige Belehrung",
    "remedy_faulty": "Rechtsbehelfsbelehrung fehlt oder ist unrichtig",
    "paper_sent": "erneuter Versand",
}

"""The keys an example file may use: one name per fact, and the synonyms for it.

Names are compared in lower case, with `-` as `_` and without a final `_at`. Only names; how
the values are read is in `siegelpost.deadlines.reading`.
"""

from collections.abc import Mapping

#: Every other name a key may have, by the name used here.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "abroad": ("lives_abroad", "recipient_abroad", "ausland"),
    "access_opened": ("access", "access_open", "opened_access"),
    "acknowledged": (
        "abholbestaetigung",
        "abholbestätigung",
        "confirmed",
        "confirmation",
        "pickup",
        "pickup_confirmed",
        "pickup_confirmation",
        "login",
        "secure_login",
        "login_confirmed",
    ),
    "alert_documented": ("documented", "dispatch_documented"),
    "alert_received": ("alert_arrived",),
    "alert_sent": ("alert", "alerted", "notified", "notification_sent"),
    "assurance": ("login_assurance", "assurance_level", "identity"),
    "benefit": ("area", "subject"),
    "bounced": (
        "alert_failed",
        "alert_bounced",
        "bounce",
        "permanent_bounce",
        "hard_bounce",
        "failed",
    ),
    "confirmation_arrived": ("confirmation_received",),
    "consent_given": ("consent", "consented"),
    "consent_missing": ("no_consent",),
    "consent_revoked": ("revoked", "consent_withdrawn", "revocation"),
    "delivered": ("alert_delivered", "dsn_delivered", "reply_250", "smtp_250", "alert_confirmed"),
    "disputed": (
        "denied",
        "dispute",
        "receipt_denied",
        "receipt_disputed",
        "alert_disputed",
        "alert_denied",
    ),
    "excluded": ("opted_out", "opt_out", "electronic_excluded", "consent_excluded"),
    "in_doubt": ("doubt", "doubted", "doubtful", "receipt_in_doubt"),
    "instructed": ("prior_instruction", "instructed_before", "belehrt"),
    "issued": ("issue_date", "issued_on"),
    "late": (
        "late_proven",
        "proven_late",
        "irrefutably_late",
        "late_shown",
        "alert_late",
        "received_late",
        "late_received",
    ),
    "late_days": ("days_late", "alert_late_days", "arrived_after_days"),
    "mandatory_electronic": ("mandatory", "electronic_mandatory"),
    "not_received": ("nonreceipt", "receipt_failed"),
    "now": ("as_of", "today", "asked"),
    "ozg_portal": ("ozg_account", "user_account"),
    "paper_sent": ("paper", "reserved", "renewed", "served_again", "renewed_serving"),
    "place": ("land", "subdivision"),
    "proven": (
        "proved",
        "proof",
        "receipt_proven",
        "receipt_proved",
        "alert_proven",
        "alert_receipt_proven",
    ),
    "provided": ("providing", "made_available"),
    "providing_proven": ("provided_proven", "providing_documented"),
    "providing_unproven": (
        "provided_unproven",
        "providing_in_doubt",
        "providing_disputed",
        "unproven",
    ),
    "received": ("receipt", "receipt_established", "later_receipt", "arrived", "received_on"),
    "regime": (),
    "remedy": ("remedy_instruction", "legal_remedy"),
    "remedy_faulty": ("remedy_found_faulty", "instruction_faulty"),
    "retrieved": (
        "opened",
        "retrieval",
        "fetched",
        "first_opened",
        "first_opening",
        "first_retrieved",
    ),
    "schriftform": (
        "schriftform_required",
        "requires_schriftform",
        "written_form",
        "written_form_required",
        "form_required",
    ),
    "sent": ("dispatched", "notice_sent", "message_sent"),
    "sgb2": ("sgb_2", "sgb_ii"),
    "signed": (
        "signature",
        "qes",
        "seal",
        "sealed",
        "qualified",
        "qualified_seal",
        "qualified_signed",
        "qualified_signature",
    ),
}

#: Expected results and remarks: no facts.
IGNORED = frozenset((
    "id", "note", "notes", "comment", "remark", "title", "name", "why", "because",
    "description", "expect", "expected", "source", "mark",
    "deemed", "end", "review", "rule", "reason", "reasons", "state",
))  # fmt: skip

_CANONICAL = {
    name: canonical for canonical, others in SYNONYMS.items() for name in (canonical, *others)
}


def canonical(key: str) -> str | None:
    """The name used here for a key of a file, None if the key is unknown."""
    return _CANONICAL.get(key.lower().replace("-", "_").removesuffix("_at"))

"""The pages' environment as the service makes it, for tests that render without a service."""

from __future__ import annotations

from pathlib import Path

import jinja2
from markupsafe import Markup

from siegelpost.portal import texts
from tests.support.remembered import template_environment

#: The templates of the checkout.
TEMPLATES = Path(__file__).parents[2] / "templates"
#: What every render gets, as in the contract of the portal's handlers.
CONSENT = {"id": "consent-1", "kind": "receive", "given": "20. November 2026", "revoked": None}
MANDATE = {
    "id": "mandate-1",
    "standing": "in-force",
    "helper": "Bob Muster",
    "giver": "Alice Beispiel",
    "role": "read",
    "counts": True,
    "agency": None,
    "from": "20. November 2026",
    "until": "20. November 2027",
    "code_salt": "AAAAAAAAAAAAAAAAAAAAAA==",
    "code_until": "4. Dezember 2026",
    "ended": None,
    "email": "bob@muster.example",
    "looked": "22. November 2026",
    "new_key": True,
}
AGREEMENT = {
    "enrolment": "enrolment-1",
    "agency": "Jobcenter Musterland",
    "phone": "02999 555-0",
    "receive": CONSENT,
    "send": None,
    "history": [CONSENT, {**CONSENT, "revoked": "24. November 2026"}],
}
COMMON = {
    "given": [
        {**MANDATE, "standing": standing, "until": None, "role": "titles", "counts": False}
        for standing in ("invited", "lapsed", "asking", "coming", "in-force")
    ]
    + [{**MANDATE, "standing": "ended", "ended": "21. November 2026"}],
    "held": [MANDATE, {**MANDATE, "standing": "asking"}],
    "agencies": [("agency-1", "Jobcenter Musterland")],
    "today": "2026-11-22",
    "helping": [("mandate-1", "Alice Beispiel")],
    "mandate": "mandate-1",
    "giver": "Alice Beispiel",
    "giver_managed": False,
    "reads": True,
    "only_helps": False,
    "counts": False,
    "form_token": "token",
    "signed_in": False,
    "path": "/",
    "direction": "ltr",
    "same_page": "?",
    "service_name": "Siegelpost",
    "operator": "Kreis Musterland",
    "kopfzeile": False,
    "imprint_url": None,
    "privacy_url": None,
    "accessibility_email": None,
    "accessibility_phone": "02999 555-0",
    "arbitration_name": "Schlichtungsstelle Musterland",
    "arbitration_url": None,
    "written": "22. November 2026",
    "oidc_label": "BundID",
    "agency": "Jobcenter Musterland",
    "phone": "02999 555-0",
    "next": "/notices/notice-1/reply",
    "offered": True,
    "consented": True,
    "limits": {"text": 10_000, "files": 10, "bytes": 20 * 1024 * 1024},
    "timed_out": False,
    "signed_out": False,
    "agreements": [AGREEMENT] * 2,
    "wordings": {"receive": "2026-11", "send": "2026-12"},
    "done": None,
    "problem": None,
    "address": "alice@beispiel.example",
    "failed": True,
    "pending": None,
    "past": [],
    "proved": False,
    "typed": "",
    "mail_language": "de",
    "mail_languages": {"de": "Deutsch"},
    "salutation": "Frau Beispiel",
    "salutation_allowed": True,
    "openpgp": True,
    "key": {
        "fingerprint": "0123 4567 89AB CDEF 0123 4567 89AB CDEF 0123 4567",
        "source": "upload",
        "since": "20. November 2026",
        "until": "20. November 2028",
        "over": False,
    },
    "waiting": {"id": "key-1", "source": "wkd", "since": "21. November 2026"},
    "asset": lambda name: f"/static/{name}",
    "integrity": lambda name: f"sha256-{name}",
    "module": lambda name: Markup('<script type="module" src="/static/{}"></script>').format(name),
}


def page_environment() -> jinja2.Environment:
    """An environment in which a missing value is an error."""
    environment = template_environment(TEMPLATES)
    texts.prepare(environment)
    return environment

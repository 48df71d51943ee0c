"""What calls look like, for the description; a test parses them. See ``openapi``."""

from __future__ import annotations

from typing import Any, Final

NOTICE_EXAMPLE: Final[dict[str, Any]] = {
    "enrolment": "019a2b3c-4d5e-7f60-8123-456789abcdef",
    "cover": {
        "title": "Bewilligung von Bürgergeld",
        "kind": "grant",
        "what_is_this": "Sie bekommen ab Januar Bürgergeld. Der Bescheid nennt die Beträge.",
        "what_to_do": "Prüfen Sie den Bescheid. Sie können bis zum 28. Dezember widersprechen.",
        "due_on": "2026-12-28",
        "who_helps": "Jobcenter Musterland, Frau Muster, 01234 567-0",
    },
    "regime": "sgb10-37-2a",
    "remedy": "given",
    "issued_at": "2026-11-23T09:00:00+01:00",
    "reference": "BG-35502-0012345",
}
SEALED_EXAMPLE: Final[dict[str, Any]] = {
    "id": "019a2b3c-5d5e-7f60-8123-456789abcdef",
    "enrolment": "019a2b3c-4d5e-7f60-8123-456789abcdef",
    "keys": ["019a2b3c-4d5f-7f60-8123-456789abcdef"],
    "regime": "sgb10-37-2a",
    "remedy": "given",
    "issued_at": "2026-11-23T09:00:00+01:00",
    "documents": [{"commitment": "9f" * 32, "salt": "3c" * 32, "size": 104857}],
    "circumstances": {"abroad": True},
    "reprovides": "019a2b3c-4d60-7f60-8123-456789abcdef",
}
ENROLMENT_EXAMPLE: Final[dict[str, Any]] = {
    "reference": "BG-35502-0012345",
    "salutation": "Frau Beispiel",
    "birth_date": "1984-02-29",
    "language": "de",
    "address": {
        "name": "Alice Beispiel",
        "street": "Musterweg 1",
        "postal_code": "01234",
        "city": "Musterstadt",
    },
}
#: Both kinds of dispatch.
DISPATCH_EXAMPLES: Final[dict[str, Any]] = {
    "ordinary": {
        "summary": "The service seals",
        "value": {"notice": NOTICE_EXAMPLE, "document": ["%PDF-1.7 …"]},
    },
    "again-sealed": {
        "summary": "You seal; a notice of before is provided again",
        "value": {
            "notice": SEALED_EXAMPLE,
            "cover": "age-encryption.org/v1 …",
            "package": "age-encryption.org/v1 …",
        },
    },
}

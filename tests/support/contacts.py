"""How agencies write telephone numbers, and what a telephone calls for them; None: no link."""

from __future__ import annotations

NUMBERS: dict[str, str | None] = {
    "02345 6789-0": "+49234567890",
    "02345/6789-0": "+49234567890",
    "(02345) 6789 - 0": "+49234567890",
    "+49 2345 6789-0": "+49234567890",
    "+49 (0)2345 6789-0": "+49234567890",
    "0049 2345 67890": "+49234567890",
    " 02345\u00a06789\u20110 ": "+49234567890",
    "+43 1 71100": "+43171100",
    "115": "115",
    "116 117": "116117",
    "0800 4 5555 00": "+498004555500",
    # Without the area's code nobody elsewhere reaches it.
    "6789-0": None,
    "02345 6789-0 / 02345 6789-1": None,
    "02345 12 / 0234 34": None,
    "02345 6789-0 oder -1": None,
    "Tel. 02345 6789-0": None,
    "02345 6789-0; 02345 6789-1": None,
    "02345 678 x 9": None,
    # Another one behind it, or hours: an extension would be a third one's.
    "02345 6789-10/-11": None,
    "+49 2345 6789-10 / 11": None,
    "0049 2345 678910/11": None,
    "02345 67890 (8-12)": None,
    "+49 (33200) 6789": "+49332006789",
    "0049 33200/6789": "+49332006789",
    "01.12.2026": None,
    "1.12.26": None,
    "+": None,
    "": None,
    "0": None,
    "++49 2345 67890": None,
    "+49 2345 67890 1234567": None,
    "+0 2345 67890": None,
    "٠٢٣٤٥ ٦٧٨٩": None,
    '02345"><script>': None,
    "02345 6789\n0": None,
}
#: What is a link in a sentence: the sentence, the known number, what is linked with its address.
SENTENCES: list[tuple[str, str, list[tuple[str, str]]]] = [
    (
        "Frau Muster, Zimmer 204, Telefon 02345 6789-12",
        "",
        [("02345 6789-12", "tel:+492345678912")],
    ),
    (
        "Frau Muster, +49 2345 67890 oder post@jobcenter.example.",
        "",
        [
            ("+49 2345 67890", "tel:+49234567890"),
            ("post@jobcenter.example", "mailto:post@jobcenter.example"),
        ],
    ),
    # Only a number that is known, or said to be one, is surely no reference.
    ("Aktenzeichen 02345 67890", "", []),
    ("Rufen Sie an: 02345/67890", "+49 2345 6789-0", [("02345/67890", "tel:+49234567890")]),
    ("Mo bis Fr 08.00-12.00 Uhr, seit 01.12.2026", "", []),
    ("Hier: \u2068Telefon 02345 6789-0\u2069.", "", [("02345 6789-0", "tel:+49234567890")]),
    ("<b>Telefon</b> 02345", "", []),
    # Hours behind a number are no part of it.
    ("Telefon 02345 67890 (8-12 Uhr)", "", [("02345 67890", "tel:+49234567890")]),
    ("Telefon 02345 67890 8-12 Uhr", "", []),
    ("Telefon 02345 67890 \u2013 12\u00a0Uhr", "", []),
    # Within a house 112 is somebody's desk, elsewhere the fire brigade.
    ("Durchwahl: 112", "", []),
    ("Durchwahl: 02345 6789-12", "", [("02345 6789-12", "tel:+492345678912")]),
    ("Siehe Kapitel 110", "", []),
    ("Telefax: +49 2345 67890", "", []),
    # Part of an address is somebody else's.
    ("Schreiben Sie an j\u00fcrgen.m\u00fcller@jobcenter.example", "", []),
    ("mu\u0308ller@jobcenter.example", "", []),
    ("o'muster@jobcenter.example", "", []),
    ("post@stadt.jobcenter-k\u00f6ln.example", "", []),
    ("post@a.b.jobcenter-k\u00f6ln.example", "", []),
    ("", "", []),
]

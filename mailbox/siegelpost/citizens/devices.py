"""What a session's device is called: families of browser and system, and nothing finer.

Version, model and screen would help to recognise a device, and to follow a person. Pure.
"""

from __future__ import annotations

#: Longest User-Agent that is looked at.
_LONGEST = 400
#: First match wins: Chromium's children call themselves Chrome, too, and most of all Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("SamsungBrowser", "Samsung Internet"),
    ("OPR/", "Opera"),
    ("FxiOS", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_of(user_agent: str) -> str:
    """``Firefox, Android`` of a User-Agent header; what is unknown is left out."""
    text = user_agent[:_LONGEST]
    found = (
        next((name for mark, name in table if mark in text), "") for table in (_BROWSERS, _SYSTEMS)
    )
    return ", ".join(name for name in found if name)

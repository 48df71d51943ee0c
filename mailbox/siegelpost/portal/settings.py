"""Settings of the portal; `siegelpost.service` fills them from the settings file."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from siegelpost.oidc.settings import OidcSettings

_LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}


@dataclass(frozen=True, kw_only=True)
class PortalSettings:
    """How the portal presents itself. Construction raises ValueError for malformed addresses."""

    #: where browsers reach it: ``https://post.example.org``; http only for localhost, where
    #: browsers keep `__Host-` cookies all the same
    public_url: str
    #: further origins under which it answers
    more_origins: tuple[str, ...] = ()
    #: name of the service on every page
    service_name: str = "Siegelpost"
    #: who runs it, in the footer; the service's name if empty
    operator: str = ""
    #: show the marker of official German sites; only public authorities may
    official_header: bool = False
    #: whether the service may keep keys of people who can't, where the agency offers it
    managed_mailboxes: bool = False
    #: address of the legal notice
    imprint_url: str | None = None
    #: address of the privacy statement
    privacy_url: str | None = None
    #: e-mail address for people who meet a barrier (BGG § 12b); without it, pages name the agency
    accessibility_email: str | None = None
    #: telephone number for them
    accessibility_phone: str | None = None
    #: who settles disputes about barriers (BGG § 16 or the state's law), by name
    arbitration_name: str | None = None
    #: its address on the web
    arbitration_url: str | None = None
    #: a provider at which citizens may log in; it never unlocks
    oidc: OidcSettings | None = None
    #: what people call an account there
    oidc_label: str = "BundID"
    #: Strict-Transport-Security max-age in seconds, sent where browsers come by https; 0: none
    hsts_seconds: int = 63_072_000
    #: largest JSON body in bytes
    json_limit: int = 64 * 1024
    #: seconds a client may take to send a body
    body_seconds: float = 30.0
    #: seconds that a reply may take, up to 20 MiB of scans by a phone
    upload_seconds: float = 600.0

    def __post_init__(self) -> None:
        for origin in self.origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or not parts.netloc
                or origin != f"{parts.scheme}://{parts.netloc}".lower()
            ):
                raise ValueError(f"not an address like https://post.example.org: {origin}")

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins that browsers may come from, the printed one first.

        One's own machine has two names; a page works under the one that a person types.
        """
        printed = self.public_url.rstrip("/")
        parts = urlsplit(printed)
        twin = _LOOPBACK.get(parts.hostname or "")
        port = "" if parts.port is None else f":{parts.port}"
        twins = () if twin is None else (f"{parts.scheme}://{twin}{port}",)
        return (printed, *twins, *self.more_origins)

    @property
    def passkey_host(self) -> str:
        """The relying party's id: the printed address's host; passkeys are bound to it for ever."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def hosts(self) -> frozenset[str]:
        """Values of the Host header that are answered."""
        return frozenset(urlsplit(origin).netloc for origin in self.origins)

    @property
    def encrypted(self) -> bool:
        """Whether browsers come by https."""
        return all(origin.startswith("https://") for origin in self.origins)

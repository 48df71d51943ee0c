"""Settings of one installation: a TOML file plus environment, documented field by field.

Longer than others: every field stands here once, with what it means.
``SIEGELPOST_`` variables win over the file; nested fields are written with two underscores, e.g.
``SIEGELPOST_DATABASE__URL``.
No secret has a default; secrets are files (or systemd credentials), named here by their path.
Relative paths are relative to the settings file.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableVariable
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from siegelpost.service.errors import SettingsError
from siegelpost.service.sandbox.mode import mode_problem
from siegelpost.service.settings_problems import FILE_VARIABLE, explain


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class HttpPart(_Part):
    """Where the service listens; a proxy in front speaks TLS with the world."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8080, ge=1, le=65535)
    """TCP port."""
    processes: int = Field(default=1, ge=1, le=64)
    """Processes that take requests; as many as the machine has cores handle most."""
    public_url: str
    """Address by which browsers and agencies reach the service, e.g. https://post.example.org"""
    trusted_proxies: list[str] = ["127.0.0.1"]
    """Addresses whose X-Forwarded-For and -Proto headers are believed."""


class DatabasePart(_Part):
    """Where everything is kept."""

    url: str = "sqlite:///siegelpost.db"
    """sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME (password: ~/.pgpass or PGPASSFILE)."""

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        try:
            driver = make_url(url).drivername
        except ArgumentError as error:
            raise ValueError("that is no database URL") from error
        if driver not in ("sqlite", "postgresql+psycopg"):
            raise ValueError(f"{driver} is no database that is known here")
        return url

    group_limit: int = Field(default=64, ge=1, le=1024)
    """Most pieces of work that share a commit; 1 commits each alone."""
    readers: int = Field(default=4, ge=1, le=64)
    """Reading threads."""


class BlobsPart(_Part):
    """Where large sealed packages lie: in the database, in segment files, or in object storage."""

    url: str = Field(
        default="", pattern=r"^($|(file|segments):///[^?#]+$|(s3|az|gs)://[^/?#@:]+(/[^?#]*)?$)"
    )
    """segments:///FOLDER (fast, on a disk of this machine), file:///FOLDER, s3://BUCKET/PREFIX,
    az://CONTAINER/PREFIX or gs://BUCKET/PREFIX; without one everything is in the database. Once
    notices lie there, it can move but not be taken away. In a FOLDER, ? is %3F, # is %23."""
    database_limit_bytes: int = Field(default=256 << 10, ge=0, le=1 << 30)
    """Larger sealed packages go there; 0: all."""
    endpoint: str | None = None
    """Address of an S3-compatible server or of an Azure account, e.g. https://s3.example.org"""
    region: str | None = None
    """Region, where S3 asks for one."""
    account: str | None = None
    """S3: id of the access key. Azure: name of the storage account."""
    secret_file: Path | None = None
    """S3: the secret access key. Azure: the account's key. Google: the service account (JSON).
    Without one: the machine's own identity, or the provider's usual environment variables."""
    ca_file: Path | None = None
    """Certificates to trust besides the system's."""
    timeout_seconds: int = Field(default=30, ge=1, le=600)
    """Longest time for one request."""
    sweep_after_hours: int = Field(default=24, ge=0, le=8760)
    """Age at which objects that belong to no notice are removed; 0: never, as after a restore."""


class KeyringPart(_Part):
    """Signing keys and secrets, encrypted in one file; the most important ones also in a token."""

    file: Path = Path("keyring.json")
    """The keyring; back it up together with the database."""
    master_secret_file: Path
    """64 hex digits that open it; keep them elsewhere, e.g. as a systemd credential."""
    token_module: Path | None = None
    """PKCS #11 library of a token (HSM) in which signing keys, and what opens managed mailboxes,
    are made and stay; without one they are in the file. Needs siegelpost[pkcs11]."""
    token_label: str = ""
    """Label of that token."""
    token_pin_file: Path | None = None
    """File of mode 0600 with its PIN, e.g. a systemd credential; one that the token refused is not
    tried again."""

    @model_validator(mode="after")
    def _whole_token(self) -> Self:
        if self.token_module is not None and not (self.token_label and self.token_pin_file):
            raise ValueError("a token needs token_label and token_pin_file, too")
        return self


class MailPart(_Part):
    """The mail server that takes the alerts."""

    domain: str
    """Domain of Message-IDs and of the envelope sender."""
    host: str = "127.0.0.1"
    """Next mail server, usually the site's own MTA."""
    port: int = Field(default=25, ge=1, le=65535)
    """Its port."""
    tls: Literal["required", "opportunistic", "none"] = "required"
    """Whether STARTTLS is demanded, used where offered, or not used."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    username: str | None = None
    """User name for AUTH."""
    password_file: Path | None = None
    """File with the password for AUTH."""
    connections: int = Field(default=8, ge=1, le=100)
    """Connections open at once."""
    dkim_domains: list[str] = []
    """Domains with our DKIM records: that of From signs, else the first; empty: no own DKIM."""
    dkim_selector: str = Field(
        default="siegelpost", pattern=r"^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$"
    )
    """Selector; the algorithm is appended: siegelpost-ed25519, siegelpost-rsa."""
    openpgp: bool = True
    """Encrypt alerts to citizens' OpenPGP keys and sign those of agencies with one (gpg 2.2)."""
    openpgp_runtime: Path | None = None
    """Folder in memory for gpg, with a short path; by default one that the system offers."""


class BouncesPart(_Part):
    """The server to which mail systems report what became of alerts."""

    port: int = Field(default=2525, ge=0, le=65535)
    """Its port; 0: none in this process."""
    host: str = "127.0.0.1"
    """Address to listen on; the site's mail server, or the world, must reach it."""
    domain: str | None = None
    """Domain of return addresses, whose mail comes here; by default that of [mail]."""
    certificate_file: Path | None = None
    """Certificate with its chain (PEM); without one no STARTTLS is offered."""
    key_file: Path | None = None
    """Its key (PEM)."""
    trusted_peers: list[str] = ["127.0.0.0/8", "::1/128"]
    """Networks of your mail servers; a failure they report themselves stops mail to the address."""
    max_bytes: int = Field(default=1 << 20, ge=1 << 16, le=1 << 25)
    """Largest message."""
    connections: int = Field(default=100, ge=1, le=10_000)
    """Connections at once."""
    connections_per_peer: int = Field(default=20, ge=1, le=10_000)
    """Connections at once from one address."""
    messages_per_minute: int = Field(default=30_000, ge=1)
    """Messages a minute from one address."""
    refusals_per_minute: int = Field(default=120, ge=1)
    """Wrong return addresses a minute from one address; then it is sent away."""


class FollowUpPart(_Part):
    """What is done about notices that nobody opens, and alerts that nobody confirms."""

    reminder_days: list[int] = [3, 7]
    """Days after providing on which the citizen is reminded; they never restart a clock."""
    ask_after_days: int = Field(default=7, ge=0, le=365)
    """Days after providing when the agency is asked to look; 0: never."""
    confirm_after_days: int = Field(default=3, ge=0, le=60)
    """Days without a report of delivery until the agency is told; 0: never."""

    @property
    def confirm_after(self) -> timedelta | None:
        """The same as a span of time."""
        return timedelta(days=self.confirm_after_days) if self.confirm_after_days else None


class PortalPart(_Part):
    """The citizens' pages."""

    service_name: str = "Siegelpost"
    """Name in the pages' header."""
    official_header: bool = False
    """Shows KERN's official-site marker; only for offices of the state."""
    managed_mailboxes: bool = False
    """Lets agencies offer mailboxes whose key the service keeps, for people who can't; the service
    could then open their notices."""
    imprint_url: str | None = None
    """Address of the legal notice."""
    privacy_url: str | None = None
    """Address of the privacy statement."""
    accessibility_email: str | None = None
    """Where people report barriers (BGG section 12b); shown in the statement of accessibility."""
    accessibility_phone: str | None = None
    """Telephone number for the same."""
    arbitration_name: str | None = None
    """Who settles disputes about barriers: by BGG section 16, or by the law of the state."""
    arbitration_url: str | None = None
    """Its address on the web."""


class OidcPart(_Part):
    """A registration at an OpenID provider, e.g. a Keycloak in front of BundID."""

    issuer: str | None = None
    """Issuer exactly as the provider's metadata names it; without one nobody logs in there."""
    client_id: str = ""
    """As registered there."""
    client_secret_file: Path | None = None
    """The client's secret; without one the provider must be content with PKCE."""
    label: str = "BundID"
    """Name of the account on the login page's button."""
    scopes: list[str] = ["openid"]
    """What is asked for."""
    acr_values: list[str] = []
    """Levels of assurance of which the provider must assert one; empty: any."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""


class WitnessesPart(_Part):
    """Outsiders who confirm that the log only grows; see `siegelpost witness`."""

    policy: list[str] = []
    """Lines of c2sp.org/tlog-policy: "witness NAME VKEY URL", "group …", "quorum NAME"."""


class AuthorityPart(_Part):
    """A timestamp authority (RFC 3161)."""

    name: str
    url: str
    certificates_file: Path


class TimestampsPart(_Part):
    """Outside authorities that date the log (RFC 3161)."""

    authorities: list[AuthorityPart] = []
    """In order of preference: {name = "…", url = "http://…", certificates_file = "roots.pem"}."""
    interval_seconds: int = Field(default=60, ge=1, le=86400)
    """Least time between two timestamps; one dates every event before it."""
    max_delay_hours: int = Field(default=24, ge=1, le=8760)
    """Trust files demand that an event is dated within this time, else it looks back-dated."""


class SealPart(_Part):
    """How PDF receipts are sealed; `siegelpost seal` makes the key."""

    pin_file: Path | None = None
    """File with the PIN, if a token (PKCS #11) holds the key."""


class ClockPart(_Part):
    """The legal clock: when notices count as served."""

    remind_days_before_end: int = Field(default=0, ge=0, le=27)
    """Days before the end of an objection period on which the citizen is reminded; 0: never."""


class SandboxPart(_Part):
    """A virtual clock and simulated addresses, for vendors; impossible beside real life."""

    enabled: bool = False
    """Only in an installation made by `siegelpost init --sandbox`."""
    mails_port: int = Field(default=8025, ge=0, le=65535)
    """Port of the page that shows the sandbox's mails, on this machine; 0: any free one."""


class LogPart(_Part):
    """What the service writes about itself: JSON lines without personal data."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is written."""
    format: Literal["json", "text"] = "json"
    """JSON for machines, text for a terminal."""


class Settings(BaseSettings):
    """All settings of one installation."""

    model_config = SettingsConfigDict(
        env_prefix="SIEGELPOST_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    origin: str
    """Name of the service in its log and its keys, e.g. post.example.org; never change it."""
    http: HttpPart
    """Where the service listens."""
    database: DatabasePart = DatabasePart()
    """Where everything is kept."""
    blobs: BlobsPart = BlobsPart()
    """Where large sealed packages lie."""
    keyring: KeyringPart
    """Signing keys and secrets."""
    mail: MailPart
    """How alerts leave."""
    bounces: BouncesPart = BouncesPart()
    """How reports about alerts come in."""
    follow_up: FollowUpPart = FollowUpPart()
    """Reminders, and questions to the agency."""
    clock: ClockPart = ClockPart()
    """The legal clock."""
    portal: PortalPart = PortalPart()
    """The citizens' pages."""
    citizens_oidc: OidcPart = OidcPart()
    """Login of citizens elsewhere: says who they are, never unlocks a mailbox."""
    staff_oidc: OidcPart = OidcPart(label="Ihrem Dienstkonto")
    """Login of agencies' staff to the console at their own single sign-on, once invited."""
    witnesses: WitnessesPart = WitnessesPart()
    """Outsiders who confirm that the log only grows."""
    timestamps: TimestampsPart = TimestampsPart()
    """Outside authorities that date the log."""
    seal: SealPart = SealPart()
    """How PDF receipts are sealed; `siegelpost seal` makes the key."""
    log: LogPart = LogPart()
    """The service's own log lines."""
    sandbox: SandboxPart = SandboxPart()
    """Test mode, never together with real notices."""

    @model_validator(mode="after")
    def _one_mode(self) -> Self:
        problem = mode_problem(self.origin, sandbox=self.sandbox.enabled)
        if problem is not None:
            raise ValueError(problem)
        if self.sandbox.enabled and self.http.processes > 1:
            raise ValueError("a sandbox has one clock, so http.processes must be 1")
        if self.sandbox.enabled and self.blobs.url:
            raise ValueError("a sandbox keeps everything in its database: no blobs.url")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before what was passed from the file."""
        return (env_settings, init_settings)


def read_settings(file: Path | None = None) -> Settings:
    """Read ``file``, or what SIEGELPOST_SETTINGS names; raises SettingsError, naming each field."""
    path = file or (Path(os.environ[FILE_VARIABLE]) if FILE_VARIABLE in os.environ else None)
    values: dict[str, Any] = {}
    if path is not None:
        if not path.is_file():
            raise SettingsError(f"no settings file {path}: make one with `siegelpost init`")
        try:
            values = TomlConfigSettingsSource(Settings, path)()
        except ValueError as error:
            raise SettingsError(f"{path} is not TOML: {error}") from error
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(explain(error, Settings, path)) from error
    except UnreadableVariable as error:
        raise SettingsError(f"a SIEGELPOST_ variable holds no JSON: {error}") from error
    return _anchored(settings, path.parent if path else Path.cwd())


#: Fields that name files, by their part.
_FILES = {
    "keyring": ("file", "master_secret_file", "token_module", "token_pin_file"),
    "blobs": ("secret_file", "ca_file"),
    "mail": ("ca_file", "password_file", "openpgp_runtime"),
    "bounces": ("certificate_file", "key_file"),
    "seal": ("pin_file",),
    "citizens_oidc": ("client_secret_file", "ca_file"),
    "staff_oidc": ("client_secret_file", "ca_file"),
}


def _anchored(settings: Settings, folder: Path) -> Settings:
    """The same settings, relative paths being relative to ``folder``."""
    folder = folder.resolve()
    parts: dict[str, BaseModel] = {}
    for name, fields in _FILES.items():
        part = getattr(settings, name)
        found = {field: getattr(part, field) for field in fields}
        parts[name] = part.model_copy(
            update={field: folder / path for field, path in found.items() if path is not None}
        )
    database = settings.database
    if database.url.startswith("sqlite:///") and not database.url.startswith("sqlite:////"):
        file = folder / database.url.removeprefix("sqlite:///")
        parts["database"] = database.model_copy(update={"url": f"sqlite:///{file}"})
    authorities = [
        item.model_copy(update={"certificates_file": folder / item.certificates_file})
        for item in settings.timestamps.authorities
    ]
    parts["timestamps"] = settings.timestamps.model_copy(update={"authorities": authorities})
    return settings.model_copy(update=parts)

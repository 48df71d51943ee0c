"""From the settings of an OpenID provider to what `siegelpost.oidc` takes; reads the secret."""

from __future__ import annotations

from siegelpost.oidc.settings import OidcSettings
from siegelpost.service.errors import SettingsError
from siegelpost.service.settings import OidcPart


def oidc_settings(part: OidcPart, *, name: str, redirect_uri: str) -> OidcSettings | None:
    """The registration ``name`` (portal, console), or None if there is none.

    Raises SettingsError if it cannot work.
    """
    if not part.issuer:
        return None
    try:
        secret = None
        if part.client_secret_file is not None:
            secret = part.client_secret_file.read_text("utf-8").strip()
        return OidcSettings(
            name=name,
            issuer=part.issuer,
            client_id=part.client_id,
            client_secret=secret,
            redirect_uri=redirect_uri,
            scopes=tuple(part.scopes),
            acr_values=tuple(part.acr_values),
            ca_file=part.ca_file,
        )
    except (OSError, ValueError) as error:
        raise SettingsError(f"login at {part.issuer} for the {name}: {error}") from error

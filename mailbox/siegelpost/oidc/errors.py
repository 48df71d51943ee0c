"""How a login at a provider can fail; no HTTP here, and nothing personal in any text."""

from __future__ import annotations


class OidcError(Exception):
    """Root of this package's errors; the text is for engineers."""


class ProviderUnavailable(OidcError):
    """The provider is out of reach, too slow, or answers with an error; trying again may help."""

    def __init__(self, reason: str, *, error: str | None = None) -> None:
        """Keep the provider's error code of RFC 6749 5.2, if it gave one."""
        super().__init__(reason)
        #: ``invalid_grant``, ``invalid_client``, …
        self.error = error


class ProviderMisconfigured(OidcError):
    """What the provider publishes does not fit the settings; an operator must look."""


class AnswerRefused(OidcError):
    """The browser came back with an answer that is not to a question of ours, or not in time.

    Also for answers that were used before; whoever logs in begins again.
    """


class LoginAbandoned(OidcError):
    """The provider says that nobody logged in (RFC 6749, 4.1.2.1)."""

    def __init__(self, error: str) -> None:
        """Keep the provider's code if it is one of the standard's characters, else its absence."""
        known = error if error.isascii() and error.replace("_", "").isalnum() else "malformed"
        super().__init__(f"the provider refused: {known[:60]}")
        #: ``access_denied``, ``login_required``, …
        self.error = known[:60]


class TokenRefused(OidcError):
    """The id_token does not hold."""

    def __init__(self, step: str, reason: str) -> None:
        """Name the step of `id_token.check_id_token` that failed, and why."""
        super().__init__(f"{step}: {reason}")
        #: name of the step
        self.step = step
        #: why, without the token's contents
        self.reason = reason

    def diagnostics(self) -> str:
        """What an engineer needs to know."""
        return f"id_token refused at step {self.step!r}: {self.reason}"

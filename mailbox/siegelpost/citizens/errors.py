"""What a citizen's use case can refuse, each with a stable code; no HTTP here (DESIGN section 12).

Texts are for engineers and hold no personal data; pages translate ``code``.
"""

from __future__ import annotations

from typing import ClassVar


class CitizenError(Exception):
    """Root of the errors of this package."""

    #: stable machine-readable name
    code: ClassVar[str] = "refused"


class InputInvalid(CitizenError):
    """A field is malformed; nothing was tried with it."""

    code = "input-invalid"

    def __init__(self, field: str, reason: str) -> None:
        """Name the ``field`` and why it is refused, without repeating its value."""
        super().__init__(f"{field}: {reason}")
        #: name of the field as in the call
        self.field = field


class AgencyUnknown(CitizenError):
    """No such agency."""

    code = "agency-unknown"


class EnrolmentActive(CitizenError):
    """The agency's reference is tied to a mailbox already; no new code is made."""

    code = "enrolment-active"


class TooManyTries(CitizenError):
    """Tried too often; the same for what exists and what does not."""

    code = "too-many-tries"

    def __init__(self, retry_after_seconds: int) -> None:
        """Tell in how many seconds the next try counts."""
        super().__init__("too many tries")
        #: at least 1
        self.retry_after_seconds = max(1, retry_after_seconds)


class ActivationRefused(CitizenError):
    """Letter code and birth date do not belong together, or the code does not exist."""

    code = "activation-refused"


class ActivationLocked(CitizenError):
    """Too many wrong birth dates: this letter code is dead, the agency sends a new letter."""

    code = "activation-locked"


class ActivationExpired(CitizenError):
    """The letter code was right but is too old; the agency sends a new letter."""

    code = "activation-expired"


class ActivationUsed(CitizenError):
    """The letter code was right but has been used; the citizen can log in."""

    code = "activation-used"


class ActivationOver(CitizenError):
    """No activation is under way for this cookie: it never began, ran out or was finished."""

    code = "activation-over"


class AddressUnconfirmed(CitizenError):
    """The step needs an e-mail address confirmed with its code."""

    code = "address-unconfirmed"


class AddressCodeWrong(CitizenError):
    """The code from the e-mail is wrong or too old; a new one can be asked for."""

    code = "address-code-wrong"


class ConsentMissing(CitizenError):
    """Without consent to electronic delivery there is no mailbox; letters keep coming by post."""

    code = "consent-missing"


class ConsentUnknown(CitizenError):
    """There is no such consent in force."""

    code = "consent-unknown"


class LoginNameTaken(CitizenError):
    """Another mailbox uses this login name."""

    code = "login-name-taken"


class LoginNameForeign(CitizenError):
    """The login name looks like an e-mail address other than the one just confirmed."""

    code = "login-name-foreign"


class KeyBindingWrong(CitizenError):
    """The keys, their wrapped copies or the signature that binds them do not hold."""

    code = "key-binding-wrong"


class EnrolmentUnknown(CitizenError):
    """The agency has no such enrolment; the same for foreign and unknown ids."""

    code = "enrolment-unknown"


class EnrolmentInactive(CitizenError):
    """Nobody has activated the enrolment, so there is no key to renew."""

    code = "enrolment-inactive"


class InvitationUnknown(CitizenError):
    """No invitation waits for this code: it never was one, was used, ran out or was called off."""

    code = "invitation-unknown"


class MandateUnknown(CitizenError):
    """There is no such mandate of this mailbox; the same for foreign and unknown ids."""

    code = "mandate-unknown"


class MandateClosed(CitizenError):
    """The mandate cannot be given: nobody came with the code yet, or it is over."""

    code = "mandate-closed"


class NotManaged(CitizenError):
    """The service keeps no key of this mailbox."""

    code = "not-managed"


class KeyOutdated(CitizenError):
    """The key to be exchanged is not the one in force: another exchange was faster."""

    code = "key-outdated"


class LoginRefused(CitizenError):
    """Login name and passphrase do not belong together, or the name does not exist."""

    code = "login-refused"


class LoginStepOver(CitizenError):
    """No login waits for a second factor: none began, it ran out, or codes were wrong too often."""

    code = "login-step-over"


class LoginCodeWrong(CitizenError):
    """The code of the app or the mail is wrong, too old, or was used before."""

    code = "login-code-wrong"


class SecondFactorUnavailable(CitizenError):
    """No address of the mailbox takes mail, and no app is set up: the recovery code is left."""

    code = "second-factor-unavailable"


class TotpActive(CitizenError):
    """An authenticator app is set up already; it is removed before another takes its place."""

    code = "totp-active"


class AccountUnlinked(CitizenError):
    """The account elsewhere is linked to no mailbox."""

    code = "account-unlinked"


class AccountTaken(CitizenError):
    """The account elsewhere is linked to another mailbox, or there are too many of them."""

    code = "account-taken"


class ProofNeeded(CitizenError):
    """The step needs a proof of the login that is no older than ten minutes."""

    code = "proof-needed"


class PasskeyRefused(CitizenError):
    """The new passkey does not hold, or is registered already."""

    code = "passkey-refused"


class PasskeyUnknown(CitizenError):
    """The mailbox has no such passkey."""

    code = "passkey-unknown"


class SessionOver(CitizenError):
    """Nobody is logged in with this cookie: it never was one, ran out or was ended."""

    code = "session-over"

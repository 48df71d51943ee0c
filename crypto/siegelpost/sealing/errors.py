"""Errors of the sealing package (DESIGN sections 5, 6 and 12).

One root, `SealingError`; each class is one thing that can be wrong, so that callers (and the age
test vectors) tell a foreign file from a damaged one by class.
Texts hold no plaintext, no key and no file name.
"""

from __future__ import annotations


class SealingError(Exception):
    """Root of every error that this package raises on purpose."""

    #: What this class of failure means, for a person who reads a log or a report.
    meaning = "the sealed data could not be handled"

    def diagnostics(self) -> dict[str, str]:
        """What a person needs to understand the failure, as short labelled texts."""
        return {"reason": str(self), "meaning": self.meaning}


class KeyFormatError(SealingError):
    """A key or its Bech32 text is malformed."""

    meaning = "the text or the bytes are no key of the kind that is needed here"


class RecipientError(SealingError):
    """Nobody, or too many, to seal to."""

    meaning = "a sealed file needs between one and a limited number of recipients"


class HeaderError(SealingError):
    """The age header is malformed, too large, or a stanza breaks its type's rules."""

    meaning = "the file is no well-formed age v1 file, or was cut before its payload"


class NoMatch(SealingError):
    """No identity opens any stanza."""

    meaning = "the file is well formed, but was sealed to other keys"


class MacError(SealingError):
    """The file key opened, but the header MAC does not verify."""

    meaning = "the header was changed after sealing"


class PayloadError(SealingError):
    """A payload chunk does not authenticate, or the payload ends too early or too late."""

    meaning = "the payload was changed, cut or extended after sealing"


class TooLarge(SealingError):
    """The data exceed a limit of this package."""

    meaning = "the data are larger than this format allows"


class PackageError(SealingError):
    """The plaintext is not the one ZIP that the manifest describes."""

    meaning = "files in the package are missing, added, renamed, changed or packed differently"


class ManifestError(SealingError):
    """The manifest is malformed, or speaks of another notice, mailbox, agency or cover."""

    meaning = "the package does not describe the notice that was asked for"


class ManifestSignatureError(ManifestError):
    """The manifest carries no valid signature of the agency's manifest key."""

    meaning = "the package does not come from the agency, or was changed since"


class CoverError(SealingError):
    """The cover is malformed or not the one that the package names."""

    meaning = "the cover cannot be shown, or was exchanged"


class WrappingError(SealingError):
    """A wrapped seed does not open, or its parts have the wrong form."""

    meaning = "wrong passphrase, code or passkey, or a copy of another mailbox, key or method"


class RecoveryCodeError(SealingError):
    """The typed recovery code cannot be one of ours."""

    meaning = "a character of the recovery code is wrong or missing"

"""Errors of the evidence package (DESIGN sections 7 and 12).

One root, `EvidenceError`; verification raises, it never returns False.
Log errors carry the proof or checkpoints that show the defect, so that they can be handed on.
Texts may hold ids and digests, never personal data.
"""

from __future__ import annotations

from collections.abc import Mapping


class EvidenceError(Exception):
    """Root of every error that this package raises on purpose."""

    def diagnostics(self) -> dict[str, str]:
        """What a person needs to understand the failure, as short labelled texts."""
        return {"reason": str(self)}


class FormatError(EvidenceError):
    """The input is not in the form that its specification demands."""


class CanonicalError(FormatError):
    """A value has no canonical JSON form, or the bytes are not in it (RFC 8785)."""


class NoteError(FormatError):
    """The text is not a well-formed signed note (c2sp.org/signed-note)."""


class SignatureError(EvidenceError):
    """A signature is missing, comes from unknown keys only, or does not verify."""


class LogError(EvidenceError):
    """The Merkle log contradicts itself or a proof; `evidence` holds the parts that show it."""

    def __init__(self, reason: str, *, evidence: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        #: Labelled parts (hex hashes, sizes, checkpoint notes) that prove the defect.
        self.evidence: dict[str, str] = dict(evidence or {})

    def diagnostics(self) -> dict[str, str]:
        return {**super().diagnostics(), **self.evidence}


class InclusionError(LogError):
    """An inclusion proof does not lead from the leaf to the root (RFC 9162, 2.1.3.2)."""


class ConsistencyError(LogError):
    """Two tree heads are not heads of one append-only log (RFC 9162, 2.1.4.2)."""


class VerificationError(EvidenceError):
    """A receipt failed at one numbered step of `siegelpost.evidence.verify`.

    `message_de` and `message_en` are plain sentences for legal staff; `reason` is for engineers.
    """

    def __init__(
        self,
        *,
        step: int,
        name: str,
        code: str,
        reason: str,
        message_de: str,
        message_en: str,
        evidence: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"step {step} ({name}): {reason}")
        #: Number of the step, counted from 1, as in the docstring of `verify`.
        self.step = step
        #: Stable machine-readable name of the step.
        self.name = name
        #: Stable machine-readable kind of the failure, unique over all steps.
        self.code = code
        #: Exact technical reason, English.
        self.reason = reason
        #: German explanation for legal staff.
        self.message_de = message_de
        #: English explanation for legal staff.
        self.message_en = message_en
        #: Labelled parts that show the defect.
        self.evidence: dict[str, str] = dict(evidence or {})

    def diagnostics(self) -> dict[str, str]:
        return {
            "step": str(self.step),
            "name": self.name,
            "code": self.code,
            "reason": self.reason,
            **self.evidence,
        }

"""Seals: the service's signature over a whole receipt (DESIGN section 7). Step 16 of `verify`.

A signed note whose text is one line of canonical JSON with the SHA-256 of the receipt, by the key
that signs acceptances. Proofs show that events are in the log; the seal says that they were all
that there was for this notice when the receipt was made, when that was, and what was computed.
It is the service's word at that time: a later event needs a later receipt.
"""

from __future__ import annotations

from dataclasses import replace

from siegelpost.evidence import canonical
from siegelpost.evidence.errors import FormatError, SignatureError
from siegelpost.evidence.explanations import failure
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.notes import Signer, open_note, sign_note
from siegelpost.evidence.receipt import Receipt, receipt_digest
from siegelpost.evidence.redacted import RedactedReceipt, redacted_digest
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import Purpose, Trust

FORMAT = "siegelpost/seal/v1"


def seal_receipt(receipt: Receipt, signer: Signer) -> Receipt:
    """The receipt with its seal; one that it had before is replaced."""
    return replace(receipt, seal=_seal(receipt_digest(receipt), signer))


def seal_redacted(receipt: RedactedReceipt, signer: Signer) -> RedactedReceipt:
    """Likewise for a redacted receipt: what is stated of withheld events is the service's word."""
    seal = _seal(redacted_digest(receipt), signer)
    return replace(receipt, frame=replace(receipt.frame, seal=seal))


def check_seal(receipt: Receipt, trust: Trust, digest: bytes | None = None) -> None:
    """Step 16: the seal is of this receipt, by a key in force when the receipt was made.

    `digest` is of the redacted receipt whose frame `receipt` is. A key that was stolen later does
    not count here, as nothing dates a seal from outside.
    """
    if receipt.seal is None:
        raise failure("seal-missing", "the receipt has no seal")
    try:
        opened = open_note(receipt.seal, trust.verifiers(Purpose.ACCEPTANCE, receipt.agency))
        fields = Fields(
            canonical.decode(opened.text.removesuffix("\n").encode("utf-8")),
            "seal",
            required=("format", "receipt_sha256"),
        )
        fields.expect("format", FORMAT)
        sealed = fields.hex("receipt_sha256", size=32)
    except SignatureError as error:
        raise failure("seal-signature", error) from error
    except FormatError as error:
        raise failure("seal-malformed", error) from error
    digest = receipt_digest(receipt) if digest is None else digest
    if sealed != digest:
        raise failure("seal-differs", f"seal of {sealed.hex()}, receipt {digest.hex()}")
    keys = [trust.key_of(Purpose.ACCEPTANCE, signature) for signature in opened.signatures]
    sound = [key for key in keys if key.compromised_at is None]
    if not sound:
        raise failure("seal-key-compromised", f"{keys[0].verifier.vkey} is compromised")
    if not any(key.in_force(receipt.made_at) for key in sound):
        raise failure(
            "seal-key-validity",
            f"{sound[0].verifier.vkey} is not in force at {format_time(receipt.made_at)}",
        )


def _seal(digest: bytes, signer: Signer) -> str:
    text = canonical.encode({"format": FORMAT, "receipt_sha256": digest.hex()})
    return sign_note(text.decode("utf-8") + "\n", signer)

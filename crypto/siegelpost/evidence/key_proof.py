"""Key proofs: that a mailbox's key is bound in the log, shown to who seals to it or reads by it.

An agency that seals on its own side must not take the service's word for the key. The service hands
out the key-bound event with its inclusion proof; whoever has the trust file checks:

1. The proof leads to a checkpoint of the log's own key, cosigned as the trust file demands.
2. The event is under it: binding this key is public to all who watch the log, for ever.
3. It is the key-bound event of the expected mailbox.
4. The bound key signed the binding itself.
5. The recipient is the bound one.

What the caller still owes: that the mailbox is this citizen's is the service's word (the letter's
code and the birth date stand behind it); whoever dispatched to it before can compare the mailbox.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from siegelpost.evidence import key_binding
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.commitments import commitment
from siegelpost.evidence.cosignature import cosignatures
from siegelpost.evidence.errors import FormatError, SignatureError
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import MailboxId
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.proofs import MAX_PROOF, parse_proof, verify_proof
from siegelpost.evidence.trust import Purpose, Trust


@dataclass(frozen=True, kw_only=True)
class KeyProof:
    """A key-bound event with all that proves it. Nothing of it is to be believed before."""

    #: Canonical JSON, exactly as committed to.
    body: bytes
    #: 32 bytes.
    salt: bytes
    #: tlog-proof text.
    proof: str

    def json(self) -> dict[str, Json]:
        """As the service hands it out."""
        return {
            "event": self.body.decode("utf-8"),
            "salt": self.salt.hex(),
            "proof": self.proof,
        }


def parse_key_proof(value: Json) -> KeyProof:
    """The parts of a proof as handed out; FormatError if malformed."""
    fields = Fields(value, "key proof", required=("event", "salt", "proof"))
    return KeyProof(
        body=fields.text("event").encode("utf-8"),
        salt=fields.hex("salt", size=32),
        proof=fields.text("proof", max_length=MAX_PROOF),
    )


def verify_key_proof(
    proof: KeyProof, trust: Trust, *, mailbox: MailboxId, recipient: str
) -> KeyBinding:
    """The binding of `recipient` (`age1pq1…`) to `mailbox`, after the steps above.

    Raises LogError, InclusionError, SignatureError, NoteError or FormatError with what is wrong.
    """
    binding = verify_binding(proof, trust, mailbox=mailbox)
    # 5.
    if hashlib.sha256(recipient.encode("ascii", "replace")).digest() != binding.recipient_sha256:
        raise SignatureError("the recipient is another key than the one that the log has bound")
    return binding


def verify_binding(proof: KeyProof, trust: Trust, *, mailbox: MailboxId | None) -> KeyBinding:
    """The binding to `mailbox`, whichever it is if None, after steps 1 to 4.

    For whoever checks what the key signed, and seals nothing to it. Raises as above.
    """
    # 1. and 2.
    parsed = parse_proof(proof.proof)
    log_keys = [
        key.verifier
        for key in trust.keys
        if key.purpose is Purpose.LOG and key.compromised_at is None
    ]
    verify_proof(parsed, commitment(proof.salt, proof.body), trust.origin, log_keys)
    cosigned = cosignatures(parsed.checkpoint, trust.policy.keys)
    if not trust.policy.satisfied_by([item.witness for item in cosigned]):
        raise SignatureError("the witnesses that the trust file demands have not cosigned")
    # 3.
    event = parse_event(proof.body)
    bound_to = event.mailbox
    if event.type is not EventType.KEY_BOUND or bound_to is None or mailbox not in (None, bound_to):
        raise FormatError(f"the event is {event.type.value} of {event.subject}")
    # 4.
    binding, signature = key_binding.from_facts(event.facts, mailbox=bound_to)
    binding.verify(signature)
    return binding

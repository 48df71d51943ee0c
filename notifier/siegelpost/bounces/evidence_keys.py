"""Whose key an incoming message is sealed to: see `siegelpost.keyring.evidence_keys`."""

from siegelpost.keyring.evidence_keys import evidence_identities, evidence_recipient

__all__ = ["evidence_identities", "evidence_recipient"]

"""The one place that meets the ``webauthn`` library: answers of authenticators, checked.

User verification (fingerprint, face, PIN) is required, attestation is not asked for: which make a
citizen's phone is, is none of our business. What breaks inside the library counts as refused.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from siegelpost.citizens.errors import InputInvalid, LoginRefused, PasskeyRefused

#: Longest credential id (Web Authentication 3, 5.8.3 says 1023).
CREDENTIAL_LIMIT = 1023


@dataclass(frozen=True, kw_only=True)
class RelyingParty:
    """Who we are towards authenticators."""

    #: host name, without port
    id: str
    #: origins that pages may have
    origins: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """What a browser sends to log in."""

    #: which credential
    credential: bytes
    #: JSON as the browser made it
    client_data: bytes
    #: as the authenticator made it
    authenticator_data: bytes
    #: over both
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class Attestation:
    """What a browser sends of a new passkey."""

    #: its id
    credential: bytes
    #: JSON as the browser made it
    client_data: bytes
    #: CBOR as the authenticator made it
    attestation_object: bytes


def check_credential(credential: bytes) -> None:
    """InputInvalid unless the id of a credential has a lawful length."""
    if not 1 <= len(credential) <= CREDENTIAL_LIMIT:
        raise InputInvalid("credential", f"not 1 to {CREDENTIAL_LIMIT} bytes")


def challenge_of(client_data: bytes) -> bytes:
    """The challenge that an answer names; LoginRefused if it is malformed. Not yet checked."""
    try:
        return parse_client_data_json(client_data).challenge
    except Exception as error:
        raise LoginRefused("malformed client data") from error


def check_attestation(
    party: RelyingParty, attestation: Attestation, challenge: bytes
) -> tuple[bytes, int]:
    """Public key (COSE) and sign counter of a new passkey; PasskeyRefused."""
    try:
        verified = verify_registration_response(
            credential=RegistrationCredential(
                id=_url(attestation.credential),
                raw_id=attestation.credential,
                response=AuthenticatorAttestationResponse(
                    client_data_json=attestation.client_data,
                    attestation_object=attestation.attestation_object,
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
    except Exception as error:
        raise PasskeyRefused("the new passkey does not hold") from error
    if verified.credential_id != attestation.credential:
        raise PasskeyRefused("the passkey names two ids")
    return verified.credential_public_key, verified.sign_count


def check_assertion(
    party: RelyingParty,
    assertion: Assertion,
    challenge: bytes,
    *,
    public_key: bytes,
    sign_count: int,
) -> int:
    """The new sign counter; LoginRefused, also for a counter that went back (a copied key)."""
    try:
        verified = verify_authentication_response(
            credential=AuthenticationCredential(
                id=_url(assertion.credential),
                raw_id=assertion.credential,
                response=AuthenticatorAssertionResponse(
                    client_data_json=assertion.client_data,
                    authenticator_data=assertion.authenticator_data,
                    signature=assertion.signature,
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except Exception as error:
        raise LoginRefused("the passkey's answer does not hold") from error
    return verified.new_sign_count


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")

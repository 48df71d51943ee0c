"""Tokens: who gets one, for what, for how long, and who does not."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwk, jwt

from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from tests.support.agencies import Agency, Citizen
from tests.support.dispatches import BASE_URL, ApiClient, dispatch_body, notice_json

pytestmark = pytest.mark.anyio

TOKEN_URL = f"{BASE_URL}/oauth/token"


async def refused(answer: Any, error: str, status: int) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error_description"]


async def test_token_lives_ten_minutes_and_no_longer(
    api: ApiClient, clock: VirtualClock, alice: Citizen
) -> None:
    answer = await api.ask_token()
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await api.http.get("/v1/notices/none", headers=headers)).status_code == 404
    clock.advance(timedelta(seconds=599))
    assert (await api.http.get("/v1/notices/none", headers=headers)).status_code == 404
    clock.advance(timedelta(seconds=1))
    late = await api.http.get("/v1/notices/none", headers=headers)
    assert late.status_code == 401
    assert late.json()["type"] == "urn:siegelpost:problem:token-invalid"
    assert late.headers["www-authenticate"].startswith("Bearer")


async def test_assertion_is_taken_once(api: ApiClient, context: Context, agency: Agency) -> None:
    assertion = agency.assertion(context.now().timestamp(), audience=TOKEN_URL)
    assert (await api.send_assertion(assertion)).status_code == 200
    await refused(await api.send_assertion(assertion), "invalid_client", 401)


async def test_used_assertions_are_forgotten_once_they_have_expired(
    api: ApiClient, context: Context, clock: VirtualClock
) -> None:
    used = tables.core(tables.UsedAssertion)
    for _ in range(3):
        await api.ask_token()
        clock.advance(timedelta(minutes=10))
    rows = await context.store.read(lambda connection: connection.execute(used.select()).all())
    assert len(rows) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example"},
        {"aud": [TOKEN_URL, "https://other.example"]},
        {"aud": None},
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 201},
        {"jti": 7},
        {"jti": "a\0b"},
        {"iss": "a\0b"},
        {"exp": "soon"},
        {"exp": 1.5},
        {"exp": True},
        {"nbf": 4_000_000_000},
        {"nbf": "later"},
    ],
)
async def test_assertion_with_wrong_claims_is_refused(
    api: ApiClient, claims: dict[str, Any]
) -> None:
    await refused(await api.ask_token(**claims), "invalid_client", 401)


@pytest.mark.parametrize(("issued", "expires"), [(-120, -60), (0, 301), (90, 120), (0, 0), (10, 5)])
async def test_assertion_out_of_its_time_is_refused(
    api: ApiClient, context: Context, issued: int, expires: int
) -> None:
    now = int(context.now().timestamp())
    answer = await api.ask_token(iat=now + issued, exp=now + expires)
    await refused(answer, "invalid_client", 401)


async def test_both_audiences_are_good(api: ApiClient) -> None:
    for audience in (BASE_URL, TOKEN_URL, [TOKEN_URL]):
        assert (await api.ask_token(aud=audience)).status_code == 200


async def test_assertion_signed_by_another_key_is_refused(
    api: ApiClient, context: Context, agency: Agency
) -> None:
    forger = Agency(id=agency.id, client_id=agency.client_id, key=Ed25519PrivateKey.generate())
    assertion = forger.assertion(context.now().timestamp(), audience=TOKEN_URL)
    await refused(await api.send_assertion(assertion), "invalid_client", 401)


def _b64(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("claim", ["iss", "jti"])
async def test_half_a_character_in_a_claim_is_refused(
    api: ApiClient, context: Context, agency: Agency, claim: str
) -> None:
    head, payload, _ = agency.assertion(context.now().timestamp(), audience=TOKEN_URL).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    signed = f"{head}.{_b64(claims | {claim: chr(0xD800)})}"
    assertion = f"{signed}.{_b64(agency.key.sign(signed.encode()))}"
    await refused(await api.send_assertion(assertion), "invalid_client", 401)


async def test_algorithm_none_and_the_public_key_as_secret_are_refused(
    api: ApiClient, context: Context, agency: Agency
) -> None:
    good = agency.assertion(context.now().timestamp(), audience=TOKEN_URL)
    claims = good.split(".")[1]
    await refused(
        await api.send_assertion(f"{_b64({'alg': 'none'})}.{claims}."), "invalid_client", 401
    )
    secret = jwk.OctKey.import_key(agency.key.public_key().public_bytes_raw())
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = jwt.encode({"alg": "HS256"}, decoded, secret, algorithms=["HS256"])
    await refused(await api.send_assertion(forged), "invalid_client", 401)


@pytest.mark.parametrize(
    "assertion", ["", "a", "a.b", "a.b.c", "....", "a." + "A" * 9000 + ".c", "a.bnVsbA.c"]
)
async def test_garbage_is_no_assertion(api: ApiClient, assertion: str) -> None:
    await refused(await api.send_assertion(assertion), "invalid_client", 401)


async def test_unknown_and_disabled_clients_get_the_same_answer(
    api: ApiClient, context: Context, agency: Agency
) -> None:
    client = tables.core(tables.ApiClient)
    stranger = Agency(id=agency.id, client_id="stranger", key=agency.key)
    unknown = await api.send_assertion(
        stranger.assertion(context.now().timestamp(), audience=TOKEN_URL)
    )
    await context.store.write(
        lambda connection: connection.execute(client.update().values(disabled_at=context.now()))
    )
    disabled = await api.ask_token()
    await refused(unknown, "invalid_client", 401)
    assert unknown.content == disabled.content


async def test_only_granted_scopes_are_given(
    api: ApiClient, context: Context, alice: Citizen
) -> None:
    client = tables.core(tables.ApiClient)
    await context.store.write(
        lambda connection: connection.execute(
            client.update().values(scopes="notices:read receipts:read")
        )
    )
    await refused(await api.ask_token(scope="notices:write"), "invalid_scope", 400)
    assert (await api.ask_token(scope="")).json()["scope"] == "notices:read receipts:read"
    assert (await api.ask_token(scope="notices:read")).json()["scope"] == "notices:read"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/notices", "notices:read"),
        ("POST", "/v1/enrolments", "notices:write"),
        ("GET", "/v1/notices/x", "notices:write"),
        ("GET", "/v1/notices/x/receipt", "notices:read"),
    ],
)
async def test_every_call_needs_its_own_scope(
    api: ApiClient, method: str, path: str, scope: str
) -> None:
    answer = await api.http.request(method, path, headers=await api.headers(scope=scope))
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:siegelpost:problem:scope-missing"
    bare = await api.http.request(method, path)
    assert (bare.status_code, bare.json()["type"]) == (401, "urn:siegelpost:problem:token-missing")


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Basic eA==", "Bearer x", "Bearer a.b.c", "Bearer " + "x" * 3000],
)
async def test_malformed_tokens_are_refused(api: ApiClient, authorization: str) -> None:
    answer = await api.http.get("/v1/notices/x", headers={"Authorization": authorization})
    assert answer.json()["type"] == "urn:siegelpost:problem:token-invalid"


async def test_changed_token_and_client_assertion_are_no_access_tokens(
    api: ApiClient, context: Context, agency: Agency
) -> None:
    token = (await api.ask_token()).json()["access_token"]
    head, claims, signature = token.split(".")
    other = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    other["agency"] = "another"
    for forged in (
        f"{head}.{_b64(other)}.{signature}",
        agency.assertion(context.now().timestamp(), audience=BASE_URL),
    ):
        answer = await api.http.get("/v1/notices/x", headers={"Authorization": f"Bearer {forged}"})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_secret": "x"}, "invalid_client"),
    ],
)
async def test_other_grants_and_secrets_are_not_offered(
    api: ApiClient, form: dict[str, str], error: str
) -> None:
    answer = await api.http.post("/oauth/token", data={**form, "x": "y"})
    assert answer.json()["error"] == error


async def test_token_form_is_read_strictly(api: ApiClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, headers in (
        (b"grant_type=client_credentials&grant_type=client_credentials", form),
        (b"{}", {"Content-Type": "application/json"}),
        (b"a=%ff%fe&b", form),
    ):
        answer = await api.http.post("/oauth/token", content=body, headers=headers)
        assert answer.json()["error"] == "invalid_request"
    large = await api.http.post("/oauth/token", content=b"a=" + b"x" * 70_000, headers=form)
    assert large.status_code == 413


async def test_token_of_one_agency_opens_nothing_of_another(
    api: ApiClient, alice: Citizen, charlies_agency: Agency
) -> None:
    made = (await api.dispatch(dispatch_body(notice_json(alice.enrolment_id)))).json()
    charlie = api.as_agency(charlies_agency)
    for path in (f"/v1/notices/{made['id']}", f"/v1/notices/{made['id']}/receipt"):
        foreign = await charlie.get(path)
        unknown = await charlie.get(
            path.replace(made["id"], "01a2076b-0000-7000-8000-000000000000")
        )
        assert foreign.status_code == unknown.status_code == 404
        assert {**foreign.json(), "request_id": 0} == {**unknown.json(), "request_id": 0}
        assert (await api.get(path)).status_code in (200, 409)

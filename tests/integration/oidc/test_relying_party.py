"""Login at a provider: who answers rightly is let in, and every lie is refused at its step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from siegelpost.oidc.errors import (
    AnswerRefused,
    LoginAbandoned,
    OidcError,
    ProviderMisconfigured,
    ProviderUnavailable,
    TokenRefused,
)
from siegelpost.oidc.relying_party import RelyingParty
from siegelpost.oidc.settings import OidcSettings
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from tests.support.oidc_providers import CLIENT_ID, CLIENT_SECRET, MockProvider, running_provider

pytestmark = pytest.mark.anyio

REDIRECT = "https://post.example.org/login/oidc/back"


@pytest.fixture
def provider(context: Context) -> Iterator[MockProvider]:
    """A provider that tells the same time as the service."""
    with running_provider(context.now) as provider:
        provider.redirect_uris.add(REDIRECT)
        yield provider


def settings_for(provider: MockProvider, **changes: object) -> OidcSettings:
    values: dict[str, object] = {
        "name": "portal",
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": REDIRECT,
        **changes,
    }
    return OidcSettings(**values)  # type: ignore[arg-type]  # names and types as in the class


def party_for(context: Context, provider: MockProvider, **changes: object) -> RelyingParty:
    return RelyingParty(context, settings_for(provider, **changes))


async def test_who_logs_in_is_known_by_issuer_and_subject(
    context: Context, provider: MockProvider
) -> None:
    provider.claims = {"groups": ["recht"], "acr": "substantial"}
    party = party_for(context, provider)
    begun = await party.begin(note="/notices/0")
    done = await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))
    assert (done.identity.issuer, done.identity.subject) == (provider.issuer, "alice-123")
    assert done.note == "/notices/0"
    assert done.identity.claims["groups"] == ["recht"]
    assert done.identity.acr == "substantial"


async def test_cookie_tells_neither_state_nor_nonce_nor_verifier(
    context: Context, provider: MockProvider
) -> None:
    begun = await party_for(context, provider).begin(note="x" * 60)
    query = parse_qs(urlsplit(begun.location).query)
    assert len(begun.cookie) <= 200
    assert len({query[name][0] for name in ("state", "nonce", "code_challenge")}) == 3
    assert all(query[name][0] not in begun.cookie for name in ("state", "nonce"))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_metadata_and_keys_are_fetched_once_and_new_keys_when_needed(
    context: Context, provider: MockProvider, clock: VirtualClock, algorithm: str
) -> None:
    provider.algorithm = algorithm
    party = party_for(context, provider)
    for _ in range(3):
        begun = await party.begin()
        await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))
    assert provider.asked.count("metadata") == provider.asked.count("keys") == 1
    provider.rotate()
    clock.advance(timedelta(minutes=2))
    begun = await party.begin()
    await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))
    assert provider.asked.count("keys") == 2


@pytest.mark.parametrize(
    ("twist", "step"),
    [
        ("alg-none", "algorithm"),
        ("alg-hs256", "algorithm"),
        ("foreign-key", "signature"),
        ("tampered", "signature"),
        ("wrong-issuer", "issuer"),
        ("wrong-audience", "audience"),
        ("several-audiences", "audience"),
        ("foreign-azp", "audience"),
        ("expired", "time"),
        ("from-the-future", "time"),
        ("not-yet", "time"),
        ("old", "time"),
        ("no-expiry", "time"),
        ("true-expiry", "time"),
        ("text-expiry", "time"),
        ("wrong-nonce", "nonce"),
        ("no-nonce", "nonce"),
        ("no-subject", "subject"),
        ("long-subject", "subject"),
        ("number-subject", "subject"),
    ],
)
async def test_token_that_lies_is_refused_at_its_step(
    context: Context, provider: MockProvider, twist: str, step: str
) -> None:
    party = party_for(context, provider)
    begun = await party.begin()
    provider.twist = twist
    with pytest.raises(TokenRefused) as refused:
        await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))
    assert refused.value.step == step
    assert "alice" not in refused.value.diagnostics()


@pytest.mark.parametrize("seconds", [-59, 59])
async def test_clocks_may_differ_by_a_minute(
    context: Context, provider: MockProvider, seconds: int
) -> None:
    provider.now = lambda: context.now() + timedelta(seconds=seconds)
    party = party_for(context, provider)
    begun = await party.begin()
    await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))


async def test_answer_is_taken_once(context: Context, provider: MockProvider) -> None:
    party = party_for(context, provider)
    begun = await party.begin()
    answer = provider.approve(begun.location)
    await party.finish(cookie=begun.cookie, answer=answer)
    with pytest.raises(AnswerRefused, match="used before"):
        await party.finish(cookie=begun.cookie, answer=answer)


async def test_code_of_another_login_is_worthless(context: Context, provider: MockProvider) -> None:
    party = party_for(context, provider)
    charlie, alice = await party.begin(), await party.begin()
    stolen = provider.approve(alice.location)
    own = provider.approve(charlie.location, subject="charlie")
    with pytest.raises(AnswerRefused, match="does not take the code"):
        await party.finish(cookie=charlie.cookie, answer=own | {"code": stolen["code"]})


async def test_nobody_is_logged_in_with_somebody_elses_answer(
    context: Context, provider: MockProvider
) -> None:
    party = party_for(context, provider)
    charlie, alice = await party.begin(), await party.begin()
    with pytest.raises(AnswerRefused, match="state"):
        await party.finish(
            cookie=alice.cookie, answer=provider.approve(charlie.location, subject="charlie")
        )
    for cookie in (None, "", "portal.0..x.y", "a" * 300, "portal.1.2.3.4", "é.1...", "...."):
        with pytest.raises(AnswerRefused):
            await party.finish(cookie=cookie, answer=provider.approve(alice.location))


async def test_note_and_age_cannot_be_changed_on_the_way(
    context: Context, provider: MockProvider
) -> None:
    party = party_for(context, provider)
    begun = await party.begin(note="login", max_age=timedelta(0))
    name, at, age, note, random = begun.cookie.split(".")
    for forged in (
        (name, at, "", note, random),
        (name, at, age, "bGluaw", random),
        (name, str(int(at) + 60), age, note, random),
    ):
        with pytest.raises(AnswerRefused):
            await party.finish(cookie=".".join(forged), answer=provider.approve(begun.location))


async def test_cookie_of_one_registration_is_nothing_to_another(
    context: Context, provider: MockProvider
) -> None:
    portal, console = party_for(context, provider), party_for(context, provider, name="console")
    begun = await portal.begin()
    with pytest.raises(AnswerRefused):
        await console.finish(cookie=begun.cookie, answer=provider.approve(begun.location))


@pytest.mark.parametrize("twist", ["mix-up", "no-issuer"])
async def test_answer_of_another_issuer_is_refused_before_its_code_is_used(
    context: Context, provider: MockProvider, twist: str
) -> None:
    party = party_for(context, provider)
    begun = await party.begin()
    provider.twist = twist
    with pytest.raises(AnswerRefused, match="issuer"):
        await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))
    assert "token" not in provider.asked


async def test_late_answer_is_refused(
    context: Context, provider: MockProvider, clock: VirtualClock
) -> None:
    party = party_for(context, provider)
    begun = await party.begin()
    answer = provider.approve(begun.location)
    clock.advance(timedelta(minutes=10))
    with pytest.raises(AnswerRefused, match="too long"):
        await party.finish(cookie=begun.cookie, answer=answer)


async def test_refusal_by_the_provider_is_told_apart(
    context: Context, provider: MockProvider
) -> None:
    party = party_for(context, provider)
    begun = await party.begin()
    provider.twist = "refuses"
    with pytest.raises(LoginAbandoned) as abandoned:
        await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))
    assert abandoned.value.error == "access_denied"
    assert LoginAbandoned("<script>").error == "malformed"


@pytest.mark.parametrize("twist", ["ignores-max-age", "no-auth-time"])
async def test_old_login_does_not_count_as_a_fresh_one(
    context: Context, provider: MockProvider, twist: str
) -> None:
    provider.authenticated_seconds_ago = 3600
    party = party_for(context, provider)
    begun = await party.begin(max_age=timedelta(0))
    await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))
    provider.twist = twist
    begun = await party.begin(max_age=timedelta(0))
    with pytest.raises(TokenRefused) as refused:
        await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))
    assert refused.value.step == "login"


async def test_level_of_assurance_that_is_asked_for_must_be_given(
    context: Context, provider: MockProvider
) -> None:
    party = party_for(context, provider, acr_values=("substantial", "high"))
    for acr, right in (("high", True), ("low", False), (None, False), (["high"], False)):
        provider.claims = {"acr": acr}
        begun = await party.begin()
        answer = provider.approve(begun.location)
        if right:
            await party.finish(cookie=begun.cookie, answer=answer)
        else:
            with pytest.raises(TokenRefused):
                await party.finish(cookie=begun.cookie, answer=answer)


@pytest.mark.parametrize(
    ("twist", "error"),
    [
        ("slow", ProviderUnavailable),
        ("huge", ProviderMisconfigured),
        ("redirects", ProviderUnavailable),
        ("not-json", ProviderMisconfigured),
        ("other-metadata", ProviderMisconfigured),
        ("plain-endpoint", ProviderMisconfigured),
        ("no-pkce", ProviderMisconfigured),
        ("no-keys", ProviderMisconfigured),
    ],
)
async def test_provider_that_cannot_be_used_is_refused_with_its_reason(
    context: Context, provider: MockProvider, twist: str, error: type[OidcError]
) -> None:
    provider.twist = twist
    # A busy machine alone must not look like a slow provider.
    patience = {"seconds": 1.0} if twist == "slow" else {}
    with pytest.raises(error):
        await party_for(context, provider, **patience).begin()
    provider.twist = ""
    await party_for(context, provider).begin()


async def test_provider_without_token_or_with_another_secret_is_the_operators_matter(
    context: Context, provider: MockProvider
) -> None:
    party = party_for(context, provider)
    begun = await party.begin()
    provider.twist = "no-token"
    with pytest.raises(ProviderMisconfigured):
        await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))
    provider.twist = ""
    party = party_for(context, provider, client_secret="another")
    begun = await party.begin()
    with pytest.raises(ProviderMisconfigured, match="client"):
        await party.finish(cookie=begun.cookie, answer=provider.approve(begun.location))


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "http://id.example.org"},
        {"issuer": "https://user@id.example.org"},
        {"redirect_uri": "javascript:alert(1)"},
        {"scopes": ("profile",)},
        {"algorithms": ("none",)},
        {"algorithms": ("HS256",)},
        {"name": "a.b"},
    ],
)
def test_settings_that_cannot_be_safe_are_refused(changes: dict[str, object]) -> None:
    provider = MockProvider(issuer="https://id.example.org", now=lambda: None)  # type: ignore[arg-type, return-value]  # never asked
    settings_for(provider)
    with pytest.raises(ValueError):  # noqa: PT011 - each for its own reason
        settings_for(provider, **changes)

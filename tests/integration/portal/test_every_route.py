"""Rules for every route of the portal: the router is walked, so that a new one is not forgotten."""

from __future__ import annotations

import re

from siegelpost.portal.app import ROUTES
from siegelpost.portal.pages import safe_next
from tests.support.portal import ADDRESS, Town

POSTS = sorted(path for method, path, _ in ROUTES if method == "POST")
GETS = sorted(path for method, path, _ in ROUTES if method == "GET")
#: Pages and answers that everybody may have; whatever is not here needs a session.
OPEN = {
    *("/", "/activate", "/login", "/recover", "/lost"),
    *("/invitation", "/login/oidc/back", "/barrierefreiheit", "/assets"),
}


def filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "0193-unknown", path)


def cookie_header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


async def test_no_answer_may_be_framed_sniffed_or_kept(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    for method, path, _ in ROUTES:
        answer = await town.client.request(
            method,
            filled(path),
            headers={"Cookie": cookie_header(alice.cookies), "Accept": "text/html"},
        )
        headers = answer.headers
        assert headers["x-frame-options"] == "DENY", path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert "form-action 'self'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert headers["cross-origin-resource-policy"] == "same-origin", path
        assert headers["cache-control"].split(",")[0] in ("no-store", "private"), path
        if "private" in headers["cache-control"]:
            assert "no-cache" in headers["cache-control"], path
        # 503 is an answer, too: PDF receipts of a service without a seal.
        assert answer.status_code < 500 or answer.status_code == 503, path
        if "html" in headers.get("content-type", ""):
            assert "charset=utf-8" in headers["content-type"].lower(), path


async def test_nothing_changes_at_another_site_s_wish(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    await alice.load("/inbox")
    sound = {
        "Cookie": cookie_header(alice.cookies),
        "Content-Type": "application/json",
        "Origin": ADDRESS,
        "Sec-Fetch-Site": "same-origin",
        "X-Siegelpost-Form": alice.form_token,
    }
    forged: list[dict[str, str | None]] = [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.post.example.org", "Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": None},
        {"Origin": None, "Sec-Fetch-Site": None},
        {"X-Siegelpost-Form": None},
        {"X-Siegelpost-Form": "A" * 43},
    ]
    for path in POSTS:
        for changes in forged:
            headers = {n: v for n, v in (sound | changes).items() if v is not None}
            answer = await town.client.post(filled(path), headers=headers, content=b"{}")
            refused = (answer.status_code, answer.json()["code"])
            assert refused == (403, "form-refused"), (path, changes)
        # Nor by a form of another site, whatever type it claims.
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            headers = sound | {"Content-Type": kind}
            del headers["X-Siegelpost-Form"]
            answer = await town.client.post(filled(path), headers=headers, content=b'{"x": 1}')
            assert answer.status_code == 403, (path, kind)


async def test_whatever_is_not_open_needs_a_session(town: Town) -> None:
    await town.active("alice@beispiel.example")
    for path in GETS:
        answer = await town.client.get(filled(path), headers={"Accept": "application/json"})
        if path in OPEN:
            assert answer.status_code in (200, 404), path
        else:
            assert (answer.status_code, answer.json()["code"]) == (401, "session-over"), path


async def test_login_leads_to_own_pages_only(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    headers = {"Cookie": cookie_header(alice.cookies), "Accept": "text/html"}
    for target in (
        *("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example"),
        *("/inbox/../..//evil.example", "/inbox@evil.example", "/inbox\r\nLocation: x"),
        *("javascript:alert(1)", "/%2f%2fevil.example", "", "/logout", "/notices/../logout"),
    ):
        assert safe_next(target) is None, target
        answer = await town.client.get("/login", params={"next": target}, headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/inbox"), target


async def test_cookies_are_bound_to_this_host_and_hidden_from_scripts(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    assert all(name.startswith("__Host-") for name in alice.cookies)
    for path in ("/", "/login", "/?lang=en"):
        answer = await town.client.get(path)
        for line in answer.headers.get_list("set-cookie"):
            attributes = {part.strip().lower() for part in line.split(";")[1:]}
            assert {"path=/", "secure", "httponly", "samesite=strict"} <= attributes, line
            assert not any(part.startswith("domain") for part in attributes), line

"""What the audit says about pages: exactly the published files run, and nothing beside them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

import pytest

from siegelpost.service.page_audit import audit_files, audit_pages

CONTENTS = {"/static/login.js": b"import './api.js'", "/static/api.js": b"1", "/static/a.css": b""}
FILES = {path: hashlib.sha256(content).hexdigest() for path, content in CONTENTS.items()}


def integrity(path: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(CONTENTS[path]).digest()).decode()


IMPORTS = json.dumps(
    {
        "imports": {"/static/api.js": "/static/api.js?v=1"},
        "integrity": {"/static/api.js?v=1": integrity("/static/api.js")},
    }
)
PAGE = (
    f'<link rel="stylesheet" href="/static/a.css?v=2" integrity="{integrity("/static/a.css")}">'
    f'<script type="importmap">{IMPORTS}</script>'
    f'<script type="module" src="/static/login.js?v=3" integrity="{integrity("/static/login.js")}">'
    '</script><p>Hier</p><script type="application/json" id="texts">{"a": "b"}</script>'
)


def source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


POLICY = f"default-src 'none'; script-src 'self' {source(IMPORTS)}; style-src 'self'"


def said(page: str, policy: str = POLICY) -> list[str]:
    """What the audit finds wrong with a login page."""

    def fetch(path: str) -> tuple[int, Mapping[str, str], bytes]:
        if path == "/login":
            return 200, {"content-security-policy": policy}, page.encode()
        return 404, {}, b""

    return [finding.what for finding in audit_pages(FILES, fetch)]


def test_page_that_loads_what_was_published_is_in_order() -> None:
    assert said(PAGE) == []


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("<p>", "<script>alert(1)</script><p>", "it holds an inline script"),
        ("<p>", "<script type='module'>1</script><p>", "it holds an inline script"),
        ("<p>", "<p onclick='x()'>", "onclick at <p>"),
        ("<p>", "<iframe src='/x'></iframe><p>", "it holds a <iframe>"),
        ("<p>", "<base href='https://evil.example/'><p>", "it holds a <base>"),
        ("<p>", "<script src='/static/evil.js'></script><p>", "not among the published files"),
        ("<p>", "<script src='https://evil.example/static/api.js'></script><p>", "not among"),
        ("<p>", "<script src='//evil.example/static/api.js'></script><p>", "not among"),
        ("<p>", "<script src='/static/api.js'></script><p>", "without the digest"),
        (integrity("/static/a.css"), integrity("/static/api.js"), "/static/a.css without"),
        (
            f'"/static/api.js?v=1": "{integrity("/static/api.js")}"',
            '"/static/api.js?v=1": ""',
            "/static/api.js without the digest",
        ),
        ('{"/static/api.js": "/static/api.js?v=1"}', '{"/static/api.js": "/evil.js"}', "/evil.js"),
        (f">{IMPORTS}<", ">{<", "its import map is malformed"),
    ],
)
def test_page_that_runs_anything_else_is_found(old: str, new: str, wrong: str) -> None:
    changed = PAGE.replace(old, new, 1)
    assert changed != PAGE
    assert any(wrong in what for what in said(changed)), said(changed)


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ("", "lets scripts come from"),
        (POLICY.replace("'self'", "'self' 'unsafe-inline'", 1), "from 'unsafe-inline'"),
        (POLICY.replace("'self'", "'self' https:", 1), "from https:"),
        (POLICY.replace("'self'", f"'self' {source('alert(1)')}", 1), "that it does not show"),
    ],
)
def test_policy_that_lets_other_scripts_run_is_found(policy: str, wrong: str) -> None:
    assert any(wrong in what for what in said(PAGE, policy))


def test_file_that_differs_or_is_gone_is_named() -> None:
    served = {**CONTENTS, "/static/api.js": b"2"}
    del served["/static/a.css"]

    def fetch(path: str) -> tuple[int, Mapping[str, str], bytes]:
        return (200, {}, served[path]) if path in served else (404, {}, b"")

    found = {item.evidence["path"]: item for item in audit_files(FILES, fetch)}
    assert set(found) == {"/static/api.js", "/static/a.css"}
    assert found["/static/a.css"].evidence["served_sha256"] == "status 404"
    assert found["/static/api.js"].kind == "file-differs"

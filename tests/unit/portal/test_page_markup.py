"""Every page in every language: renders, holds nothing inline, and fits its scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from siegelpost.portal.texts import LANGUAGES
from tests.support.markup import Markup
from tests.support.pages import AGREEMENT, COMMON, CONSENT, TEMPLATES, page_environment

STATIC = Path(__file__).parents[3] / "mailbox" / "siegelpost" / "portal" / "static"
ENVIRONMENT = page_environment()
KINDS = ("not-found", "signed-out", "too-many-requests", "refused", "broken")
PAGES = [(page.stem, kind) for page in sorted((TEMPLATES / "pages").glob("*.html"))
         for kind in (KINDS if page.stem == "error" else ("broken",))]  # fmt: skip

_IMPORT = re.compile(r'(?:from |import\()"\./([a-z0-9-]+\.js)"')
_BY_ID = re.compile(r'byId\("([a-z-]+)"\)')
_TEXT = re.compile(r'\b(?:text|plainText)\("([a-z-]+)"')


def render(page: str, language: str, **values: object) -> str:
    """The HTML of a page for somebody who is logged in or not."""
    values = {
        **COMMON,
        "notice_id": "notice-1",
        "kind": "broken",
        "language": language,
        "direction": LANGUAGES[language].direction,
        **values,
    }
    return ENVIRONMENT.get_template(f"pages/{page}.html").render(values)


def modules_of(page: Markup) -> str:
    """The source of all own modules that a page's scripts load."""
    waiting = [address.removeprefix("/static/") for address in page.scripts]
    seen: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = (STATIC / name).read_text(encoding="utf-8")
            waiting += _IMPORT.findall(seen[name])
    return "\n".join(seen.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize(("page", "kind"), PAGES)
def test_page_holds_nothing_inline_and_its_references_exist(
    page: str, kind: str, signed_in: bool, language: str
) -> None:
    html = render(page, language, kind=kind, signed_in=signed_in, kopfzeile=True)
    markup = Markup(html)
    assert markup.inline == []
    assert len(markup.ids) == len(set(markup.ids))
    assert [ref for ref in markup.references if ref[1] not in markup.ids] == []
    assert [a for a in markup.addresses if not a.startswith(("/", "#", "tel:+"))] == []
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in html
    assert ('"/static/rtl.css"' in html) == (language == "ar")


@pytest.mark.parametrize(
    "page", ["login", "inbox", "notice", "reply", "activate", "recover", "account"]
)
def test_scripts_find_their_elements_and_texts_on_their_page(page: str) -> None:
    markup = Markup(render(page, "de", signed_in=True))
    source = modules_of(markup)
    assert set(_BY_ID.findall(source)) - set(markup.ids) == set()
    assert set(_TEXT.findall(source)) - set(markup.texts) == set()


@pytest.mark.parametrize("page", ["inbox", "only_helping", "consent", "start", "accessibility"])
def test_whoever_is_signed_in_is_warned_before_the_end(page: str) -> None:
    assert "watchSession();" in modules_of(Markup(render(page, "de", signed_in=True)))


def test_menu_leads_to_letters_and_to_settings_and_says_where_one_is() -> None:
    link = re.compile(
        r'<a class="kern-link kern-link--no-visited-state" href="(/[a-z]+)"(.*?)>(.+)<'
    )
    menus = {
        path: link.findall(render("start", "de", signed_in=True, path=path).split("site-nav")[1])
        for path in ("/inbox", "/account", "/account/consent")
    }
    here = ' aria-current="page"'
    assert menus["/inbox"] == [("/inbox", here, "Schreiben"), ("/account", "", "Einstellungen")]
    assert menus["/account"] == [("/inbox", "", "Schreiben"), ("/account", here, "Einstellungen")]
    assert menus["/account/consent"][1][1] == ' aria-current="true"'
    assert "/inbox" not in render("start", "de")


def test_who_helps_nobody_now_is_told_so() -> None:
    nobody = "Zurzeit ist hier keine Post für Sie freigegeben."
    assert nobody not in render("only_helping", "de")
    assert nobody in render("only_helping", "de", helping=[])


def asked(html: str, action: str) -> list[bool]:
    """Of each form with this action, whether it is inside a question."""
    begins = [html[: form.start()] for form in re.finditer(f'action="{action}"', html)]
    return [html.count("<details") > html.count("</details>") for html in begins]


def test_what_has_consequences_is_asked_first() -> None:
    consent = render("consent", "de", agreements=[{**AGREEMENT, "send": CONSENT}, AGREEMENT])
    assert asked(consent, "/account/consent/revoke") == [True] * 3
    assert asked(consent, "/account/consent/paper") == [True]
    delegates = render("delegates", "de")
    # Whoever refuses somebody, or calls off a code that nobody used, takes nothing from anybody.
    named = {"invited": False, "asking": False, "coming": True, "in-force": True}
    assert asked(delegates, "/account/delegates/end") == [*named.values(), True, True]


def test_pages_that_unseal_say_without_script_what_they_need() -> None:
    for page in ("login", "inbox", "notice", "reply", "activate", "recover", "account"):
        assert "<noscript>" in render(page, "de")
    for page in ("start", "error"):
        assert "<noscript>" not in render(page, "de")


def test_values_are_escaped() -> None:
    html = render("start", "de", service_name="<script>alert(1)</script>", operator='"><img>')
    assert "<script>alert" not in html
    assert "<img>" not in html


def test_every_partial_belongs_to_a_page() -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in TEMPLATES.rglob("p*/*.html"))
    for partial in (TEMPLATES / "partials").glob("*.html"):
        assert f'"partials/{partial.name}"' in sources


def test_own_scripts_write_no_markup() -> None:
    for file in STATIC.glob("*.js"):
        source = file.read_text(encoding="utf-8")
        for risky in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert risky not in source, file.name

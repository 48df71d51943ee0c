"""Charlie, a citizen who is logged in, tries every route with everything of Alice's that has an id.

The ids come out of the tables, so that a new table joins by itself; the bodies come from the
handlers' own models, so that a new route does. Whatever is asked, the answer is the one for an id
that does not exist, and nothing of Alice's changes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import delete

from siegelpost.portal.app import ROUTES
from siegelpost.service.demo.citizen import Citizen
from siegelpost.store import tables
from siegelpost.store.openpgp_keys import StoredKey, add_key
from tests.support.generated import described
from tests.support.portal import ADDRESS, Town
from tests.support.replies import Sender, consent_to_send, new_agency_key, offer_replies

#: Would end Charlie's own session.
ENDS = frozenset({"/logout"})
#: Counted tries, and the answers that they change, are no matter here.
_COUNTED = ("throttle", "used_challenge", "session")


def rows_of(town: Town, mailbox: str) -> dict[str, list[Any]]:
    """Everything in the tables that belongs to a mailbox."""
    found: dict[str, list[Any]] = {}
    with town.context.store.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            owner = table.c.get("mailbox_id")
            if table.name == "mailbox":
                owner = table.c.id
            if owner is not None:
                rows = connection.execute(table.select().where(owner == mailbox)).mappings()
                found[table.name] = sorted(str(dict(row)) for row in rows)
    return found


def ids_of(town: Town, mailbox: str) -> dict[str, str]:
    """Every id in those rows, by table and column, as routes and bodies would name it."""
    found: dict[str, str] = {}
    with town.context.store.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            owner = table.c.id if table.name == "mailbox" else table.c.get("mailbox_id")
            if owner is None:
                continue
            for row in connection.execute(table.select().where(owner == mailbox)).mappings():
                for name, value in row.items():
                    if not (name in ("id", "digest", "handle") or name.endswith("_id")):
                        continue
                    if name == "agency_id" or not value:
                        continue
                    text = value if isinstance(value, str) else None
                    if isinstance(value, bytes | memoryview):
                        text = base64.b64encode(bytes(value)).decode("ascii")
                    if text is not None and text not in found.values():
                        found.setdefault(f"{table.name}.{name}", text)
    return found


def unknown(one: str) -> str:
    """An id of the same form that nobody has."""
    if _base64(one) == one and len(one) > 40:
        return base64.b64encode(bytes(byte ^ 1 for byte in base64.b64decode(one))).decode("ascii")
    turned = str.maketrans("0123456789abcdef", "1234567890bcdefa")
    return one[:-12] + one[-12:].translate(turned)


def shaped(schema: Mapping[str, Any], one: str) -> Any:
    """The smallest value that fits a model, with an id wherever a text stands."""
    if "anyOf" in schema:
        return shaped(schema["anyOf"][0], one)
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    kind = schema.get("type")
    if kind == "object":
        return {name: shaped(part, one) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [shaped(schema.get("items", {}), one)]
    if kind == "string" and schema.get("format") in ("binary", "base64"):
        return _base64(one)
    return {"string": one, "integer": 1, "number": 1, "boolean": True, "null": None}.get(str(kind))


def _base64(one: str) -> str:
    try:
        if base64.b64encode(base64.b64decode(one, validate=True)).decode("ascii") == one:
            return one
    except ValueError:
        pass
    return base64.b64encode(one.encode()).decode("ascii")


def tries(one: str) -> Iterator[tuple[str, str, str, Any]]:
    """Method, path, kind of body and body of every route, with one id everywhere."""
    document = described(ROUTES)
    for method, path, _ in ROUTES:
        if path in ENDS:
            continue
        address = re.sub(r"\{[^}]+\}", one.replace("/", "_"), path)
        if method == "GET":
            yield method, address, "", None
            continue
        content = document["paths"][path]["post"]["requestBody"]["content"]
        [(kind, entry)] = content.items()
        if path.startswith("/notices/") and kind != "application/json":
            yield method, address, "", None
        else:
            yield method, address, kind, shaped(entry["schema"], one)


async def send(
    town: Town, who: Citizen, method: str, path: str, kind: str, body: Any
) -> tuple[int, str]:
    """Status and text of the answer; tries that were counted before are forgotten first."""
    await town.context.store.write(lambda c: c.execute(delete(tables.core(tables.Throttle))))
    cookies = "; ".join(f"{name}={value}" for name, value in who.cookies.items())
    headers = {"Cookie": cookies, "Origin": ADDRESS, "X-Siegelpost-Form": who.form_token or ""}
    if kind == "application/json":
        answer = await town.client.request(method, path, headers=headers, json=body)
    elif kind:
        fields = {**body, "form_token": who.form_token or ""}
        answer = await town.client.request(method, path, headers=headers, data=fields)
    else:
        answer = await town.client.request(method, path, headers=headers)
    return answer.status_code, answer.text


async def test_charlie_gets_for_alice_s_ids_what_he_gets_for_ids_of_nobody(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    await offer_replies(town, new_agency_key().recipient)
    await consent_to_send(town, alice, enrolled.enrolment_id)
    await alice.load("/inbox")
    sender = Sender(who=alice, notice=notice)
    await sender.send(await sender.make())
    charlie = await town.active("charlie@fremd.example")
    assert alice.mailbox is not None
    key = StoredKey(
        id="0193-openpgp-key-of-alice",
        mailbox=alice.mailbox,
        fingerprint="A" * 40,
        public_key="-",
        source="upload",
        created_at=town.context.now(),
        expires_at=None,
        confirmed_at=None,
    )
    await town.context.store.write(lambda c: add_key(c, key))
    await charlie.load("/account")
    ids = {**ids_of(town, alice.mailbox), "notice": notice, "enrolment": enrolled.enrolment_id}
    assert {"consent.id", "enrolment.id", "openpgp_key.id", "reply.id"} <= set(ids), sorted(ids)
    assert alice.mailbox in ids.values()
    assert len(ids) >= 8, sorted(ids)
    before = rows_of(town, alice.mailbox)
    compared, missing = 0, set()
    for one in sorted(set(ids.values())):
        name = next(name for name in ids if ids[name] == one)
        other = unknown(one)
        for foreign, nobody in zip(tries(one), tries(other), strict=True):
            if foreign == nobody:
                continue  # it takes no id
            method, path, *_ = foreign
            got = await send(town, charlie, *foreign)
            expected = await send(town, charlie, *nobody)
            assert got[0] == expected[0], (name, method, path, got[0], expected[0])
            assert same(got[1], one) == same(expected[1], other), (name, method, path)
            assert got[0] < 500 or got[0] == 503, (name, method, path)
            if one in path:
                # 503: the seal is asked for first, and there is none here.
                allowed = {404, 415, 422} | ({503} if path.endswith(".pdf") else set())
                assert got[0] in allowed, (name, method, path, got)
            if got[0] == 404:
                missing.add(re.sub(re.escape(one), "{id}", path))
            compared += 1
    assert compared > 400
    assert {"/notices/{id}", "/notices/{id}/facts", "/notices/{id}/receipt"} <= missing
    assert {"/notices/{id}/reply/facts", "/notices/{id}/replies", "/replies/{id}"} <= missing
    after = rows_of(town, alice.mailbox)
    for table, rows in before.items():
        if table not in _COUNTED:
            assert after[table] == rows, table
    assert await alice.inbox(), "Alice reads on"


#: Fields of answers that differ between any two.
_FRESH = re.compile(
    r'"[a-z_]*(challenge|salt|ticket|token|secret|uri|qr|seed|nonce)[a-z_]*":"[^"]*"'
)
_TOKENS = re.compile(r'(name="form_token" value=|content=|integrity=)"[^"]*"')


def same(text: str, one: str) -> str:
    """An answer without what differs between any two: tokens, challenges, salts, and the id."""
    text = _TOKENS.sub("", _FRESH.sub("", text))
    return re.sub(r"[A-Za-z0-9_+/=-]{32,}", "…", text.replace(one, "…"))


def test_ids_of_nobody_keep_their_form() -> None:
    for one in ("01936f2a-0000-7000-8000-00000000abcd", "0193-openpgp-key-of-alice"):
        assert unknown(one) != one
        assert len(unknown(one)) == len(one)

"""Generated requests: what schemathesis makes of an OpenAPI document, and junk by hand.

Portal and console have no OpenAPI document: `described` makes a small one of their routes, with
the bodies that the handlers' own source names. Requests are made first and sent later, so that
whoever sends may be asynchronous.
"""

from __future__ import annotations

import inspect
import random
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest import SkipTest
from urllib.parse import quote

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

#: Stands in every body made by hand; must never stand in a log.
MARKER = "Zoë-Geheimnis-4711"
_READS = re.compile(r"read_json\(\s*world,\s*request,\s*(\w+)")
_FIELD = re.compile(r'field\(fields, "(\w+)"\)|fields\.get\("(\w+)"|"(\w+)" in fields')


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request, ready to be sent."""

    #: GET, POST …
    method: str
    #: with query, percent-encoded
    path: str
    #: besides what the sender adds, such as cookies
    headers: Mapping[str, str] = field(default_factory=dict)
    #: as it travels
    body: bytes = b""


#: Method, path and handler, as doors list them.
Route = tuple[str, str, Callable[..., Any]]
Routes = Iterable[Route]


def described(routes: Routes) -> dict[str, Any]:
    """An OpenAPI document of a door's routes."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path, handler in routes:
        operation: dict[str, Any] = {"responses": {"default": {"description": "any"}}}
        names = re.findall(r"\{(\w+)", path)
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ]
        if method == "POST":
            operation["requestBody"] = {"required": True, "content": deepcopy(_content(handler))}
        paths.setdefault(path, {})[method.lower()] = operation
    return {"openapi": "3.1.0", "info": {"title": "routes", "version": "1"}, "paths": paths}


@cache
def _content(handler: Callable[..., Any]) -> dict[str, Any]:
    source = inspect.getsource(handler)
    module = sys.modules[handler.__module__]
    model = _READS.search(source)
    if model is not None and hasattr(module, model[1]):
        schema = getattr(module, model[1]).model_json_schema()
        return {"application/json": {"schema": _flat(schema, schema.get("$defs", {}))}}
    found = _FIELD.findall(inspect.getsource(module))
    names = sorted({name for groups in found for name in groups if name})
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    return {"application/x-www-form-urlencoded": {"schema": schema}}


def _flat(schema: Any, named: Mapping[str, Any]) -> Any:
    """The schema without references to definitions that stand beside it."""
    if isinstance(schema, list):
        return [_flat(part, named) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _flat(named[schema["$ref"].rpartition("/")[2]], named)
    return {key: _flat(part, named) for key, part in schema.items() if key != "$defs"}


def generated(
    document: Mapping[str, Any],
    *,
    each: int,
    seconds: float,
    wrong: bool = True,
    start: int = 1,
) -> Iterator[Sent]:
    """``each`` requests that fit, and if ``wrong`` as many that do not, for each operation.

    Making them is slow: after ``seconds`` no further operation is begun. Operations that take
    forms are left to `by_hand`: for them it takes a quarter of a minute each.
    """
    schema = schemathesis.openapi.from_dict(dict(document))
    operations = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if all(body.media_type == "application/json" for body in operation.body):
            operations.append(operation)
    random.Random(start).shuffle(operations)  # noqa: S311 - no secret
    end = time.monotonic() + seconds
    for operation in operations:
        if time.monotonic() > end:
            return
        for mode in (GenerationMode.POSITIVE, *((GenerationMode.NEGATIVE,) if wrong else ())):
            for case in _collected(operation, mode, each, start):
                yield _ready(case)


def _collected(operation: Any, mode: GenerationMode, each: int, start: int) -> list[Any]:
    cases: list[Any] = []

    @seed(start)
    @settings(
        max_examples=each,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        cases.append(case)

    # Nothing can be wrong about a request that takes nothing.
    with suppress(Unsatisfiable, SkipTest):
        collect()
    return cases


def _ready(case: Any) -> Sent:
    import requests

    kwargs = case.as_transport_kwargs(base_url="http://any.example")
    kwargs["headers"] = {
        name: value
        for name, value in dict(kwargs.get("headers") or {}).items()
        if name.lower() not in ("user-agent", "x-schemathesis-testcaseid", "host", "cookie")
    }
    known = ("method", "url", "headers", "params", "data", "json", "files", "cookies")
    prepared = requests.Request(
        **{name: value for name, value in kwargs.items() if name in known and name != "cookies"}
    ).prepare()
    body = prepared.body or b""
    assert isinstance(body, bytes | str), "no streams"
    return Sent(
        method=str(prepared.method),
        path=prepared.path_url,
        headers={
            name: value if isinstance(value, str) else value.decode("latin-1")
            for name, value in prepared.headers.items()
            if name.lower() != "content-length"
        },
        body=body.encode() if isinstance(body, str) else body,
    )


def _deep(left: bytes, right: bytes) -> bytes:
    return left * 5000 + b"1" + right * 5000


#: Bodies that no client of ours sends, with the type that they claim.
BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b""),
    ("application/json", b"{"),
    ("application/json", b"null"),
    ("application/json", b"[]"),
    ("application/json", b'"' + MARKER.encode() + b'"'),
    ("application/json", b'{"' + MARKER.encode() + b'": "' + MARKER.encode() + b'"}'),
    ("application/json", b'{"code": "\\u0000", "login_name": "\\u0000", "id": "\\u0000"}'),
    ("application/json", b'{"code": "\\ud800", "login_name": "\\ud800", "id": "\\ud800"}'),
    ("application/json", b'{"code": NaN, "id": -1e999, "limit": 1e400}'),
    ("application/json", b'{"n": ' + b"9" * 20_000 + b"}"),
    ("application/json", _deep(b"[", b"]")),
    ("application/json", _deep(b'{"a":', b"}")),
    ("application/json", b"\xff\xfe{\x00}\x00"),
    ("application/json", b"\x00" * 100),
    ("application/json; charset=utf-16", b"{}"),
    ("application/json", b'{"code": "' + b"A" * 70_000 + b'"}'),
    ("application/json", b"x" * 3_000_000),
    ("text/plain", MARKER.encode()),
    ("", b"{}"),
    ("application/x-www-form-urlencoded", b"form_token=%00&code=%FF&key=%C0%80&email=%ED%A0%80"),
    ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % n for n in range(5000))),
    ("application/x-www-form-urlencoded", b"=&&&==;;%%%zz&" + quote(MARKER).encode()),
    ("multipart/form-data", b"--x\r\n"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--"),
    ("multipart/form-data; boundary=" + "x" * 300, b"junk"),
    ("application/age", b"age-encryption.org/v1\n"),
)
#: What stands where an id should.
IDS = (
    *("unknown", "%00", "%ED%A0%80", "%F0%9F%93%AC", "..%2f..%2fetc", "-", "0" * 3000),
    *("'%20OR%201=1--", "%0d%0aSet-Cookie:%20a=b", "%25s%25n"),
)
#: Queries for pages and lists.
QUERIES = (
    *("?next=%00", "?lang=%00", "?lang=" + "x" * 3000, "?cursor=%00", "?cursor=%ED%A0%80"),
    *(
        "?after=-1",
        "?limit=1e9",
        "?done=%00&done=%FF",
        "?" + "&".join(f"q{n}=1" for n in range(500)),
    ),
)


def by_hand(routes: Routes) -> Iterator[Sent]:
    """Junk for every route."""
    for method, path, _ in routes:
        for one in IDS if "{" in path else ("",):
            address = re.sub(r"\{[^}]+\}", one, path)
            if method == "GET":
                queries = QUERIES if one in ("", "unknown") else ()
                yield from (Sent(method=method, path=address + query) for query in ("", *queries))
            elif one in ("", "unknown", "%00"):
                for kind, body in BODIES:
                    headers = {"Content-Type": kind} if kind else {}
                    yield Sent(method=method, path=address, headers=headers, body=body)
            else:
                json = {"Content-Type": "application/json"}
                yield Sent(method=method, path=address, headers=json, body=b"{}")

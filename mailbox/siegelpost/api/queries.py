"""Numbers in the query of a call, refused with the field's name if they are none."""

from __future__ import annotations

from starlette.requests import Request

from siegelpost.api.problems import ApiProblem

_LONGEST = 19


def number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """Return the whole number `name` of the query; ApiProblem ``request-invalid``."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (
        text.isascii() and text.isdecimal() and len(text) <= _LONGEST and least <= int(text) <= most
    ):
        raise invalid(name, f"a whole number from {least} to {most}")
    return int(text)


def invalid(at: str, reason: str) -> ApiProblem:
    """The problem of one field."""
    return ApiProblem("request-invalid", errors=[{"at": f"/{at}", "reason": reason}])

"""Worked examples: a JSON document of facts in, one line of result per example out.

Reads the format of tests/vectors/deadlines.json: `note` and `examples`, each example with
`id`, `regime` and facts. The keys and their synonyms are in `siegelpost.deadlines.keys`.

Times are ISO 8601. A time without a zone is local time in Germany (Europe/Berlin; in the hour
that the autumn clock change repeats, the first); a date alone is the day. This is the only
place of the package where a time without a zone is read.

What an example does not mention is assumed as in the printed examples: consent in force,
access opened, `provided` with the alert and, where the clock starts with the providing, the
alert with `provided`, and a `now` when everything has happened. A `null` says that it is
absent. A line that cannot be read yields an `error` and no rule; an unknown key yields a
result with `error` and `review`, because a fact was left out of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from siegelpost.deadlines.evaluate import evaluate
from siegelpost.deadlines.facts import FactsError
from siegelpost.deadlines.reading import read_example

#: An example has a dozen keys; a longer one is no example.
MAX_KEYS = 100
#: More examples than this are no file of examples.
MAX_EXAMPLES = 200_000


def evaluate_examples(document: object) -> Iterator[dict[str, Any]]:
    """One dict per example with `id`, `deemed`, `end`, `rule`, `review`, `reasons`.

    Dates are ISO 8601 or null; `reasons` are German sentences, those for a review last.
    `error` is there only if something could not be read.

    Raises:
        FactsError: the document as a whole has no list of examples.
    """
    for number, example in enumerate(_examples(document), start=1):
        yield evaluate_example(example, fallback_id=number)


def _examples(document: object) -> list[Any]:
    examples = document.get("examples") if isinstance(document, Mapping) else document
    if not isinstance(examples, list):
        raise FactsError('no list of examples: expected {"examples": [...]}')
    if len(examples) > MAX_EXAMPLES:
        raise FactsError(f"more than {MAX_EXAMPLES} examples")
    return examples


def evaluate_example(example: object, *, fallback_id: object = None) -> dict[str, Any]:
    """The line for one example; never raises for what stands in it."""
    if not isinstance(example, Mapping):
        return _unreadable(fallback_id, "an example must be an object")
    id_ = example.get("id", fallback_id)
    if len(example) > MAX_KEYS:
        return _unreadable(id_, f"more than {MAX_KEYS} keys")
    try:
        reading = read_example(example)
        result = evaluate(reading.facts, what_if=False)
    except FactsError as error:
        return _unreadable(id_, str(error))
    except (ValueError, TypeError, OverflowError) as error:
        # Nothing known gets here; if something does, the other examples still get their lines.
        return _unreadable(id_, f"cannot be computed: {error}")
    line: dict[str, Any] = {
        "id": id_,
        "deemed": result.deemed.isoformat() if result.deemed else None,
        "end": result.end.isoformat() if result.end else None,
        "rule": result.rule,
        "review": bool(result.review),
        "reasons": [
            *(step.de for step in result.reasons),
            f"Rechtsgrundlage: {'; '.join(result.legal_basis)}.",
            *(f"Annahme: {assumed}" for assumed in reading.assumed),
            *(f"Zu prüfen: {review.de}" for review in result.review),
        ],
        "state": result.state.value,
    }
    if result.open_until is not None:
        line["open_until"] = result.open_until.isoformat()
    if reading.unknown:
        names = ", ".join(reading.unknown)
        line["review"] = True
        line["reasons"].append(f"Zu prüfen: unbekannte Angaben blieben außer Betracht: {names}.")
        line["error"] = f"unknown keys left out: {names}"
    return line


def _unreadable(id_: object, why: str) -> dict[str, Any]:
    return {
        "id": id_,
        "deemed": None,
        "end": None,
        "rule": None,
        "review": True,
        "reasons": [f"Nicht lesbar: {why}."],
        "error": why,
    }

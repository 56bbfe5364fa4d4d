"""From what a person types to the answers of a table, each of them possible."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from edge.triage.age import age_in, read_date
from edge.triage.condition import UNKNOWN, Answer
from edge.triage.errors import TriageError
from edge.triage.parts import Input, Table

SPOKEN = {
    **dict.fromkeys(("sí", "si", "sim", "yes"), "yes"),
    **dict.fromkeys(("no", "não", "nao"), "no"),
    **dict.fromkeys(("unknown", "no sé", "no se", "não sei", "nao sei", "?"), UNKNOWN),
}
NUMBER = re.compile(r"-?\d{1,9}([.,]\d{1,6})?")
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")


def read_answers(table: Table, given: Mapping[str, str], on: date) -> dict[str, Answer]:
    """Read answers as typed; an age may be a date of birth, reckoned to the day `on`."""
    return {name: read_answer(question(table, name), text, on) for name, text in given.items()}


def read_answer(one: Input, text: str, on: date) -> Answer:
    """Read one answer and refuse it where it is none."""
    plain = text.strip().casefold()
    if one.kind == "age" and DATE.fullmatch(plain):
        return checked(one, age_in(one.unit, read_date(plain), on))
    if one.kind in ("number", "age") and NUMBER.fullmatch(plain):
        return checked(one, Decimal(plain.replace(",", ".")))
    return checked(one, plain if plain in one.codes else SPOKEN.get(plain, plain))


def question(table: Table, name: str) -> Input:
    """Return the question of this name, or refuse."""
    found = next((one for one in table.inputs if one.id == name), None)
    if found is None:
        raise TriageError("question-unknown", name=name[:60], known=", ".join(one.id for one in table.inputs))
    return found


def checked(one: Input, answer: Answer) -> Answer:
    """Return an answer that a question allows, or say why it does not."""
    if isinstance(answer, str):
        if answer in one.values():
            return answer
        if one.kind in ("number", "age"):
            raise TriageError("answer-number", name=one.id, ask=one.ask, value=answer[:40])
        raise TriageError("answer-choice", name=one.id, ask=one.ask, value=answer[:40], choices=", ".join(one.values()))
    if one.kind not in ("number", "age") or not answer.is_finite():
        raise TriageError(
            "answer-choice", name=one.id, ask=one.ask, value=str(answer)[:40], choices=", ".join(one.values())
        )
    facts = {"value": written(answer), "least": written(one.least), "most": written(one.most)}
    if not one.least <= answer <= one.most:
        key = f"age-out-{one.unit}" if one.kind == "age" else "answer-range"
        raise TriageError(key, ask=one.ask, name=one.id, unit=one.unit, **facts)
    if not one.allows(answer):
        raise TriageError("answer-step", ask=one.ask, name=one.id, step=written(one.step), **facts)
    return answer


def written(answer: Answer) -> str:
    """Write an answer in one way only: 38.50 and 38.5 are the same text."""
    if isinstance(answer, str):
        return answer
    return f"{answer.normalize():f}" if answer else "0"

"""Facts to columns and back, so that a compressor finds what repeats.

Pure. One list a field; numbers as differences where they grow, learners and lessons as places in one
table. Reading trusts nothing: lists of other lengths, other types or numbers out of range are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate
from operator import add
from typing import Any, TypeGuard

from edge.sync.facts import LONGEST_NAME, LONGEST_TEXT, Answer, Erasure, Talk

Columns = dict[str, list[Any]]

MOST_NUMBER = 1 << 62
_BESIDE, _ELSEWHERE = "/", "="
"""How an item begins: its lesson's name and a slash, left out, or anything else."""

# `Answer._make` without a call into Python for each of a hundred thousand rows.
_AN_ANSWER: Callable[[tuple[Any, ...]], Answer] = partial(tuple.__new__, Answer)


class Table:
    """Values that repeat, each written once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        """Return where `value` stands."""
        if (found := self._places.get(value)) is None:
            found = self._places[value] = len(self.values)
            self.values.append(value)
        return found


def attempts_out(rows: Sequence[Answer], learners: Table, words: Table) -> Columns:
    """Return attempts as columns."""
    return {
        "seq": _differences(row.seq for row in rows),
        "learner": [learners.place(row.learner) for row in rows],
        "lesson": [words.place(row.lesson) for row in rows],
        "item": [_short(row.lesson, row.item) for row in rows],
        "given": [row.given for row in rows],
        "right": [row.right for row in rows],
        "hints": [row.hints for row in rows],
        "tenths": [row.tenths for row in rows],
        "at": _differences(row.at for row in rows),
    }


def attempts_in(columns: Columns, learners: list[int], words: list[str]) -> tuple[Answer, ...]:
    """Return the attempts that `columns` hold; raise ValueError when they hold anything else."""
    seq = _numbers(columns, "seq", "attempts", fields=9)
    size = len(seq)
    lessons = _looked_up(columns, "lesson", words, size)
    items = _texts(columns, "item", LONGEST_NAME * 2, size)
    fields = (
        seq,
        _looked_up(columns, "learner", learners, size),
        lessons,
        _long(lessons, items),
        _texts(columns, "given", LONGEST_NAME, size),
        _range(columns, "right", 1, size),
        _range(columns, "hints", 1000, size),
        _range(columns, "tenths", 10_000_000, size),
        _times(columns, size),
    )
    return tuple(map(_AN_ANSWER, zip(*fields, strict=True)))


def turns_out(rows: Sequence[Talk], learners: Table, words: Table) -> Columns:
    """Return turns as columns."""
    return {
        "seq": _differences(row.seq for row in rows),
        "learner": [learners.place(row.learner) for row in rows],
        "question": [row.question for row in rows],
        "mode": [words.place(row.mode) for row in rows],
        "text": [row.text for row in rows],
        "lesson": [words.place(row.lesson) for row in rows],
        "at": _differences(row.at for row in rows),
    }


def turns_in(columns: Columns, learners: list[int], words: list[str]) -> tuple[Talk, ...]:
    """Return the turns that `columns` hold; raise ValueError when they hold anything else."""
    seq = _numbers(columns, "seq", "turns", fields=7)
    size = len(seq)
    fields = (
        seq,
        _looked_up(columns, "learner", learners, size),
        _texts(columns, "question", LONGEST_TEXT, size),
        _looked_up(columns, "mode", words, size),
        _texts(columns, "text", LONGEST_TEXT, size),
        _looked_up(columns, "lesson", words, size),
        _times(columns, size),
    )
    return tuple(map(Talk._make, zip(*fields, strict=True)))


def erased_out(rows: Sequence[Erasure], learners: Table) -> Columns:
    """Return erasures as columns."""
    return {
        "seq": _differences(row.seq for row in rows),
        "learner": [learners.place(row.learner) for row in rows],
        "at": _differences(row.at for row in rows),
    }


def erased_in(columns: Columns, learners: list[int]) -> tuple[Erasure, ...]:
    """Return the erasures that `columns` hold; raise ValueError when they hold anything else."""
    seq = _numbers(columns, "seq", "erased", fields=3)
    fields = (seq, _looked_up(columns, "learner", learners, len(seq)), _times(columns, len(seq)))
    return tuple(map(Erasure._make, zip(*fields, strict=True)))


def learners_in(found: object) -> list[int]:
    """Return the table of learners."""
    if not _is_list(found, int) or not all(0 <= each <= MOST_NUMBER for each in found):
        raise ValueError("learners")
    return found


def words_in(found: object) -> list[str]:
    """Return the table of lessons and modes."""
    if not isinstance(found, list):
        raise ValueError("words")
    return _texts({"words": found}, "words", LONGEST_NAME, len(found))


def _differences(values: Iterable[int]) -> list[int]:
    last, found = 0, []
    for value in values:
        found.append(value - last)
        last = value
    return found


def _short(lesson: str, item: str) -> str:
    return item[len(lesson) :] if item.startswith(lesson + _BESIDE) else _ELSEWHERE + item


def _long(lessons: list[str], items: list[str]) -> list[str]:
    beginnings = {item[:1] for item in items}
    if not beginnings <= {_BESIDE, _ELSEWHERE}:
        raise ValueError("item")
    if beginnings == {_BESIDE}:
        return list(map(add, lessons, items))
    pairs = zip(lessons, items, strict=True)
    return [lesson + item if item[0] == _BESIDE else item[1:] for lesson, item in pairs]


def _numbers(columns: Columns, name: str, kind: str, fields: int) -> list[int]:
    """Return numbers that only grow, and see that no other column is there."""
    if not isinstance(columns, dict) or len(columns) != fields or not isinstance(columns.get(name), list):
        raise ValueError(kind)
    found = columns[name]
    if not _is_list(found, int) or min(found, default=1) < 1:
        raise ValueError(name)
    numbers = list(accumulate(found))
    if numbers and numbers[-1] >= 1 << 53:
        raise ValueError(name)
    return numbers


def _times(columns: Columns, size: int) -> list[int]:
    found = list(accumulate(_ints(columns, "at", size, lambda each: -(1 << 40) <= each <= 1 << 40)))
    if found and not (min(found) >= 0 and max(found) <= 1 << 40):
        raise ValueError("at")
    return found


def _is_list(found: object, kind: type) -> TypeGuard[list[Any]]:
    """Tell whether `found` is a list of nothing else; a bool is no int. Without a loop of our own: it is long."""
    return isinstance(found, list) and list(map(type, found)).count(kind) == len(found)


def _range(columns: Columns, name: str, most: int, size: int) -> list[int]:
    return _ints(columns, name, size, lambda each: 0 <= each <= most)


def _ints(columns: Columns, name: str, size: int, fits: Callable[[int], bool]) -> list[int]:
    found = columns.get(name)
    if not _is_list(found, int) or len(found) != size:
        raise ValueError(name)
    if found and not (fits(min(found)) and fits(max(found))):
        raise ValueError(name)
    return found


def _looked_up(columns: Columns, name: str, table: list[Any], size: int) -> list[Any]:
    return [table[place] for place in _range(columns, name, len(table) - 1, size)]


def _texts(columns: Columns, name: str, longest: int, size: int) -> list[str]:
    found = columns.get(name)
    if not _is_list(found, str) or len(found) != size:
        raise ValueError(name)
    if max(map(len, found), default=0) > longest:
        raise ValueError(name)
    # Halves of characters raise UnicodeEncodeError, a ValueError. PostgreSQL keeps no zero character, SQLite half of it.
    if b"\0" in "".join(found).encode("utf-8"):
        raise ValueError(name)
    return found

"""Judge a whole pack: are its keys right, its sums true, its answers distinct, its texts readable?

`check` finds what is wrong, `advise` what could be better. A pack with advice works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.learning.grade import mark
from edge.learning.number import read_number
from edge.library.arithmetic import compute
from edge.library.pack import Complaint, Item, Lesson, Pack, complaint
from edge.library.quoting import quotes_of
from edge.library.readability import least_level, measure

LEAST_WORDS, MOST_WORDS = 200, 500
LEAST_ITEMS, LEAST_ANSWERS = 6, 12
LONGEST_ANSWER_WORDS = 90


def check(pack: Pack) -> list[Complaint]:
    """Return everything that is wrong with the pack beyond the shape of its files."""
    complaints: list[Complaint] = []
    for lesson in pack.lessons:
        for item in lesson.items:
            complaints += _check_key(item, lesson.path)
            complaints += _check_sum(item, lesson.path)
        if pack.strict:
            complaints += _check_quoted(lesson)
    complaints += _same_question(pack.lessons)
    complaints += _same_answer(pack.lessons)
    return complaints


def advise(pack: Pack) -> list[Complaint]:
    """Return what would make the pack better: length, level, number of items and answers, hints."""
    return [] if pack.strict else [advice for lesson in pack.lessons for advice in _advise_lesson(lesson)]


def _check_quoted(lesson: Lesson) -> Iterator[Complaint]:
    """A guideline that is quoted holds nothing but its own words, each with its page."""
    for line in [item.line for item in lesson.items] + [entry.line for entry in lesson.bank]:
        yield complaint(lesson.path, line, "strict-own-words")
    for quote in quotes_of(lesson.text):
        if not quote.page:
            yield complaint(lesson.path, lesson.text_line, "strict-no-page", text=quote.text[:60])


def _check_key(item: Item, path: Path) -> Iterator[Complaint]:
    """The key must be right, and every other option wrong, by the very checker that marks pupils."""
    if item.kind == "choice":
        for option in item.options:
            if mark(item, option.text).right != option.right:
                yield complaint(path, item.line, "option-marked-wrongly", option=option.text)
    for key in item.keys:
        if not mark(item, key).right:
            yield complaint(path, item.line, "key-marked-wrong", answer=key)


def _check_sum(item: Item, path: Path) -> Iterator[Complaint]:
    if not item.sum:
        return
    answers = item.keys or tuple(option.text for option in item.options if option.right)
    try:
        result = compute(item.sum)
    except ValueError:
        yield complaint(path, item.line, "sum-unreadable", sum=item.sum)
        return
    number = read_number(answers[0])
    if number is None or result not in number.values:
        yield complaint(path, item.line, "sum-differs", sum=item.sum, result=str(result), answer=answers[0])


def _same_question(lessons: Iterable[Lesson]) -> Iterator[Complaint]:
    seen: dict[str, str] = {}
    for lesson in lessons:
        for entry in lesson.bank:
            for question in (entry.question, *entry.variants):
                folded = question.casefold()
                place = f"{lesson.path.name}:{entry.line}"
                if folded in seen:
                    yield complaint(lesson.path, entry.line, "question-twice", question=question, first=seen[folded])
                seen.setdefault(folded, place)


def _same_answer(lessons: Iterable[Lesson]) -> Iterator[Complaint]:
    seen: dict[str, str] = {}
    for lesson in lessons:
        for entry in lesson.bank:
            folded = entry.text.casefold()
            if folded in seen:
                yield complaint(lesson.path, entry.line, "answer-twice", first=seen[folded])
            seen.setdefault(folded, f"{lesson.path.name}:{entry.line}")


def _advise_lesson(lesson: Lesson) -> Iterator[Complaint]:
    level, least = measure(lesson.text, lesson.lang), least_level(lesson.lang, lesson.grade)
    where, line = lesson.path, lesson.text_line
    if not LEAST_WORDS <= level.words <= MOST_WORDS:
        yield complaint(where, line, "text-length", words=level.words, least=LEAST_WORDS, most=MOST_WORDS)
    if least is not None and level.value < least:
        yield complaint(where, line, "text-hard", level=level.value, least=least, grade=lesson.grade)
    if len(lesson.items) < LEAST_ITEMS:
        yield complaint(where, line, "items-few", count=len(lesson.items), least=LEAST_ITEMS)
    if len(lesson.bank) < LEAST_ANSWERS:
        yield complaint(where, line, "answers-few", count=len(lesson.bank), least=LEAST_ANSWERS)
    for entry in lesson.bank:
        if len(entry.text.split()) > LONGEST_ANSWER_WORDS:
            yield complaint(where, entry.line, "answer-long", words=len(entry.text.split()), most=LONGEST_ANSWER_WORDS)
    for item in lesson.items:
        if not item.hints:
            yield complaint(where, item.line, "item-no-hint")
        if any(_gives_away(hint, item) for hint in item.hints):
            yield complaint(where, item.line, "hint-gives-away")


def _gives_away(hint: str, item: Item) -> bool:
    """Tell whether a hint holds the answer word for word; numbers in hints are part of the method."""
    if item.kind == "number":
        return False
    answers = item.keys or tuple(option.text for option in item.options if option.right)
    words = f" {' '.join(hint.casefold().replace('.', ' ').replace(',', ' ').split())} "
    return any(len(answer) > 3 and f" {answer.casefold()} " in words for answer in answers)

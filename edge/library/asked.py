"""`asked.toml`: how pupils really ask, with their spelling, kept apart from the lessons.

A teacher who finds a question that was not understood adds it here, under the bank question
that answers it. The file may be absent. Its lines are TOML tables:

    [[asked]]
    lesson = "4-ciencias-fotosintesis"
    entry = "¿Cómo se alimentan las plantas?"
    ways = ["profe que comen las matas", "la planta come tierra o que"]
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from edge.library.fields import Fields
from edge.library.pack import BankEntry, Complaint, Lesson, complaint

FILE_NAME = "asked.toml"
TABLE = re.compile(r"^\s*\[\[asked\]\]\s*$", re.MULTILINE)


def add_asked(source: str, path: Path, lessons: Iterable[Lesson], complaints: list[Complaint]) -> tuple[Lesson, ...]:
    """Return the lessons with these ways to ask added to their bank; what does not fit is complained about."""
    by_slug = {lesson.id.partition("/")[2]: lesson for lesson in lessons}
    for first_line, part in _tables(source):
        fields = Fields(path, part, first_line)
        if fields.parse():
            fields.refuse_unknown({"lesson", "entry", "ways"})
            slug, question, ways = fields.text("lesson"), fields.text("entry"), fields.texts("ways")
            lesson = by_slug.get(slug)
            if lesson is None or all(entry.question != question for entry in lesson.bank):
                fields.complaints.append(complaint(path, first_line, "asked-unknown", lesson=slug, entry=question))
            else:
                by_slug[slug] = replace(lesson, bank=tuple(_with(entry, question, ways) for entry in lesson.bank))
        complaints += fields.complaints
    return tuple(by_slug.values())


def _tables(source: str) -> list[tuple[int, str]]:
    """Cut the file at its `[[asked]]` lines; each part with the line it begins on."""
    starts = [found.end() for found in TABLE.finditer(source)]
    ends = [*(found.start() for found in TABLE.finditer(source)), len(source)][1:]
    return [(source.count("\n", 0, start) + 1, source[start:end]) for start, end in zip(starts, ends, strict=True)]


def _with(entry: BankEntry, question: str, ways: tuple[str, ...]) -> BankEntry:
    if entry.question != question:
        return entry
    return replace(entry, heard=tuple(dict.fromkeys((*entry.heard, *ways))))

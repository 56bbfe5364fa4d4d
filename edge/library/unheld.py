"""`unheld.toml`: what pupils ask that a pack does not hold, so that the tutor knows when to say so.

Without such questions, "quién ganó el mundial" is only a question with few known words; with
them it is one of a kind that was never answered here. The file may be absent:

    questions = ["quien gano el mundial de futbol", "cuanto cuesta una moto"]
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edge.library.fields import Fields
from edge.library.pack import Complaint, Lesson, complaint

FILE_NAME = "unheld.toml"


def read_unheld(source: str, path: Path, lessons: Iterable[Lesson], complaints: list[Complaint]) -> tuple[str, ...]:
    """Return the questions of the file; what does not fit, or is answered after all, is complained about."""
    fields = Fields(path, source, first_line=1)
    questions: tuple[str, ...] = ()
    if fields.parse():
        fields.refuse_unknown({"questions"})
        questions = fields.texts("questions")
    complaints += fields.complaints
    asked = {
        way.casefold(): lesson.id
        for lesson in lessons
        for entry in lesson.bank
        for way in (entry.question, *entry.variants, *entry.heard)
    }
    for question in questions:
        if lesson_id := asked.get(question.casefold()):
            line = _line_of(question, source)
            complaints.append(complaint(path, line, "unheld-answered", question=question, lesson=lesson_id))
    return questions


def _line_of(question: str, source: str) -> int:
    return next((number for number, line in enumerate(source.splitlines(), 1) if question in line), 1)

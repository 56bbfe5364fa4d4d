"""Turn the text of one lesson file into a Lesson, with file and line in every complaint.

Knows the shape of the file only; whether the whole pack is good enough is `check`'s matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edge.library.exercises import parse_items
from edge.library.fields import Fields
from edge.library.pack import SUBJECTS, BankEntry, Complaint, Lesson, complaint

ITEM_HEADINGS = {"es": "Ejercicios", "pt": "Exercícios", "en": "Exercises"}
BANK_HEADINGS = {"es": "Preguntas", "pt": "Perguntas", "en": "Questions"}
LESSON_FIELDS = {"title", "grade", "subject", "minutes", "keywords", "sources"}
FENCE = "+++"
FILE_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, with its number counted from 1."""

    number: int
    text: str


def parse_lesson(source: str, path: Path, pack: str, lang: str) -> tuple[Lesson | None, list[Complaint]]:
    """Parse a lesson; None when not even its fields can be read."""
    lines = [Line(n, text.rstrip()) for n, text in enumerate(source.lstrip("\ufeff").splitlines(), 1)]
    complaints: list[Complaint] = []
    if not FILE_NAME.fullmatch(path.stem):
        complaints.append(complaint(path, 1, "file-name", name=path.name))
    end = _closing_fence(lines)
    if end is None:
        return None, [*complaints, complaint(path, 1, "no-front-matter")]
    fields = Fields(path, "\n".join(line.text for line in lines[1:end]), first_line=2)
    if not fields.parse():
        return None, complaints + fields.complaints
    text, items, bank = _sections(lines[end + 1 :], path, lang, complaints)
    lesson_id = f"{pack}/{path.stem}"
    if not any(line.text.strip() for line in text):
        complaints.append(complaint(path, lines[end].number, "no-text"))
    fields.refuse_unknown(LESSON_FIELDS)
    lesson = Lesson(
        pack=pack,
        id=lesson_id,
        title=fields.text("title"),
        lang=lang,
        grade=fields.number("grade", 1, 12),
        subject=fields.choice("subject", SUBJECTS[lang]),
        minutes=fields.number("minutes", 1, 240),
        keywords=fields.texts("keywords"),
        sources=fields.texts("sources"),
        text="\n".join(line.text for line in text).strip(),
        items=parse_items([(line.number, line.text) for line in items], path, lesson_id, lang, complaints),
        bank=_parse_bank(bank, path, complaints),
        path=path,
        text_line=text[0].number if text else 1,
    )
    return lesson, fields.complaints + complaints


def _closing_fence(lines: list[Line]) -> int | None:
    """Return the position of the second `+++`, if the file begins with a first one."""
    if not lines or lines[0].text != FENCE:
        return None
    return next((at for at, line in enumerate(lines[1:], 1) if line.text == FENCE), None)


def _sections(
    lines: list[Line], path: Path, lang: str, complaints: list[Complaint]
) -> tuple[list[Line], list[Line], list[Line]]:
    """Split into text, items and answer bank by their two headings."""
    parts: dict[str, list[Line]] = {"": [], ITEM_HEADINGS[lang]: [], BANK_HEADINGS[lang]: []}
    current = ""
    for line in lines:
        if line.text.startswith("# "):
            heading = line.text[2:].strip()
            if heading not in parts:
                known = f"# {ITEM_HEADINGS[lang]}, # {BANK_HEADINGS[lang]}"
                complaints.append(complaint(path, line.number, "heading-unknown", heading=heading, known=known))
            else:
                current = heading
            continue
        parts[current].append(line)
    text, items, bank = parts.values()
    return text, items, bank


def _parse_bank(lines: list[Line], path: Path, complaints: list[Complaint]) -> tuple[BankEntry, ...]:
    """Read `## question`, `~ variant` lines and the answer below them."""
    entries: list[BankEntry] = []
    question: Line | None = None
    variants: list[str] = []
    answer: list[str] = []

    def finish() -> None:
        if question is None:
            return
        text = " ".join(answer).strip()
        if not text:
            complaints.append(complaint(path, question.number, "bank-no-answer", question=question.text[3:]))
            return
        entries.append(BankEntry(question.text[3:].strip(), tuple(variants), text, question.number))

    for line in lines:
        if line.text.startswith("## "):
            finish()
            question, variants, answer = line, [], []
        elif line.text.startswith("~") and question is not None and not answer:
            variants.append(line.text[1:].strip())
        elif line.text.strip() and question is None:
            complaints.append(complaint(path, line.number, "bank-stray", text=line.text[:60]))
        elif line.text.strip():
            answer.append(line.text.strip())
    finish()
    return tuple(entries)

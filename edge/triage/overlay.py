"""The words of tables and teaching texts in one more language, from a file that a community made.

An overlay changes what is read and heard, never what is decided: it holds texts under the names that the table gives
them, and a text whose numbers or units are not those of the original is not shown. What is missing stays in the language
of the screens, marked as such. Which overlay was shown is part of every run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge.library.pack import Complaint, Lesson, complaint
from edge.triage.amounts import amounts
from edge.triage.fields import Node, parse_bytes, read_at_most
from edge.triage.parts import OVERLAY, SHOWN, Shown, Table, Text, Texts, in_language, lines_in
from edge.triage.workbook import is_plain
from edge.words import LANGUAGES

FORMAT, MOST_BYTES = 1, 1 << 20
HEAD = ("format", "id", "version", "lang", "name", "author", "licence", "reviewed_by", "from", "tables", "teaching")
LANG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
HEADING = re.compile(r"(#+ +)?(.*)", re.S)
LONGEST_FACTOR, LONGEST_LEAST = 5, 240
"""A text longer than so many times the original, and than so many letters, is something else than its words."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One file, as it was read."""

    shown: Shown
    """What is said of it wherever it is shown."""

    origin: str
    """The language it was translated from."""

    versions: Mapping[str, str]
    """Of which version of each table (`child-cough`) or teaching text (`ensenanza/LESSON`) these are the words."""

    texts: Mapping[str, Mapping[str, str]]
    """By table or teaching text, then by name inside it."""

    path: Path
    lines: Mapping[str, int]


def read_overlay(path: Path) -> tuple[Overlay | None, list[Complaint]]:
    """Read an overlay, with all that is wrong with its shape; None where nothing can be made of it."""
    content = read_at_most(path, MOST_BYTES, "overlay-unreadable")
    if content is None:
        return None, [complaint(path, 1, "file-large", most=MOST_BYTES)]
    return overlay_in(path, content)


def overlay_in(path: Path, content: bytes) -> tuple[Overlay | None, list[Complaint]]:
    """Read an overlay from what stands, or is to stand, in the file `path`."""
    place, found = parse_bytes(path, content)
    if found is None:
        return None, place.complaints
    head = Node(place, "", found)
    head.refuse_unknown(*HEAD)
    if found.get("format") != FORMAT:
        head.complain("format", "format-unknown", value=str(found.get("format")), known=FORMAT)
    name, lang = head.text("id"), head.text("lang")
    if name and not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
        head.complain("id", "name-odd")
    if lang and (not LANG.fullmatch(lang) or lang.partition("-")[0] in LANGUAGES):
        head.complain("lang", "overlay-lang", value=lang[:40])
    facts = {field: head.text(field) for field in ("version", "name", "author", "licence")}
    facts["reviewed_by"] = head.text("reviewed_by", "")
    for field, told in facts.items():
        if not is_plain(told) or "\n" in told or len(told) > LONGEST_LEAST:
            head.complain(field, "overlay-plain")
    versions: dict[str, str] = {}
    texts: dict[str, dict[str, str]] = {}
    for part in _parts(head):
        given = dict(part.table)
        inside = part.name.partition(".")[2].replace(".", "/")
        versions[inside] = str(given.pop("version", ""))
        texts[inside] = dict(_flat(part, given, ""))
    shown = Shown(id=name, lang=lang, sha256=hashlib.sha256(content).hexdigest(), **facts)
    return Overlay(shown, head.choice("from", LANGUAGES), versions, texts, path, place.lines), place.complaints


def _parts(head: Node) -> Iterator[Node]:
    """Return each table's and each teaching text's part of the file."""
    if "tables" in head.table:
        yield from (node for _, node in head.child("tables").children_plain())
    if "teaching" in head.table:
        for _, pack in head.child("teaching").children_plain():
            yield from (node for _, node in pack.children_plain())


def _flat(part: Node, table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for field, value in table.items():
        name = f"{prefix}{field}"
        if isinstance(value, dict):
            yield from _flat(part, value, f"{name}.")
        elif not isinstance(value, str):
            part.place.complain(part.full(name), "field-text", name=part.full(name), value=str(value)[:60])
        elif not is_plain(value):
            part.place.complain(part.full(name), "overlay-plain", name=part.full(name))
        elif value.strip():
            yield name, value.strip()


def table_texts(table: Table, lang: str) -> dict[str, str]:
    """Return every text of a table by its name in an overlay."""
    found = {"title": in_language(table.title, lang), "who": in_language(table.who, lang)}
    for one in table.inputs:
        found[f"inputs.{one.id}.ask"] = in_language(one.ask, lang)
        if one.help:
            found[f"inputs.{one.id}.help"] = in_language(one.help, lang)
        for code, label in zip(one.codes, one.labels, strict=True):
            found[f"inputs.{one.id}.codes.{code}"] = in_language(label, lang)
    for outcome in table.outcomes:
        found[f"outcomes.{outcome.id}.title"] = in_language(outcome.title, lang)
        for number, step in enumerate(lines_in(outcome.do, lang), 1):
            found[f"outcomes.{outcome.id}.do.{number}"] = step
    for dose in table.doses:
        found[f"doses.{dose.id}.title"] = in_language(dose.title, lang)
        for number, band in enumerate(dose.bands, 1):
            found[f"doses.{dose.id}.amounts.{number}"] = in_language(band.amount, lang)
    return found


def lesson_texts(lesson: Lesson) -> dict[str, str]:
    """Return title and paragraphs of a teaching text by their names in an overlay; a heading without its mark."""
    return {"title": lesson.title} | {
        f"text.{number}": said for number, (_, said) in enumerate(_paragraphs(lesson.text), 1)
    }


def fault_of(original: str, words: str) -> str:
    """Return the key of what is wrong with the words for a text, or nothing."""
    if amounts(original) != amounts(words):
        return "overlay-amounts"
    if len(words) > max(LONGEST_LEAST, LONGEST_FACTOR * len(original)):
        return "overlay-long"
    if ("\n" in words and "\n" not in original) or words.startswith(("#", "+++", "---")):
        return "overlay-plain"
    return ""


def dress(table: Table, overlay: Overlay, lang: str) -> Table:
    """Return the table with the overlay's words before its own, and every missing one marked with `[lang]`."""
    words = _words(overlay, table.id, table.version, table_texts(table, overlay.origin))
    if not words:
        return table

    def one(name: str, text: Text) -> Text:
        own = words.get(name, "")
        return (*text, (OVERLAY, own), (SHOWN, own or f"[{lang}] {in_language(text, lang)}")) if text else text

    def steps(name: str, texts: Texts) -> Texts:
        own = [words.get(f"{name}.{number}", "") for number in range(1, len(lines_in(texts, lang)) + 1)]
        said = (mine or f"[{lang}] {step}" for mine, step in zip(own, lines_in(texts, lang), strict=True))
        return (*texts, (OVERLAY, tuple(filter(None, own))), (SHOWN, tuple(said)))

    inputs = (
        replace(
            asked,
            ask=one(f"inputs.{asked.id}.ask", asked.ask),
            help=one(f"inputs.{asked.id}.help", asked.help),
            labels=tuple(
                one(f"inputs.{asked.id}.codes.{code}", label)
                for code, label in zip(asked.codes, asked.labels, strict=True)
            ),
        )
        for asked in table.inputs
    )
    outcomes = (
        replace(
            found, title=one(f"outcomes.{found.id}.title", found.title), do=steps(f"outcomes.{found.id}.do", found.do)
        )
        for found in table.outcomes
    )
    doses = (
        replace(
            dose,
            title=one(f"doses.{dose.id}.title", dose.title),
            bands=tuple(
                replace(band, amount=one(f"doses.{dose.id}.amounts.{number}", band.amount))
                for number, band in enumerate(dose.bands, 1)
            ),
        )
        for dose in table.doses
    )
    title, who = one("title", table.title), one("who", table.who)
    parts = {"inputs": tuple(inputs), "outcomes": tuple(outcomes), "doses": tuple(doses)}
    return replace(table, title=title, who=who, overlay=overlay.shown, **parts)  # type: ignore[arg-type]


def dress_lesson(lesson: Lesson, version: int, overlay: Overlay, credit: str) -> Lesson:
    """Return a teaching text in the overlay's words, missing paragraphs in their own language and marked."""
    words = _words(overlay, lesson.id, str(version), lesson_texts(lesson))
    if not words:
        return lesson
    said = [
        f"{mark}{words.get(f'text.{number}') or f'[{lesson.lang}] {text}'}"
        for number, (mark, text) in enumerate(_paragraphs(lesson.text), 1)
    ]
    title = words.get("title") or f"[{lesson.lang}] {lesson.title}"
    return replace(lesson, title=title, text="\n\n".join(said), sources=(*lesson.sources, credit))


def _words(overlay: Overlay, name: str, version: str, originals: Mapping[str, str]) -> dict[str, str]:
    """Return the words that may be shown for a table or teaching text: of its very version, with its amounts."""
    if overlay.versions.get(name) != version:
        return {}
    given = overlay.texts[name]
    return {path: given[path] for path, text in originals.items() if path in given and not fault_of(text, given[path])}


def _paragraphs(text: str) -> list[tuple[str, str]]:
    """Return the paragraphs of a lesson, each with the mark of a heading before it."""
    found = [HEADING.fullmatch(part) for part in re.split(r"\n\s*\n", text.strip())]
    return [(part[1] or "", part[2]) for part in found if part]

"""Read the exercises of a lesson: numbered items, each with exactly one kind of key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from edge.library.pack import Complaint, Item, Option, complaint

NUMBERED = re.compile(r"(\d{1,3})\.\s+(.*)")
OPTION = re.compile(r"-\s+\[( |x|X)\]\s*(.*)")
NAMED = re.compile(r"(\w+):\s*(.*)")
MARKS = {
    "pista": "hint", "dica": "hint", "hint": "hint",
    "porque": "because", "because": "because",
    "cuenta": "sum", "conta": "sum", "sum": "sum",
}  # fmt: skip
MOST_HINTS = 3
MOST_OPTIONS = 5


@dataclass(slots=True)
class Draft:
    """An item while its lines are being read."""

    number: int
    line: int
    prompt: list[str]
    options: list[Option] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    because: str = ""
    sum: str = ""


def parse_items(
    lines: list[tuple[int, str]], path: Path, lesson_id: str, lang: str, complaints: list[Complaint]
) -> tuple[Item, ...]:
    """Return the items found in (line number, text) pairs; what does not fit goes to `complaints`."""
    drafts: list[Draft] = []
    for number, text in lines:
        if not text.strip():
            continue
        if found := NUMBERED.match(text):
            drafts.append(Draft(int(found[1]), number, [found[2].strip()]))
        elif not drafts:
            complaints.append(complaint(path, number, "item-stray", text=text[:60]))
        elif problem := _read_line(drafts[-1], text.strip()):
            complaints.append(complaint(path, number, problem, text=text[:60]))
    items: list[Item] = []
    seen: set[int] = set()
    for draft in drafts:
        if draft.number in seen:
            complaints.append(complaint(path, draft.line, "item-number-twice", number=draft.number))
        seen.add(draft.number)
        if problem := _shape_problem(draft):
            complaints.append(complaint(path, draft.line, problem, number=draft.number))
        else:
            items.append(_item(draft, lesson_id, lang))
    return tuple(items)


def _read_line(draft: Draft, text: str) -> str:
    """Add one line to the draft; return the key of a complaint, or nothing."""
    if found := OPTION.match(text):
        option, _, feedback = found[2].partition(" // ")
        draft.options.append(Option(option.strip(), found[1] != " ", feedback.strip()))
        return "" if option.strip() else "option-blank"
    if text.startswith("="):
        if draft.keys:
            return "key-twice"
        draft.keys.extend(key.strip() for key in text[1:].split("|") if key.strip())
        return "" if draft.keys else "key-blank"
    if (found := NAMED.match(text)) and found[1] in MARKS:
        return _read_mark(draft, MARKS[found[1]], found[2].strip())
    if draft.options or draft.keys or draft.hints or draft.because:
        return "item-line-unknown"
    draft.prompt.append(text)
    return ""


def _read_mark(draft: Draft, mark: str, value: str) -> str:
    if not value:
        return "mark-blank"
    if mark == "hint":
        draft.hints.append(value)
        return "hints-many" if len(draft.hints) > MOST_HINTS else ""
    if getattr(draft, mark):
        return "mark-twice"
    setattr(draft, mark, value)
    return ""


def _shape_problem(draft: Draft) -> str:
    """Return the key of what is wrong with the whole item, or nothing."""
    if bool(draft.options) == bool(draft.keys):
        return "item-no-key" if not draft.keys else "item-two-keys"
    if draft.options and not 2 <= len(draft.options) <= MOST_OPTIONS:
        return "item-options"
    if draft.options and sum(option.right for option in draft.options) != 1:
        return "item-one-right"
    if len({option.text.casefold() for option in draft.options}) != len(draft.options):
        return "item-options-same"
    return "" if draft.because else "item-no-because"


NUMBER_KEY = re.compile(r"[-−]?\d[\d .]*([.,]\d+)?(\s*/\s*\d+)?(\s*[^\d\s|]{1,14}(\s+(?!de )[^\d\s|]{1,14})?)?")


def _item(draft: Draft, lesson_id: str, lang: str) -> Item:
    number = len(draft.keys) == 1 and NUMBER_KEY.fullmatch(draft.keys[0])
    kind = "choice" if draft.options else "number" if number else "text"
    return Item(
        id=f"{lesson_id}/{draft.number}",
        kind=kind,  # type: ignore[arg-type]
        prompt="\n".join(draft.prompt),
        options=tuple(draft.options),
        keys=tuple(draft.keys),
        hints=tuple(draft.hints),
        because=draft.because,
        sum=draft.sum,
        line=draft.line,
    )

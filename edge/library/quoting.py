"""Cut the text of a guideline into passages that are quoted whole, each with its page and section.

Pure. A line `[p. 12]` begins page 12, a line `## Name` a section. Nothing is left out, moved or put in other words:
a list stays with the line that introduces it, because "do not give:" means nothing without what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

PAGE_MARK = re.compile(r"\[p\. ?([0-9A-Za-zÁ-ú.-]{1,12})\]\s*")
LIST_ITEM = re.compile(r"\s*([-*+•–]|\d{1,2}[.)]|[a-z]\))\s")
SENTENCE_ENDS = (".", "!", "?", "…", ".»", ".)", '."')


@dataclass(frozen=True, slots=True)
class Quote:
    """One passage as the guideline has it."""

    text: str
    page: str
    """As printed, `12` or `12-13`; nothing where the text names none."""

    section: str


def quotes_of(text: str) -> list[Quote]:
    """Return the passages of a text in their order; together they hold every word outside headings and page marks."""
    quotes: list[Quote] = []
    for quote in _blocks(text.splitlines()):
        before = quotes[-1] if quotes else None
        if before is not None and before.section == quote.section and _goes_on(before, quote):
            quotes[-1] = _joined(before, quote)
        else:
            quotes.append(quote)
    return quotes


def _blocks(lines: Iterable[str]) -> Iterator[Quote]:
    """Yield each run of lines between blank lines, headings and page marks."""
    page, section = "", ""
    held: list[str] = []
    for line in [*lines, ""]:
        mark = PAGE_MARK.fullmatch(line)
        is_heading = line.startswith("#")
        if line.strip() and not mark and not is_heading:
            held.append(line.rstrip())
            continue
        if held:
            yield Quote("\n".join(held), page, section)
            held = []
        page = mark[1] if mark else page
        section = line.lstrip("#").strip() if is_heading else section


def _goes_on(before: Quote, after: Quote) -> bool:
    """Tell whether a passage would be cut in two here: after a colon, inside a list, or where a page turns mid-sentence."""
    if before.text.endswith(":") or LIST_ITEM.match(after.text):
        return True
    return before.page.rpartition("-")[2] != after.page and not before.text.endswith(SENTENCE_ENDS)


def _joined(before: Quote, after: Quote) -> Quote:
    first, last = before.page.partition("-")[0], after.page
    page = last if first == last or not first else f"{first}-{last}"
    return replace(before, text=f"{before.text}\n\n{after.text}", page=page)

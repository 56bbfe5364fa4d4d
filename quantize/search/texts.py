"""The texts that words get their meaning from: open corpora and the packs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.library.folder import read_pack
from edge.library.pack import Lesson, Pack
from quantize.reader.corpus import (
    NOVELS_ES,
    NOVELS_PT,
    OPENSTAX,
    SQUAD,
    STORYBOOKS,
    read_novels,
    read_openstax,
    read_squad,
    read_stories,
)


def read_packs(folders: tuple[Path, ...]) -> list[Pack]:
    """Read the packs of a recipe."""
    return [read_pack(folder)[0] for folder in folders]


def texts_of(lang: str, packs: list[Pack], corpora: Path | None, novel_paragraphs: int, copies: int) -> Iterator[str]:
    """Yield every text in one language; the packs several times, they are what is searched."""
    for pack in packs:
        if pack.lang == lang:
            for lesson in pack.lessons:
                yield from [lesson_text(lesson)] * copies
    if corpora is None:
        return
    for passage in read_stories(corpora / STORYBOOKS):
        if passage.lang == lang:
            yield passage.text
    novels = NOVELS_ES if lang == "es" else NOVELS_PT
    yield from (passage.text for passage in read_novels(corpora / novels, lang, novel_paragraphs))
    if lang == "es":
        yield from (passage.text for passage in read_openstax(corpora / OPENSTAX))
        yield from (passage.text for passage in read_squad(corpora / SQUAD, (), ()).passages)


def lesson_text(lesson: Lesson) -> str:
    """Return everything a lesson says, its bank included."""
    bank = [text for entry in lesson.bank for text in (entry.question, *entry.variants, entry.text)]
    return "\n".join((lesson.title, " ".join(lesson.keywords), lesson.text, *bank))

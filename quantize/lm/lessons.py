"""Turn the packs' lessons into text and into exchanges in the tutor's own format.

One question in ten of a lesson's answer bank is held out, with its other wordings
and its answer, and so is the hint of one exercise. A grounded answer is the
lesson's own sentence, word for word.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from edge.library.lesson import parse_lesson
from edge.library.pack import BankEntry, Lesson
from edge.tutor.features import sentence_spans, words_of
from quantize.lm.prompts import HINT, NOT_SAID, REPHRASE, Example, grounded, unguided
from quantize.lm.sources import Document

HELD_EVERY = 10
TOGETHER_CHARS = 700
LEAST_SHARED = 2
"""Stems that a lesson's sentence must share with a bank answer to stand for it."""


def read_lessons(packs: Sequence[Path]) -> list[Lesson]:
    """Read the lessons of the packs that can be parsed; complaints are `packs check`'s matter."""
    lessons: list[Lesson] = []
    for pack in packs:
        about = tomllib.loads((pack / "pack.toml").read_text(encoding="utf-8"))
        for path in sorted((pack / "lessons").glob("*.md")):
            lesson, _ = parse_lesson(path.read_text(encoding="utf-8"), path, about["id"], about["lang"])
            if lesson is not None and lesson.lang in ("es", "pt"):
                lessons.append(lesson)
    return lessons


def lesson_text(lesson: Lesson) -> Document:
    """Return the lesson as plain text."""
    return Document("lessons", lesson.lang, False, f"{lesson.title}\n{_plain(lesson.text)}", lesson.title)


def paragraphs_of(lesson: Lesson) -> list[str]:
    """Return the lesson's paragraphs that are long enough to ask about."""
    found = [" ".join(part.split()) for part in re.split(r"\n\s*\n", _plain(lesson.text))]
    return [part for part in found if len(part) >= 60]


def lesson_examples(lessons: Sequence[Lesson], random: Random, times: int = 1) -> Iterator[Example]:
    """Yield every exchange that the lessons' answer banks and exercises give; those for training `times` times."""
    everything = [(lesson.lang, part) for lesson in lessons for part in paragraphs_of(lesson)]
    for lesson in lessons:
        parts = paragraphs_of(lesson)
        others = [part for lang, part in everything if lang == lesson.lang and part not in parts]
        for number, entry in enumerate(lesson.bank):
            held = number % HELD_EVERY == HELD_EVERY // 2
            yield from _bank_examples(lesson.lang, parts, others, entry, held, times, random)
        for number, item in enumerate(lesson.items):
            held = number % HELD_EVERY == HELD_EVERY // 2
            for hint in item.hints[:1]:
                yield unguided("hint", lesson.lang, HINT[lesson.lang].format(prompt=item.prompt), hint, held)


def _bank_examples(
    lang: str, parts: Sequence[str], others: Sequence[str], entry: BankEntry, held: bool, times: int, random: Random
) -> Iterator[Example]:
    place = best_sentence(parts, entry.text)
    for question in (entry.question, *entry.variants):
        yield unguided("free_chat", lang, question, entry.text, held)
        for time in range(1 if held else times):
            if place:
                part, sentence = place
                shown = _beside(part, others, random) if time else part
                yield grounded("lesson", lang, shown, question, sentence, held, (sentence, entry.text))
            if others:
                yield grounded("absent", lang, random.choice(others), question, NOT_SAID[lang], held)
    if place:
        yield unguided("rephrase", lang, REPHRASE[lang].format(text=place[1]), entry.text, held)


def _beside(part: str, others: Sequence[str], random: Random) -> str:
    """Return a paragraph with another lesson's before or after it, as a search may find them; alone if that is long."""
    other = random.choice(others) if others else ""
    if not other or len(part) + len(other) > TOGETHER_CHARS:
        return part
    return "\n".join(random.sample((part, other), 2))


def best_sentence(parts: Sequence[str], answer: str) -> tuple[str, str] | None:
    """Return the paragraph and its sentence that say most of `answer`, if any says enough."""
    wanted = stems(answer)
    best: tuple[float, str, str] | None = None
    for part in parts:
        for start, end in sentence_spans(part):
            sentence = part[start:end]
            said = stems(sentence)
            shared = len(said & wanted)
            score = shared / (len(said) + 2) + shared / (len(wanted) + 2)
            if shared >= LEAST_SHARED and (best is None or score > best[0]):
                best = (score, part, sentence)
    return (best[1], best[2]) if best else None


def stems(text: str) -> set[str]:
    """Return the stems that say what a text is about."""
    return {word.stem for word in words_of(text) if word.stem}


def _plain(markdown: str) -> str:
    text = re.sub(r"^#+\s*", "", markdown, flags=re.MULTILINE)
    return re.sub(r"\*\*|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)|`", "", text)

"""Read the packs' lessons as passages, and their answer banks as questions about them.

All texts of the lessons are seen in training, but of the lessons held out neither
questions nor bank answers. A bank answer counts as a passage too, with its own questions.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from edge.library.folder import read_pack
from edge.library.index import passages_of
from edge.tutor.features import sentence_spans, words_of
from quantize.reader.corpus import Corpus, Passage, Question, Split

SAYS_MOST_OF_ITSELF = 0.6
SAYS_MOST_OF_ANSWER = 0.45

Bank = list[tuple[list[str], str]]
"""Ways to ask, and the answer."""


def read_lessons(packs: Iterable[Path], held_out_percent: int) -> Corpus:
    """Read the packs; `held_out_percent` of the lessons go to dev, as many to test, chosen by their name."""
    lessons = [lesson for pack in packs for lesson in _pack(pack, held_out_percent)]
    rarity = _rarity([passage.text for texts, _ in lessons for passage in texts])
    passages: list[Passage] = []
    questions: list[Question] = []
    for texts, bank in lessons:
        first = len(passages)
        passages.extend(texts)
        for ways, answer in bank:
            place = _answering_sentence(ways, answer, texts, rarity)
            if place:
                questions.extend(_asked("lessons", ways, answer, texts[0].split, first + place[0], place[1:]))
        for ways, answer in bank:
            passages.append(Passage("bank", texts[0].group, texts[0].split, texts[0].lang, answer))
            place = (len(passages) - 1, *sentence_spans(answer)[0])
            questions.extend(_asked("bank", ways, answer, texts[0].split, place[0], place[1:]))
    return Corpus(tuple(passages), tuple(questions))


def _asked(
    source: str, ways: Sequence[str], answer: str, split: Split, passage: int, span: tuple[int, int]
) -> list[Question]:
    return [Question(source, split, way, passage, *span, (answer,), False) for way in ways]


def _pack(folder: Path, percent: int) -> Iterable[tuple[list[Passage], Bank]]:
    pack, _ = read_pack(folder)
    for lesson in pack.lessons:
        split = _split(lesson.id, percent)
        texts = [Passage("lessons", lesson.id, split, lesson.lang, text) for text in passages_of(lesson.text)]
        bank: Bank = [
            ([entry.question, *entry.variants], entry.text) for entry in lesson.bank if sentence_spans(entry.text)
        ]
        if texts:
            yield texts, bank


def _split(name: str, percent: int) -> Split:
    draw = zlib.crc32(name.encode()) % 100
    return "test" if draw < percent else "dev" if draw < 2 * percent else "train"


def _rarity(texts: Sequence[str]) -> Mapping[str, float]:
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update({word.stem for word in words_of(text) if word.stem})
    return {stem: math.log(len(texts) / count) + 0.3 for stem, count in seen.items()}


def _answering_sentence(
    ways: Sequence[str], answer: str, texts: Sequence[Passage], rarity: Mapping[str, float]
) -> tuple[int, int, int] | None:
    """Find the sentence that says what an answer says; None when none says nearly the same."""

    def weight(stems: set[str]) -> float:
        return sum(rarity.get(stem, 4.0) for stem in stems)

    start, end = sentence_spans(answer)[0]
    core = _stems(answer[start:end])
    wanted = core | _stems(answer) | _stems(ways[0])
    best: tuple[float, int, int, int] | None = None
    for number, passage in enumerate(texts):
        for start, end in sentence_spans(passage.text):
            here = _stems(passage.text[start:end])
            own = weight(here & wanted) / (weight(here) or 1.0)
            said = weight(here & core) / (weight(core) or 1.0)
            sure = own >= SAYS_MOST_OF_ITSELF and said >= SAYS_MOST_OF_ANSWER and len(here & core) >= 2
            if sure and (best is None or own + said > best[0]):
                best = (own + said, number, start, end)
    return best[1:] if best else None


def _stems(text: str) -> set[str]:
    return {word.stem for word in words_of(text) if word.stem}

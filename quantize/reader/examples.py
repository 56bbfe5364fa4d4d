"""Choose what to train on: answered questions, and as many that the passage does not answer.

Negatives are what a tutor meets: a neighbouring paragraph that shares words, a
paragraph of another topic, a question that only seems to be answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from edge.tutor.encoding import Encoded, Vocabulary, encode, understand
from quantize.reader.corpus import Corpus, Question, Split
from quantize.reader.retrieve import Shelf

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Pair:
    """A question beside a passage; `start` is -1 when the passage does not answer it."""

    source: str
    question: str
    passage: int
    start: int
    end: int
    short: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A pair as numbers for the network."""

    source: str
    ids: list[int]
    kinds: list[int]
    markers: list[int]
    """Where the sentences begin."""

    line: int
    """The number of the sentence that answers, or NOBODY."""

    first: int
    last: int
    """The pieces of a short answer, or NOBODY."""


class Negatives:
    """Finds passages that look like an answer and are not."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._groups: dict[str, list[int]] = {}
        self._alike: dict[tuple[str, str, str], list[int]] = {}
        for number, passage in enumerate(corpus.passages):
            self._groups.setdefault(passage.group, []).append(number)
            self._alike.setdefault((passage.source, passage.split, passage.lang), []).append(number)
        self._shelves: dict[str, Shelf] = {}
        self._library = [n for n, p in enumerate(corpus.passages) if p.source in ("lessons", "bank")]
        self._library_shelf = Shelf([corpus.passages[n].text for n in self._library])

    def near(self, question: Question, random: Random) -> int | None:
        """Return a passage of the same article or lesson that shares words but not the answer."""
        group = self._groups[self._corpus.passages[question.passage].group]
        name = self._corpus.passages[question.passage].group
        if name not in self._shelves:
            self._shelves[name] = Shelf([self._corpus.passages[n].text for n in group])
        best = [group[place] for place in self._shelves[name].best(question.text, 6)]
        return self._draw(question, best[:4], random)

    def library(self, question: Question, random: Random) -> int | None:
        """Return a passage of the packs that shares words with the question."""
        best = [self._library[place] for place in self._library_shelf.best(question.text, 8)]
        mine = self._corpus.passages[question.passage].group
        return self._draw(question, [n for n in best if self._corpus.passages[n].group != mine], random)

    def far(self, question: Question, random: Random) -> int | None:
        """Return any passage of the same kind of text, of another topic."""
        mine = self._corpus.passages[question.passage]
        alike = self._alike[mine.source, mine.split, mine.lang]
        number = random.choice(alike)
        return None if self._corpus.passages[number].group == mine.group else self._draw(question, [number], random)

    def _draw(self, question: Question, numbers: Sequence[int], random: Random) -> int | None:
        text = self._corpus.passages[question.passage].text
        answers = question.answers if question.short else ()
        fit = [
            n
            for n in numbers
            if n != question.passage
            and self._corpus.passages[n].text[:60] != text[:60]
            and not any(answer in self._corpus.passages[n].text for answer in answers)
        ]
        return random.choice(fit) if fit else None


def make_pairs(
    corpus: Corpus, questions: Sequence[Question], shares: Mapping[str, float], random: Random
) -> Iterator[Pair]:
    """Yield every question with its passage, and with other passages as often as `shares` says."""
    negatives = Negatives(corpus)
    finders = {"near": negatives.near, "library": negatives.library, "far": negatives.far}
    for question in questions:
        yield Pair(question.source, question.text, question.passage, question.start, question.end, question.short)
        for name, share in shares.items():
            if random.random() < share:
                other = finders[name](question, random)
                if other is not None:
                    yield Pair(f"{question.source}-{name}", question.text, other, NOBODY, NOBODY, False)


def select(corpus: Corpus, split: Split, sources: Sequence[str]) -> list[Question]:
    """Return the questions of one split from the named sources."""
    return [q for q in corpus.questions if q.split == split and q.source in sources]


def make_example(pair: Pair, text: str, vocabulary: Vocabulary) -> Example | None:
    """Turn a pair into numbers; None when its answer is beyond the reach of one sequence."""
    encoded = encode(understand(pair.question, vocabulary), text, vocabulary)
    if not encoded:
        return None
    if pair.start == NOBODY:
        part = encoded[0]
        return Example(pair.source, part.ids, part.kinds, _markers(part), NOBODY, NOBODY, NOBODY)
    for part in encoded:
        for number, line in enumerate(part.lines):
            if line.start <= pair.start < line.end and line.marker < len(part.ids) - 1:
                first, last = _pieces(part, pair) if pair.short else (NOBODY, NOBODY)
                return Example(pair.source, part.ids, part.kinds, _markers(part), number, first, last)
    return None


def _markers(part: Encoded) -> list[int]:
    return [line.marker for line in part.lines if line.marker < len(part.ids) - 1]


def _pieces(part: Encoded, pair: Pair) -> tuple[int, int]:
    inside = [n for n, (start, end) in enumerate(part.places) if start >= 0 and start < pair.end and end > pair.start]
    return (inside[0], inside[-1]) if inside else (NOBODY, NOBODY)

"""Choose what to train on: answered questions, and others that the passage does not answer.

Negatives are what a tutor meets: a neighbouring paragraph that shares words, a
paragraph of another topic, a question that only seems to be answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from edge.tutor.encoding import Laid, Line, Vocabulary, lay_out, sequence, sequences, understand
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
class Case:
    """A pair laid out; an example is cut from it anew each time it is learned."""

    source: str
    laid: Laid
    line: int
    """The number of the sentence that answers, or NOBODY."""

    first: int
    last: int
    """The pieces of a short answer inside that sentence, or NOBODY."""


@dataclass(frozen=True, slots=True)
class Example:
    """A case as numbers for the network."""

    source: str
    ids: list[int]
    kinds: list[int]
    markers: list[int]
    """Where the sentences begin."""

    line: int
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


def make_case(pair: Pair, text: str, vocabulary: Vocabulary) -> Case | None:
    """Lay a pair out; None when there is nothing to read or the answer cannot be found in it."""
    laid = lay_out(understand(pair.question, vocabulary), text, vocabulary)
    if not laid.lines:
        return None
    if pair.start == NOBODY:
        return Case(pair.source, laid, NOBODY, NOBODY, NOBODY)
    for number, line in enumerate(laid.lines):
        if line.start <= pair.start < line.end:
            first, last = _pieces(line, pair) if pair.short else (NOBODY, NOBODY)
            return Case(pair.source, laid, number, first, last)
    return None


def cut(case: Case, most: int, random: Random) -> Example:
    """Cut some neighbouring sentences out of a case: the answering one, or the likeliest, and what fits around it."""
    lines = case.laid.lines
    middle = case.line if case.line != NOBODY else max(range(len(lines)), key=lambda n: lines[n].likely)
    first, last = middle, middle + 1
    room = most - len(case.laid.ids) - 1 - len(lines[middle].ids)
    while first > 0 or last < len(lines):
        left = first > 0 and (last == len(lines) or random.random() < 0.5)
        size = len(lines[first - 1].ids if left else lines[last].ids)
        if size > room:
            break
        room -= size
        first, last = (first - 1, last) if left else (first, last + 1)
    return _example(case, lines[first:last], first, most)


def whole(case: Case) -> Example:
    """Return the first sequence of a case that holds its answer, as the device would cut it."""
    first = 0
    for row in sequences(case.laid):
        if case.line == NOBODY or first <= case.line < first + len(row.lines):
            return _example(case, row.lines, first)
        first += len(row.lines)
    raise ValueError(f"no sequence holds sentence {case.line}")


def _example(case: Case, lines: Sequence[Line], before: int, most: int = 256) -> Example:
    row = sequence(case.laid, lines, most)
    markers = [place for place in row.markers if place < len(row.ids) - 1]
    line = case.line - before if case.line != NOBODY else NOBODY
    if line == NOBODY or case.first == NOBODY:
        return Example(case.source, row.ids, row.kinds, markers, line, NOBODY, NOBODY)
    first, last = markers[line] + case.first, markers[line] + case.last
    if last >= len(row.ids) - 1:
        first = last = NOBODY
    return Example(case.source, row.ids, row.kinds, markers, line, first, last)


def _pieces(line: Line, pair: Pair) -> tuple[int, int]:
    inside = [
        n
        for n, owner in enumerate(line.owners)
        if owner >= 0 and line.words[owner].start < pair.end and line.words[owner].end > pair.start
    ]
    return (inside[0], inside[-1]) if inside else (NOBODY, NOBODY)

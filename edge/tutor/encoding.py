"""Turn a question and a passage into the numbers that the reader's network takes.

Each piece of a word gets a number from the vocabulary, and a *kind* (`edge.tutor.kinds`).
A marker stands before each sentence. An unchanged BERT can be trained on that and exported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from edge.tutor.clues import RARE, Asked, ask, look
from edge.tutor.features import Word, sentence_spans, words_of
from edge.tutor.guess import Guess, parse_guess
from edge.tutor.kinds import NOTHING, marker_kind, question_kind, rank_of, whole_kind, word_kinds

PAD, UNKNOWN, CLS, SEP, SENTENCE = range(5)
SPECIAL_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[SEN]")
MAX_QUESTION_PIECES = 48
MAX_PIECES = 256
MAX_QUESTION_LETTERS = 600
KEPT_PASSAGES = 128
"""Passages whose words stay known: what was asked about a lesson once is asked about it again."""

COVERAGE, WANTED = 4, 12
"""Places in CLUES of what a sentence's marker shows."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pieces of words that the network knows, how much each stem tells, and the first guess."""

    pieces: Mapping[str, int]
    weights: Mapping[str, float]
    """Inverse document frequency of stems."""

    guess: Guess
    cache: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def weight(self, stem: str) -> float:
        """Return how much `stem` tells about a topic."""
        return self.weights.get(stem, RARE)

    def split(self, folded: str) -> tuple[int, ...]:
        """Return the pieces of one word, the longest first (WordPiece)."""
        known = self.cache.get(folded)
        if known is None:
            known = self.cache[folded] = tuple(self._cut(folded[:40]))
        return known

    def _cut(self, word: str) -> list[int]:
        found = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else f"##{word[start:end]}"
                if piece in self.pieces:
                    found.append(self.pieces[piece])
                    break
            else:
                return [UNKNOWN]
            start = end
        return found


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of a passage, as words and as numbers."""

    start: int
    end: int
    words: tuple[Word, ...]
    clues: tuple[float, ...]
    likely: float
    """The probability by the words alone that this sentence of the passage answers."""

    ids: tuple[int, ...]
    """Its marker and its pieces."""

    kinds: tuple[int, ...]
    owners: tuple[int, ...]
    """Which word each piece is of; -1 for the marker."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A question and a passage laid out; `sequences` cuts that to what the network takes at once."""

    ids: tuple[int, ...]
    """The first piece and the question."""

    kinds: tuple[int, ...]
    lines: tuple[Line, ...]
    coverage: float
    """Share of the question's weight found anywhere in the passage."""

    lacking: float
    """The weight of the most telling word of the question that the passage lacks, 0 to 1."""

    mass: float
    """The weight of all words of the question."""

    denies: bool
    """Whether the question says *not* or *never*."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the network takes at once: some sentences of one passage."""

    ids: list[int]
    kinds: list[int]
    lines: tuple[Line, ...]
    markers: list[int]
    """Where each line begins in the sequence."""


def parse_vocabulary(content: bytes) -> Vocabulary:
    """Read a vocabulary file; raise ValueError, KeyError or TypeError when it is not one."""
    found = json.loads(content, parse_float=cache(float))  # few numbers, each many times
    weights: Mapping[str, float] = found["weights"]
    pieces = {piece: number for number, piece in enumerate(found["pieces"])}
    return Vocabulary(pieces, weights, parse_guess(found["guess"]))


def understand(question: str, vocabulary: Vocabulary) -> Asked:
    """Look at a question once, before any passage."""
    return ask(words_of(question[:MAX_QUESTION_LETTERS]), vocabulary.weight)


def lay_out(asked: Asked, passage: str, vocabulary: Vocabulary) -> Laid:
    """Look at a passage with a question in mind, sentence by sentence."""
    spans, sentences = _sentences(passage)
    clues = look(asked, sentences)
    likely = vocabulary.guess.shares(clues)
    order = sorted(range(len(spans)), key=lambda n: (-likely[n], n))
    places = {number: place for place, number in enumerate(order)}
    held = [frozenset(word.stem for word in words if word.stem) for words in sentences]
    lines = []
    for n, (start, end) in enumerate(spans):
        marker = marker_kind(likely[n], clues[n][WANTED] > 0, clues[n][COVERAGE])
        lines.append(_line(asked, start, end, sentences[n], clues[n], likely[n], marker, places[n], vocabulary))
    present: frozenset[str] = frozenset().union(*held)
    ids, kinds = [CLS], [0]
    best = held[order[0]] if order else frozenset()
    for word in asked.words:
        pieces = vocabulary.split(word.folded)
        ids.extend(pieces)
        kinds.extend([question_kind(asked, word, present, best)] * len(pieces))
    coverage = sum(weight for stem, weight in asked.stems.items() if stem in present) / asked.mass
    lacking = max((w for stem, w in asked.stems.items() if stem not in present), default=0.0) / RARE
    kinds[0] = whole_kind(coverage, lacking)
    head = ids[:MAX_QUESTION_PIECES], kinds[:MAX_QUESTION_PIECES]
    return Laid((*head[0], SEP), (*head[1], NOTHING), tuple(lines), coverage, lacking, asked.mass, asked.denies)


def sequences(laid: Laid, most: int = MAX_PIECES) -> list[Row]:
    """Cut what was laid out into sequences of whole sentences; a sentence that is too long loses its end."""
    room = most - len(laid.ids) - 1
    groups: list[list[Line]] = [[]]
    used = 0
    for line in laid.lines:
        if groups[-1] and used + len(line.ids) > room:
            groups.append([])
            used = 0
        groups[-1].append(line)
        used += len(line.ids)
    return [sequence(laid, group, most) for group in groups if group]


def sequence(laid: Laid, lines: Sequence[Line], most: int = MAX_PIECES) -> Row:
    """Put the question and some lines of the passage in one row."""
    ids, kinds, markers = list(laid.ids), list(laid.kinds), []
    for line in lines:
        markers.append(len(ids))
        ids.extend(line.ids)
        kinds.extend(line.kinds)
    return Row([*ids[: most - 1], SEP], [*kinds[: most - 1], NOTHING], tuple(lines), markers)


@lru_cache(maxsize=KEPT_PASSAGES)
def _sentences(passage: str) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[Word, ...], ...]]:
    """Return where the sentences of a passage stand, and their words with their places in the passage."""
    spans = tuple(sentence_spans(passage))
    words = tuple(
        tuple(Word(w.start + start, w.end + start, w.folded, w.stem, w.capital) for w in words_of(passage[start:end]))
        for start, end in spans
    )
    return spans, words


def _line(
    asked: Asked,
    start: int,
    end: int,
    words: tuple[Word, ...],
    clues: tuple[float, ...],
    likely: float,
    marker: int,
    place: int,
    vocabulary: Vocabulary,
) -> Line:
    ids, kinds, owners = [SENTENCE], [marker], [-1]
    for n, (word, kind) in enumerate(zip(words, word_kinds(asked, words, rank_of(likely, place)), strict=True)):
        pieces = vocabulary.split(word.folded)
        ids.extend(pieces)
        kinds.extend([kind] * len(pieces))
        owners.extend([n] * len(pieces))
    return Line(start, end, words, clues, likely, tuple(ids), tuple(kinds), tuple(owners))

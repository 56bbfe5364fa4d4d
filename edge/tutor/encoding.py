"""Turn a question and a passage into the numbers that the reader's network takes.

Each piece of a word gets a number from the vocabulary, and a *kind*: is it in the
question or the passage, does its stem occur on the other side, how near is the next
word that does, how well does its sentence match. The kinds travel as BERT's
`token_type_ids`, so an unchanged BERT can be trained and exported.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from edge.tutor.features import Word, asked_for, could_answer, sentence_spans, words_of

PAD, UNKNOWN, CLS, SEP, SENTENCE = range(5)
SPECIAL_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[SEN]")
KINDS = 64
MAX_QUESTION_PIECES = 48
MAX_PIECES = 256
MAX_QUESTION_LETTERS = 600
RARE = 9.0
"""The weight of a word that the corpora never showed."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pieces of words that the network knows, and how much each stem tells."""

    pieces: Mapping[str, int]
    weights: Mapping[str, float]
    """Inverse document frequency of stems."""

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
class Asked:
    """A question, ready to be put beside any passage."""

    words: tuple[Word, ...]
    stems: Mapping[str, float]
    """The stems that matter, with their weights."""

    forms: frozenset[str]
    wants: str

    @property
    def mass(self) -> float:
        """All the weight there is to find."""
        return sum(self.stems.values()) or 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of a passage inside an encoded sequence."""

    start: int
    end: int
    marker: int
    """Position of its [SEN] piece in the sequence."""

    coverage: float
    """Share of the question's weight found in this sentence."""

    pairs: float
    """Share of the question's neighbouring stems that are near each other here too."""

    local: float
    """How well it fits by words that few of the passage's other sentences hold."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sequence for the network, and the way back to the text."""

    ids: list[int]
    kinds: list[int]
    places: list[tuple[int, int]]
    """Where each piece stands in the passage; (-1, -1) for pieces that are not of the passage."""

    lines: list[Line]
    stems: frozenset[str]
    """The stems of the whole passage."""

    coverage: float
    """Share of the question's weight found anywhere in the passage."""


def understand(question: str, vocabulary: Vocabulary) -> Asked:
    """Look at a question once, before any passage."""
    words = tuple(words_of(question[:MAX_QUESTION_LETTERS]))
    stems = {word.stem: vocabulary.weight(word.stem) for word in words if word.stem}
    return Asked(words, stems, frozenset(w.folded for w in words if w.stem), asked_for(words))


def encode(asked: Asked, passage: str, vocabulary: Vocabulary) -> list[Encoded]:
    """Put the question beside the passage; a long passage becomes several sequences of whole sentences."""
    sentences = []
    for start, end in sentence_spans(passage):
        words = [
            Word(w.start + start, w.end + start, w.folded, w.stem, w.capital) for w in words_of(passage[start:end])
        ]
        sentences.append((start, end, words))
    present = {word.stem for _, _, words in sentences for word in words if word.stem}
    head = _question_part(asked, present, vocabulary)
    room = MAX_PIECES - len(head[0]) - 1
    groups: list[list[tuple[int, int, list[Word]]]] = [[]]
    used = 0
    for sentence in sentences:
        size = 1 + sum(len(vocabulary.split(word.folded)) for word in sentence[2])
        if groups[-1] and used + size > room:
            groups.append([])
            used = 0
        groups[-1].append(sentence)
        used += size
    return [_sequence(asked, head, group, frozenset(present), vocabulary) for group in groups if group]


def _question_part(asked: Asked, present: set[str], vocabulary: Vocabulary) -> tuple[list[int], list[int]]:
    ids, kinds = [CLS], [0]
    for word in asked.words:
        pieces = vocabulary.split(word.folded)
        kind = 1 if not word.stem else 3 if word.stem in present else 2
        ids.extend(pieces)
        kinds.extend([kind] * len(pieces))
    ids, kinds = ids[:MAX_QUESTION_PIECES], kinds[:MAX_QUESTION_PIECES]
    return [*ids, SEP], [*kinds, 0]


def _sequence(
    asked: Asked,
    head: tuple[list[int], list[int]],
    sentences: Sequence[tuple[int, int, list[Word]]],
    present: frozenset[str],
    vocabulary: Vocabulary,
) -> Encoded:
    ids, kinds = list(head[0]), list(head[1])
    places = [(-1, -1)] * len(ids)
    shares = [_share(asked, {word.stem for word in words}) for _, _, words in sentences]
    order = sorted(range(len(shares)), key=lambda i: (-shares[i], i))
    ranks = {index: min(rank, 2) for rank, index in enumerate(order)}
    local = _local_fits(asked, [words for _, _, words in sentences])
    lines = []
    for index, (start, end, words) in enumerate(sentences):
        share, rank = shares[index], ranks[index]
        lines.append(Line(start, end, len(ids), share, _pairs(asked, words), local[index]))
        ids.append(SENTENCE)
        kinds.append(5 + rank * 3 + (0 if share < 0.34 else 1 if share < 0.67 else 2))
        places.append((-1, -1))
        for word, kind in zip(words, _kinds(asked, words, rank), strict=True):
            pieces = vocabulary.split(word.folded)
            ids.extend(pieces)
            kinds.extend([kind] * len(pieces))
            places.extend([(word.start, word.end)] * len(pieces))
    ids, kinds, places = ids[: MAX_PIECES - 1], kinds[: MAX_PIECES - 1], places[: MAX_PIECES - 1]
    return Encoded([*ids, SEP], [*kinds, 0], [*places, (-1, -1)], lines, present, _share(asked, present))


def _share(asked: Asked, present: Collection[str]) -> float:
    return sum(weight for stem, weight in asked.stems.items() if stem in present) / asked.mass


def _local_fits(asked: Asked, sentences: Sequence[Sequence[Word]]) -> list[float]:
    """Score the sentences of one passage against each other (BM25, weighing words by this passage alone)."""
    held = [[word.stem for word in words if word.stem] for words in sentences]
    mean = sum(map(len, held)) / len(held) or 1.0
    fits = [0.0] * len(held)
    for stem in asked.stems:
        counts = [stems.count(stem) for stems in held]
        holding = sum(count > 0 for count in counts)
        weight = math.log(1 + (len(held) - holding + 0.5) / (holding + 0.5))
        for number, count in enumerate(counts):
            fits[number] += weight * count * 2.2 / (count + 0.48 + 0.72 * len(held[number]) / mean)
    return fits


def _pairs(asked: Asked, words: Sequence[Word]) -> float:
    stems = list(asked.stems)
    if len(stems) < 2:
        return 0.0
    at: dict[str, list[int]] = {}
    for position, word in enumerate(words):
        if word.stem in asked.stems:
            at.setdefault(word.stem, []).append(position)
    near = sum(
        any(abs(a - b) <= 4 for a in at.get(left, ()) for b in at.get(right, ())) for left, right in pairwise(stems)
    )
    return near / (len(stems) - 1)


def _kinds(asked: Asked, words: Sequence[Word], rank: int) -> list[int]:
    hits = [position for position, word in enumerate(words) if word.stem and word.stem in asked.stems]
    kinds = []
    for position, word in enumerate(words):
        distance = min((abs(position - hit) for hit in hits), default=math.inf)
        if distance == 0:
            match = 4 if word.folded in asked.forms else 3
        else:
            match = 2 if distance <= 2 else 1 if distance <= 6 else 0
        if could_answer(word, position == 0, asked.wants):
            looks = 2
        else:
            looks = 1 if word.folded[0].isdigit() or (word.capital and position > 0) else 0
        kinds.append(14 + match * 9 + rank * 3 + looks)
    return kinds

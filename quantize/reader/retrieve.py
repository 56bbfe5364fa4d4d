"""Find passages by their words alone (BM25): the baseline, and the source of hard negatives."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from edge.tutor.features import words_of

K1, B = 1.2, 0.6


class Shelf:
    """Some texts, searchable by their stems."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [Counter(stems_of(text)) for text in texts]
        self._lengths = [sum(count.values()) for count in counted]
        self._mean = sum(self._lengths) / (len(texts) or 1) or 1.0
        self._places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, count in enumerate(counted):
            for stem, times in count.items():
                self._places[stem].append((number, times))
        self._size = len(texts)

    def scores(self, question: str) -> dict[int, float]:
        """Return the score of every text that shares a stem with `question`."""
        scores: dict[int, float] = defaultdict(float)
        for stem in set(stems_of(question)):
            places = self._places.get(stem, ())
            weight = math.log(1 + (self._size - len(places) + 0.5) / (len(places) + 0.5))
            for number, times in places:
                length = 1 - B + B * self._lengths[number] / self._mean
                scores[number] += weight * times * (K1 + 1) / (times + K1 * length)
        return scores

    def best(self, question: str, count: int, without: Collection[int] = ()) -> list[int]:
        """Return the numbers of the `count` best texts, the best first."""
        scores = self.scores(question)
        order = sorted(scores, key=lambda number: (-scores[number], number))
        return [number for number in order if number not in without][:count]


def stems_of(text: str) -> list[str]:
    """Return the stems of a text that matter, with repetitions."""
    return [word.stem for word in words_of(text) if word.stem]

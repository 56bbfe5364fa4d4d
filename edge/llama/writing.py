"""Write an answer token by token, the most likely one each time, with guesses ahead that never change it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol

from edge.llama.brake import Stop
from edge.llama.grammar import Grammar
from edge.llama.guessing import Guesser

TIE = 0.2
"""Scores that a batch computes differ a little from those of one token alone; a lead this small is computed again."""


class Read(Protocol):
    """What a model has read, whoever runs it."""

    past: list[int]

    def recall(self, tokens: Sequence[int], longer: Sequence[Sequence[int]] = ()) -> list[int]:
        """Keep what serves this conversation; return what is still to be read."""
        ...

    def cut(self, length: int) -> bool:
        """Forget what comes after the first `length` tokens."""
        ...

    def read(self, tokens: Sequence[int], stop: Stop = ..., *, every: bool = False) -> bool:
        """Read tokens, keeping the scores after the last or `every` one; False when stopped."""
        ...

    def scores(self, place: int = -1) -> Any:
        """Return the scores after the token at `place` of what was read last."""
        ...


class Writer:
    """One answer being written after what `reading` has in memory of the question."""

    def __init__(
        self,
        reading: Read,
        question: Sequence[int],
        *,
        guessing: bool,
        longer: Sequence[Sequence[int]] = (),
        grammar: Grammar | None = None,
    ) -> None:
        self.count = 0
        """Tokens written so far."""

        self._reading, self._question, self._longer = reading, question, longer
        self._grammar = grammar
        self._guesser = Guesser(question) if guessing and grammar is None else None
        self._last = 0
        self._single_s = 0.0
        """How long a plain step takes of late."""

    def step(self, most: int, stop: Stop) -> list[int]:
        """Return the next token, and as many more, up to `most` in all, as were guessed right.

        None when stopped, or when the grammar allows nothing more.
        """
        if self.count == 0:
            read = self._reading.read(self._reading.recall(self._question, self._longer), stop)
            found = self._chosen() if read else []
        else:
            guess = self._guesser.guess(most - self.count - 1) if self._guesser else []
            found = self._checked(guess, stop) if guess else self._plain(stop)
        for token in found:
            self._last = token
            self.count += 1
            if self._guesser:
                self._guesser.append(token)
        return found

    def _chosen(self) -> list[int]:
        scores = self._reading.scores()
        found = int(scores.argmax()) if self._grammar is None else self._grammar.choose(scores)
        return [] if found is None else [found]

    def _plain(self, stop: Stop) -> list[int]:
        began = time.perf_counter()
        if not self._reading.read([self._last], stop):
            return []
        found = self._chosen()
        seconds = time.perf_counter() - began
        # One step that another program held up says nothing about the next.
        self._single_s = min(0.8 * self._single_s + 0.2 * seconds, 1.2 * self._single_s) if self._single_s else seconds
        return found

    def _checked(self, guess: list[int], stop: Stop) -> list[int]:
        """Read a guess in one go and return what is right of it, with the token after that."""
        reading, before = self._reading, len(self._reading.past)
        began = time.perf_counter()
        if not reading.read([self._last, *guess], stop, every=True):
            return []
        found: list[int] = []
        for place, token in enumerate([self._last, *guess]):
            best, sure = _best(reading.scores(place))
            if not sure:
                # As if nothing had been guessed: what is written never depends on it.
                reading.cut(before + place)
                if not reading.read([token], stop):
                    return []
                best = int(reading.scores().argmax())
            found.append(best)
            if not sure or place == len(guess) or best != guess[place]:
                break
        reading.cut(before + len(found))
        if self._guesser and self._single_s:
            extra = (time.perf_counter() - began) / self._single_s - 1
            self._guesser.learn(len(guess), len(found) - 1, extra)
        return found


def _best(scores: Any) -> tuple[int, bool]:
    """Return the likeliest token, and whether its lead is more than chance of computing."""
    best = int(scores.argmax())
    top = float(scores[best])
    scores[best] = float("-inf")
    lead = top - float(scores.max())
    scores[best] = top
    return best, lead > TIE

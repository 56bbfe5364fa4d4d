"""Guess the next tokens from what stands in the question and the answer already: grounded answers copy.

Pure. Prompt lookup decoding: A. Saxena, 2023. The guess is checked by the model itself in one go, so a wrong one
costs a little time and changes nothing. Guessing pays for itself or is left: what guesses bring and cost of late is
counted, and bad luck makes the next tries rarer.
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST, SHORTEST = 4, 2
"""So many of the last tokens must have stood together before; one token fewer than that is guessed."""

MOST = LONGEST - 1
"""A batch of four is the best on most processors."""

WON, EXTRA = 1.0, 0.5
"""What is believed before the first guess: tokens it brings, and plain steps that checking it takes more than one."""

KEEP = 0.7
"""How much of an old belief stays when a guess was checked."""

SHORT_PAUSE, LONG_PAUSE = 8, 256


class Guesser:
    """The tokens of one conversation so far, and what guessing them has brought."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens = list(tokens)
        self._places: dict[tuple[int, ...], int] = {}
        for end in range(1, len(self._tokens)):
            self._note(end)
        self._won, self._extra = WON, EXTRA
        self._pause, self._next_pause = 0, SHORT_PAUSE

    def append(self, token: int) -> None:
        """Take in one more token of the answer."""
        self._tokens.append(token)
        self._note(len(self._tokens) - 1)

    def guess(self, most: int = MOST) -> list[int]:
        """Return what may come next; nothing where nothing fits or guessing does not pay now."""
        if self._pause:
            self._pause -= 1
            return []
        for length in range(LONGEST, SHORTEST - 1, -1):
            place = self._places.get(tuple(self._tokens[-length:]))
            if place is not None:
                return self._tokens[place : place + min(most, length - 1)]
        return []

    def learn(self, guessed: int, right: int, extra: float) -> None:
        """Take in that `right` of `guessed` tokens were right and that checking cost `extra` plain steps more than one."""
        self._extra = KEEP * self._extra + (1 - KEEP) * max(0.0, extra)
        # One whole guess that was right means that copying has begun.
        self._won = float(right) if right == guessed else KEEP * self._won + (1 - KEEP) * right
        if self._won >= self._extra:
            self._next_pause = SHORT_PAUSE
        else:
            self._pause = self._next_pause
            self._next_pause = min(LONG_PAUSE, 2 * self._next_pause)

    def _note(self, end: int) -> None:
        """Remember what followed the tokens that end before `end`; the last place counts."""
        for length in range(SHORTEST, LONGEST + 1):
            if end >= length:
                self._places[tuple(self._tokens[end - length : end])] = end

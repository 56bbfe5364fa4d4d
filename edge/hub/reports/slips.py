"""Which mistake each wrong answer is an example of, before anybody looks into a pack.

Pure, and the same on every hub: an exercise made on the spot says its sum, so the mistake has a name; of an item of
a pack only what was answered is known, an option by its letter. What that means is read from the pack when told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from edge.hub.mistakes import mistake
from edge.learning.grade import LETTERS

Label = tuple[int, int, str, str]
"""Month, lesson (its number), item (empty for exercises made on the spot) and which mistake (empty: any)."""

EXERCISE = "exercise/"
LONGEST_ITEM, LONGEST_ANSWER = 200, 40
"""Devices send no more; what names itself longer counts by its beginning."""


class Slips:
    """Who made which mistake."""

    def __init__(self) -> None:
        self._who: dict[Label, set[int]] = defaultdict(set)

    def add(self, month: int, lesson: int, item: str, given: str, learner: int) -> None:
        """Count one wrong answer."""
        for label in labels_of(item, given):
            self._who[month, lesson, *label].add(learner)

    def counted(self) -> Iterator[tuple[Label, int]]:
        """Yield how many learners made each."""
        for label, who in self._who.items():
            yield label, len(who)


@lru_cache(maxsize=50_000)
def labels_of(item: str, given: str) -> tuple[tuple[str, str], ...]:
    """Return item and mistake of which a wrong answer is an example; the same one is given again and again."""
    if item.startswith(EXERCISE):
        name = mistake(item, given)
        return (("", name),) if name else ()
    item, said = item[:LONGEST_ITEM], answered(given)
    return ((item, ""), (item, said)) if said else ((item, ""),)


def answered(given: str) -> str:
    """Return an answer as it is counted: printable, and the letter of an option however it was typed."""
    plain = "".join(c if c.isprintable() else " " for c in given).strip()
    letter = plain.rstrip(").").casefold()
    return letter if len(letter) == 1 and letter in LETTERS else plain[:LONGEST_ANSWER].strip()

"""What the words alone say about each sentence of a passage, before any network.

Pure arithmetic over stems, beginnings of words, names and numbers. The numbers feed a
small ranking (`edge.tutor.judgement`), and the best guess of them tells the network
where to look first (`edge.tutor.encoding`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from edge.tutor.features import Word, asked_for, could_answer, focus_of

RARE = 9.0
"""The weight of a word that the corpora never showed."""

BEGINNING = 4
"""Letters that different forms of a word share when their stems do not."""

DENIALS = frozenset(
    ["no", "nunca", "sin", "ningun", "ninguna", "nadie", "nao", "jamais", "sem", "nenhum", "nenhuma", "ninguem"]
)

CLUES = (
    "fit",
    "fit_share",
    "begin_fit",
    "begin_share",
    "coverage",
    "begin_coverage",
    "pairs",
    "in_order",
    "tight",
    "names",
    "names_missing",
    "numbers",
    "wanted",
    "wanted_none",
    "wanted_near",
    "new_names",
    "rarest_found",
    "rarest_missing",
    "exact",
    "focus",
    "letters",
    "length",
    "first",
    "place",
    "before",
    "after",
    "asks_number",
    "asks_time",
    "asks_name",
)
"""What is known of each sentence."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, ready to be put beside any passage."""

    words: tuple[Word, ...]
    stems: Mapping[str, float]
    """The stems that matter, with their weights."""

    begins: Mapping[str, float]
    """The first letters of the words that matter, with their weights."""

    forms: frozenset[str]
    names: frozenset[str]
    """The stems of capital words inside the question."""

    numbers: frozenset[str]
    focus: str
    """The stem of what is asked for: of `equipo` in *¿Qué equipo ganó?*; may be empty."""

    wants: str
    weight: Callable[[str], float]
    """How much any stem says about a topic."""

    @property
    def denies(self) -> bool:
        """Tell whether the question says *not* or *never*."""
        return any(word.folded in DENIALS for word in self.words)

    @property
    def mass(self) -> float:
        """All the weight there is to find."""
        return sum(self.stems.values()) or 1.0


def ask(words: Sequence[Word], weight: Callable[[str], float]) -> Asked:
    """Look at a question once; `weight` tells how much a stem says about a topic."""
    telling = [word for word in words if word.stem]
    begins: dict[str, float] = {}
    for word in telling:
        begins[word.stem[:BEGINNING]] = max(begins.get(word.stem[:BEGINNING], 0.0), weight(word.stem))
    return Asked(
        words=tuple(words),
        stems={word.stem: weight(word.stem) for word in telling},
        begins=begins,
        forms=frozenset(word.folded for word in telling),
        names=frozenset(word.stem for word in telling if word.capital and word is not telling[0]),
        numbers=frozenset(word.folded for word in telling if word.folded[0].isdigit()),
        focus=focus_of(words),
        wants=asked_for(words),
        weight=weight,
    )


def look(asked: Asked, sentences: Sequence[Sequence[Word]]) -> list[tuple[float, ...]]:
    """Return what CLUES names for each sentence of one passage."""
    stems = [[word.stem for word in words if word.stem] for words in sentences]
    begins = [[stem[:BEGINNING] for stem in row] for row in stems]
    fits = local_fits(asked.stems, stems)
    begin_fits = local_fits(asked.begins, begins)
    best, begin_best = max(fits, default=0.0) or 1.0, max(begin_fits, default=0.0) or 1.0
    letters = local_fits(_trigrams(asked.forms), [list(_trigrams(w.folded for w in s if w.stem)) for s in sentences])
    most_letters = max(letters, default=0.0) or 1.0
    everywhere = set().union(*stems) if stems else set()
    rows: list[tuple[float, ...]] = []
    for number, words in enumerate(sentences):
        here = set(stems[number])
        wanted = _wanted(asked, words)
        rows.append(
            (
                fits[number] / 4,
                fits[number] / best,
                begin_fits[number] / 4,
                begin_fits[number] / begin_best,
                _share(asked.stems, here),
                _share(asked.begins, set(begins[number])),
                pairs_of(asked, words),
                _in_order(asked, stems[number]),
                _tight(asked, words),
                len(asked.names & here) / (len(asked.names) or 1),
                min(3, len(asked.names - here)) / 3,
                len(asked.numbers & here) / (len(asked.numbers) or 1),
                float(bool(wanted)),
                float(bool(asked.wants) and not wanted),
                _nearest(asked, words, wanted),
                math.log1p(sum(w.capital and n > 0 and w.stem not in asked.stems for n, w in enumerate(words))) / 2,
                max((w for s, w in asked.stems.items() if s in here), default=0.0) / RARE,
                max((w for s, w in asked.stems.items() if s in everywhere and s not in here), default=0.0) / RARE,
                sum(form in asked.forms for form in {w.folded for w in words}) / (len(asked.forms) or 1),
                float(bool(asked.focus) and asked.focus in here),
                letters[number] / most_letters,
                math.log1p(len(words)) - 3,
                float(number == 0),
                number / len(sentences),
                begin_fits[number - 1] / begin_best if number else 0.0,
                begin_fits[number + 1] / begin_best if number + 1 < len(sentences) else 0.0,
                float(asked.wants == "number"),
                float(asked.wants == "time"),
                float(asked.wants == "name"),
            )
        )
    return rows


def local_fits(asked: Collection[str], held: Sequence[Sequence[str]]) -> list[float]:
    """Score the sentences of one passage against each other (BM25, weighing words by this passage alone)."""
    mean = sum(map(len, held)) / (len(held) or 1) or 1.0
    fits = [0.0] * len(held)
    counted = [Counter(row) for row in held]
    for item in asked:
        holding = sum(item in count for count in counted)
        weight = math.log(1 + (len(held) - holding + 0.5) / (holding + 0.5))
        for number, count in enumerate(counted):
            if times := count.get(item, 0):
                fits[number] += weight * times * 2.2 / (times + 0.48 + 0.72 * len(held[number]) / mean)
    return fits


def pairs_of(asked: Asked, words: Sequence[Word]) -> float:
    """Return the share of the question's neighbouring stems that are near each other here too."""
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


def _share(wanted: Mapping[str, float], present: Collection[str]) -> float:
    return sum(weight for item, weight in wanted.items() if item in present) / (sum(wanted.values()) or 1.0)


def _in_order(asked: Asked, stems: Sequence[str]) -> float:
    """Return how many of the question's stems stand here in the same order (longest common subsequence)."""
    rows = [0] * (len(asked.stems) + 1)
    for stem in stems:
        if stem in asked.stems:
            before = 0
            for number, mine in enumerate(asked.stems, 1):
                here = rows[number]
                rows[number] = before + 1 if mine == stem else max(here, rows[number - 1])
                before = here
    return rows[-1] / (len(asked.stems) or 1)


def _tight(asked: Asked, words: Sequence[Word]) -> float:
    """Return how densely the words of the question stand here."""
    hits = [n for n, word in enumerate(words) if word.stem and word.stem in asked.stems]
    return len(hits) / (hits[-1] - hits[0] + 2) if hits else 0.0


def _wanted(asked: Asked, words: Sequence[Word]) -> list[int]:
    """Return where words stand that are of the kind asked for and that the question does not hold."""
    return [n for n, w in enumerate(words) if could_answer(w, n == 0, asked.wants) and w.folded not in asked.forms]


def _nearest(asked: Asked, words: Sequence[Word], wanted: Sequence[int]) -> float:
    """Return how near a word of the wanted kind is to a word of the question, 0 to 1."""
    hits = [n for n, word in enumerate(words) if word.stem and word.stem in asked.stems]
    return 1 / min((max(1, abs(a - b)) for a in wanted for b in hits), default=1000)


def _trigrams(forms: Iterable[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for form in forms:
        padded = f"_{form}_"
        for start in range(len(padded) - 2):
            found[padded[start : start + 3]] = 1.0
    return found

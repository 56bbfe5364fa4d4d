"""How hard a text is to read: syllables, words and sentences, counted and weighed.

Spanish: Szigriszt Pazos, F. (1993), Sistemas predictivos de legibilidad del mensaje
escrito. Portuguese: Martins, T. B. F. et al. (1996), Readability formulas applied to
textbooks in Brazilian Portuguese. Both grow as the text gets easier, about 0 to 100.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
MARKDOWN_LINE = re.compile(r"^\s*(#+\s+|[-*+]\s+|\d+[.)]\s+|>\s+)", re.MULTILINE)
SENTENCE_END = re.compile(r"[.!?…:]+(?=\s|$)|\n\s*\n|\n(?=\s*[-*+\d])")
_GROUP = re.compile(r"[aeiouáéíóúüâêôãõàyh]+")
_STRONG = "aeoáéóâêôãõà"
_ACCENTED_WEAK = "íú"

LEAST_LEVEL = {"es": ((2, 75.0), (4, 70.0), (12, 62.0)), "pt": ((2, 70.0), (4, 62.0), (12, 55.0))}
"""By language: (up to this grade, a text should reach this level)."""


@dataclass(frozen=True, slots=True)
class Level:
    """What was counted in a text, and how easy that makes it."""

    words: int
    sentences: int
    syllables: int
    value: float


def least_level(lang: str, grade: int) -> float | None:
    """Return the level that a text of `grade` should reach; None for a language without a scale."""
    return next((level for upto, level in LEAST_LEVEL.get(lang, ()) if grade <= upto), None)


def measure(markdown: str, lang: str) -> Level:
    """Measure a text without its headings; an empty one is as easy as can be."""
    prose = "\n".join(line for line in markdown.splitlines() if not line.lstrip().startswith("#"))
    plain = MARKDOWN_LINE.sub("", prose).replace("**", "").replace("*", "")
    words = WORD.findall(plain)
    sentences = sum(1 for part in SENTENCE_END.split(plain) if part and WORD.search(part))
    syllables = sum(count_syllables(word) for word in words)
    if not words:
        return Level(0, 0, 0, 100.0)
    per_word, per_sentence = syllables / len(words), len(words) / max(1, sentences)
    if lang == "pt":
        value = 248.835 - 84.6 * per_word - 1.015 * per_sentence
    else:
        value = 206.835 - 62.3 * per_word - per_sentence
    return Level(len(words), sentences, syllables, round(value, 1))


def count_syllables(word: str) -> int:
    """Count the syllables of a Spanish or Portuguese word by its vowel groups, diphthongs kept together."""
    lower = word.lower()
    for silent, plain in (("qu", "q"), ("gue", "ge"), ("gué", "gé"), ("gui", "gi"), ("guí", "gí")):
        lower = lower.replace(silent, plain)
    return max(1, sum(_nuclei(group) for group in _GROUP.findall(lower)))


def _nuclei(group: str) -> int:
    """Count the syllable centres in a run of vowels: two strong vowels or an accented weak one part."""
    vowels = [v for v in group if v not in "hy"] if group.strip("hy") else list(group.strip("h"))
    if not vowels:
        return 0
    count = 1
    for before, after in pairwise(vowels):
        nasal = before in "ãõ" and after in "oe"
        if nasal:
            continue
        if (before in _STRONG and after in _STRONG) or before in _ACCENTED_WEAK or after in _ACCENTED_WEAK:
            count += 1
    return count

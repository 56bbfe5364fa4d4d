"""Mark an answer, exactly and always the same way.

Pure. Lenient about how something is written (capitals, spaces, a missing accent, a unit),
never about what it says. Item and answer come in, a `Mark` goes out; nothing is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.learning.number import Number, read_number

if TYPE_CHECKING:
    from edge.library.pack import Item, Option

LETTERS = "abcde"
"""How the options of a choice are named on screen."""

_AROUND = " .,;:!?¡¿\"'«»“”‘()[]…_*"
"""Punctuation that does not change an answer when it stands at either end."""

LONGEST_ANSWER = 400
"""What is longer than this is no answer to an item."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What an answer is worth, and what to say about it."""

    right: bool
    because: str
    """Why the right answer is right."""

    feedback: str
    """What is wrong with this very answer; often empty."""

    answer: str
    """The right answer, to show."""

    note: str = ""
    """A remark to add, the key of `mark.note.NOTE` in the strings: accent, unit, number or nothing."""


def mark(item: Item, given: str) -> Mark:
    """Mark `given`: the letter or text of an option, a number, or words."""
    clean = _visible(given[:LONGEST_ANSWER])
    if item.kind == "choice":
        return _mark_choice(item, clean)
    if item.kind == "number":
        return _mark_number(item, clean)
    return _mark_text(item, clean)


def _mark_choice(item: Item, given: str) -> Mark:
    answer = next(option.text for option in item.options if option.right)
    chosen = chosen_option(item, given)
    if chosen is None:
        return Mark(False, item.because, "", answer)
    return Mark(chosen.right, item.because, chosen.feedback, answer)


def chosen_option(item: Item, given: str) -> Option | None:
    """Return the option meant by `given`: its text, or else its letter; None when it is no option."""
    readings: tuple[Callable[[str], str], ...] = (str.strip, _plain, _accentless)
    for reading in readings:
        meant = [option for option in item.options if reading(option.text) == reading(given)]
        if len(meant) == 1:
            return meant[0]
    letter = given.strip().rstrip(").").casefold()
    if len(letter) == 1 and letter in LETTERS[: len(item.options)]:
        return item.options[LETTERS.index(letter)]
    return None


def letter_of(item: Item, given: str) -> str:
    """Return the letter of the option meant by `given`, if by it alone the same option is found again; else nothing."""
    clean = _visible(given[:LONGEST_ANSWER])
    chosen = chosen_option(item, clean) if item.kind == "choice" else None
    if chosen is None:
        return ""
    letter = LETTERS[item.options.index(chosen)]
    return letter if chosen_option(item, letter) is chosen else ""


def _mark_number(item: Item, given: str) -> Mark:
    answer = item.keys[0]
    key, number = read_number(answer), read_number(given)
    if number is None or key is None:
        right = key is None and _plain(given) == _plain(answer)
        return Mark(right, item.because, "", answer, "" if right else "number")
    if key.values[0] not in number.values or _is_the_question(item, given, key):
        return Mark(False, item.because, "", answer)
    if key.unit and number.unit and key.unit != number.unit:
        return Mark(False, item.because, "", answer, "unit")
    return Mark(True, item.because, "", answer)


def _is_the_question(item: Item, given: str, key: Number) -> bool:
    """Tell whether a fraction was copied from the question: 4/8 is no answer to 'simplify 4/8'."""
    fraction = re.search(r"[0-9]+\s*/\s*[0-9]+", given)
    if fraction is None:
        return False
    bare = re.sub(r"\s", "", fraction[0])
    asked = {re.sub(r"\s", "", found) for found in re.findall(r"[0-9]+\s*/\s*[0-9]+", item.prompt)}
    return bare in asked and bare not in re.sub(r"\s", "", item.keys[0])


def _mark_text(item: Item, given: str) -> Mark:
    answer = item.keys[0]
    if any(_plain(key) == _plain(given) for key in item.keys):
        return Mark(True, item.because, "", answer)
    meant = next((key for key in item.keys if _accentless(key) == _accentless(given)), None)
    if meant is None or not given:
        return Mark(False, item.because, "", answer)
    if _plain(given) in _plain_words(item.prompt):
        # The question itself shows the word this way: its accent is what is being asked.
        return Mark(False, item.because, "", meant, "accent")
    return Mark(True, item.because, "", meant, "accent")


def _plain_words(text: str) -> set[str]:
    return {_plain(word) for word in re.split(r"[\s,;:/]+", text)}


def _visible(text: str) -> str:
    """Drop control characters; a terminal may send them."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _plain(text: str) -> str:
    """Blind to capitals, spaces and the punctuation around; a lone sign such as `?` stays itself."""
    whole = unicodedata.normalize("NFKC", text).casefold()
    words = " ".join(re.sub(r"(?<=\w)-(?=\w)", " ", whole).replace("’", "'").split())
    return words.strip(_AROUND) or "".join(whole.split())


def _accentless(text: str) -> str:
    parts = unicodedata.normalize("NFKD", _plain(text))
    return "".join(c for c in parts if not unicodedata.combining(c))

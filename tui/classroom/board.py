"""What the teacher's terminal shows: the address large enough for the last row, its QR code, and who is here. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap

from edge.words import Words

_ROWS = {
    "0": "###|#.#|#.#|#.#|###", "1": ".#.|##.|.#.|.#.|###", "2": "###|..#|###|#..|###", "3": "###|..#|.##|..#|###",
    "4": "#.#|#.#|###|..#|..#", "5": "###|#..|###|..#|###", "6": "###|#..|###|#.#|###", "7": "###|..#|.#.|.#.|.#.",
    "8": "###|#.#|###|#.#|###", "9": "###|#.#|###|..#|###", ".": ".|.|.|.|#", ":": ".|#|.|#|.", "/": "..#|..#|.#.|#..|#..",
    "A": "###|#.#|###|#.#|#.#", "B": "##.|#.#|##.|#.#|##.", "C": "###|#..|#..|#..|###", "D": "##.|#.#|#.#|#.#|##.",
    "E": "###|#..|##.|#..|###", "F": "###|#..|##.|#..|#..", "G": "###|#..|#.#|#.#|###", "H": "#.#|#.#|###|#.#|#.#",
    "J": "..#|..#|..#|#.#|###", "K": "#.#|#.#|##.|#.#|#.#", "M": "#...#|##.##|#.#.#|#...#|#...#", "N": "#..#|##.#|#.##|#..#|#..#",
    "P": "###|#.#|###|#..|#..", "Q": "###|#.#|#.#|###|..#", "R": "##.|#.#|##.|#.#|#.#", "S": "###|#..|###|..#|###",
    "T": "###|.#.|.#.|.#.|.#.", "V": "#.#|#.#|#.#|#.#|.#.", "W": "#...#|#...#|#.#.#|##.##|#...#", "X": "#.#|#.#|.#.|#.#|#.#",
    "Y": "#.#|#.#|.#.|.#.|.#.", "Z": "###|..#|.#.|#..|###", "[": "##|#.|#.|#.|##", "]": "##|.#|.#|.#|##",
}  # fmt: skip
"""Five rows a letter; two rows become one line of half blocks, which every console's font has."""

HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
QUIET = 2
GAP = 3


@dataclass(frozen=True, slots=True)
class State:
    """What is known at one moment."""

    address: str
    """HOST:PORT."""

    token: str
    others: tuple[str, ...]
    """The other addresses, where this laptop is in more than one network."""

    here: tuple[str, ...]
    """The names of those who are connected; empty for one who did not choose a name yet."""

    turned_away: int
    until: str
    """HH:MM, or empty."""

    engine: str = ""
    """How it is with the model of the class, in one line."""

    @property
    def url(self) -> str:
        """The address as a QR code holds it."""
        return f"http://{self.address}/{self.token}/"


def big(text: str) -> list[str]:
    """Return a text as three lines of half blocks; a letter without a shape is left out."""
    shapes = [_ROWS[letter].split("|") for letter in text.upper() if letter in _ROWS]
    rows = [".".join(shape[n] for shape in shapes) for n in range(5)]
    return _halved([[letter == "#" for letter in row] for row in rows])


def code(text: str) -> list[str]:
    """Return a QR code, light on dark as a terminal is, with a light edge that phones need."""
    import segno

    # Capitals take less room in the code; in an address only the token could tell them apart, and it does not.
    rows = segno.make(text.upper(), error="l", micro=False).matrix_iter(border=QUIET)
    return _halved([[not dark for dark in row] for row in rows])


def board(state: State, words: Words, width: int) -> list[str]:
    """Return all lines of the board."""
    large = [*big(state.address), *big(f"/{state.token}")]
    if max(map(len, large)) > width:
        large = [f"http://{state.address}/{state.token}"]
    picture = code(state.url)
    beside = max(20, width - len(picture[0]) - GAP - 1)
    text = [part for line in about(state, words) for part in (wrap(line, beside) or [""])]
    joined = zip_longest(picture, text, fillvalue="")
    return [*large, "", *(f"{left:<{len(picture[0])}}{' ' * GAP}{right}".rstrip() for left, right in joined)]


def about(state: State, words: Words) -> list[str]:
    """Return what to do and who is here, as lines of any length."""
    lines = [
        words.say("classroom.board.scan"),
        words.say("classroom.board.type", url=f"{state.address}/{state.token}"),
        "",
    ]
    if state.others:
        lines += [words.say("classroom.board.others", addresses=", ".join(state.others))]
    lines += [counted(state.here, words)]
    if names := [name for name in state.here if name]:
        lines += [", ".join(sorted(names, key=str.casefold))]
    if state.turned_away:
        lines += [words.say("classroom.board.full", count=state.turned_away)]
    if state.engine:
        lines += ["", state.engine]
    lines += ["", words.say("classroom.board.until", time=state.until) if state.until else ""]
    return [*lines, words.say("classroom.board.close")]


def counted(here: Sequence[str], words: Words) -> str:
    """Say how many are connected."""
    key = {0: "none", 1: "one"}.get(len(here), "many")
    return words.say(f"classroom.board.{key}", count=len(here))


def _halved(rows: list[list[bool]]) -> list[str]:
    """Return two rows in each line."""
    dark: list[bool] = []
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=dark)
    return ["".join(HALVES[pair] for pair in zip_longest(above, below, fillvalue=False)) for above, below in pairs]

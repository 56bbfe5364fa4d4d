"""Every screen looks the way it was accepted, at the smallest and at a usual size.

After a change that was meant, look at the report and run `pytest tests/tui --snapshot-update`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edge.settings import Settings
from fakes import FakeServices, learning
from tests.tui.screen import pressing
from tui.app import AmautaApp

SIZES = [(80, 24), (120, 40)]

QUESTION = ">plantas"

PLANTS = ("f6", "end", "enter")
"""The way to the exercises of the last lesson of the list."""

SCREENS: dict[str, tuple[str, ...]] = {
    "home": (),
    "ask empty": ("f2",),
    "ask answered": (QUESTION, "enter"),
    "source": (QUESTION, "enter", "f4"),
    "lessons": ("f3",),
    "lesson": ("f3", "end", "enter"),
    "practise": ("f6",),
    "exercise": PLANTS,
    "exercise right": (*PLANTS, "b"),
    "round finished": ("f6", "end", "up", "enter", "a", "enter"),
    "progress": (*PLANTS, "b", "enter", ">15", "enter", "escape", "escape", QUESTION, "enter", "f7"),
    "settings": ("f9",),
    "help": ("f1",),
    "who": ("down", *["down"] * 6, "enter"),
}

STATES: dict[str, tuple[str, ...]] = {
    "home chosen": ("down", "down", "down", "down"),
    "ask not found": (">xyz", "enter"),
    "ask passage": (">pasaje", "enter"),
    "ask source chosen": (QUESTION, "enter", "up"),
    "ask about a lesson": ("f3", "end", "enter", "f2"),
    "lessons of one grade": ("f3", "right", "right"),
    "lessons by word": ("f3", ">salud"),
    "exercise with hint": (*PLANTS, "f8"),
    "exercise wrong": (*PLANTS, "a"),
    "exercise lost": (*PLANTS, "a", "c"),
    "exercise number": (*PLANTS, "b", "enter", ">14", "enter"),
    "progress empty": ("f7",),
}

OTHER_LOOKS = ["home", "ask answered", "source", "exercise right", "settings"]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_screen_looks_as_accepted(
    name: str, size: tuple[int, int], app: AmautaApp, snap_compare: Callable[..., bool]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=pressing(*SCREENS[name]))


@pytest.mark.parametrize("name", STATES)
def test_what_happens_on_a_screen_looks_as_accepted(
    name: str, app: AmautaApp, snap_compare: Callable[..., bool]
) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressing(*STATES[name]))


@pytest.mark.parametrize("name", OTHER_LOOKS)
def test_screen_in_portuguese_on_a_light_ground_looks_as_accepted(
    name: str, home: Path, snap_compare: Callable[..., bool]
) -> None:
    keys = tuple(key.replace(QUESTION, ">chuva") for key in SCREENS[name])
    app = AmautaApp(learning(home, lang="pt", theme="light", name="Conceição"), colours="full")
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressing(*keys))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("name", OTHER_LOOKS)
def test_screen_in_english_with_sixteen_colours_looks_as_accepted(
    name: str, theme: str, home: Path, snap_compare: Callable[..., bool]
) -> None:
    app = AmautaApp(learning(home, lang="en", theme=theme), colours="sixteen")
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressing(*SCREENS[name]))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", [(), ("down", "enter")], ids=["language", "name"])
def test_first_run_looks_as_accepted(
    keys: tuple[str, ...], size: tuple[int, int], home: Path, snap_compare: Callable[..., bool]
) -> None:
    app = AmautaApp(FakeServices(Settings(home)), colours="full")
    assert snap_compare(app, terminal_size=size, run_before=pressing(*keys))


def test_a_terminal_that_is_too_small_is_told_so(app: AmautaApp, snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app, terminal_size=(50, 12), run_before=pressing())


CONSOLE = {chr(code) for code in [*range(32, 127), *range(160, 256)]} | set("─│┌┐└┘█░•…←↑→↓–—“”‘’")
"""What every Latin font of the Linux console can draw."""


def test_every_character_of_every_accepted_screen_is_in_the_console_fonts() -> None:
    pictures = sorted((Path(__file__).parent / "__snapshots__").glob("*/*.svg"))
    assert pictures
    for picture in pictures:
        drawing = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
        shown = "".join(drawing.itertext()).split("}")[-1]
        assert set(shown) <= CONSOLE | {"\n"}, picture.name

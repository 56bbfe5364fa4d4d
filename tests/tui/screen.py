"""Read a screen as a person does: its words, its keys; and press keys as she would."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot
from textual.widgets import Input

from tui.app import AmautaApp
from tui.widgets.bars import KeyBar

QUIET = {"up", "down", "left", "right", "backspace"}
"""Keys that start no work in the background."""


def text_of(app: AmautaApp) -> str:
    """Return everything on screen, without the spaces that only fill lines."""
    lines = ("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())
    return "\n".join(line.rstrip() for line in lines)


def words_of(app: AmautaApp) -> str:
    """Return everything on screen as one line, whatever its width."""
    return " ".join(text_of(app).replace("│", " ").split())


def keys_of(app: AmautaApp) -> dict[str, str]:
    """Return the keys the footer shows, with what they do."""
    return {key: does for line in app.screen.query_one(KeyBar).keys for key, does in line.items()}


async def settle(pilot: Pilot[None]) -> None:
    """Wait until nothing moves any more."""
    await work_done(pilot)
    for box in pilot.app.screen.query(Input):
        box.cursor_blink = False
    await pilot.wait_for_scheduled_animations()


async def work_done(pilot: Pilot[None]) -> None:
    """Wait for what runs in the background, and for what it tells the screen."""
    await pilot.pause()
    if any(worker.is_running for worker in pilot.app.workers):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


async def type_in(pilot: Pilot[None], text: str) -> None:
    """Type letters one by one, as keys."""
    names = {" ": "space", "¿": "inverted_question_mark", "?": "question_mark", "/": "slash", ",": "comma"}
    await pilot.press(*(names.get(letter, letter) for letter in text))


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, waiting after each; text after `>` is typed."""
    for key in keys:
        if key.startswith(">"):
            await type_in(pilot, key[1:])
        else:
            await pilot.press(key)
            if key not in QUIET:
                await work_done(pilot)


def pressing(*keys: str) -> Callable[[Pilot[None]], object]:
    """Return what presses keys before a picture is taken."""

    async def run(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await press(pilot, *keys)
        await settle(pilot)

    return run

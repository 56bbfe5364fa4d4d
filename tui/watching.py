"""Notice a stick that is put in or taken out while the app runs, and say in one line what it is good for."""

from __future__ import annotations

from pathlib import Path

from textual.app import App

from tui import wishes
from tui.services import Services

LOOK_SECONDS = 3.0
"""Looking takes a fifth of a millisecond, so it costs nothing and is soon enough for a person."""

SHOWING = ("home", "sync")
"""Screens that show the sticks themselves."""


def watch(app: App[None], services: Services) -> None:
    """Look now and from now on."""

    def look() -> None:
        before = list(services.handing.drives)
        services.handing.look()
        if services.handing.drives != before:
            app.call_from_thread(changed, [drive.path for drive in before])

    def changed(before: list[Path]) -> None:
        if app.screen.name in SHOWING:
            app.screen.post_message(wishes.SticksChanged())
            return
        key = "handing.told" if services.handing.delivers else "handing.told_enrol"
        for drive in services.handing.useful():
            if drive.path not in before:
                app.notify(services.words.say(key, name=drive.name), timeout=10, markup=False)

    def begin() -> None:
        app.run_worker(look, thread=True, group="sticks", exclusive=True, exit_on_error=False)

    begin()
    app.set_interval(LOOK_SECONDS, begin)

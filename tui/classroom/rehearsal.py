"""Let one app run through its screens, seen by nobody, so that the forks of this process find everything read and imported."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.pilot import Pilot

from edge.learning.store import Store
from edge.library.library import Library
from edge.settings import Settings
from edge.tutor.turn import Tutor
from tui.classroom.pupil import PupilApp, PupilServices

KEYS = (
    ("?", "enter"), ("escape",), ("down", "enter"), ("?", "enter"), ("f4",), ("f3",), ("enter",), ("f7",), ("f6",),
    ("enter",), ("f8", "a"), ("b",),
)  # fmt: skip
"""Ask nonsense, ask what is offered and open its source, read a lesson, look at the progress, practise sums, take a hint, answer."""

PAUSE_SECONDS = 0.2
WHO = "rehearsal"


def rehearse(settings: Settings, library: Library, tutor: Tutor) -> None:
    """Run the app to its end; what it keeps goes into a folder of its own."""
    with TemporaryDirectory(prefix="amauta-", ignore_cleanup_errors=True) as folder:
        apart = replace(settings, home=Path(folder))
        with Store.open(apart.store_path) as store:
            store.add_learner(WHO, apart.spoken_lang, WHO)
        app = PupilApp(PupilServices(apart, library, tutor, WHO))
        app.run(headless=True, size=(80, 24), auto_pilot=_press)


async def _press(pilot: Pilot[object]) -> None:
    for keys in KEYS:
        await pilot.press(*keys)
        await asyncio.sleep(PAUSE_SECONDS)
    pilot.app.exit()

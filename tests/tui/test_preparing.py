"""Leave the computer at work from the app: a bar, Esc stops it, and it says what it did or why there is nothing to do."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from edge.library.folder import EMBEDDED
from edge.library.library import Library
from edge.llama.beginnings import SUFFIX
from edge.tutor.llama import LlamaEngine
from fakes import FakeServices
from school import school
from tests.tui.screen import keys_of, press, settle, words_of
from tui.app import AmautaApp
from tui.preparing import Preparing
from tui.services import Services

SIZE = (80, 24)
PATIENCE_S = 20.0


async def shown(pilot: Pilot[None], app: AmautaApp, words: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while words not in words_of(app):
        assert time.monotonic() < end, f"{words} never came: {words_of(app)}"
        await pilot.pause(0.05)


async def open_it(pilot: Pilot[None], services: Services) -> None:
    await settle(pilot)
    await press(pilot, "f9", "up", "enter")


async def test_where_no_model_may_answer_it_says_so_and_what_works(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await open_it(pilot, rosa)
        assert "La computadora lee las lecciones de mañana" in words_of(app)
        assert keys_of(app)["Enter"] == "Preparar"
        await pilot.press("enter")
        await shown(pilot, app, "No hay nada que preparar: ningún modelo de esta computadora puede responder")
        assert keys_of(app)["Esc"] == "Volver"


async def test_it_works_while_one_does_something_else_and_esc_stops_it_within_a_moment(
    app: AmautaApp, rosa: FakeServices, home: Path, shared_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAUTA_CACHE", str(home / "cache"))
    settings = school(home)
    library = Library.of_folders([EMBEDDED / "primaria", EMBEDDED / "fundamental"], shared_index)
    rosa.preparing = Preparing(lambda: settings, lambda: library)
    plain = LlamaEngine.prepare

    def unhurried(*given: Any) -> Path | None:
        time.sleep(0.2)  # a model of a real size takes longer still; the mini would be through before the keys are
        return plain(*given)

    monkeypatch.setattr(LlamaEngine, "prepare", unhurried)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await open_it(pilot, rosa)
        await pilot.press("enter")
        await shown(pilot, app, "de 41")
        assert keys_of(app)["Esc"] == "Detener"
        await press(pilot, "f2", "f9", "up", "enter")
        assert rosa.preparing.working
        await shown(pilot, app, "░")
        folder = home / "cache" / "beginnings"
        while not list(folder.glob(f"*{SUFFIX}")):
            await asyncio.sleep(0.01)
        began = time.monotonic()
        await pilot.press("escape")
        while rosa.preparing.working:
            await asyncio.sleep(0.01)
        assert time.monotonic() - began < 1.5
        await shown(pilot, app, "Detenido: quedan")
        ready = len(list(folder.glob(f"*{SUFFIX}")))
        assert f"Lecciones preparadas ahora: {ready};" in words_of(app)
        assert 0 < ready < 41
    library.close()

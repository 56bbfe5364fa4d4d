"""Draw docs/screenshot.svg: the real app, its real library, two real questions."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

TARGET = Path(__file__).parent.parent / "docs" / "screenshot.svg"
QUESTIONS = ("¿Por qué hay que lavarse las manos?", "¿Cuántas patas tiene una araña?")
PATIENCE_SECONDS = 20.0


async def draw() -> None:
    """Open the app at 80x24 on a new device, ask, and keep the screen."""
    from edge.learning.store import Store
    from edge.settings import load, save
    from tui.app import AmautaApp
    from tui.opening import open_services

    environment = {**os.environ, "AMAUTA_HOME": tempfile.mkdtemp(prefix="amauta-screen-"), "AMAUTA_LANG": "es"}
    settings = load(environment)
    save(settings)
    store = Store.open(settings.store_path)
    store.add_learner("Rosa", "es", "rosa")
    store.close()
    app = AmautaApp(open_services(settings), colours="full")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(1.0)
        for question in QUESTIONS:
            await pilot.press(*("space" if c == " " else c for c in question), "enter")
            await asyncio.wait_for(app.workers.wait_for_complete(), PATIENCE_SECONDS)
            await pilot.pause(0.5)
        app.save_screenshot(str(TARGET))


if __name__ == "__main__":
    asyncio.run(draw())

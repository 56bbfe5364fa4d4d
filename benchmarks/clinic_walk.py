"""Five visits at a health post by keys: asked, saved, confirmed, handed over; keys and seconds of the app, nobody looks at a child.

The real app without a terminal (80x24), real tables, real records with the full cost of a passphrase; a script presses each
key once nothing moves any more, so the seconds are those of the app. Afterwards no file but the referrals may name a patient.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from textual.pilot import Pilot

from edge.settings import Settings
from tui.app import AmautaApp
from tui.opening import open_services

PASSPHRASE = "lluvia cabra tornillo"
NEVER_OPEN = ("Marina", "Choque", "Mamani", "Huaman", PASSPHRASE)
NEXT = ("escape",)
DONE = (*["down"] * 4, "enter", "enter")
PRINT = ("enter", "end", "enter")
OVER = (*["down"] * 3, "enter", ">Hospital de Cusco", "enter")


def _patient(name: str, sex: int, community: str, number: str, born: str = "") -> tuple[str, ...]:
    age = (f">{born}", "enter") if born else ()
    return (f">{name}", "enter", *age, *["down"] * sex, "enter", f">{community}", "enter", f">{number}", "enter")


def _done(text: str) -> tuple[str, ...]:
    return ("down", "enter", f">{text}", "enter", *DONE)


PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("1. cough, born 3/9/2024, convulsions", ("enter", ">3/9/2024", "enter", "n", "n", "s")),
    ("the records are made, once", ("g", f">{PASSPHRASE}", "enter", f">{PASSPHRASE}", "enter", "copy", "enter")),
    ("1. saved, printed, handed over", (*_patient("Marina Quispe", 0, "Ccorca Alto", "HC-4512"), *_done("Referida"), *PRINT, *OVER)),
    ("2. cough, 14 months, 52 breaths", (*NEXT, "enter", ">14", "enter", *"nnnnnn", ">52", "enter", "d", ">9.5", "enter")),
    ("2. and fever", ("enter", "f", "enter", "n", "1", "n", ">2", "enter")),
    ("2. saved", ("g", *_patient("Luz Choque", 0, "Ccorca Bajo", ""), *_done("Amoxicilina, control en 2 dias"))),
    ("3. baby of 12 days, 64 breaths", (*NEXT, "b", "enter", ">12", "enter", *"nnnn", ">64", "enter")),
    ("3. saved, printed, handed over", ("g", *_patient("Bebe Mamani", 1, "Huanoquite", "HC-4513", "14/11/2026"), *_done("Referido"), *PRINT, *OVER)),
    ("4. pregnancy, 160/110", (*NEXT, "e", "enter", *"nnnnnnn", "3")),
    ("4. saved, printed, handed over", (
        "g", *_patient("Rosa Huaman", 0, "Ccorca", "HC-4514", "1/5/1998"),
        *_done("Referida"), *PRINT, *OVER,
    )),
    ("5. vaccines in Peru, born 5/7/2026", (*NEXT, "end", "enter", "f8", "f8", ">5/7/2026", "enter")),
)  # fmt: skip


def run() -> str:
    """Return a table with a row for each part of a visit."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_walk(Path(folder)))


async def _walk(home: Path) -> str:
    services = open_services(Settings(home, lang="es", sound=False, place="clinic"))
    services.choose_learner(services.store().add_learner("Ana Flores", "es", "ana"))
    app, rows = AmautaApp(services), ["| part | keys | seconds |", "|---|---|---|"]
    async with app.run_test(size=(80, 24)) as pilot:
        await _press(pilot, "down", "enter")
        for name, keys in PARTS:
            begin, count = time.perf_counter(), 0
            for key in keys:
                given = f">{_recovery(app)}" if key == "copy" else key
                count += len(given) - 1 if given.startswith(">") else 1
                await _press(pilot, given)
            rows.append(f"| {name} | {count} | {time.perf_counter() - begin:.1f} |")
        services.desk.records.unlock(PASSPHRASE)
        states = [visit.state for visit in services.desk.records.book().visits()]
    services.close()
    files = [path for path in home.rglob("*") if path.is_file() and path.parent.name != "CLINICA"]
    named = [path.name for path in files if any(text.encode() in path.read_bytes() for text in NEVER_OPEN)]
    return "\n".join(
        [*rows, "", f"Visits: {', '.join(states)}. Files that name a patient, referrals apart: {named or 'none'}."]
    )


async def _press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        names = [{" ": "space", "/": "slash", ",": "comma", ".": "full_stop", "-": "minus"}.get(c, c) for c in key[1:]]
        await pilot.press(*(names if key.startswith(">") else [key]))
        await pilot.pause()
        while any(worker.is_running and worker.group == "dialogue" for worker in pilot.app.workers):
            await asyncio.sleep(0.01)
        await pilot.pause()


def _recovery(app: AmautaApp) -> str:
    """Return the last group of the recovery key on screen, as it would be typed from paper."""
    lines = ("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())
    return next(word for line in lines for word in line.split() if word.count("-") == 7)[-4:]

"""A teacher hands over with one key: sticks, acknowledgements, enrolment, an adult's decisions, one person's data."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from edge.drives import Drive
from edge.learning.store import Store
from edge.sync.enrolment import as_text, parse
from edge.sync.ledger import Ledger
from edge.update.places import Pointer, Releases
from fakes import NOON
from handing import NOW, Device, Hub
from shop import Press
from tests.tui.classroom import SIZE, Classroom
from tests.tui.screen import keys_of, press, settle, text_of, words_of
from tui.handing import Delivered, Handing, Step
from tui.updates import Updates
from tui.widgets.choices import Choices

ROOT = Path(__file__).parents[2]
MAY_REMOVE = "Ya puedes sacar la memoria."


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for sticks more often than the app does, so that nobody waits."""
    monkeypatch.setattr("tui.watching.LOOK_SECONDS", 0.3)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Classroom]:
    made = Classroom(tmp_path)
    yield made
    made.services.close()


@pytest.fixture
def new_room(tmp_path: Path) -> Iterator[Classroom]:
    made = Classroom(tmp_path, enrolled=False)
    yield made
    made.services.close()


async def test_a_stick_that_is_put_in_is_seen_and_one_key_hands_over_and_takes_back(room: Classroom) -> None:
    async with room.app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert "MOCHILA" not in text_of(room.app)
        stick = room.put_in()
        await pilot.pause(0.6)
        await settle(pilot)
        assert "Memoria MOCHILA: entregar y recoger acuses  F12" in text_of(room.app)
        stick.rename(room.folder / "away")
        await press(pilot, "f12", "escape")
        await settle(pilot)
        assert "MOCHILA" not in text_of(room.app)
        (room.folder / "away").rename(stick)
        await press(pilot, "f12")
        await settle(pilot)
        # Whatever is plugged in by now, the stick of the list is meant.
        room.services.handing.drives = []
        assert "borrador 12 todavía en ninguna entrega" in words_of(room.app)
        assert "Todavía no llegó ningún acuse" in words_of(room.app)
        await press(pilot, "enter")
        await settle(pilot)
        assert "Entregado en MOCHILA. Datos: 12; archivos: 1 (5 kB)." in words_of(room.app)
        assert MAY_REMOVE in words_of(room.app)
        assert "entregado 12 salió entero de aquí" in words_of(room.app)
        assert room.visit_hub(stick) == ["imported"]
        await press(pilot, "enter")
        await settle(pilot)
        assert "No hay nada nuevo que entregar. Datos que el centro acusó ahora: 12." in words_of(room.app)
        assert "acusado 12 el centro lo tiene" in words_of(room.app)
        assert not list((stick / "AMAUTA" / "ENTREGAS").iterdir())
        await press(pilot, "f12", "escape", "f12")
        await settle(pilot)
        assert "Último acuse del centro: 2026-03-02." in words_of(room.app)
    assert room.hub.rows("SELECT count(*) FROM attempts") == [(12,)]


async def test_elsewhere_a_stick_is_told_of_in_one_line_and_only_where_it_is_of_use(
    room: Classroom, tmp_path: Path
) -> None:
    said = "Memoria MOCHILA conectada. F12: entregar y recoger acuses."
    async with room.app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f3")
        room.put_in()
        await pilot.pause(0.6)
        await settle(pilot)
        assert said in words_of(room.app)
    other = Classroom(tmp_path / "other", enrolled=False)
    other.put_in()
    async with other.app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert "MOCHILA" not in text_of(other.app)
    other.services.close()


@contextmanager
def mounted(place: Path, options: str) -> Iterator[None]:
    """Make a folder a file system of its own; skip where that is not allowed."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "amauta-test", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("only root may mount")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("mount"), reason="mounts a small file system")
@pytest.mark.parametrize(
    ("options", "said"),
    [("size=4k", "La memoria está llena"), ("size=1m,ro", "La memoria no se deja escribir o leer")],
    ids=["full", "read-only"],
)
async def test_a_stick_that_cannot_be_written_is_one_sentence_and_nothing_is_lost(
    options: str, said: str, room: Classroom
) -> None:
    with mounted(room.put_in(), options):
        async with room.app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "f12", "enter")
            await settle(pilot)
            assert said in words_of(room.app)
            assert MAY_REMOVE not in words_of(room.app)
            assert "listo 12" in words_of(room.app)
    room.put_in("OTRA")
    room.device.export(room.sticks / "OTRA")
    assert room.device.states().delivered == 12


async def test_a_stick_that_was_pulled_out_is_one_sentence_and_the_key_works_again(room: Classroom) -> None:
    stick = room.put_in()
    async with room.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "f12")
        stick.rename(room.folder / "away")
        await pilot.press("enter")
        await settle(pilot)
        assert "No encuentro la carpeta" in words_of(room.app)
        assert "Conecta una memoria: aparece aquí sola." in words_of(room.app)
        (room.folder / "away").rename(stick)
        await pilot.pause(0.6)
        await settle(pilot)
        await press(pilot, "home", "enter")
        await settle(pilot)
        assert MAY_REMOVE in words_of(room.app)


async def test_going_on_meanwhile_is_fine_and_the_end_is_told(room: Classroom) -> None:
    room.put_in()
    inside, go_on = Event(), Event()

    class Slow(Handing):
        def deliver(self, drive: Drive, begun: Callable[[Step], object]) -> Delivered:
            def waiting(step: Step) -> None:
                begun(step)
                inside.set()
                go_on.wait(20)

            return super().deliver(drive, waiting)

    room.services.handing = Slow(lambda: room.services.settings, room.here, lambda: NOON)
    async with room.app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f12")
        await pilot.press("enter")
        assert await asyncio.to_thread(inside.wait, 20)
        await pilot.pause()
        assert "Paso 1 de 3: recogiendo los acuses. No saques la memoria." in words_of(room.app)
        await pilot.press("escape")
        go_on.set()
        await settle(pilot)
        assert MAY_REMOVE in words_of(room.app)
    assert room.device.states().delivered == 12


async def test_a_copied_device_is_told_what_to_do_and_gets_another_identity_when_an_adult_types_it(
    room: Classroom,
) -> None:
    stick = room.put_in()
    shutil.copytree(room.device.home, room.folder / "copy")
    copy = Device(room.folder / "copy")
    copy.practise(2, ("rosa",))
    copy.export(stick)
    room.device.practise(5, ("rosa",))
    before = room.services.store().device
    async with room.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "f12", "enter")
        await settle(pilot)
        room.visit_hub(stick)
        await press(pilot, "enter")
        await settle(pilot)
        assert "¡Atención! Otro equipo usa la misma identidad" in words_of(room.app)
        name = "Dar otra identidad a este equipo, porque fue copiado"
        assert f"elige abajo «{name}»" in words_of(room.app)
        await press(pilot, "end", "enter", ">no", "enter")
        assert "escribe exactamente «renovar»" in words_of(room.app)
        await press(pilot, "escape")
        assert room.services.store().device == before
        await press(pilot, "end", "enter", ">Renovar", "enter")
        await settle(pilot)
        assert "Listo: este equipo era" in words_of(room.app)
        assert room.services.store().device != before
    room.device.practise(1)
    room.device.export(stick)
    assert "imported" in room.visit_hub(stick)
    assert not room.device.take_back(stick).cloned


async def test_a_device_that_no_hub_knows_says_what_the_hub_must_give(new_room: Classroom) -> None:
    room = new_room
    async with room.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        room.bring_enrolment()
        await press(pilot, "f12")
        await settle(pilot)
        assert "todavía no está inscrito en ningún centro" in words_of(room.app)
        assert "un archivo en una memoria (AMAUTA/enrolment.json) o un código QR" in words_of(room.app)
        await press(pilot, "home", "enter")
        await settle(pilot)
        assert "Listo: este equipo entrega al centro" in words_of(room.app)
        assert "La escuela escuela-24 entrega al centro" in words_of(room.app)
        assert "borrador 12" in words_of(room.app)


@pytest.mark.parametrize("form", ["path", "text"])
async def test_enrolling_with_a_path_or_the_text_of_a_qr_code(form: str, new_room: Classroom) -> None:
    room = new_room
    content = room.hub.enrolment("escuela-24")
    (room.folder / "escuela.json").write_bytes(content)
    given = str(room.folder / "escuela.json") if form == "path" else as_text(parse(content))
    async with room.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "f12", "home", "down", "enter", ">no hay tal archivo", "enter")
        await settle(pilot)
        assert "No se puede leer la inscripción «no hay tal archivo»" in words_of(room.app)
        await press(pilot, "home", "down", "enter")
        # Pasted: a person at a terminal does not type 200 letters.
        room.app.screen.query_one("NameBox").insert_text_at_cursor(given)  # type: ignore[attr-defined]
        await press(pilot, "enter")
        await settle(pilot)
        assert "La escuela escuela-24 entrega al centro" in words_of(room.app)


def test_in_another_school_what_is_done_from_now_on_stands_under_another_name(room: Classroom) -> None:
    before = room.services.store().device
    room.services.enrol(as_text(parse(room.hub.enrolment("escuela-25"))))
    assert room.services.store().device != before


async def test_chats_leave_only_after_an_adult_typed_it_and_stay_again_at_once(room: Classroom) -> None:
    stick = room.put_in()
    store = room.services.store()
    store.append_turn(learner="rosa", question="¿xyz?", mode="bank", text="zyx", lesson="", at=NOW)
    chats = ("f12", "home", *["down"] * 3, "enter")
    async with room.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *chats)
        assert "Lo decide una persona adulta de la escuela" in words_of(room.app)
        await press(pilot, "escape")
        assert not room.services.settings.share_turns
        await press(pilot, "enter", ">permitir", "enter")
        await settle(pilot)
        assert room.services.settings.share_turns
        assert "Conversaciones: salen también" in words_of(room.app)
        assert "borrador 13" in words_of(room.app)
        await press(pilot, "home", "enter")
        await settle(pilot)
        assert room.visit_hub(stick) == ["imported"]
        assert room.hub.rows("SELECT count(*) FROM turns") == [(1,)]
        await press(pilot, "home", *["down"] * 3, "enter")
        await settle(pilot)
        assert "Conversaciones: se quedan aquí" in words_of(room.app)
    assert not room.services.settings.share_turns


async def test_deliveries_that_wait_for_weeks_are_told_to_whoever_hands_over_and_to_nobody_else(
    tmp_path: Path,
) -> None:
    late = datetime.fromisoformat(NOW) + timedelta(weeks=5, hours=1)
    room = Classroom(tmp_path, now=late)
    room.device.export(room.put_in())
    said = "Hay entregas sin acuse desde hace 5 semanas"
    async with room.app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert said not in words_of(room.app)
        await press(pilot, "f12")
        await settle(pilot)
        assert said in words_of(room.app)
        room.visit_hub(room.sticks / "MOCHILA")
        await press(pilot, "enter")
        await settle(pilot)
        await press(pilot, "escape", "f12")
        await settle(pilot)
        assert said not in words_of(room.app)
    room.services.close()


def test_a_delivery_waits_until_everything_in_it_is_acknowledged_by_whichever_bundle(room: Classroom) -> None:
    hub = room.hub.place.id
    first, second = room.put_in("UNA"), room.put_in("DOS")
    room.device.export(first)
    room.device.practise(1, ("rosa",))
    room.device.export(second)
    with Ledger(room.device.path) as ledger:
        assert ledger.waiting_since(hub) == NOW
    room.hub.receive(second)
    room.hub.acknowledge(second)
    room.device.take_back(second)
    with Ledger(room.device.path) as ledger:
        assert ledger.waiting_since(hub) == ""


async def test_everything_about_one_person_is_copied_and_erased_when_her_name_is_typed(room: Classroom) -> None:
    stick = room.put_in()
    async with room.app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "down", *["down"] * 7, "enter", "home", "f8")
        await settle(pilot)
        assert "Beto. Respuestas: 3; conversaciones: 0." in words_of(room.app)
        await press(pilot, "home", "enter")
        [copy] = (stick / "AMAUTA" / "PERSONAS").iterdir()
        assert '"name": "Beto"' in copy.read_text(encoding="utf-8")
        assert "sin cifrar" in words_of(room.app)
        await press(pilot, "end", "enter", ">Rosa", "enter")
        assert "escribe exactamente «Beto»" in words_of(room.app)
        assert len(room.services.store().learners()) == 2
        await press(pilot, *["backspace"] * 4, ">beto", "enter")
        await settle(pilot)
        assert [str(option.prompt) for option in room.app.screen.query_one(Choices).options] == ["Rosa"]
        await press(pilot, "escape", "f12", "home", *["down"] * 4, "enter", "home", "enter")
        await settle(pilot)
        assert "Rosa. Respuestas: 9" in words_of(room.app)
        await press(pilot, "end", "enter", ">rosa", "enter")
        await settle(pilot)
        assert "¿Cómo te llamas?" in words_of(room.app)
        await press(pilot, ">Luz", "enter")
        await settle(pilot)
        assert "Hola, Luz." in words_of(room.app)
    room.device.export(stick)
    assert room.visit_hub(stick) == ["imported"]
    assert room.hub.rows("SELECT count(*) FROM attempts") == [(0,)]


async def test_the_same_stick_brings_a_release_in(room: Classroom) -> None:
    stick = room.put_in()
    press_of = Press(stick / "AMAUTA" / "release")
    press_of.publish({"packs/letras/pack.toml": b"one\n"}, room.folder / "made")
    from edge.release.trust import open_release

    home = room.services.settings.home
    open_release(press_of.folder, home, press_of.root)
    room.services.updates = Updates(room.services.settings, lambda: [press_of.folder], lambda: NOON)
    async with room.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "f12")
        await settle(pilot)
        assert "Instalar la versión 1 que trae la memoria  F8" in text_of(room.app)
        assert keys_of(room.app)["F8"] == "Actualizar"
        await press(pilot, "enter")
        await settle(pilot)
        assert MAY_REMOVE in words_of(room.app)
        await press(pilot, "f8", "enter")
        await settle(pilot)
        assert "Listo. La versión 1 se usará la próxima vez" in words_of(room.app)
    assert Releases.of(home).pointer() == Pointer(1, 0)


HANDS_OVER = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = ["tests", "."]
from edge.drives import looked_at
from edge.settings import Settings
from fakes import FakeServices
from tests.tui.screen import press, settle
from tui.app import AmautaApp
from tui.handing import Handing
home, stick = Path(sys.argv[1]), Path(sys.argv[2])
services = FakeServices(Settings(home, lang="es"))
services.handing = Handing(lambda: services.settings, lambda: [looked_at(stick)], services.now)
app = AmautaApp(services)
async def go():
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "f12")
        print("now", flush=True)
        await press(pilot, "enter")
asyncio.run(go())
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_an_app_that_is_killed_while_it_hands_over_loses_nothing(room: Classroom) -> None:
    stick, chance = room.put_in(), random.Random(5)
    room.services.close()
    room.device.practise(3000)
    for _ in range(2):
        command = [sys.executable, "-c", HANDS_OVER, str(room.device.home), str(stick)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
            assert child.stdout
            assert child.stdout.readline() == b"now\n"
            time.sleep(chance.uniform(0, 0.4))
            child.send_signal(signal.SIGKILL)
        with Store.open(room.device.path) as store:
            assert store.attempt_count() == 3012
        delivered = room.device.states().delivered
        assert delivered in (0, 3012)
        if delivered:
            # What the first killed app had delivered already comes again with the second's.
            assert {each.state for each in Hub(room.hub.place).receive(stick)} <= {"imported", "repeated"}
            assert room.hub.rows("SELECT count(*) FROM attempts") == [(3012,)]
    room.device.export(stick)
    room.visit_hub(stick)
    room.device.take_back(stick)
    assert room.device.states().acknowledged == 3012

"""A teacher's computer receives by the school's network and others deliver to it: six digits, Esc stops, nothing is lost."""

from __future__ import annotations

import asyncio
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from textual.pilot import Pilot

from edge.settings import Settings
from edge.sync.enrolment import as_bytes, parse
from edge.sync.lan.interfaces import address_of
from edge.sync.lan.receiving import open_receiving
from edge.sync.lan.sender import send_near
from tests.tui.classroom import SIZE, Classroom
from tests.tui.screen import keys_of, press, settle, text_of, words_of
from tui import plain
from tui.near import NearBy
from tui.screens.sync_receive import ReceiveScreen
from tui.widgets.digits import drawn

HERE = [address_of("127.0.0.1")]
RECEIVE = ("f12", "home", "down", "enter")
SEND = ("f12", "home", "enter")
"""Without a stick the list begins with the network."""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Classroom]:
    made = Classroom(tmp_path / "aula")
    made.services.near = NearBy(lambda: made.services.settings, HERE)
    yield made
    made.services.close()


async def until(pilot: Pilot[None], *choices: str) -> None:
    """Wait until one of the sentences is on the screen: what listens is never still."""
    end = time.monotonic() + 30
    while not any(words in words_of(pilot.app) for words in choices):  # type: ignore[arg-type]
        assert time.monotonic() < end, words_of(pilot.app)  # type: ignore[arg-type]
        await pilot.pause(0.05)


async def test_others_deliver_to_the_app_by_six_digits_and_its_next_stick_carries_it_to_the_hub(
    room: Classroom, tmp_path: Path
) -> None:
    other = Classroom(tmp_path / "otra", enrolled=False, seed=2)
    other.device.enrol(room.hub.enrolment("escuela-24"))
    async with room.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *RECEIVE[:-1])
        await pilot.press("enter")
        await until(pilot, "Todavía no llegó nada")
        screen = room.app.screen
        assert isinstance(screen, ReceiveScreen)
        courier = screen.courier
        assert courier
        shown = [line.rstrip() for line in drawn(f"{courier.code[:3]} {courier.code[3:]}").splitlines()]
        assert all(line in text_of(room.app) for line in shown)
        assert courier.addresses[0] in words_of(room.app)
        before = courier.code
        await pilot.press("f8")
        await until(pilot, "El código anterior ya no sirve")
        assert courier.code != before
        sent = await asyncio.to_thread(
            send_near, Settings(other.device.home, lang="es"), courier.code, courier.addresses[0]
        )
        assert sent.facts == 12
        await until(pilot, "Equipo 1: una entrega de 5 kB, guardada.")
        assert "Entregas recibidas: 1; equipos: 1. Con Esc deja de recibir." in words_of(room.app)
        await pilot.press("escape")
        await settle(pilot)
        assert "Lleva entregas de otros equipos: 1; en ninguna memoria todavía: 1." in words_of(room.app)
        stick = room.put_in()
        await press(pilot, "escape", "f12", "home", "enter")
        await settle(pilot)
        assert "Entregas de otros equipos escritas: 1; ya estaban: 0." in words_of(room.app)
    assert room.visit_hub(stick) == ["imported", "imported"]
    assert room.hub.rows("SELECT count(*) FROM attempts") == [(24,)]
    other.services.close()


async def test_the_app_delivers_to_the_computer_that_shows_the_code(room: Classroom, tmp_path: Path) -> None:
    with open_receiving(Settings(tmp_path / "maestra"), lambda _: None, addresses=HERE) as courier:
        wrong = f"{(int(courier.code) + 1) % 1_000_000:06}"
        async with room.app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, *SEND, "down")
            room.app.screen.query_one("AddressBox").insert_text_at_cursor(courier.addresses[0])  # type: ignore[attr-defined]
            await press(pilot, "enter", f">{wrong}", "enter")
            await settle(pilot)
            assert "El código no es ese." in words_of(room.app)
            await press(pilot, f">{courier.code}", "enter")
            await settle(pilot)
            assert "Entregado a la laptop. Datos: 12; archivos enviados: 1 (5 kB)" in words_of(room.app)
            await press(pilot, "escape")
            await settle(pilot)
            assert "entregado 12" in words_of(room.app)
        assert courier.load().bundles == 1


async def test_esc_stops_looking_for_a_computer_at_once(room: Classroom) -> None:
    async with room.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *SEND, ">12345", "enter")
        await settle(pilot)
        assert "El código tiene seis cifras" in words_of(room.app)
        await pilot.press(*"123456", "enter")
        await until(pilot, "Busco la laptop que recibe", "No encuentro ninguna laptop")
        await pilot.press("escape")
        begun = time.monotonic()
        await settle(pilot)
        assert "Amauta · Entregar" in words_of(room.app)
        assert time.monotonic() - begun < 5
        assert "Esc" in keys_of(room.app)
    assert room.device.states().delivered == 0


def test_lines_deliver_to_the_computer_that_receives(room: Classroom, tmp_path: Path) -> None:
    with open_receiving(Settings(tmp_path / "maestra"), lambda _: None, addresses=HERE) as courier:

        class Typing(io.StringIO):
            """Types an address when the computer is not found, then the code."""

            def readline(self, *_: object) -> str:
                return next(typed)

        typed = iter(["7\n", "1\n", "12\n", "\n", "\n", "0\n"])
        target = io.StringIO()
        plain.run(room.services, Typing(), target)
        assert "El código tiene seis cifras" in target.getvalue()

        near = room.services.near
        sent = near.send(courier.code, courier.addresses[0], lambda _: None, lambda: False)
        assert sent.facts == 12


@contextmanager
def served(room: Classroom) -> Iterator[None]:
    """Serve the hub on this machine, and let the device know where."""
    from uvicorn import Config, Server

    from edge.hub.serve.app import build
    from edge.hub.serve.site import Site

    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        room.device.enrol(as_bytes(replace(parse(room.hub.enrolment("escuela-24")), url=url)))
        server = Server(Config(build(Site(room.hub.place)), log_level="error", lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()


async def test_the_app_delivers_over_the_internet_where_the_enrolment_says_where_the_hub_is(room: Classroom) -> None:
    with served(room):
        async with room.app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "f12")
            await settle(pilot)
            assert "Enviar por internet al centro" in words_of(room.app)
            await press(pilot, "home", "enter")
            await settle(pilot)
            assert "Entregado al centro. Datos: 12; entregas: 1 (5 kB)." in words_of(room.app)
            assert keys_of(room.app)["Enter"] == "Enviar"
            await press(pilot, "escape")
            await settle(pilot)
            assert "acusado 12" in words_of(room.app)
        room.device.practise(1, ("rosa",))
        target = io.StringIO()
        plain.run(room.services, io.StringIO("7\n1\n\n0\n"), target)
        assert "Entregado al centro. Datos: 1;" in target.getvalue()
    assert room.hub.rows("SELECT count(*) FROM attempts") == [(13,)]


async def test_esc_stops_sending_to_a_hub_that_does_not_answer(room: Classroom) -> None:
    with served(room):
        pass
    async with room.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "f12")
        await settle(pilot)
        await press(pilot, "home")
        await pilot.press("enter")
        await until(pilot, "Buscando el centro")
        await pilot.press("escape")
        begun = time.monotonic()
        await settle(pilot)
        assert "Amauta · Entregar" in words_of(room.app)
        assert time.monotonic() - begun < 10
    assert room.device.states().delivered == 0


def test_lines_receive_until_enter(room: Classroom, tmp_path: Path) -> None:
    other = Classroom(tmp_path / "otra", enrolled=False, seed=2)
    other.device.enrol(room.hub.enrolment("escuela-24"))
    target = io.StringIO()

    class Delivering(io.StringIO):
        """Somebody delivers while the line mode waits for Enter."""

        def readline(self, *_: object) -> str:
            said = target.getvalue()
            if said.endswith("Enter para dejar de recibir: ") and "guardada" not in said:
                code = said.rpartition("Código: ")[2][:7].replace(" ", "")
                address = next(word for word in said.split() if word.startswith("127.0.0.1:"))
                send_near(Settings(other.device.home, lang="es"), code, address)
            return super().readline()

    plain.run(room.services, Delivering("7\n2\n\n\n0\n"), target)
    assert "Equipo 1: una entrega de 5 kB, guardada." in target.getvalue()
    assert "Recepción cerrada. Entregas recibidas: 1; equipos: 1." in target.getvalue()
    assert "Lleva entregas de otros equipos: 1" in target.getvalue()
    other.services.close()

"""The screens of handing over look the way they were accepted, and say the same in lines.

After a change that was meant, look at the report and run `pytest tests/tui --snapshot-update`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.classroom import Classroom
from tests.tui.screen import press, pressing, settle, words_of
from tui import deeds, plain

SIZES = [(80, 24), (120, 40)]

SCREENS: dict[str, tuple[str, ...]] = {
    "stick at home": (),
    "before": ("f12",),
    "handed over": ("f12", "enter"),
}
STATES: dict[str, tuple[str, ...]] = {
    "confirm chats": ("f12", "home", *["down"] * 3, "enter"),
    "confirm erase": ("f12", "home", *["down"] * 4, "enter", "enter", "end", "enter", ">ana", "enter"),
    "enrol": ("f12", "end", "up", "enter"),
    "send nearby": ("f12", "home", "down", "enter"),
}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Classroom]:
    made = Classroom.fixed(tmp_path)
    made.put_in()
    yield made
    made.services.close()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_screen_looks_as_accepted(
    name: str, size: tuple[int, int], room: Classroom, snap_compare: Callable[..., bool]
) -> None:
    assert snap_compare(room.app, terminal_size=size, run_before=pressing(*SCREENS[name]))


@pytest.mark.parametrize("name", STATES)
def test_what_an_adult_decides_looks_as_accepted(name: str, room: Classroom, snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(room.app, terminal_size=(80, 24), run_before=pressing(*STATES[name]))


@pytest.mark.parametrize("enrolled", [True, False], ids=["enrolled", "not enrolled"])
def test_screen_in_portuguese_looks_as_accepted(
    enrolled: bool, tmp_path: Path, snap_compare: Callable[..., bool]
) -> None:
    room = Classroom.fixed(tmp_path, lang="pt", enrolled=enrolled)
    room.put_in()
    assert snap_compare(room.app, terminal_size=(80, 24), run_before=pressing("f12"))
    room.services.close()


async def test_the_last_deed_can_be_reached_in_the_smallest_terminal(tmp_path: Path) -> None:
    room = Classroom.fixed(tmp_path, lang="pt")
    room.put_in()
    async with room.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "f12", "enter", "end")
        await settle(pilot)
        assert deeds.label(room.services, "renew") in words_of(room.app)
    room.services.close()


def talk(room: Classroom, *typed: str) -> str:
    target = io.StringIO()
    assert plain.run(room.services, io.StringIO("".join(f"{line}\n" for line in typed)), target) == 0
    return target.getvalue()


def test_lines_tell_of_a_stick_and_hand_over_and_take_back(tmp_path: Path) -> None:
    room = Classroom(tmp_path)
    stick = room.put_in()
    said = talk(room, "entregar", "1", "", "0")
    assert 'Memoria MOCHILA conectada. Para entregar y recoger acuses escribe "entregar".' in said
    assert said.count("conectada") == 1
    assert "borrador 12 todavía en ninguna entrega" in " ".join(said.split())
    assert "Escribiendo y comprobando.\nEntregado en MOCHILA. Datos: 12; archivos: 1 (5 kB).\nYa puedes sacar" in said
    assert room.visit_hub(stick) == ["imported"]
    assert "Datos que el centro acusó ahora: 12." in talk(room, "7", "1", "", "0")


def test_lines_say_what_the_screen_says_when_a_stick_is_pulled_out(tmp_path: Path) -> None:
    room = Classroom(tmp_path)
    stick = room.put_in()

    class Pulling(io.StringIO):
        def readline(self, *_: object) -> str:
            line = super().readline()
            if line == "1\n":
                stick.rename(tmp_path / "away")
            return line

    target = io.StringIO()
    plain.run(room.services, Pulling("7\n1\n\n0\n"), target)
    assert "No encuentro la carpeta" in target.getvalue()
    assert "Conecta una memoria" in target.getvalue()


def test_lines_enrol_with_a_stick_a_path_or_a_text(tmp_path: Path) -> None:
    room = Classroom(tmp_path, enrolled=False)
    room.bring_enrolment()
    (tmp_path / "escuela.json").write_bytes(room.hub.enrolment("escuela-24"))
    said = talk(room, "7", "3", "amauta:1:no", "3", "", "1", "6", str(tmp_path / "escuela.json"), "6", "1", "", "0")
    assert "Pide al centro de tu distrito la inscripción" in said
    assert "La inscripción no sirve" in said
    assert said.count("Listo: este equipo entrega al centro") == 3


def test_lines_ask_for_a_word_before_chats_leave_an_identity_changes_or_a_person_is_erased(tmp_path: Path) -> None:
    room = Classroom(tmp_path)
    before = room.services.store().device
    said = talk(room, "7", "3", "no", "", "6", "", "4", "1", "2", "luz", "", "", "0")
    assert said.count("No es lo mismo: escribe exactamente") == 2
    assert not room.services.settings.share_turns
    assert room.services.store().device == before
    assert len(room.services.store().learners()) == 2
    said = talk(room, "7", "3", "PERMITIR", "6", "renovar", "4", "1", "1", "4", "1", "2", "beto", "", "0")
    assert room.services.settings.share_turns
    assert room.services.store().device != before
    assert '"name": "Beto"' in next((room.device.home / "PERSONAS").iterdir()).read_text(encoding="utf-8")
    assert "Borrado para siempre lo de Beto. Respuestas: 3; conversaciones: 0." in said
    said = talk(room, "7", "4", "1", "2", "rosa", "", "Luz", "0")
    assert "¿Cómo te llamas?" in said
    assert "Hola, Luz." in said


def test_lines_offer_all_that_the_screen_offers(tmp_path: Path) -> None:
    for enrolled in (True, False):
        room = Classroom(tmp_path / str(enrolled), enrolled=enrolled)
        offered = (*deeds.by_network(room.services, None), *deeds.offered(room.services))
        labels = [deeds.label(room.services, deed) for deed in offered]
        said = talk(room, "7", "", "0")
        assert all(f". {label}\n" in said for label in labels)

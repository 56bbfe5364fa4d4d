"""A visit is saved from the screens, by keys alone: kept at each step, locked by itself, in clear nowhere."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from edge.drives import Drive
from edge.records.book import Book
from edge.records.seal import COST
from edge.records.vault import IDLE_SECONDS, Vault
from edge.records.visit import Patient, Visit
from fakes import NOON, FakeServices, learning
from tests.tui.screen import keys_of, press, pressing, settle, text_of, words_of
from tui.app import AmautaApp
from tui.clinic.records import Records
from tui.handing import Handing
from tui.screens.clinic import ClinicScreen
from tui.screens.lesson import Pages
from tui.widgets.choices import Choices

ROOT = Path(__file__).parent.parent.parent
SIZE = (80, 24)
PASSPHRASE = "lluvia cabra tornillo"
CLINIC = ("down", "enter")
SEVERE = (*CLINIC, "enter", ">14", "enter", "n", "n", "s")
"""Cough, 14 months, convulsions."""

UNLOCK = (f">{PASSPHRASE}", "enter")
PATIENT = (">Marina Quispe", "enter", "enter", ">Ccorca Alto", "enter", ">HC-4512", "enter")
"""A new patient: name, the first sex in the list, community, number."""

DRAFT = (*SEVERE, "g", *UNLOCK, *PATIENT)
# The second problem that begins with this letter: acute malnutrition.
THIN = ("d", "d", "enter")
CONFIRM = (*["down"] * 4, "enter", "enter")
SECRETS = ("Marina", "Quispe", "Ccorca", "HC-4512", "convulsions", "Traslade", PASSPHRASE)


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def post(home: Path, clock: Clock) -> Iterator[FakeServices]:
    """A health post whose records exist, with a cheap passphrase; Ana works there."""
    services = at_post(home, clock)
    Vault.create(services.desk.records.path, PASSPHRASE, cost=10)
    copied = Vault(services.desk.records.path, clock)
    copied.recovery_is("copied")
    copied.close()
    yield services
    services.close()


def at_post(home: Path, clock: Callable[[], float]) -> FakeServices:
    services = learning(home, name="Ana Flores")
    services.settings = replace(services.settings, place="clinic")
    services.desk.records = Records(lambda: home, clock)
    return services


@pytest.fixture
def app(post: FakeServices) -> AmautaApp:
    return AmautaApp(post, colours="full")


def kept(services: FakeServices) -> tuple[Patient, Visit]:
    """What another program finds in the records now."""
    with Vault(services.desk.records.path, services.desk.records.clock) as vault:
        vault.unlock(PASSPHRASE)
        book = Book(vault)
        visit = book.visits()[-1]
        return book.find(visit.id)


def readable(folder: Path, texts: tuple[str, ...] = SECRETS) -> list[str]:
    """Which texts lie open in some file: as letters, in UTF-16, in base64."""
    forms = {t: [t.encode(), t.encode("utf-16-le"), base64.b64encode(t.encode())[:-4]] for t in texts}
    files = [one for one in folder.rglob("*") if one.is_file()]
    assert files
    return [f"{t} in {one.name}" for one in files for t in texts if any(form in one.read_bytes() for form in forms[t])]


async def test_a_visit_is_saved_confirmed_and_handed_over_by_keys(
    app: AmautaApp, post: FakeServices, home: Path
) -> None:
    stick = home.parent / "MEMORIA"
    stick.mkdir()
    post.handing = Handing(lambda: post.settings, lambda: [Drive(stick, "MEMORIA")], post.now)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *SEVERE)
        assert keys_of(app)["G"] == "Guardar"
        await press(pilot, "g")
        assert "Los registros están cerrados" in words_of(app)
        await press(pilot, ">no es esta", "enter")
        assert "La frase de paso no es esa" in words_of(app)
        await press(pilot, *UNLOCK, *PATIENT)
        said = words_of(app)
        assert "mujer · 14 meses · Ccorca Alto · HC-4512 Consulta del 2/3/2026 · borrador" in said
        assert "EMERGENCIA: Neumonía grave o enfermedad muy grave" in said
        assert "FALTA LA APROBACIÓN" in said
        assert PASSPHRASE not in said
        await press(pilot, "down", "enter", ">Referida en ambulancia", "enter")
        assert kept(post)[1].outcome == "Referida en ambulancia"
        await press(pilot, *CONFIRM)
        assert "Confirmó Ana Flores, 2/3/2026" in words_of(app)
        await press(pilot, *["down"] * 3, "enter", ">Hospital de Cusco", "enter")
        assert "Entregada a Hospital de Cusco, 2/3/2026" in words_of(app)
        await press(pilot, *["down"] * 3, "enter", ">eran 13 meses", "enter")
        assert "Corrección del 2/3/2026, Ana Flores: eran 13 meses" in words_of(app)
        for downs in (0, 1, 2):
            await press(pilot, *["down"] * downs, "enter", "enter")
            assert "Escrito:" in words_of(app)
        await press(pilot, "down", "enter", "down", "enter")
        assert "Hoja de referencia Paciente: Marina Quispe" in words_of(app)
    patient, visit = kept(post)
    assert (patient.name, patient.age_months, patient.number) == ("Marina Quispe", 14, "HC-4512")
    assert (visit.state, visit.confirmed_by, visit.handed_to) == ("handed-over", "Ana Flores", "Hospital de Cusco")
    assert visit.runs[0]["answers"] == {
        "age": "14", "not_able_to_drink": "no", "vomits_everything": "no", "convulsions": "yes",
    }  # fmt: skip
    found = {
        one.name.partition(f"{visit.id[:8]}-")[2]: one.read_bytes() for one in (stick / "AMAUTA" / "CLINICA").iterdir()
    }
    assert found["referral.pdf"].startswith(b"%PDF")
    assert "Marina Quispe" in found["referral-text.txt"].decode()
    assert json.loads(found["fhir.json"])["resourceType"] == "Bundle"
    assert readable(home) == []


async def test_the_key_is_made_from_the_screen_and_has_to_be_on_paper(
    home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = at_post(home, clock)
    monkeypatch.setattr("edge.records.seal.COST", 10)
    monkeypatch.setattr(Vault.create, "__defaults__", (10,))
    assert COST > 10
    app = AmautaApp(services, colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *SEVERE, "g", ">corta", "enter")
        assert "La frase de paso es muy corta" in words_of(app)
        await press(pilot, *UNLOCK, ">otra cosa", "enter")
        assert "Las dos frases no son iguales" in words_of(app)
        await press(pilot, *UNLOCK, *UNLOCK)
        first = shown_key(app)
        await press(pilot, ">AAAA", "enter")
        assert "No es el último grupo" in words_of(app)
        await press(pilot, "escape")
        assert "¿De quién es la consulta?" in words_of(app)
        services.desk.records.lock()
        await press(pilot, ">x", "enter", *UNLOCK)
        second = shown_key(app)
        assert second != first, "a key that nobody copied is replaced"
        await press(pilot, f">{second[-4:].lower()}", "enter")
        assert services.desk.records.recovery_copied
        services.desk.records.lock()
        await press(pilot, "down", "enter", ">x", "enter", "f8", f">{second}", "enter")
        await press(pilot, ">nueve piedras azules", "enter", ">nueve piedras azules", "enter")
        assert "x hombre · 14 meses" in words_of(app)
        assert "Comunidad 2/3" in words_of(app), "it goes on where it stood"
    services.close()


def shown_key(app: AmautaApp) -> str:
    return next(word for word in words_of(app).split() if word.count("-") == 7)


async def test_idle_records_lock_cover_the_patient_and_go_on_after_the_passphrase(
    app: AmautaApp, post: FakeServices, clock: Clock
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *DRAFT)
        clock.now += IDLE_SECONDS - 1
        await press(pilot, "down", "enter", ">Suero y ref")
        clock.now += IDLE_SECONDS - 1
        app.look_at_lock()
        await press(pilot, "e")
        assert "Suero y refe" in words_of(app), "keys keep the records open"
        clock.now += IDLE_SECONDS + 1
        app.look_at_lock()
        await settle(pilot)
        assert "Los registros están cerrados" in words_of(app)
        assert "Marina" not in text_of(app)
        await press(pilot, *UNLOCK)
        assert "Suero y refe" in words_of(app), "what was being typed is still there"
        await press(pilot, ">rida", "enter")
        assert kept(post)[1].outcome == "Suero y referida"
        clock.now += IDLE_SECONDS + 1
        app.look_at_lock()
        await settle(pilot)
        await press(pilot, "escape", *CLINIC)
        assert "Marina" not in text_of(app)
        assert post.desk.case is None
    assert kept(post)[1].state == "draft"


async def test_a_draft_is_found_again_and_goes_on_in_the_middle_of_a_table(app: AmautaApp, post: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *DRAFT, "enter")
        assert isinstance(app.screen, ClinicScreen)
        assert "Marina Quispe · borrador" in words_of(app)
        await press(pilot, *THIN, "n", "n", *["escape"] * 4)
        assert isinstance(app.screen, ClinicScreen)
        await press(pilot, "f8")
        assert "Marina" not in text_of(app)
        await press(pilot, "end", "up", "enter", ">marin", "enter")
        assert "Quedó a medias: Desnutrición" in words_of(app)
        await press(pilot, "enter", *THIN)
        assert "Pregunta 4" in words_of(app)
        assert len(post.desk.visit.findings) == 1
        for key in "sdddddd":
            await press(pilot, *([key] if not post.desk.visit.findings[1:] else []))
    assert [run["table"]["id"] for run in kept(post)[1].runs] == ["child-cough", "child-malnutrition"]


async def test_the_arrows_come_back_from_the_text_of_a_visit_to_its_choices(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, *DRAFT)
        choices = app.screen.query_one(Choices)
        assert choices.has_focus
        await press(pilot, "up")
        assert app.screen.query_one(Pages).has_focus
        await press(pilot, *["down"] * 60)
        assert choices.has_focus


async def test_answers_nobody_saved_are_not_forgotten_without_asking(app: AmautaApp, post: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *DRAFT, "escape", "f8", *SEVERE[2:], "enter", "end", "up", "enter", ">marina", "enter")
        assert "Hay respuestas sin guardar" in words_of(app)
        await press(pilot, "enter")
        assert post.desk.case is None
        assert post.desk.visit.findings
        await press(pilot, "escape", "down", "enter", ">marina", "enter")
        assert "Marina Quispe" in words_of(app)


async def test_another_age_than_the_patients_is_asked_about(app: AmautaApp, post: FakeServices, clock: Clock) -> None:
    with Vault(post.desk.records.path, clock) as vault:
        vault.unlock(PASSPHRASE)
        Book(vault).add_patient(Patient("", "Marina Quispe", birth="2022-05-01"), NOON)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *SEVERE, "g", *UNLOCK, ">marina", "enter", "enter")
        assert "nació el 2022-05-01; en las preguntas se respondió una edad de 14 meses" in words_of(app)
        await press(pilot, "enter")
        assert "¿De quién es la consulta?" in words_of(app)


async def test_deleting_needs_the_name_and_forgets_the_patient(app: AmautaApp, post: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *DRAFT, "end", "enter", ">Marina", "enter")
        assert "No es ese nombre" in words_of(app)
        await press(pilot, ">marina quispe", "enter")
        assert "Se borró para siempre. Consultas: 1." in words_of(app)
        await press(pilot, "enter")
        assert post.desk.visit.findings == []
        assert post.desk.records.book().visits() == []
        await press(pilot, "end", "up", "enter")
        assert "Consultas: 0 · pacientes: 0" in words_of(app)


async def test_a_crash_names_no_patient(
    app: AmautaApp, post: FakeServices, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def crash() -> None:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            await settle(pilot)
            await press(pilot, *DRAFT, "escape")
            name = post.desk.case.patient.name if post.desk.case else ""

            def stumble() -> None:
                raise ValueError(name)

            app.call_later(stumble)
            await pilot.pause()

    with pytest.raises(ValueError, match="Marina"):
        await crash()
    report = capsys.readouterr().err
    assert "stumble" in report
    assert "ValueError" in report
    assert "Marina" not in report
    post.close()
    assert readable(home) == []


KILLED = """
import asyncio, sys
from time import time
sys.path[:0] = [{root!r}, {root!r} + "/tests"]
from pathlib import Path
from tests.tui.screen import press, settle
from tests.tui.test_clinic_records import THIN, DRAFT, at_post
from tui.app import AmautaApp

async def main(home):
    services = at_post(home, time)
    app = AmautaApp(services, colours="full")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, *DRAFT)
        print("draft", flush=True)
        await press(pilot, "enter", *THIN)
        for number, key in enumerate("nnnnnnnn"):
            await press(pilot, key)
            print("answer", flush=True)
        await asyncio.sleep(60)

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("answers", [0, 3])
def test_a_kill_takes_no_answer_that_the_screen_had_taken(post: FakeServices, home: Path, answers: int) -> None:
    command = [sys.executable, "-c", KILLED.format(root=str(ROOT)), str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        told = [running.stdout.readline().strip() for _ in range(1 + answers)]
        running.send_signal(signal.SIGKILL)
    assert told == ["draft", *["answer"] * answers]
    assert readable(home) == []
    patient, visit = kept(post)
    assert (patient.name, visit.state, len(visit.runs)) == ("Marina Quispe", "draft", 1)
    records = post.desk.records
    records.unlock(PASSPHRASE)
    begun = records.book().begun(visit)
    assert list(begun.get("answers", {}).values())[1 : answers + 1] == ["no"] * answers


async def test_another_place_opens_its_packs_at_once(home: Path) -> None:
    services = learning(home)
    places: list[str] = []
    opened = services._library._open
    services._library._open = lambda: (places.append(services.settings.place), opened())[1]  # type: ignore[assignment]
    app = AmautaApp(services, colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f9", *["down"] * 4, "right", "escape")
        assert "Atender a un paciente" in words_of(app)
        await settle(pilot)
    assert places == ["school", "clinic"]
    services.close()


SCREENS = {
    "locked": (*SEVERE, "g"),
    "draft": DRAFT,
    "visits": (*DRAFT, *CONFIRM, "escape", "end", "up", "enter"),
    "problems": (*DRAFT, "enter"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_screen_of_the_records_looks_as_accepted(name: str, app: AmautaApp, snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app, terminal_size=SIZE, run_before=pressing(*SCREENS[name]))


async def test_all_of_it_fits_a_large_screen_too(app: AmautaApp) -> None:
    async def rows(pilot: Pilot[None]) -> None:
        await settle(pilot)
        assert all(len(line) <= 120 for line in text_of(app).splitlines())

    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await rows(pilot)
        for name in ("draft", "visits"):
            await press(pilot, *(SCREENS[name] if name == "draft" else ("escape", "enter", "end", "up", "enter")))
            await rows(pilot)
        assert "Consultas guardadas" in words_of(app)

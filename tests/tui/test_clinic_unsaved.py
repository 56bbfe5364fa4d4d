"""What was answered before the visit was saved is sealed from the first answer on, and offered again by one key each."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.records.book import Book
from edge.records.unsaved import LONGEST_USE_SECONDS, waiting
from edge.records.vault import IDLE_SECONDS, Vault
from fakes import FakeServices
from surviving import kills
from tests.tui.screen import press, pressing, settle, text_of, words_of
from tests.tui.test_clinic_records import CLINIC, PASSPHRASE, PATIENT, UNLOCK, Clock, at_post, readable
from tui.app import AmautaApp
from tui.clinic.records import COUNT_SECONDS, Records
from tui.plain import run
from tui.screens.clinic_question import QuestionScreen

ROOT = Path(__file__).parent.parent.parent
SIZE = (80, 24)
VISITS = ("end", "up", "enter")
COUGH = ("t", "enter", ">14", "enter", "n", "n")
TYPED = ("1", "14", "n", "n")
ANSWERS = ("not_able_to_drink", "vomits_everything", "convulsions", "Neumon", PASSPHRASE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def post(home: Path, clock: Clock) -> Iterator[FakeServices]:
    made = post_at(home, clock)
    yield made
    made.close()


def post_at(home: Path, clock: Clock) -> FakeServices:
    """A health post whose records exist, with a cheap passphrase."""
    if not (home / "records.db").exists():
        Vault.create(home / "records.db", PASSPHRASE, cost=10)
        with Vault(home / "records.db", clock) as vault:
            vault.recovery_is("copied")
    return at_post(home, clock)


def app_of(services: FakeServices) -> AmautaApp:
    return AmautaApp(services, colours="full")


def names(home: Path) -> list[str]:
    with Vault(home / "records.db", lambda: 0.0) as vault:
        return waiting(vault)


def talk(services: FakeServices, *typed: str) -> str:
    target = io.StringIO()
    assert run(services, io.StringIO("".join(f"{line}\n" for line in typed)), target) == 0
    return target.getvalue()


def number_of(said: str, text: str) -> str:
    """The number that stands before the last option that holds a text."""
    line = [line for line in said.splitlines() if text in line and line.strip().partition(".")[0].isdecimal()][-1]
    return line.strip().partition(".")[0]


def left_behind(services: FakeServices, *more: str) -> None:
    """Answer some questions of the cough with the records open, in lines, and end without saving."""
    said = talk(services, "8")
    talk(
        post_at(services.settings.home, Clock()),
        "8",
        number_of(said, "Consultas guardadas"),
        PASSPHRASE,
        "",
        *TYPED,
        *more,
    )


async def test_the_app_ends_and_the_next_unlocking_goes_on_at_the_very_question(
    post: FakeServices, home: Path, clock: Clock
) -> None:
    left_behind(post)
    assert readable(home, ANSWERS) == []
    app = app_of(post_at(home, clock))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *CLINIC)
        assert "Hay respuestas que nadie guardó (1)" in words_of(app)
        await press(pilot, *VISITS, *UNLOCK)
        said = words_of(app)
        assert "Respuestas que nadie guardó" in said
        assert "A medias: Tos o dificultad para respirar, de 2 meses a 5 años. Respuestas: 3." in said
        await press(pilot, "s")
        assert isinstance(app.screen, QuestionScreen)
        assert "Pregunta 4" in words_of(app)
        await press(pilot, "s", "g", *PATIENT)
        assert "EMERGENCIA: Neumonía grave" in words_of(app)
    assert names(home) == [], "what was saved is nobody's no longer"
    with Vault(home / "records.db", clock) as vault:
        vault.unlock(PASSPHRASE)
        (visit,) = Book(vault).visits()
    assert visit.runs[0]["answers"]["age"] == "14"
    assert visit.runs[0]["answers"]["convulsions"] == "yes"


async def test_thrown_away_by_one_key_it_is_gone_with_its_key(post: FakeServices, home: Path, clock: Clock) -> None:
    left_behind(post)
    (name,) = names(home)
    app = app_of(post_at(home, clock))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *CLINIC, *VISITS, *UNLOCK, "b")
        assert "Consultas: 0" in words_of(app)
        await press(pilot, "escape")
        assert "nadie guardó" not in words_of(app)
    files = [one.read_bytes() for one in home.glob("records.db*")]
    assert not any(name.encode() in content for content in files)


async def test_what_is_put_off_stays_in_the_list_of_visits_until_somebody_takes_it(
    post: FakeServices, home: Path, clock: Clock
) -> None:
    left_behind(post, "s")
    fresh = post_at(home, clock)
    app = app_of(fresh)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, *CLINIC, *VISITS, *UNLOCK)
        assert "EMERGENCIA: Neumonía grave o enfermedad muy grave" in words_of(app)
        assert "S  Seguir con ellas" in text_of(app)
        assert all(len(line) <= 120 for line in text_of(app).splitlines())
        await press(pilot, "escape")
        assert "SIN GUARDAR 2/3/2026" in words_of(app)
        await press(pilot, "escape", "d", "d", "enter", ">9", "enter")
        assert len(names(home)) == 2, "another patient's answers take nobody's place"
        await press(pilot, *["escape"] * 2, *VISITS, "down", "enter", "enter")
        assert fresh.desk.visit.findings[0].decision.urgency == "emergency"
        assert len(names(home)) == 2
    fresh.close()


async def test_another_patient_forgets_but_another_person_does_not(
    post: FakeServices, home: Path, clock: Clock
) -> None:
    post.desk.records.unlock(PASSPHRASE)
    app = app_of(post)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *CLINIC, *COUGH, "s", "escape")
        await press(pilot, *["escape"] * 4)
        assert "Sin nombre todavía: lo que se responde queda cifrado" in words_of(app)
        assert len(names(home)) == 1
        await press(pilot, "f8")
        assert names(home) == []
        await press(pilot, *COUGH)
        assert len(names(home)) == 1
        post.desk.leave()
        assert post.desk.records.locked
        assert not post.desk.visit.findings
    assert len(names(home)) == 1


async def test_locked_or_without_a_key_nothing_is_written_until_the_passphrase_is_given(
    home: Path, clock: Clock
) -> None:
    services = at_post(home, clock)
    async with app_of(services).run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *CLINIC, *COUGH, "s")
    assert not list(home.rglob("records*"))
    assert readable(home, ANSWERS) == []
    locked = post_at(home, clock)
    app = app_of(locked)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *CLINIC, *COUGH, "s", "enter")
        assert names(home) == []
        await press(pilot, *VISITS, *UNLOCK)
        assert len(names(home)) == 1, "the passphrase seals what was answered before it"
        assert "Consultas: 0" in words_of(app), "what is at hand is not offered again"
    for one in (services, locked):
        one.close()


async def test_answers_behind_the_idle_lock_are_there_after_it(post: FakeServices, home: Path, clock: Clock) -> None:
    post.desk.records.unlock(PASSPHRASE)
    app = app_of(post)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *CLINIC, *COUGH)
        clock.now += IDLE_SECONDS + 1
        app.look_at_lock()
        await settle(pilot)
        assert "Los registros están cerrados" in words_of(app)
        await press(pilot, *UNLOCK)
        assert "Pregunta 4" in words_of(app)
    (left,) = reopened(home, clock)
    assert list(next(iter(left.begun.values()))) == ["age", "not_able_to_drink", "vomits_everything"]


def reopened(home: Path, clock: Clock) -> list[object]:
    services = post_at(home, clock)
    services.desk.records.unlock(PASSPHRASE)
    found = services.desk.left()
    services.close()
    return list(found)


async def test_what_nobody_takes_up_goes_after_a_day_of_use_whatever_the_clock_says(
    post: FakeServices, home: Path, clock: Clock
) -> None:
    left_behind(post)
    used = Clock()
    records = Records(lambda: home, clock, used)
    records.unlock(PASSPHRASE)
    clock.now += 400 * 86_400
    used.now += LONGEST_USE_SECONDS - COUNT_SECONDS
    records.just_locked()
    assert len(names(home)) == 1
    used.now += COUNT_SECONDS + 1
    records.just_locked()
    assert names(home) == []
    records.close()


KILLED = """
import asyncio, sys
from time import time
sys.path[:0] = [{root!r}, {root!r} + "/tests"]
from pathlib import Path
from tests.tui.screen import press, settle
from tests.tui.test_clinic_unsaved import CLINIC, COUGH, PASSPHRASE, app_of, at_post

async def main(home):
    services = at_post(home, time)
    services.desk.records.unlock(PASSPHRASE)
    app = app_of(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, *CLINIC, *COUGH[:4])
        print("answer", flush=True)
        for _ in range(5):
            await press(pilot, "n")
            print("answer", flush=True)
        await asyncio.sleep(60)

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_kill_takes_no_answer_that_was_shown_as_taken(post: FakeServices, home: Path, clock: Clock) -> None:
    for number in range(kills(1)):
        answers = 1 + (3 + 3 * number) % 5
        command = [sys.executable, "-c", KILLED.format(root=str(ROOT)), str(home)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
            assert running.stdout is not None
            told = [running.stdout.readline().strip() for _ in range(answers)]
            running.send_signal(signal.SIGKILL)
        assert told == ["answer"] * answers
        assert readable(home, ANSWERS) == []
        services = post_at(home, clock)
        services.desk.records.unlock(PASSPHRASE)
        left = services.desk.left()
        kept = [next(iter(one.begun.values())) for one in left]
        assert max(len(one) for one in kept) >= answers
        assert all(one["age"] == "14" for one in kept)
        for one in left:
            services.desk.throw_away(one.name)
        services.close()


def test_in_lines_it_is_offered_and_gone_on_with_too(home: Path, clock: Clock) -> None:
    visits = number_of(talk(post_at(home, clock), "8"), "Consultas guardadas")
    talk(post_at(home, clock), "8", visits, PASSPHRASE, "", "1", "14", "n", "n")
    assert len(names(home)) == 1
    said = talk(post_at(home, clock), "8", visits, PASSPHRASE, "s")
    assert "Hay respuestas que nadie guardó (1)" in said
    assert "1. S  Seguir con ellas" in said
    assert said.rstrip().rpartition("Pregunta ")[2].startswith("4")
    said = talk(post_at(home, clock), "8", visits, PASSPHRASE, "2")
    assert "Consultas: 0" in said
    assert names(home) == []
    assert readable(home, ANSWERS) == []


@pytest.fixture
def left_app(home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[AmautaApp]:
    """An app that finds what the last one left."""
    left_behind(post_at(home, clock), "s", "4", "9", "n")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    services = post_at(home, clock)
    yield app_of(services)
    services.close()


def test_screen_of_the_offer_looks_as_accepted(left_app: AmautaApp, snap_compare: Callable[..., bool]) -> None:
    keys = (*CLINIC, *VISITS, *UNLOCK)
    assert snap_compare(left_app, terminal_size=SIZE, run_before=pressing(*keys))

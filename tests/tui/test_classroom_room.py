"""Who comes into a classroom, what its terminal shows, what a pupil's app keeps closed, and thirty who write at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import segno

from edge.learning.store import Store
from edge.settings import Settings
from edge.words import LANGUAGES, words_for
from fakes import FakeLibrary, FakeServices, FakeTutor
from tests.tui.screen import press
from tui import wishes
from tui.app import AmautaApp
from tui.classroom import room
from tui.classroom.board import State, board, code
from tui.classroom.page import MOST_WRONG, WRONG_SECONDS, Guesses, Pages, new_token
from tui.classroom.pupil import PupilApp, PupilServices
from tui.cli import main
from tui.screens.who import WhoScreen

WRITERS, ANSWERS = 30, 5


def test_another_pupil_comes_in_while_there_is_memory_and_no_more_than_a_room_has() -> None:
    assert room.has_room(29, 0, room.SPARE_MB + 45, 45)
    assert not room.has_room(29, 0, room.SPARE_MB + 44, 45)
    assert room.has_room(room.MOST - 1, 9, None, 45)
    assert not room.has_room(room.MOST, 0, None, 45)


def test_those_who_came_just_now_have_not_taken_their_memory_yet() -> None:
    assert room.has_room(9, 2, room.SPARE_MB + 3 * 45, 45)
    assert not room.has_room(9, 3, room.SPARE_MB + 3 * 45, 45)


def test_in_a_full_room_the_one_away_longest_gives_way_and_nobody_who_is_here() -> None:
    here, gone, just_gone = room.Seat("a", 5.0), room.Seat("b", 5.0, 10.0), room.Seat("c", 5.0, 20.0)
    assert room.gives_way([here, just_gone, gone]) == "b"
    assert room.gives_way([here]) is None


def test_an_app_ends_when_its_browser_was_away_or_still_for_too_long() -> None:
    seats = [room.Seat("away", 0.0, 0.0), room.Seat("back soon", 200.0, 200.0), room.Seat("busy", 300.0)]
    assert room.overdue(seats, room.AWAY_SECONDS + 1) == ["away"]
    assert "busy" in room.overdue(seats, 300.0 + room.STILL_SECONDS + 1)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_board_fits_an_old_console_and_says_where_to_go_and_who_is_here(lang: str) -> None:
    state = State("192.168.100.123:8080", "K7M2PX", ("10.0.0.4:8080",), ("Rosa", "", "ana"), 2, "11:30")
    words = words_for("tui", lang)
    lines = board(state, words, 80)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert "ana, Rosa" in text
    assert words.say("classroom.board.many", count=3) in text
    assert "11:30" in text
    assert "192.168.100.123:8080/K7M2PX" in text


def test_the_code_on_the_board_holds_the_address() -> None:
    url = "http://192.168.1.20:8080/K7M2PX/"
    halves = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    light = [[halves[cell][part] for cell in line] for line in code(url) for part in (0, 1)]
    wanted = [list(row) for row in segno.make(url.upper(), error="l", micro=False).matrix_iter(border=2)]
    assert [[1 - cell for cell in row] for row in light[: len(wanted)]] == wanted


def test_the_page_lies_under_the_token_only_and_nothing_is_listed() -> None:
    pages = Pages(words_for("tui", "es"), token := new_token(Random(1)))
    assert pages.answer(f"/{token}/").status == 200
    assert pages.answer(f"/{token.lower()}/classroom.js").status == 200
    assert pages.answer(f"/{token}").location == f"/{token}/"
    for path in ("/", "/index.html", f"/{token}/..", f"/{token}/page/", f"/{token}/../pupil.py", "/AAAAAA/"):
        assert pages.answer(path).status == 404, path
    assert b"http" not in pages.answer(f"/{token}/").content


def test_whoever_guesses_addresses_has_to_wait() -> None:
    guesses = Guesses()
    for n in range(MOST_WRONG):
        assert not guesses.too_many("10.0.0.9", float(n))
        guesses.wrong("10.0.0.9", float(n))
    assert guesses.too_many("10.0.0.9", MOST_WRONG)
    assert not guesses.too_many("10.0.0.8", MOST_WRONG)
    assert not guesses.too_many("10.0.0.9", MOST_WRONG + WRONG_SECONDS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--host", "8.8.8.8"], "«8.8.8.8» no es una dirección de la red de la escuela"),
        (["--host", "0.0.0.0"], "«0.0.0.0» no es una dirección de la red"),
        (["--host", "escuela"], "«escuela» no es una dirección"),
        (["--host", "127.0.0.1", "--port", "70000"], "«70000» no es un puerto"),
        (["--host", "127.0.0.1", "--minutes", "0"], "«0» no sirve como minutos"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_one_sentence(
    given: list[str], said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classroom", *given]) == 1
    assert said in capsys.readouterr().err


@pytest.fixture
def pupil(home: Path) -> PupilApp:
    """The app of Rosa, who learns in a browser; the laptop remembers somebody else."""
    settings = Settings(home, lang="es")
    with Store.open(settings.store_path) as store:
        store.add_learner("Rosa", "es", "rosa")
        store.add_learner("Beto", "es", "beto")
    (home / "learner").write_text("beto")
    library = FakeLibrary()
    services = PupilServices(settings, library, FakeTutor(library), "rosa")  # type: ignore[arg-type]
    return PupilApp(services)


async def test_a_pupil_finds_no_place_of_adults_whichever_way_she_goes(pupil: PupilApp, home: Path) -> None:
    async with pupil.run_test(size=(44, 30)) as pilot:
        await pilot.pause()
        assert pupil.screen.name == "home"
        shown = {option.id for option in pupil.screen.query_one("Choices").options}  # type: ignore[attr-defined]
        assert not shown & {"go:settings", "go:sync", "go:update"}
        assert "go:practise" in shown
        await pilot.press("f9", "f12", "f8")
        for place in ("settings", "sync", "update"):
            await pupil.action_go(place)
            pupil.screen.post_message(wishes.PlaceChosen(place))
            await pilot.pause()
            assert pupil.screen.name == "home", place
        await pupil.action_go("who")
        await pilot.press("f8")
        await pilot.pause()
        assert pupil.screen.name == "who"
    assert (home / "learner").read_text() == "beto"
    assert not (home / "settings.toml").exists()


async def test_where_nobody_is_on_a_list_the_first_one_can_type_her_name_at_once(home: Path) -> None:
    services = FakeServices(Settings(home, lang="es"))
    app = AmautaApp(services)
    async with app.run_test() as pilot:
        await app.push_screen(WhoScreen(services))
        await press(pilot, ">Luz", "enter")
        assert services.learner
        assert services.learner.name == "Luz"
    services.close()


async def test_before_she_says_who_she_is_a_pupil_goes_nowhere(pupil: PupilApp) -> None:
    pupil.services._known = ""  # type: ignore[attr-defined]
    async with pupil.run_test(size=(44, 30)) as pilot:
        await pilot.press("f3", "f6", "f7")
        await pilot.pause()
        assert pupil.screen.name == "who"
        await pilot.press("enter")
        await pilot.pause()
        assert pupil.screen.name == "home"
        assert pupil.services.learner is not None
        assert pupil.services.learner.name == "Beto"


WRITE = """
import os, sys
from pathlib import Path
from edge.learning.store import Store
path, writers, answers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
import sqlite_utils
apps = []
for number in range(writers):
    app = os.fork()
    if not app:
        try:
            with Store.open(path) as store:
                for n in range(answers):
                    store.append_attempt(learner=f"p{number}", lesson="l", item=str(n), given="a", right=True, hints=0, seconds=1, at="2026-03-02T12:00:00.000Z")
            os._exit(0)
        finally:
            os._exit(1)
    apps.append(app)
print(sum(os.waitpid(app, 0)[1] != 0 for app in apps))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_thirty_apps_that_write_at_once_wait_for_each_other_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "amauta.db"
    command = [sys.executable, "-c", WRITE, str(path), str(WRITERS), str(ANSWERS)]
    failed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert failed.stdout.strip() == "0", failed.stderr
    with Store.open(path) as store:
        attempts = store.attempts()
    assert [attempt.seq for attempt in attempts] == list(range(1, WRITERS * ANSWERS + 1))
    for number in range(WRITERS):
        assert [a.item for a in attempts if a.learner == f"p{number}"] == [str(n) for n in range(ANSWERS)]

"""A stick with a newer release is offered at home, one key installs it, and a release that failed is told of once."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from edge.release.trust import open_release
from edge.settings import Settings, save
from edge.update.install import Done, install
from edge.update.offer import Offer
from edge.update.places import Pointer, Releases
from edge.update.start import begin
from fakes import FakeServices
from shop import NOON, Press, Shop
from tests.tui.screen import keys_of, press, settle, text_of, words_of
from tui import plain
from tui.app import AmautaApp
from tui.updates import Updates

FILES = {"packs/letras/pack.toml": b"one\n", "voices/voz.onnx": bytes(range(256)) * 400}
SIZE = (80, 24)
ROOT = Path(__file__).parents[2]


class Visit:
    """Rosa's device, and a stick that comes and goes."""

    def __init__(self, home: Path, tmp: Path) -> None:
        self.press = Press(tmp / "MOCHILA" / "AMAUTA" / "release")
        self.press.publish(FILES, tmp / "made")
        open_release(self.press.folder, home, self.press.root)
        self.services = FakeServices(Settings(home, lang="es"))
        self.services.choose_learner(self.services.store().add_learner("Rosa", "es", "rosa"))
        self.sticks: list[Path] = []
        self.services.updates = Updates(self.services.settings, lambda: list(self.sticks), lambda: NOON)
        self.app = AmautaApp(self.services, colours="full")
        self.releases = Releases.of(home)

    def put_in(self) -> None:
        self.sticks = [self.press.folder]


@pytest.fixture
def visit(home: Path, tmp_path: Path) -> Iterator[Visit]:
    made = Visit(home, tmp_path)
    yield made
    made.services.close()


async def test_a_stick_is_offered_and_one_key_installs_it(visit: Visit) -> None:
    visit.put_in()
    async with visit.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "Instalar la versión 1 de la memoria  F8" in text_of(visit.app)
        assert keys_of(visit.app)["F8"] == "Actualizar"
        await press(pilot, "f8")
        assert "La memoria trae la versión 1 (0.1.0) de Amauta." in words_of(visit.app)
        assert keys_of(visit.app)["Enter"] == "Instalar"
        await press(pilot, "enter")
        await settle(pilot)
        assert "Listo. La versión 1 se usará la próxima vez" in words_of(visit.app)
        assert "Enter" not in keys_of(visit.app)
        await press(pilot, "escape")
        await settle(pilot)
        assert "Instalar la versión" not in text_of(visit.app)
    assert visit.releases.pointer() == Pointer(1, 0)
    # The app that installed it is not the one on trial.
    assert visit.releases.trial() is not None


async def test_a_stick_put_in_later_is_noticed_and_one_taken_out_too(visit: Visit) -> None:
    async with visit.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "F8" not in keys_of(visit.app)
        visit.put_in()
        await press(pilot, "f1", "escape")
        await settle(pilot)
        assert "F8" in keys_of(visit.app)
        visit.sticks = []
        await press(pilot, "f1", "escape")
        await settle(pilot)
        assert "F8" not in keys_of(visit.app)


async def test_a_stick_that_goes_away_midway_is_said_and_may_be_tried_again(visit: Visit, tmp_path: Path) -> None:
    visit.put_in()
    async with visit.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "f8")
        (visit.press.folder / "parts").rename(tmp_path / "away")
        await press(pilot, "enter")
        await settle(pilot)
        assert "Listo" not in words_of(visit.app)
        assert keys_of(visit.app)["Enter"] == "Instalar"
        (tmp_path / "away").rename(visit.press.folder / "parts")
        await press(pilot, "enter")
        await settle(pilot)
        assert "Listo. La versión 1" in words_of(visit.app)


async def test_leaving_in_the_middle_ends_at_once_and_the_next_try_goes_on(visit: Visit) -> None:
    visit.put_in()
    inside, go_on = Event(), Event()

    class Slow(Updates):
        def install(self, offer: Offer, moved: Callable[[int, int], None]) -> Done:
            def waiting(done: int, total: int) -> None:
                inside.set()
                go_on.wait(20)
                moved(done, total)

            return super().install(offer, waiting)

    visit.services.updates = Slow(visit.services.settings, lambda: list(visit.sticks), lambda: NOON)
    async with visit.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("f8")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert await asyncio.to_thread(inside.wait, 20)
        await pilot.press("f10")
        go_on.set()
    assert visit.releases.pointer() == Pointer(0, 0)
    assert not visit.releases.numbers()


def a_release_on_trial(visit: Visit, number: int = 7) -> None:
    shop = Shop()
    home = visit.services.settings.home
    install(home, shop.release(number, FILES), shop.fetch, lambda _done, _total: None, lambda _: None)
    visit.services.updates = Updates(
        Settings(home, lang="es", release=number), lambda: list(visit.sticks), lambda: NOON
    )


async def test_the_home_screen_proves_the_release_in_use(visit: Visit) -> None:
    a_release_on_trial(visit)
    async with visit.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
    assert visit.releases.trial() is None
    assert visit.releases.pointer() == Pointer(7, 0)


async def test_a_release_that_did_not_open_is_told_once(visit: Visit) -> None:
    a_release_on_trial(visit)
    for _ in range(3):
        begin(visit.services.settings.home, {})
    said = "La versión 7 no pudo abrirse en este equipo."
    async with visit.app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert said in words_of(visit.app)
    again = AmautaApp(visit.services, colours="full")
    async with again.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert said not in words_of(again)


def test_lines_tell_it_too_and_prove_the_release_in_use(visit: Visit) -> None:
    a_release_on_trial(visit)
    visit.releases.mark_failed(9)
    target = io.StringIO()
    assert plain.run(visit.services, io.StringIO("0\n"), target) == 0
    assert "La versión 9 no pudo abrirse" in target.getvalue()
    assert visit.releases.trial() is None


def test_lines_offer_and_install_what_a_stick_brings(visit: Visit) -> None:
    visit.put_in()
    target = io.StringIO()
    plain.run(visit.services, io.StringIO("actualizar\n0\n"), target)
    assert 'Para instalarla escribe "actualizar".' in target.getvalue()
    assert "100 %\nListo. La versión 1 se usará la próxima vez: sal con 0" in target.getvalue()
    assert visit.releases.pointer() == Pointer(1, 0)


def test_a_release_whose_library_does_not_open_is_left_at_the_third_start(visit: Visit) -> None:
    home = visit.services.settings.home
    save(visit.services.settings)
    shop = Shop()
    broken = shop.release(5, {"packs/roto/pack.toml": b"this is = not [toml"})
    install(home, broken, shop.fetch, lambda _done, _total: None, lambda _: None)
    said = []
    for _ in range(3):
        command = [sys.executable, "-m", "tui", "--plain"]
        environ = {**os.environ, "AMAUTA_HOME": str(home)}
        done = subprocess.run(command, input="0\n", capture_output=True, text=True, env=environ, cwd=ROOT, check=True)
        said.append(done.stdout)
    assert ["pack.toml tiene un error" in text for text in said] == [True, True, False]
    assert "La versión 5 no pudo abrirse en este equipo." in said[2]
    assert visit.releases.pointer() == Pointer(0, 0)


@pytest.mark.parametrize("lang", ["es", "pt", "en"])
async def test_the_update_screen_fits_the_smallest_terminal(visit: Visit, lang: str) -> None:
    visit.services.settings = Settings(visit.services.settings.home, lang=lang)
    visit.put_in()
    async with visit.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "f8", "enter")
        await settle(pilot)
        lines = text_of(visit.app).splitlines()
        assert len(lines) == 24
        assert any("F10" in line for line in lines[:21]), "the last sentence stands above the keys"

"""The app as a pupil has it in a browser: the same screens, without the places that belong to adults.

No settings, no sticks, no handing over, no update, nobody's data; no voice, which would speak in the teacher's
laptop. The language model, where one may answer, is the class's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import ClassVar

from textual.app import ComposeResult
from textual.driver import Driver
from textual.drivers.web_driver import WebDriver
from textual.events import AppBlur, Mount
from textual.geometry import Size
from textual.messages import ExitApp
from textual.widgets import Input
from textual.widgets.option_list import Option

from edge.learning.learner import Learner
from edge.learning.store import Store
from edge.library.library import Library
from edge.settings import Settings
from edge.speech.speaker import Speaker
from edge.tutor.turn import Tutor
from tui.app import AmautaApp
from tui.doors import begin_anew
from tui.screens.help import HelpScreen
from tui.screens.home import HomeScreen
from tui.screens.lesson import Pages
from tui.screens.who import WhoScreen
from tui.services import Openers, Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.turn import Prose

OPEN = ("home", "ask", "lessons", "practise", "progress", "who", "help", "quit")
"""The places of a pupil; whatever place the app gets later is an adult's until it is named here."""

LEAST = Size(36, 12)
"""A phone with its keyboard open; below that a sentence says so."""


class PupilServices(Services):
    """The services of one pupil: the settings are the teacher's and are changed by nobody here."""

    def __init__(self, settings: Settings, library: Library, tutor: Tutor, learner: str = "") -> None:
        openers = Openers(lambda _: library, lambda _library, _settings: tutor, _store, _no_speaker)
        quiet = replace(settings, lang=settings.spoken_lang, sound=False)
        super().__init__(quiet, openers, random=Random(), now=lambda: datetime.now(UTC))
        self._known = learner
        self.on_learner: Callable[[str, str], None] = lambda _id, _name: None
        """Told the id and the name of who learns now."""

    def recall_learner(self) -> Learner | None:
        """Return who learned in this browser before, if anybody did."""
        found = (learner for learner in self.store().learners() if learner.id == self._known)
        self.learner = next(found, None)
        if self.learner:
            self.on_learner(self.learner.id, self.learner.name)
        return self.learner

    def choose_learner(self, learner: Learner) -> None:
        """Make `learner` the one who learns in this browser; the laptop itself remembers somebody else."""
        self.learner = learner
        self.on_learner(learner.id, learner.name)

    def close(self) -> None:
        """Close what is this pupil's; the library is everybody's."""
        self._close_store()


def _store(settings: Settings) -> Store:
    return Store.open(settings.store_path)


def _no_speaker(settings: Settings, lang: str, on_problem: Callable[..., None]) -> Speaker:
    raise ValueError("a pupil's app has no voice")


class PupilHome(HomeScreen):
    """Home, without the places of adults."""

    def _options(self) -> list[Option]:
        return [option for option in super()._options() if _is_open(option.id)]


def _is_open(option: str | None) -> bool:
    kind, _, place = (option or "").partition(":")
    return kind in ("", "ask") or (kind == "go" and place in OPEN)


class PupilWho(WhoScreen):
    """The names; nobody's data behind them."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keep what is known about a person closed."""
        return action != "person"


class PupilHelp(HelpScreen):
    """The help, with what a pupil can do."""

    def compose(self) -> ComposeResult:
        """The page, to scroll through."""
        words, learner = self.services.words, self.services.learner
        yield TitleBar(words, words.say("help.title"), learner.name if learner else "")
        with Pages(classes="page"):
            yield Prose(words.say("classroom.help"))
        yield KeyBar(words)


class PupilDriver(WebDriver):
    """Textual's driver for browsers; it ends the app when the server is gone."""

    def run_input_thread(self) -> None:
        """Read what the browser sends; its end is the app's end."""
        super().run_input_thread()
        self._app.post_message(ExitApp())


class PupilApp(AmautaApp):
    """The tutor of one pupil."""

    CSS_PATH: ClassVar[list[Path]] = [Path(__file__).parent.parent / "tutor.tcss", Path(__file__).parent / "pupil.tcss"]  # type: ignore[assignment]
    least = LEAST

    def __init__(self, services: PupilServices) -> None:
        super().__init__(services, colours="full")
        self._typing = False
        services.on_learner = lambda who, name: self._tell_server({"type": "learner", "id": who, "name": name})

    def get_driver_class(self) -> type[Driver]:
        """Speak to a browser."""
        return PupilDriver

    def _on_mount(self, event: Mount) -> None:
        """Open the first screen; sticks and releases are no matter of a pupil."""
        event.prevent_default()
        self._open_first_screen()

    def _open_first_screen(self) -> None:
        self.services.recall_learner()
        self._open_home()

    def _open_home(self) -> None:
        first = PupilHome(self.services) if self.services.learner else PupilWho(self.services)
        begin_anew(self, self.services, first)

    def on_app_blur(self, event: AppBlur) -> None:
        """Stay as it is: a browser that shows something else comes back."""
        event.prevent_default()

    def on_app_focus(self) -> None:
        """Draw everything: a browser has just come, with an empty screen."""
        self.screen.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what a pupil may do, and nothing before she said who she is."""
        if action == "go" and (parameters[0] not in OPEN or self.services.learner is None):
            return False
        return super().check_action(action, parameters)

    async def action_go(self, place: str) -> None:
        """Open a place of a pupil; any other stays closed, whichever way it was asked for."""
        if place == "help":
            await self.push_screen(PupilHelp(self.services))
        elif place == "who":
            while len(self.screen_stack) > 2:
                await self.pop_screen()
            await self.push_screen(PupilWho(self.services))
        elif place in OPEN:
            await super().action_go(place)

    def post_display_hook(self) -> None:
        """Tell the browser whether a line to type on has the focus: a phone shows one then."""
        typing = isinstance(self.focused, Input)
        if isinstance(self.focused, Input):
            self.focused.cursor_blink = False  # Thirty of them would keep the laptop busy.
        if typing != self._typing:
            self._typing = typing
            self._tell_server({"type": "typing", "on": typing})

    def _tell_server(self, facts: dict[str, object]) -> None:
        if isinstance(self._driver, PupilDriver):
            self._driver.write_meta(facts)

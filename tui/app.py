"""The app: which screen comes after which, one voice, one theme.

Screens say what the learner wants (`tui.wishes`); this module knows where it lies. Whatever
is slow runs in a thread worker, and nothing here decides about content.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.filter import LineFilter, NoColor
from textual.reactive import reactive
from textual.scrollbar import ScrollBar
from textual.worker import Worker, WorkerState, get_current_worker

from edge.errors import EdgeError, SpeechError
from tui import wishes
from tui.discreet import DiscreetApp
from tui.doors import begin_anew, make
from tui.drill import Drill, LessonSource, Source, SumSource
from tui.prompt_shown import prompt_shown
from tui.screens.ask import AskScreen
from tui.screens.home import HomeScreen
from tui.screens.small import LEAST, SmallScreen
from tui.screens.welcome import WelcomeScreen
from tui.services import Services
from tui.themes import THEMES, Colours, colours_of, theme_name, without_colour
from tui.widgets.screening import Screening
from tui.widgets.scrollbar import SolidBar

HUSH_CHECK_SECONDS = 0.3
"""How often to look whether the voice has finished."""


class AmautaApp(DiscreetApp):
    """The tutor in the terminal."""

    TITLE = "Amauta"
    CSS_PATH = "tutor.tcss"
    ENABLE_COMMAND_PALETTE = False
    least = LEAST
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back"),
        Binding("f5", "hush", "hush"),
        Binding("f1", "go('help')", "help"),
        Binding("f2", "go('ask')", "ask"),
        Binding("f3", "go('lessons')", "lessons"),
        Binding("f6", "go('practise')", "practise"),
        Binding("f7", "go('progress')", "progress"),
        Binding("f9", "go('settings')", "settings"),
        Binding("f10", "quit", "quit"),
        Binding("f12", "go('sync')", "sync", show=False),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True),
    ]

    speaking: reactive[bool] = reactive(False, bindings=True)
    """Whether the voice is saying something; decides what F5 does."""

    def __init__(self, services: Services, colours: Colours | None = None) -> None:
        super().__init__()
        self.services = services
        self._colours = colours
        self._speech = 0
        """Counts requests to speak, so that a late voice does not talk over a newer wish."""

        self._told_problem: SpeechError | None = None
        self.failure: EdgeError | None = None
        """Why the app could not open; `cli` turns it into text."""

        self._screening = Screening()
        ScrollBar.renderer = SolidBar
        for theme in THEMES:
            self.register_theme(without_colour(theme) if self.no_color else theme)
        self._apply_theme()

    def on_mount(self) -> None:
        """Open the first screen; the library follows in the background."""
        self._open_first_screen()
        self.call_after_refresh(prompt_shown, self, self.services)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Let no control character through, whoever wrote it; with NO_COLOR, no colour either."""
        if self.no_color:
            return [NoColor(), self._screening]
        return [*super().get_line_filters(), self._screening]

    def _open_first_screen(self) -> None:
        try:
            learner = self.services.recall_learner()
        except EdgeError as error:
            self.failure = error
            self.exit(return_code=1)
            return
        if self.services.settings.lang and learner:
            self._open_home()
        else:
            self.push_screen(WelcomeScreen(self.services))

    def _open_home(self) -> None:
        """Begin anew for this learner."""
        first = HomeScreen(self.services) if self.services.learner else WelcomeScreen(self.services)
        begin_anew(self, self.services, first)

    def _apply_theme(self) -> None:
        colours = self._colours or colours_of(self.console.color_system)
        self.theme = theme_name(self.services.settings.theme, colours)

    def on_resize(self, event: Resize) -> None:
        """Say so when there is no room for a screen."""
        small = event.size.width < self.least.width or event.size.height < self.least.height
        showing = isinstance(self.screen, SmallScreen)
        if small and not showing:
            self.push_screen(SmallScreen(self.services.words, self.least))
        elif showing and not small:
            self.pop_screen()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what works now."""
        first = isinstance(self.screen, WelcomeScreen | SmallScreen)
        if action == "go":
            return not first and self.screen.name != parameters[0]
        if action == "hush":
            return self.speaking
        if action == "back":
            return self.speaking or (not first and len(self.screen_stack) > 2)
        return True

    async def action_go(self, place: str) -> None:
        """Open a place. Help lies on top of where one is; the others lie on top of home."""
        screen = "ask" if place == "ask" else make(place, self.services)
        if place == "help":
            await self.push_screen(screen)
            return
        while len(self.screen_stack) > 2:
            await self.pop_screen()
        await self.push_screen(screen)

    async def action_back(self) -> None:
        """Stop the voice if there is one, else go back one screen."""
        if self.speaking:
            self.action_hush()
        else:
            await self.pop_screen()

    def action_hush(self) -> None:
        """Stop the voice at once."""
        self._speech += 1
        self.services.hush()
        self.speaking = False

    def action_help_quit(self) -> None:
        """Answer Ctrl+C, which ends most programs, with how to end this one."""
        self.notify(self.services.words.say("app.quit_hint"), markup=False)

    def tell(self, error: EdgeError) -> None:
        """Show what went wrong and what to do next."""
        self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)

    @on(wishes.PlaceChosen)
    async def _place_chosen(self, event: wishes.PlaceChosen) -> None:
        if event.place == "quit":
            await self.action_quit()
        elif event.place == "home":
            while len(self.screen_stack) > 2:
                await self.pop_screen()
        else:
            await self.action_go(event.place)

    @on(wishes.QuestionAsked)
    async def _question_asked(self, event: wishes.QuestionAsked) -> None:
        await self.action_go("ask")
        self.query_one_ask().ask(event.question)

    @on(wishes.LessonAskedAbout)
    async def _lesson_asked_about(self, event: wishes.LessonAskedAbout) -> None:
        ask = self.query_one_ask()
        if ask in self.screen_stack:
            while self.screen is not ask:
                await self.pop_screen()
        else:
            await self.push_screen("ask")
        ask.about_lesson(event.lesson, event.title)

    def query_one_ask(self) -> AskScreen:
        """Return the one ask screen, which keeps the talk of this session."""
        screen = self.get_screen("ask")
        if not isinstance(screen, AskScreen):
            raise TypeError(screen)
        return screen

    @on(wishes.LessonChosen)
    def _lesson_chosen(self, event: wishes.LessonChosen) -> None:
        from tui.screens.lesson import LessonScreen

        try:
            lesson = self.services.library().lesson(event.lesson)
        except EdgeError as error:
            self.tell(error)
        else:
            self.push_screen(LessonScreen(self.services, lesson, event.passage))

    @on(wishes.PractiseChosen)
    def _practise_chosen(self, event: wishes.PractiseChosen) -> None:
        try:
            self._open_drill(LessonSource(self.services.library().lesson(event.lesson)))
        except EdgeError as error:
            self.tell(error)

    @on(wishes.SumsChosen)
    def _sums_chosen(self, event: wishes.SumsChosen) -> None:
        try:
            self._open_drill(SumSource(event.skill, self.services.lang))
        except EdgeError as error:
            self.tell(error)

    def _open_drill(self, source: Source) -> None:
        from tui.screens.exercise import ExerciseScreen

        services = self.services
        learner = services.learner.id if services.learner else ""
        drill = Drill(source, services.store(), learner, random=services.random, now=services.now)
        screen = ExerciseScreen(services, drill)
        if isinstance(self.screen, ExerciseScreen):
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    @on(wishes.LearnerChosen)
    def _learner_chosen(self) -> None:
        self._open_home()

    @on(wishes.SettingsChanged)
    async def _settings_changed(self, event: wishes.SettingsChanged) -> None:
        if event.name == "theme":
            self._apply_theme()
        elif event.name in ("lang", "place"):
            self._open_home()
            await self.action_go("settings")

    @on(wishes.SpeechWanted)
    def _speech_wanted(self, event: wishes.SpeechWanted) -> None:
        if not self.services.settings.sound:
            self.notify(self.services.words.say("speech.off"), markup=False)
        elif event.sentences:
            self._speech += event.fresh
            self.speaking = True
            self._say(self._speech, event.sentences, event.fresh, event.lang)

    @work(thread=True, group="speech", exit_on_error=False)
    def _say(self, speech: int, sentences: Sequence[str], fresh: bool, lang: str) -> None:
        """Hand sentences to the voice; opening it may take a second."""
        try:
            speaker = self.services.speaker(lang)
        except EdgeError as error:
            self.call_from_thread(self._no_voice, error)
            return
        if fresh:
            speaker.hush()
        for sentence in sentences:
            if speech != self._speech or get_current_worker().is_cancelled:
                return
            speaker.put(sentence)
        self.call_from_thread(self._watch_voice)

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            self.speaking = False
            self.notify(self.services.broken(event.worker.error), severity="error", markup=False)

    def _no_voice(self, error: EdgeError) -> None:
        self.speaking = False
        self.tell(error)

    def _watch_voice(self) -> None:
        """Notice when the voice has finished, and say once that there is no sound device."""
        if not self.screen_stack:
            return  # the app is closing
        problem = self.services.speech_problem
        if problem and problem is not self._told_problem:
            self._told_problem = problem
            if problem.key == "sound-none":
                self.notify(self.services.words.say("speech.silent"), markup=False)
            else:
                self.tell(problem)
        self.speaking = self.services.speaking
        if self.speaking:
            self.set_timer(HUSH_CHECK_SECONDS, self._watch_voice)

    def on_unmount(self) -> None:
        """Leave nothing open."""
        self.services.close()

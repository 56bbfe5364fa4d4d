"""Where one begins: ask at once, or choose what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState

from edge.errors import EdgeError
from tui import wishes
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices, gap, heading
from tui.widgets.emblem import Emblem
from tui.widgets.prompt import PromptBox

if TYPE_CHECKING:
    from edge.drives import Drive
    from edge.update.offer import Offer

_PLACES = {
    "lessons": "F3",
    "practise": "F6",
    "progress": "F7",
    "who": "",
    "sync": "F12",
    "settings": "F9",
    "help": "F1",
    "quit": "F10",
}


LOOK_SECONDS = 10.0
"""How often to look whether a stick was put in."""


class HomeScreen(Screen[None]):
    """A prompt, some questions to try, and everything else in one list."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "update", "update")]

    AUTO_FOCUS: ClassVar[str] = "PromptBox"

    def __init__(self, services: Services) -> None:
        super().__init__(name="home")
        self.services = services
        self.samples: list[str] = []
        self.offered: Offer | None = None
        """The release of a stick that the list shows."""

        self.sticks: list[Drive] = []
        """The sticks that the list shows."""

    def compose(self) -> ComposeResult:
        """The prompt first: it has the focus."""
        words = self.services.words
        name = self.services.learner.name if self.services.learner else words.say("app.nobody")
        yield TitleBar(words, learner=name)
        with Vertical(classes="column home"):
            yield Emblem()
            yield Static(words.say("home.hello", name=name), classes="hello", markup=False)
            yield PromptBox(placeholder=words.say("home.prompt"))
            yield Choices(*self._options())
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Open the library while the learner reads the screen."""
        self._warm()
        self.set_interval(LOOK_SECONDS, self._look)

    def on_screen_resume(self) -> None:
        """Look at once, also after an update."""
        self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to update only when a stick brings something newer."""
        return action != "update" or self.offered is not None

    def action_update(self) -> None:
        """Open what the stick brings."""
        self.post_message(wishes.PlaceChosen("update"))

    def _options(self) -> list[Option]:
        words = self.services.words
        options: list[Option] = []
        if self.services.settings.place == "clinic":
            options += [Option(words.say("home.clinic"), id="go:clinic"), gap()]
        if self.samples:
            options.append(heading(words.say("home.samples")))
            options += [Option(question, id=f"ask:{n}") for n, question in enumerate(self.samples)]
            options.append(gap())
        if self.offered:
            label = words.say("home.update", number=self.offered.contents.number)
            options.append(Option(Content.assemble(label, ("  F8", "$key")), id="go:update"))
        for number, drive in enumerate(self.sticks):
            key = "home.stick" if self.services.handing.delivers else "home.stick_enrol"
            options.append(
                Option(Content.assemble(words.say(key, name=drive.name), ("  F12", "$key")), id=f"stick:{number}")
            )
        if options and not options[-1].disabled:
            options.append(gap())
        options.append(heading(words.say("home.menu")))
        for place, key in _PLACES.items():
            label = words.say(f"home.{place}")
            options.append(Option(Content.assemble(f"{label:<26}", (key, "$key")), id=f"go:{place}"))
        return options

    @work(thread=True, group="warm", exit_on_error=False)
    def _warm(self) -> None:
        """Open what the first question will need, so that it is answered at once."""
        try:
            samples = self.services.samples()
            self.app.call_from_thread(self._show_samples, samples)
            self.services.tutor()
        except EdgeError as error:
            self.app.call_from_thread(
                self.notify, error.say(self.services.lang), severity="error", timeout=10, markup=False
            )

    @work(thread=True, group="look", exclusive=True, exit_on_error=False)
    def _look(self) -> None:
        """Look at the sticks; reading a new one takes a moment."""
        if self.services.updates.look() is not self.offered or self.services.handing.useful() != self.sticks:
            self.app.call_from_thread(self._show_options)

    def _show_samples(self, samples: list[str]) -> None:
        self.samples = samples
        self._show_options()

    def _show_options(self) -> None:
        self.offered, self.sticks = self.services.updates.offer, self.services.handing.useful()
        choices = self.query_one(Choices)
        here = choices.highlighted_option.id if choices.highlighted_option and choices.has_focus else None
        choices.clear_options()
        choices.add_options(self._options())
        known = [option.id for option in choices.options]
        choices.highlighted = known.index(here) if here in known and here else None
        self.refresh_bindings()

    @on(wishes.SticksChanged)
    def _sticks_changed(self, event: wishes.SticksChanged) -> None:
        event.stop()
        self._show_options()
        self._look()

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            self.notify(self.services.broken(event.worker.error), severity="error", markup=False)

    @on(PromptBox.Asked)
    def _asked(self, event: PromptBox.Asked) -> None:
        self.post_message(wishes.QuestionAsked(event.question))

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        kind, _, value = (event.option_id or "").partition(":")
        if kind == "ask":
            self.post_message(wishes.QuestionAsked(self.samples[int(value)]))
        else:
            self.post_message(wishes.PlaceChosen("sync" if kind == "stick" else value))

    def on_key(self, event: Key) -> None:
        """Let a question begin anywhere: what is typed on the list goes to the prompt."""
        prompt = self.query_one(PromptBox)
        if event.is_printable and event.character and not prompt.has_focus:
            event.stop()
            prompt.focus()
            prompt.insert_text_at_cursor(event.character)

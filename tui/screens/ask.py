"""Ask, and see the answer come with its source. Keeps the talk of this session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState, get_current_worker

from edge.errors import EdgeError
from tui import wishes
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices, heading
from tui.widgets.prompt import PromptBox
from tui.widgets.turn import SourceLink, TurnView

if TYPE_CHECKING:
    from edge.tutor.prompt import Turn
    from edge.tutor.reply import Event, Reply

MOST_TURNS = 50
"""Older ones leave the screen; the store has them all."""


class Talk(VerticalScroll, can_focus=False):
    """The questions and answers of this session, the newest in view."""


class AskScreen(Screen[None]):
    """A talk above, a line to type on below."""

    AUTO_FOCUS: ClassVar[str] = "PromptBox"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop"),
        Binding("f4", "source", "source"),
        Binding("f5", "speak", "speak"),
        Binding("f2", "about_all", "ask_all"),
        Binding("pageup", "page(-1)", "scroll_answers", key_display="PgUp PgDn"),
        Binding("pagedown", "page(1)", "scroll_answers", show=False),
    ]

    answering: reactive[bool] = reactive(False, bindings=True)
    """Whether an answer is being written; decides what Esc does."""

    @dataclass
    class Came(Message):
        """Something of the answer to `turn` arrived."""

        turn: int
        part: Event

    @dataclass
    class Failed(Message):
        """Nothing more will come of `turn`."""

        turn: int
        text: str

    def __init__(self, services: Services) -> None:
        super().__init__(name="ask")
        self.services = services
        self.turn = 0
        """Grows with each question; what belongs to an older one is dropped."""

        self.lesson = ""
        """The lesson asked about, or nothing for the whole library."""

        self.before: list[Turn] = []
        """What was asked about that lesson so far, and answered: who asks "and why?" means it."""

        self._reading = False

    def compose(self) -> ComposeResult:
        """Empty, it shows what can be asked."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("ask.title"), learner.name if learner else "")
        with Talk():
            yield Static(words.say("ask.empty"), classes="empty", markup=False)
            yield Choices()
        yield Static(classes="about", markup=False)
        yield PromptBox(placeholder=words.say("ask.prompt"))
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Fetch some questions to begin with."""
        self.query_one(".about").display = False
        self.call_after_refresh(self._offer_samples)

    def _offer_samples(self) -> None:
        """Offer some questions, unless one was brought along."""
        if not self.turn:
            self._fetch_samples()

    @work(thread=True, group="samples", exit_on_error=False)
    def _fetch_samples(self) -> None:
        try:
            samples = self.services.samples()
        except EdgeError as error:
            self.post_message(self.Failed(0, error.say(self.services.lang)))
        else:
            self.app.call_from_thread(self._show_samples, samples)

    def _show_samples(self, samples: list[str]) -> None:
        for choices in self.query(Choices):
            title = heading(self.services.words.say("ask.samples"))
            choices.add_options([title, *(Option(question) for question in samples)])

    def about_lesson(self, lesson: str, title: str) -> None:
        """Ask about one lesson from now on; with "" about everything."""
        if lesson != self.lesson:
            self.lesson, self.before = lesson, []
        line = self.query_one(".about", Static)
        line.update(self.services.words.say("ask.about", title=title))
        line.display = bool(lesson)
        self.query_one(PromptBox).focus()
        self.refresh_bindings()

    def ask(self, question: str) -> None:
        """Put a question to the tutor; a question still being answered is given up."""
        self.run_worker(self._begin(question), group="begin", exclusive=True)

    async def _begin(self, question: str) -> None:
        if self.answering:
            await self.action_stop()
        self.turn += 1
        self.answering = True
        self._reading = False
        await self.query(".empty, Choices").remove()
        talk = self.query_one(Talk)
        views = list(talk.query(TurnView))
        if len(views) >= MOST_TURNS:
            await views[0].remove()
        await talk.mount(TurnView(self.services.words, question))
        talk.anchor()
        self._answer(self.turn, question, self.lesson or None, tuple(self.before))

    @work(thread=True, group="answer", exclusive=True, exit_on_error=False)
    def _answer(self, turn: int, question: str, lesson: str | None, before: Sequence[Turn]) -> None:
        """Run one turn away from the screen, and keep what came of it."""
        worker = get_current_worker()

        def stop() -> bool:
            return worker.is_cancelled or turn != self.turn

        from edge.tutor.reply import Reply

        try:
            for part in self.services.answer(question, lesson, before, stop):
                if stop():
                    return
                self.post_message(self.Came(turn, part))
                if isinstance(part, Reply):
                    self.services.keep_turn(question, part)
        except EdgeError as error:
            self.post_message(self.Failed(turn, error.say(self.services.lang)))

    @on(Came)
    async def _came(self, event: Came) -> None:
        from edge.tutor.reply import Piece, Sentence, Waiting

        if event.turn != self.turn or (view := self._last_view()) is None:
            return
        if isinstance(event.part, Piece):
            await view.add(event.part.text)
        elif isinstance(event.part, Sentence):
            view.sentences.append(event.part.text)
            if self._reading:
                self.post_message(wishes.SpeechWanted([event.part.text], fresh=False))
            self.refresh_bindings()
        elif isinstance(event.part, Waiting):
            view.wait(event.part)
        else:
            await view.finish(event.part)
            self.answering = False
            self._remember(view.question, event.part)

    def _remember(self, question: str, reply: Reply) -> None:
        """Keep what was said about the lesson; `before` is never changed while an answer reads it."""
        from edge.tutor.prompt import Turn

        if self.lesson and reply.mode in ("bank", "passage", "model"):
            self.before = [*self.before, Turn(question, reply.text)][-MOST_TURNS:]

    @on(Failed)
    async def _failed(self, event: Failed) -> None:
        if event.turn == self.turn and self.answering and (view := self._last_view()):
            self.answering = False
            await view.fail(event.text)
        else:
            self.notify(event.text, severity="error", timeout=10, markup=False)

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            self.post_message(self.Failed(self.turn, self.services.broken(event.worker.error)))

    def _last_view(self) -> TurnView | None:
        views = list(self.query(TurnView))
        return views[-1] if views else None

    @on(PromptBox.Asked)
    def _asked(self, event: PromptBox.Asked) -> None:
        self.ask(event.question)

    @on(Choices.OptionSelected)
    def _sample_chosen(self, event: Choices.OptionSelected) -> None:
        self.query_one(PromptBox).focus()
        self.ask(str(event.option.prompt))

    @on(SourceLink.Opened)
    def _source_opened(self, event: SourceLink.Opened) -> None:
        self.post_message(wishes.LessonChosen(event.source.lesson, event.source.passage))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what works now."""
        view = self._last_view() if self.is_mounted else None
        if action == "stop":
            return self.answering
        if action == "source":
            return bool(view and view.sources)
        if action == "speak":
            speaking = getattr(self.app, "speaking", False)
            return bool(view and view.sentences and self.services.settings.sound and not speaking)
        if action == "about_all":
            return bool(self.lesson)
        if action == "page":
            return view is not None
        return True

    async def action_stop(self) -> None:
        """Stop the answer and the voice; keep what has come."""
        self.turn += 1
        self.answering = False
        self.workers.cancel_group(self, "answer")
        await self.run_action("app.hush")
        if view := self._last_view():
            await view.stop()

    def action_source(self) -> None:
        """Open the passage the last answer comes from."""
        if (view := self._last_view()) and view.sources:
            source = view.sources[0]
            self.post_message(wishes.LessonChosen(source.lesson, source.passage))

    def action_speak(self) -> None:
        """Read the last answer aloud, and the rest of it as it comes."""
        if view := self._last_view():
            self._reading = self.answering
            self.post_message(wishes.SpeechWanted(list(view.sentences)))

    def action_about_all(self) -> None:
        """Ask about the whole library again."""
        self.about_lesson("", "")

    def action_page(self, pages: int) -> None:
        """Scroll through the talk while typing goes on."""
        talk = self.query_one(Talk)
        if pages < 0:
            talk.scroll_page_up(animate=False)
        else:
            talk.scroll_page_down(animate=False)

"""One dialogue of the clinic on a screen: what it asks, one thing after another, by keyboard alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState

from edge.errors import EdgeError
from tui.clinic.asks import ASIDE, NEW, Ask, Choose, Pick, Steps, Write, by_key, narrowed
from tui.screens.clinic_result import STYLES, shown
from tui.screens.lesson import Pages
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices
from tui.widgets.prompt import PromptBox


class WriteBox(PromptBox):
    """A line to type on, of which nothing is kept but what was sent."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "go_on")]

    @dataclass
    class Written(Message):
        """A line was sent, perhaps an empty one."""

        text: str

    async def action_submit(self) -> None:
        """Pass on what stands there."""
        self.post_message(self.Written(self.value.strip()))


class DialogueScreen(Screen[Any]):
    """Shows what a dialogue asks and sends it the answers; ends with what it returned.

    Each step runs in the background: opening the records takes a second.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "step_back", "back"),
        Binding("f8", "aside", "forgot"),
    ]

    def __init__(self, services: Services, steps: Steps[Any], name: str = "clinic-records") -> None:
        super().__init__(name=name)
        self.services = services
        self.steps = steps
        self.asked: Ask | None = None
        """What is on the screen; nothing while a step is being done."""

    def compose(self) -> ComposeResult:
        """The frame; each question fills it anew."""
        words, learner = self.services.words, self.services.learner
        yield TitleBar(words, words.say("records.place"), learner.name if learner else "")
        with Vertical(classes="column dialogue"):
            yield Static(classes="title", markup=False)
            yield Pages()
            yield WriteBox(max_length=2000)
            yield Choices()
            yield Static(classes="said", markup=False)
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Begin."""
        for widget in (Pages, WriteBox, Choices):
            self.query_one(widget).display = False
        self._answer(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the other way where there is one."""
        if action == "aside":
            return isinstance(self.asked, Write) and bool(self.asked.aside)
        return True

    def action_step_back(self) -> None:
        """Go back one step."""
        if self.asked is not None:
            self._answer(None)

    def action_aside(self) -> None:
        """Take the other way."""
        self._answer(ASIDE)

    @on(WriteBox.Written)
    def _written(self, event: WriteBox.Written) -> None:
        event.stop()
        if isinstance(self.asked, Write) and (event.text or self.asked.blank):
            self._answer(event.text)
        elif isinstance(self.asked, Choose):
            found = narrowed(self.asked, event.text)
            if len(found) == 1:
                self._answer(found[0].id)
            elif found:
                self.query_one(Choices).focus()

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        event.stop()
        if isinstance(self.asked, Choose):
            self._answer(event.option_id or "")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if isinstance(self.asked, Choose) and self.asked.search:
            self._list(self.asked, event.value)

    def on_key(self, event: Key) -> None:
        """Let a search begin on the list; the arrows come back to it from a text; Enter leaves what is only to be read."""
        box = self.query_one(WriteBox)
        if event.is_printable and event.character and box.display and not box.has_focus:
            event.stop()
            box.focus()
            box.insert_text_at_cursor(event.character)
        elif event.character and (chosen := by_key(self.asked, event.character)):
            event.stop()
            self._answer(chosen)
        elif event.key == "down" and self._below_the_text():
            event.stop()
            self.query_one(Choices).focus()
        elif event.key == "enter" and self.query_one(Pages).has_class("alone"):
            event.stop()
            self._answer(None)

    def _below_the_text(self) -> bool:
        """Tell whether the end of a text is read, and choices follow."""
        pages = self.query_one(Pages)
        return pages.has_focus and pages.is_vertical_scroll_end and self.query_one(Choices).display

    def _answer(self, answer: str | None) -> None:
        first, self.asked = self.asked is None, None
        box = self.query_one(WriteBox)
        box.clear()
        self.query_one(".said", Static).update("" if first else self.services.words.say("records.working"))
        self.run_worker(partial(self._step, answer), thread=True, group="dialogue", exit_on_error=False)

    def _step(self, answer: str | None) -> None:
        try:
            asked = self.steps.send(answer)
        except StopIteration as end:
            self.app.call_from_thread(self._end, end.value)
        except EdgeError as error:
            self.app.call_from_thread(self._fail, error)
        else:
            self.app.call_from_thread(self._ask, asked)

    def _end(self, result: object) -> None:
        if self.is_current:
            self.dismiss(result)

    def _fail(self, error: EdgeError) -> None:
        self.app.notify(error.say(self.services.lang), severity="error", timeout=15, markup=False)
        self._end(None)

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            self.notify(self.services.broken(event.worker.error), severity="error", markup=False)
            self._end(None)

    def _ask(self, asked: Ask) -> None:
        if not self.is_attached:
            return
        self.asked = asked
        self.query_one(".title", Static).update(asked.title)
        self.query_one(".said", Static).update(asked.said)
        pages, box, choices = self.query_one(Pages), self.query_one(WriteBox), self.query_one(Choices)
        pages.remove_children()
        pages.mount_all(shown(list(asked.lines)))
        pages.display = bool(asked.lines)
        pages.set_class(isinstance(asked, Choose) and not asked.options and not asked.search, "alone")
        pages.scroll_home(animate=False)
        box.display = isinstance(asked, Write) or bool(asked.search)
        choices.display = isinstance(asked, Choose) and bool(asked.options or asked.search)
        box.password = isinstance(asked, Write) and asked.secret
        box.placeholder = asked.hint if isinstance(asked, Write) else asked.search
        if isinstance(asked, Write):
            box.value = asked.value
            box.cursor_position = len(box.value)
        else:
            self._list(asked, "")
        (box if box.display else choices if choices.display else pages).focus()
        self.refresh_bindings()

    def _list(self, asked: Choose, typed: str) -> None:
        options = narrowed(asked, typed)
        marks = max((len(one.mark) for one in options), default=0)
        self.query_one(Choices).replace_all([Option(_label(one, marks), id=one.id) for one in options])


def _label(one: Pick, marks: int) -> Content:
    style = "bold" if one.id.startswith(NEW) else STYLES.get(one.kind, "").replace("reverse ", "")
    return Content.assemble((f"{one.mark:<{marks + 2}}" if one.mark else "", style), one.text)

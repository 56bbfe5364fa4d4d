"""One question of a decision table: how to look, and an answer by a single key."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from edge.errors import EdgeError
from edge.triage.answers import written
from edge.triage.condition import UNKNOWN
from edge.triage.overlay_shelf import voice_lang
from edge.triage.parts import Input, in_language
from edge.triage.say import answer_in_words, question_of_overlay
from edge.words import words_for
from tui import wishes
from tui.clinic.told import expected
from tui.clinic.visit import Walk, meant
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices
from tui.widgets.prompt import AnswerBox


class MeasureBox(AnswerBox):
    """A line for a number or a date; D says that it is not known."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("d", "screen.give('unknown')", "unknown", priority=True)]

    def __init__(self) -> None:
        super().__init__()
        self.restrict = r"[0-9.,/-]*"


class QuestionScreen(Screen[None]):
    """What to look at, how, and the answers there are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "step_back", "back"),
        Binding("f4", "source", "source"),
        Binding("f5", "speak", "speak"),
    ]

    def __init__(self, services: Services, walk: Walk) -> None:
        super().__init__(name="clinic-question")
        self.services = services
        self.walk = walk
        self.asked = walk.open()[0]
        """The question on screen."""

    def compose(self) -> ComposeResult:
        """The frame; each question fills it anew."""
        words = self.services.words
        learner = self.services.learner
        title = in_language(self.walk.table.title, words.lang)
        yield TitleBar(words, title, learner.name if learner else "")
        with VerticalScroll(classes="column question", can_focus=False):
            yield Static(classes="place", markup=False)
            yield Static(classes="danger", markup=False)
            yield Static(classes="prompt", markup=False)
            yield Static(classes="how", markup=False)
            yield Choices()
            yield MeasureBox()
            yield Static(classes="wrong", markup=False)
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Show the first question that is open."""
        self._show()

    def _show(self) -> None:
        words = self.services.words
        self.asked = one = self.walk.open()[0]
        left = self.walk.left()
        key = "clinic.place" if left else "clinic.place_last"
        place = words.say(key, number=len(self.walk.trail) + 1, left=left)
        taken = len([name for name in self.walk.taken_over if name in self.walk.trail])
        self._text(".place", f"{place}\n{words.say('clinic.taken', count=taken)}" if taken else place)
        self._text(".danger", words.say("clinic.danger") if one.kind == "sign" and one.danger else "")
        self._text(".prompt", in_language(one.ask, words.lang))
        how = [in_language(one.help, words.lang)]
        measured = one.kind in ("number", "age")
        if measured:
            how += [expected(one, words)]
            how += [words.say("clinic.type_unknown")] if one.may_be_unknown else []
        self._text(".how", "\n".join(filter(None, how)))
        self._text(".wrong", "")
        choices, box = self.query_one(Choices), self.query_one(MeasureBox)
        choices.display, box.display = not measured, measured
        kept = self.walk.kept.get(one.id)
        if measured:
            box.value = "" if kept in (None, UNKNOWN) else written(kept or "")
            box.cursor_position = len(box.value)
            box.focus()
        else:
            choices.replace_all(self._options(one))
            choices.highlighted = one.values().index(str(kept)) if kept in one.values() else 0
            choices.focus()
        self.refresh_bindings()

    def _options(self, one: Input) -> list[Option]:
        words, edge = self.services.words, words_for("edge", self.services.lang)
        options = []
        for number, value in enumerate(one.values(), 1):
            if value in ("yes", "no", UNKNOWN):
                label = words.say(f"clinic.{value}")
            else:
                label = words.say("clinic.choice", number=number, label=answer_in_words(one, value, edge))
            options.append(Option(label, id=value))
        return options

    def _text(self, name: str, text: str | Content) -> None:
        line = self.query_one(name, Static)
        line.update(text)
        line.display = bool(text)

    def on_key(self, event: Key) -> None:
        """Let a letter or a digit answer at once."""
        letter = (event.character or "").lower()
        if self.asked.kind in ("number", "age") or not letter:
            return
        answer = meant(self.asked, letter)
        if answer in self.asked.values():
            event.stop()
            self.action_give(answer)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what works now."""
        if action == "give":
            return self.asked.may_be_unknown
        if action == "speak":
            silent = voice_lang(self.walk.table.overlay) is None
            return self.services.settings.sound and not silent and not getattr(self.app, "speaking", False)
        return True

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        self.action_give(event.option_id or "")

    @on(MeasureBox.Asked)
    def _typed(self, event: MeasureBox.Asked) -> None:
        self.action_give(event.question)

    def action_give(self, text: str) -> None:
        """Take an answer, then show the next question or what to do."""
        try:
            self.walk.answer(self.asked, text)
        except EdgeError as error:
            self._text(".wrong", error.say(self.services.lang))
            return
        try:
            if self.walk.open():
                self._show()
                self.services.desk.note(self.walk)
            else:
                self.walk.finish()
                self._finished()
                self.services.desk.keep()
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)

    def _finished(self) -> None:
        from tui.screens.clinic_result import ResultScreen

        self.app.switch_screen(ResultScreen(self.services, self.walk))

    def action_step_back(self) -> None:
        """Silence the voice; else show the question before, and from the first the list of problems."""
        if getattr(self.app, "speaking", False):
            self.app.call_later(self.app.run_action, "hush")
        elif self.walk.back():
            self._show()
        else:
            self.app.pop_screen()

    def action_source(self) -> None:
        """Open what the table comes from."""
        from tui.screens.clinic_source import RowScreen

        self.app.push_screen(RowScreen(self.services, [(self.walk.table, None)]))

    def action_speak(self) -> None:
        """Read the question aloud, and how to look."""
        from edge.speech.plain import sentences

        one, lang = self.asked, self.services.lang
        heard = (in_language(one.ask, lang), in_language(one.help, lang))
        voice = voice_lang(self.walk.table.overlay)
        text = "\n".join(question_of_overlay(one) if voice else heard)
        self.post_message(wishes.SpeechWanted(sentences(text), lang=voice or ""))


def open_walk(services: Services, name: str) -> Screen[None]:
    """Return the next question of a table for this patient, or what to do where all is known."""
    from tui.screens.clinic_result import ResultScreen

    desk = services.desk
    walk = desk.walk(name)
    if walk.open():
        return QuestionScreen(services, walk)
    walk.finish()
    desk.keep()
    return ResultScreen(services, walk)

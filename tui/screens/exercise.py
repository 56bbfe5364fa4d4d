"""One exercise after another: answer, see why, go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState

from edge.errors import EdgeError
from edge.learning.grade import LETTERS
from tui import wishes
from tui.after_round import EXTRA, steps, wish_for
from tui.drill import Drill, LessonSource, Outcome
from tui.places import verdict
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices
from tui.widgets.pen import Pen, cited
from tui.widgets.prompt import AnswerBox

if TYPE_CHECKING:
    from edge.tutor.reply import Source as ReplySource

AFTER_SAVING_S = 0.05


class ExerciseScreen(Screen[None]):
    """The item of a round, its hints, and what came of the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", "go_on"),
        Binding("f8", "hint", "hint"),
        Binding("f5", "speak", "speak"),
        Binding("f4", "source", "source"),
        Binding("escape", "stop", "stop"),
    ]

    state: reactive[str] = reactive("asking", bindings=True)
    """asking, saving, done (with this item), finished (with the round) or writing (one exercise more)."""

    def __init__(self, services: Services, drill: Drill) -> None:
        super().__init__(name="exercise")
        self.services = services
        self.drill = drill

    def compose(self) -> ComposeResult:
        """The frame; each item fills it anew."""
        words = self.services.words
        learner = self.services.learner
        source = self.drill.source
        name = source.lesson.title if isinstance(source, LessonSource) else words.say("practise.sums")
        yield TitleBar(words, name, learner.name if learner else "")
        with VerticalScroll(classes="column exercise", can_focus=False):
            yield Static(classes="place", markup=False)
            yield Static(classes="passage", markup=False)
            yield Static(classes="prompt", markup=False)
            yield Choices(numbered=True)
            yield AnswerBox(placeholder=words.say("exercise.answer"))
            yield Static(classes="hints", markup=False)
            yield Pen(self.services, self.drill.source)
            yield Static(classes="result")
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Show the first item."""
        self._show_item()

    def _show_item(self) -> None:
        words, drill, item = self.services.words, self.drill, self.drill.item
        self.query_one(Pen).clear()
        extra = drill.extra
        place = words.say("exercise.place", number=drill.number, total=drill.total)
        self._text(".place", words.say("extra.place") if extra else place)
        self._text(".passage", Content(f"{extra.source.passage}\n").append(cited(words, extra.source)) if extra else "")
        self._text(".prompt", item.prompt)
        self._text(".hints", "")
        self._text(".result", "")
        choices, box = self.query_one(Choices), self.query_one(AnswerBox)
        choices.replace_all(
            [Option(f"{letter})  {option.text}") for letter, option in zip(LETTERS, item.options, strict=False)]
        )
        choices.display = item.kind == "choice"
        box.display = item.kind != "choice"
        box.clear()
        choices.disabled = box.disabled = False
        (choices if item.kind == "choice" else box).focus()
        self.state = "asking"

    def _text(self, name: str, text: str | Content) -> None:
        line = self.query_one(name, Static)
        line.update(text)
        line.display = bool(text)

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        if self.state == "asking":
            self._give(self.drill.item.options[event.option_index].text)
        elif self.state == "finished":
            self._next_step(event.option_id or "")

    @on(AnswerBox.Asked)
    def _answered(self, event: AnswerBox.Asked) -> None:
        if self.state == "asking":
            self._give(event.question)

    def _give(self, given: str) -> None:
        self.state = "saving"
        if self.drill.source.counts:
            self._text(".result", self.services.words.say("exercise.saving"))
        self._keep(given)

    @work(thread=True, group="keep", exit_on_error=False)
    def _keep(self, given: str) -> None:
        """Mark and keep the answer; only then is anything confirmed on screen."""
        try:
            outcome = self.drill.answer(given)
        except EdgeError as error:
            self.app.call_from_thread(self._not_kept, error.say(self.services.lang))
        else:
            self.app.call_from_thread(self._show_outcome, given, outcome)

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            self._not_kept(self.services.broken(event.worker.error))

    def _not_kept(self, why: str) -> None:
        text = f"{self.services.words.say('exercise.unsaved')}\n{why}"
        self._text(".result", Content.styled(text, "$error"))
        self.state = "asking"

    def _show_outcome(self, given: str, outcome: Outcome) -> None:
        self._text(".result", self._verdict(given, outcome))
        box, choices = self.query_one(AnswerBox), self.query_one(Choices)
        if not outcome.final:
            self.state = "asking"
            return
        self.query_one(Pen).finish()
        choices.replace_all([self._marked(n) for n in range(len(self.drill.item.options))])
        choices.disabled = box.disabled = True
        self.set_focus(None)
        self.state = "done"
        self.query_one(".exercise", VerticalScroll).scroll_end(animate=False)

    def _marked(self, number: int) -> Option:
        """Return an option of a finished item; the right one stands out."""
        option = self.drill.item.options[number]
        text = f"{LETTERS[number]})  {option.text}"
        return Option(Content.styled(text, "bold $success") if option.right else text, disabled=True)

    def _verdict(self, given: str, outcome: Outcome) -> Content:
        """Say whether it was right, what was wrong with it, and why the right answer is right."""
        first, *rest = verdict(outcome, self.services)
        lines = [Content.styled(first, "bold $success" if outcome.mark.right else "bold $error")]
        if self.drill.item.kind != "choice":
            lines[0] = Content.assemble((f"{given}  ", "$muted"), lines[0])
        lines += [Content(line) for line in rest]
        if outcome.final:
            key = "exercise.saved" if self.drill.source.counts else "extra.not_kept"
            lines.append(Content.styled(self.services.words.say(key), "$muted"))
        return Content("\n").join(lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what works now."""
        if action == "go_on":
            return self.state == "done"
        if action == "hint":
            return self.state == "asking" and self._has_hint()
        if action == "source":
            return self._source() is not None
        if action == "stop":
            return self.is_mounted and self.query_one(Pen).writing
        if action == "speak":
            return (
                self.state in ("asking", "done")
                and self.services.settings.sound
                and not getattr(self.app, "speaking", False)
            )
        return True

    def action_hint(self) -> None:
        """Show one more hint, from vague to close; after those of the lesson the model writes one, where it may."""
        words, hints = self.services.words, self.drill.item.hints
        if self.query_one(Pen).has_hint(self.drill):
            self.query_one(Pen).write_hint(self.drill.item)
            return
        more = self.drill.hint() is not None
        lines = [
            words.say("exercise.hint", number=n, total=len(hints), hint=hint)
            for n, hint in enumerate(hints[: self.drill.hints_shown], 1)
        ]
        self._text(".hints", "\n".join(lines if more else [*lines, words.say("exercise.no_hint")]))

    def action_speak(self) -> None:
        """Read the exercise aloud, and why once it is done."""
        from edge.speech.plain import sentences

        item, extra = self.drill.item, self.drill.extra
        parts = [item.prompt, *(option.text for option in item.options)]
        parts += [*item.hints[: self.drill.hints_shown], *self.query_one(Pen).said]
        parts = [extra.source.passage, *parts] if extra else parts
        text = item.because if self.state == "done" else "\n".join(parts)
        self.post_message(wishes.SpeechWanted(sentences(text)))

    def action_source(self) -> None:
        """Open the passage that the model's words stand on."""
        if source := self._source():
            self.post_message(wishes.LessonChosen(source.lesson, source.passage))

    async def action_stop(self) -> None:
        """Let the model write no further; the exercise, or the list of what comes next, stays."""
        self.query_one(Pen).stop()
        await self.run_action("app.hush")
        if self.state == "writing":
            self._offer_steps()

    @on(Pen.Hinted)
    def _hinted(self, event: Pen.Hinted) -> None:
        """Count the model's hint and show it, unless the item is done by now."""
        if event.item is not self.drill.item or self.state not in ("asking", "saving"):
            return
        if self.state == "saving":  # the answer given before it came must not count it
            self.set_timer(AFTER_SAVING_S, lambda: self._hinted(event))
            return
        self.drill.count_hint()
        self.query_one(Pen).show_hint(event.hint)

    @on(Pen.Wrote)
    def _wrote(self, event: Pen.Wrote) -> None:
        """Ask the exercise that the model wrote, or offer again what comes next."""
        if self.state == "writing" and event.extra is not None:
            self.drill = self.drill.with_extra(event.extra)
            self._show_item()
        elif self.state == "writing":
            self._offer_steps()

    def _has_hint(self) -> bool:
        if not self.is_mounted or (pen := self.query_one(Pen)).writing:
            return False
        return bool(self.drill.item.hints) or pen.has_hint(self.drill)

    def _source(self) -> ReplySource | None:
        """Return where the model's words stand that are on screen."""
        if not self.is_mounted or self.state not in ("asking", "saving", "done"):
            return None
        extra = self.drill.extra
        return extra.source if extra else self.query_one(Pen).source

    def action_go_on(self) -> None:
        """Show the next item, or how the round went."""
        if self.drill.finished:
            self._show_score()
        else:
            self.drill.go_on()
            self._show_item()

    def _show_score(self) -> None:
        words, drill = self.services.words, self.drill
        for name in (".place", ".passage", ".hints", ".result"):
            self._text(name, "")
        self.query_one(Pen).clear()
        key = "exercise.score_one" if drill.total == 1 else "exercise.score"
        score = words.say(key, total=drill.total, right=drill.right_first)
        score = score if drill.source.counts else f"{score}\n{words.say('extra.not_counted')}"
        self._text(".prompt", Content.assemble((words.say("exercise.done"), "bold $success"), "\n", score))
        self.query_one(AnswerBox).display = False
        self._offer_steps()

    def _offer_steps(self) -> None:
        """Offer what comes after a round."""
        choices, extra = self.query_one(Choices), self.query_one(Pen).has_exercise()
        choices.disabled = False
        choices.display = True
        choices.replace_all(steps(self.services.words, self.drill.source, extra=extra))
        choices.focus()
        self.state = "finished"

    def _next_step(self, step: str) -> None:
        if step == EXTRA:
            self.query_one(Choices).display = False
            self.state = "writing"
            self.query_one(Pen).write_exercise()
        else:
            self.post_message(wish_for(step, self.drill.source))

"""What the model writes for practice: that it is at it, what came of it, or why nothing did.

The writing runs in a thread and never holds up the screen; nothing of what was stopped arrives. Takes no room, and
offers nothing, where the model may not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on, work
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static
from textual.worker import Worker, WorkerState, get_current_worker

from edge.errors import EdgeError
from edge.words import Words, words_for
from tui.drill import Drill, Source
from tui.extra import Extras, Stop, Told

if TYPE_CHECKING:
    from edge.library.pack import Item
    from edge.tutor.coach import Extra, LastHint
    from edge.tutor.reply import Source as ReplySource
    from edge.tutor.reply import Waiting
    from tui.services import Services

LOOKING, WRITING = "look", "write"


class Pen(Static):
    """Lets the model write, says so meanwhile, and passes on what came."""

    writing: reactive[bool] = reactive(False, bindings=True)
    """Whether something is being written; decides what Esc does."""

    open: reactive[bool] = reactive(False, bindings=True)
    """Whether it is known what the model may do."""

    @dataclass
    class Hinted(Message):
        """A hint for `item` passed the check."""

        item: Item
        hint: LastHint

    @dataclass
    class Wrote(Message):
        """The writing ended, with an exercise or with nothing."""

        extra: Extra | None

    @dataclass
    class Queued(Message):
        """Others come first."""

        turn: int
        waiting: Waiting

    @dataclass
    class Came(Message):
        """The writing of `turn` ended."""

        turn: int
        item: Item | None
        """What the hint is for; None where it was an exercise that was written."""

        found: LastHint | Extra | None
        trouble: str = ""

    def __init__(self, services: Services, source: Source) -> None:
        super().__init__()
        self.services = services
        self._extras = Extras(services, source)
        self._turn = 0
        """Grows with each wish; what belongs to an older one is dropped."""

        self.source: ReplySource | None = None
        """Where the hint that is shown stands."""

        self.said: list[str] = []
        """What may be read aloud of it."""

    def on_mount(self) -> None:
        """Take no room, and see what the model may do."""
        self.clear()
        self._look()

    @work(thread=True, group=LOOKING, exit_on_error=False)
    def _look(self) -> None:
        self._extras.look()
        self.app.call_from_thread(setattr, self, "open", True)

    def has_hint(self, drill: Drill) -> bool:
        """Tell whether the model's hint comes next."""
        return self.open and not self.writing and self._extras.has_hint(drill)

    def has_exercise(self) -> bool:
        """Tell whether one exercise more can be asked for."""
        return self.open and self._extras.has_exercise()

    def write_hint(self, item: Item) -> None:
        """Begin a hint."""
        self._begin("extra.writing_hint")
        self._write(self._turn, item, lambda stop, told: self._extras.hint(item, stop, told))

    def write_exercise(self) -> None:
        """Begin an exercise."""
        self._begin("extra.writing_exercise")
        self._write(self._turn, None, self._extras.exercise)

    def stop(self) -> None:
        """End what is being written, and say so."""
        self.clear()
        self._show(Content.styled(self.services.words.say("ask.stopped"), "$muted"))

    def clear(self) -> None:
        """End what is being written, and show nothing."""
        self.finish()
        self.source, self.said = None, []
        self._show(Content(""))

    def finish(self) -> None:
        """End what is being written; a hint that came stays."""
        self._turn += 1
        if self.writing:
            self.writing = False
            self._show(Content(""))

    def show_hint(self, hint: LastHint) -> None:
        """Show a hint as the model's own words, with its source."""
        words = self.services.words
        self.source, self.said = hint.source, [hint.text]
        said = Content.styled(words.say("extra.hint", hint=hint.text), "$secondary")
        about = Content.styled(words.say("extra.about_hint"), "$muted")
        self._show(Content("\n").join([said, about, cited(words, hint.source)]))

    def _begin(self, key: str) -> None:
        self.clear()
        self.writing = True
        words = self.services.words
        self._show(Content.styled(f"{words.say(key)} {words.say('extra.stop')}", "$muted"))

    def _show(self, text: Content) -> None:
        self.update(text)
        self.display = bool(text)
        self.refresh_bindings()
        if self.display:
            self.call_after_refresh(self.scroll_visible, animate=False)

    @work(thread=True, group=WRITING, exclusive=True, exit_on_error=False)
    def _write(self, turn: int, item: Item | None, work: Callable[[Stop, Told], LastHint | Extra | None]) -> None:
        """Write away from the screen."""
        worker = get_current_worker()

        def stop() -> bool:
            return worker.is_cancelled or turn != self._turn

        def told(waiting: Waiting) -> None:
            self.post_message(self.Queued(turn, waiting))

        try:
            found = work(stop, told)
        except EdgeError as error:
            self.post_message(self.Came(turn, item, None, error.say(self.services.lang)))
        else:
            self.post_message(self.Came(turn, item, found))

    @on(Queued)
    def _queued(self, event: Queued) -> None:
        event.stop()
        if event.turn == self._turn:
            line = event.waiting.say(words_for("edge", self.services.lang))
            self._show(Content.styled(f"{line} {self.services.words.say('extra.stop')}", "$muted"))

    @on(Came)
    def _came(self, event: Came) -> None:
        from edge.tutor.coach import LastHint

        event.stop()
        if event.turn != self._turn:
            return
        self.writing = False
        if event.trouble:
            self._show(Content.styled(event.trouble, "$error"))
        elif event.found is None:
            key = "extra.no_exercise" if event.item is None else "extra.no_hint"
            self._show(Content.styled(self.services.words.say(key), "$secondary"))
        else:
            self._show(Content(""))
        if isinstance(event.found, LastHint) and event.item is not None:
            self.post_message(self.Hinted(event.item, event.found))
        elif not isinstance(event.found, LastHint):
            self.post_message(self.Wrote(event.found))

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.state is WorkerState.ERROR and event.worker.group == WRITING:
            self.post_message(self.Came(self._turn, None, None, self.services.broken(event.worker.error)))


def cited(words: Words, source: ReplySource) -> Content:
    """Return the line that names a source and the key that opens it."""
    line = Content.styled(words.say("ask.source", title=source.place), "$secondary")
    return Content.assemble(line, (f"  {words.say('ask.source_key')}", "$muted"))

"""One question and its answer, shown as it comes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from edge.words import Words, words_for
from tui.answer import as_markdown, kind_of, source_key, sources_of

if TYPE_CHECKING:
    from edge.tutor.reply import Reply, Source, Waiting


WAIT_SHOWN_SECONDS = 1.0

MOST_SHOWN = 300
"""Letters of a question that are shown; nobody needs to see a pasted page again."""


class Prose(Markdown):
    """Markdown that a Linux console can show: its fonts have only some of the usual bullets."""

    BULLETS: ClassVar[list[str]] = ["• ", "- ", "· ", "- ", "· "]  # type: ignore[misc]

    def __init__(self, text: str = "", classes: str = "") -> None:
        super().__init__(text, classes=classes, open_links=False)


class SourceLink(Static, can_focus=True):
    """The lesson an answer comes from; Enter opens it."""

    DEFAULT_CSS = """
    SourceLink { height: 1; padding: 0 2; }
    SourceLink:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "source"),
        Binding("down", "app.focus_next", "move", show=False),
        Binding("up", "app.focus_previous", "move", key_display="↑↓"),
    ]

    @dataclass
    class Opened(Message):
        """The learner wants to see the source."""

        source: Source

    def __init__(self, text: Content, source: Source) -> None:
        super().__init__(text)
        self.source = source

    def action_open(self) -> None:
        """Say which source was chosen."""
        self.post_message(self.Opened(self.source))


class TurnView(Vertical):
    """A question, its answer piece by piece, how it was found and where it comes from."""

    DEFAULT_CSS = """
    TurnView { height: auto; margin: 0 0 1 0; }
    TurnView > .asked { color: $asked; text-style: bold; padding: 0 2; }
    TurnView > .state { color: $muted; padding: 0 2; }
    TurnView > .mode { color: $muted; padding: 0 2; }
    """

    def __init__(self, words: Words, question: str) -> None:
        super().__init__()
        self.words = words
        self.question = question
        self.reply: Reply | None = None
        self.sentences: list[str] = []
        """What may be read aloud, as far as it has come."""

        self._waiting: Waiting | None = None
        self._told_at = 0.0
        self._clock: Timer | None = None
        self._shown = ""
        self._stream: MarkdownStream | None = None

    def compose(self) -> ComposeResult:
        """The question at once, the answer when it comes."""
        long = len(self.question) > MOST_SHOWN
        shown = f"{self.question[:MOST_SHOWN]}…" if long else self.question
        yield Static(Content.assemble(f"{self.words.say('ask.you')}: ", shown), classes="asked")
        yield Static(self.words.say("ask.thinking"), classes="state")
        yield Prose()

    @property
    def sources(self) -> list[Source]:
        """The lessons behind the answer, each once."""
        return sources_of(self.reply) if self.reply else []

    def wait(self, waiting: Waiting) -> None:
        """Show the place in the queue, and the time as it goes by."""
        if self._waiting is None:
            self._clock = self.set_interval(WAIT_SHOWN_SECONDS, self._show_waiting)
        self._waiting, self._told_at = waiting, time.monotonic()
        self._show_waiting()

    def _show_waiting(self) -> None:
        if self._waiting is not None:
            left = max(0.0, self._waiting.seconds - (time.monotonic() - self._told_at))
            line = replace(self._waiting, seconds=left).say(words_for("edge", self.words.lang))
            self.query_one(".state", Static).update(f"{line} {self.words.say('ask.take_back')}")

    async def add(self, text: str) -> None:
        """Show one more piece."""
        if self._stream is None:
            self._end_waiting()
            self._stream = Markdown.get_stream(self.query_one(Prose))
        self._shown += text
        await self._stream.write(text)

    async def finish(self, reply: Reply) -> None:
        """Show the whole answer, how it was found, and its sources."""
        await self._end_stream()
        self.reply = reply
        if (text := as_markdown(reply)) != self._shown:
            await self.query_one(Prose).update(text)
        if self.words.has(f"ask.mode.{kind_of(reply)}"):
            await self.mount(Static(self.words.say(f"ask.mode.{kind_of(reply)}"), classes="mode", markup=False))
        if reply.trouble is not None:
            await self.mount(Static(reply.trouble.say(self.words.lang), classes="failed", markup=False))
        key = self.words.say("ask.source_key")
        for number, source in enumerate(self.sources):
            line = Content.styled(self.words.say(source_key(reply), title=source.place), "$secondary")
            if not number:
                line = Content.assemble(line, (f"  {key}", "$muted"))
            await self.mount(SourceLink(line, source))

    async def fail(self, text: str) -> None:
        """Show why there is no answer."""
        await self._end_stream()
        await self.mount(Static(text, classes="failed", markup=False))

    async def stop(self) -> None:
        """Leave what has come so far, and say that it was stopped."""
        await self._end_stream()
        await self.mount(Static(self.words.say("ask.stopped"), classes="mode", markup=False))

    def _end_waiting(self) -> None:
        self.query_one(".state").display = False
        if self._clock is not None:
            self._clock.stop()

    async def _end_stream(self) -> None:
        self._end_waiting()
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None

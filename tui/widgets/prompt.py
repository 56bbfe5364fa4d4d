"""Lines to type on: a question, an answer, a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from tui.widgets.choices import Choices
from tui.widgets.focus import neighbour


class PromptBox(Input):
    """An input that clears itself and says what was asked."""

    DEFAULT_CSS = """
    PromptBox, PromptBox:focus {
        border: solid $edge; background: $background; background-tint: transparent; padding: 0 1; height: 3;
        &>.input--placeholder { color: $muted; text-style: none; }
    }
    PromptBox:focus { border: solid $edge-focus; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "send"),
        Binding("up", "leave(-1)", "move", key_display="↑↓"),
        Binding("down", "leave(1)", "move", key_display="↑↓"),
    ]

    @dataclass
    class Asked(Message):
        """The learner sent a line."""

        question: str

    def __init__(self, placeholder: str = "", max_length: int = 0) -> None:
        # What is typed elsewhere and brought here must not be selected, or the next key replaces it.
        super().__init__(placeholder=placeholder, max_length=max_length, select_on_focus=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the arrows where they lead somewhere."""
        step = parameters[0] if parameters else 0
        return action != "leave" or (isinstance(step, int) and neighbour(self.screen, self, step) is not None)

    def action_leave(self, step: int) -> None:
        """Go to what stands above or below."""
        if target := neighbour(self.screen, self, step):
            if isinstance(target, Choices):
                target.action_last() if step < 0 else target.action_first()
            target.focus()

    @on(Input.Submitted)
    def ask(self, event: Input.Submitted) -> None:
        """Pass on a line that is not blank."""
        event.stop()
        if question := event.value.strip():
            self.clear()
            self.post_message(self.Asked(question))


class AnswerBox(PromptBox):
    """A line for the answer to an exercise."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "answer")]


class NameBox(PromptBox):
    """A line for a name."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "go_on")]

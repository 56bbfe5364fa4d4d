"""The first and the last lines of every screen: where one is, and which keys work now."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult, RenderResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Resize
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from edge.words import Words

_KEYS = {"enter": "Enter", "escape": "Esc", "tab": "Tab", "up": "↑", "down": "↓", "left": "←", "right": "→"}


class TitleBar(Horizontal):
    """The name of the app and of the screen on the left, of the learner on the right."""

    DEFAULT_CSS = """
    TitleBar { dock: top; height: 1; padding: 0 2; background: $bar; color: $foreground; }
    TitleBar > .where { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    TitleBar > .learner { width: auto; max-width: 30; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, words: Words, place: str = "", learner: str = "") -> None:
        super().__init__()
        self.words = words
        self.place = place
        self.learner = learner

    def compose(self) -> ComposeResult:
        """One line."""
        where = Content.styled(self.words.say("app.name"), "bold $primary")
        if self.place:
            where = Content.assemble(where, ("  ·  ", "$muted"), self.place)
        yield Static(where, classes="where")
        yield Static(self.learner, classes="learner", markup=False)


class KeyBar(Widget):
    """Two lines: what the keys do here, and where the F-keys lead. Always true: it reads the bindings."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: auto; max-height: 4; padding: 0 1; background: $bar; color: $foreground; }
    """

    ALLOW_SELECT: ClassVar[bool] = False

    keys: reactive[tuple[dict[str, str], ...]] = reactive((), layout=True)
    """For each line, what each key does."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.words = words

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self._bindings_changed(self.screen)

    def on_resize(self, event: Resize) -> None:
        """Spread the keys over the new width."""
        self.refresh(layout=True)

    def render(self) -> RenderResult:
        """Show the keys, closer together where the screen is narrow."""
        width = self.app.size.width - 2
        return Content("\n").join(_line(keys, width) for keys in self.keys if keys)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        here: dict[str, str] = {}
        there: dict[str, str] = {}
        for node, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and enabled and self.words.has(f"keys.{binding.description}"):
                leads_away = node is self.app and binding.key not in ("escape", "f5")
                key = binding.key_display or _KEYS.get(binding.key, binding.key.upper())
                side = there if leads_away else here
                side.setdefault(key, self.words.say(f"keys.{binding.description}"))
        self.keys = (here, there)


def _line(keys: dict[str, str], width: int) -> Content:
    # Hard spaces keep a key and what it does together when the line must be broken.
    parts = [
        Content.assemble((key.replace(" ", "\u00a0"), "bold $key"), "\u00a0", label.replace(" ", "\u00a0"))
        for key, label in keys.items()
    ]
    cells, gaps = sum(part.cell_length for part in parts), max(1, len(parts) - 1)
    return Content(" " * min(3, max(1, (width - cells) // gaps))).join(parts)

"""A device whose model may write for practice, and a model whose words a test chooses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from edge.errors import ModelError
from edge.settings import Settings, load
from edge.tutor.coach import Coach
from edge.tutor.engine import Message, Shape
from edge.tutor.reply import Waiting
from edge.tutor.shaped import HINT_SHAPE
from edge.update.install import install
from school import MINI, model
from shop import Shop


def card_for(content: bytes, *may: str) -> bytes:
    """Return a card about this very file that opens these capabilities, as a person decided."""
    found = json.loads((MINI / "card.json").read_text(encoding="utf-8"))
    found["sha256"] = hashlib.sha256(content).hexdigest()
    for name in may:
        found["capabilities"][name] = {"conditions": [{"figure": "approved", "value": 1.0, "least": 0.9}]}
    return json.dumps(found).encode()


def device_that(home: Path, *may: str) -> Settings:
    """Install the mini, with room for a lesson, under a card that opens these capabilities."""
    files = {"models/escuela.gguf": model(), "models/escuela.json": card_for(model(), *may)}
    return device_with(home, files)


def device_with(home: Path, files: Mapping[str, bytes]) -> Settings:
    """Install a release of these files."""
    shop = Shop()
    install(home, shop.release(1, files), shop.fetch, lambda _done, _total: None, lambda _: None)
    return load({"AMAUTA_HOME": str(home), "AMAUTA_LANG": "es"})


@dataclass
class Saying:
    """A model that writes what it is told to, of hints and of exercises the next one each time."""

    hints: list[Any] = field(default_factory=list)
    exercises: list[Any] = field(default_factory=list)
    slow: bool = False
    place: int = 0
    trouble: ModelError | None = None
    hold: Event = field(default_factory=Event)
    """Set it to let a slow answer go on."""

    asked: list[str] = field(default_factory=list)
    stopped: int = 0
    name: str = "saying"
    context_tokens: int = 2048

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        stop: Callable[[], bool],
        shape: Shape | None = None,
    ) -> Iterator[str | Waiting]:
        self.asked.append(messages[-1]["content"])
        if self.place:
            yield Waiting(self.place, 20.0)
        while self.slow and not self.hold.wait(0.005):
            if stop():
                self.stopped += 1
                return
        if self.trouble is not None:
            raise self.trouble
        text = json.dumps((self.hints if shape == HINT_SHAPE else self.exercises).pop(0), ensure_ascii=False)
        yield text[:5]
        yield text[5:]


def coach_with(engine: Saying, *may: str) -> Coach:
    """Return a coach whose model may do this much."""
    return Coach(lambda capability: capability in may, lambda: engine, lambda _lang, _lesson: False)


HINT = {"hint": "Las hojas toman un gas del aire."}
"""Stands on the lesson about plants, and does not say which gas."""

TELLING = {"hint": "Las hojas toman dióxido de carbono."}

EXERCISE = {
    "question": "¿Qué toma la raíz de la tierra?",
    "options": ["piedras", "agua", "leche", "arena"],
    "right": 1,
}
FAULTY = {**EXERCISE, "right": 0}

OF_HANDS = {
    "question": "¿Qué quitan el agua y el jabón?",
    "options": ["piedras", "microbios", "leche", "arena"],
    "right": 1,
}
"""About the only passage of the lesson about hands."""

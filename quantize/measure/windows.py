"""Cut the held-out texts into the windows that models are compared on.

A window begins with the model's own start mark and holds part of one text. Sources
take turns, so that a few thousand tokens of a language hear all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from edge.onnx.opening import Loaded
from quantize.recipe import RecipeError

LEAST_TOKENS = 8
"""Shorter rests of a text are left out."""


@dataclass(frozen=True, slots=True)
class HeldText:
    """One text that nothing was trained on."""

    lang: str
    kind: str
    """`text`, or `chat` when it is written in the model's chat template."""

    text: str
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of one text, as the model reads it."""

    lang: str
    text: int
    """Which text of its language it is part of: pieces of one text are no independent witnesses."""

    tokens: tuple[int, ...]
    """The first is the start mark, where the model has one."""


def read_held(path: Path) -> list[HeldText]:
    """Read held.jsonl; raise RecipeError that names the line when it is broken."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError("measure-unreadable", path=path, reason=str(error)) from error
    found = [_held(line, path, number) for number, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise RecipeError("measure-line", path=path, line=1, reason="0")
    return found


def windows_of(engine: Loaded, texts: Sequence[HeldText], size: int, tokens: int) -> list[Window]:
    """Return windows of at most `size` tokens, about `tokens` of each language."""
    start = start_of(engine)
    size = min(size, engine.context_tokens)
    found: list[Window] = []
    for lang in sorted({text.lang for text in texts}):
        left = tokens
        for number, text in enumerate(_in_turn([t for t in texts if t.lang == lang])):
            for part in _parts(_tokens(engine, text, start), size - len(start)):
                if left > 0:
                    found.append(Window(lang, number, (*start, *part)))
                    left -= len(part)
            if left <= 0:
                break
    return found


def start_of(engine: Loaded) -> tuple[int, ...]:
    """Return the mark that the model wants before every text, or nothing."""
    return tuple(engine.tokens_of("", special=True)[:1])


def _tokens(engine: Loaded, text: HeldText, start: tuple[int, ...]) -> list[int]:
    found = engine.tokens_of(text.text, special=text.kind == "chat")
    while start and found[:1] == list(start):  # a chat template may write the mark, too
        found = found[1:]
    return found


def _parts(tokens: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for at in range(0, len(tokens), size):
        if len(part := tokens[at : at + size]) >= LEAST_TOKENS:
            yield part


def _in_turn(texts: Iterable[HeldText]) -> Iterator[HeldText]:
    shelves: dict[tuple[str, str], list[HeldText]] = {}
    for text in texts:
        shelves.setdefault((text.kind, text.source), []).append(text)
    for row in zip_longest(*shelves.values()):
        yield from (text for text in row if text is not None)


def _held(line: str, path: Path, number: int) -> HeldText:
    try:
        row: dict[str, Any] = json.loads(line)
        fields = {name: row[name] for name in ("lang", "kind", "text", "source", "licence")}
    except (ValueError, KeyError, TypeError) as error:
        raise RecipeError("measure-line", path=path, line=number, reason=str(error)) from error
    if not all(isinstance(value, str) for value in fields.values()) or fields["kind"] not in ("text", "chat"):
        raise RecipeError("measure-line", path=path, line=number, reason=str(fields)[:80])
    return HeldText(**fields)

"""Measure the finished GGUF file through the very engine that devices run.

Everything is asked about texts and questions that were held out. What no figure
here can show (whether a story is any good) stays unmeasured, and so closed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.llama.brake import never
from edge.tutor.engine import Message
from edge.tutor.llama import LlamaEngine
from quantize.lm.corpus import read_chats, read_texts
from quantize.lm.prompts import NOT_SAID, Example
from quantize.measure.marks import exact, f1, holds, loops, supported, verbatim

ANSWER_TOKENS = 96
TEXT_CHARS = 24_000
"""How much of each held-out source is read for bits per byte."""

DOCUMENT_CHARS = 1_500


@dataclass(frozen=True, slots=True)
class Said:
    """What the model answered to one exchange."""

    example: Example
    text: str


def measure(model: Path, corpus: Path, questions: int) -> dict[str, float]:
    """Return every figure by its name."""
    with LlamaEngine.open(model) as engine:
        figures = _bits_per_byte(engine, corpus)
        asked: dict[str, list[Example]] = {}
        for example in read_chats(corpus, held=True):
            asked.setdefault(example.kind, []).append(example)
        said = {kind: _ask(engine, examples[:questions]) for kind, examples in sorted(asked.items())}
        figures |= _answer_figures(said)
        figures |= _speed(engine, [answer for answers in said.values() for answer in answers])
    return {name: round(value, 4) for name, value in figures.items()}


def _bits_per_byte(engine: LlamaEngine, corpus: Path) -> dict[str, float]:
    bits: dict[str, float] = {}
    size: dict[str, int] = {}
    for document in read_texts(corpus, held=True):
        if size.get(document.source, 0) >= TEXT_CHARS:
            continue
        text = document.text[:DOCUMENT_CHARS]
        bits[document.source] = bits.get(document.source, 0.0) + surprise_bits(engine, text)
        size[document.source] = size.get(document.source, 0) + len(text.encode())
    return {f"bits_per_byte.{source}": bits[source] / size[source] for source in bits}


def surprise_bits(engine: LlamaEngine, text: str) -> float:
    """Return how many bits the model needs for `text`."""
    tokens = engine.tokens_of(text)
    room = engine.context_tokens - 1
    bits = 0.0
    for at in range(0, len(tokens), room):
        part = [0, *tokens[at : at + room]]
        for row, following in zip(engine.logits_of(part[:-1]), part[1:], strict=True):
            top = float(row.max())
            bits += (top + math.log(float(np.exp(row - top).sum())) - float(row[following])) / math.log(2)
    return bits


def _ask(engine: LlamaEngine, examples: Iterable[Example]) -> list[Said]:
    return [Said(example, answer_of(engine, example.messages())) for example in examples if _fits(engine, example)]


def _fits(engine: LlamaEngine, example: Example) -> bool:
    asked = len(engine.tokens_of(engine.prompt_of(example.messages()), special=True))
    return asked + len(engine.tokens_of(example.answer)) < engine.context_tokens


def answer_of(engine: LlamaEngine, messages: Sequence[Message]) -> str:
    """Return the whole answer to one question."""
    return "".join(engine.stream(messages, max_tokens=ANSWER_TOKENS, stop=never)).strip()


def _answer_figures(said: dict[str, list[Said]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    grounded = {"squad": said.get("squad", []), "lesson": said.get("lesson", [])}
    for kind, answers in grounded.items():
        if answers:
            figures |= {f"{kind}.{name}": value for name, value in _grounded(answers).items()}
    both = [figures[f"{kind}.right"] for kind, answers in grounded.items() if answers]
    if both:
        figures["grounded_answer.right"] = sum(both) / len(both)
        figures["grounded_answer.verbatim"] = min(figures[f"{k}.verbatim"] for k, a in grounded.items() if a)
    absent = [*said.get("absent", []), *said.get("squad-absent", [])]
    if absent:
        figures["grounded_answer.declines"] = _share(a.text == NOT_SAID[a.example.lang] for a in absent)
    for kind in ("free_chat", "hint"):
        if answers := said.get(kind, []):
            figures[f"{kind}.f1"] = _mean(f1(a.text, a.example.gold) for a in answers)
    if answers := said.get("rephrase", []):
        figures["rephrase.supported"] = _share(supported(a.text, a.example.user) for a in answers)
    everything = [answer for answers in said.values() for answer in answers]
    figures["answers_measured"] = float(len(everything))
    figures["whole"] = _share(not loops(answer.text) for answer in everything)
    return figures


def _grounded(answers: Sequence[Said]) -> dict[str, float]:
    return {
        "questions": float(len(answers)),
        "f1": _mean(f1(a.text, a.example.gold) for a in answers),
        "exact": _share(exact(a.text, a.example.gold) for a in answers),
        "verbatim": _share(verbatim(a.text, a.example.passage) for a in answers),
        "right": _share(verbatim(a.text, a.example.passage) and holds(a.text, a.example.gold) for a in answers),
    }


def _speed(engine: LlamaEngine, said: Sequence[Said]) -> dict[str, float]:
    """Time a few answers again, on this machine as it is."""
    pieces, seconds, first = 0, 0.0, []
    for answer in said[:: max(1, len(said) // 12)]:
        example = answer.example
        began = time.perf_counter()
        for number, _ in enumerate(engine.stream(example.messages(), max_tokens=ANSWER_TOKENS, stop=never)):
            if number == 0:
                first.append(time.perf_counter() - began)
            pieces += 1
        seconds += time.perf_counter() - began
    return {"pieces_per_second": pieces / max(seconds, 1e-9), "first_piece_ms": 1000 * _mean(first)}


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / max(1, len(found))


def _share(values: Iterable[bool]) -> float:
    return _mean(float(value) for value in values)

"""What guessing ahead wins and costs: the same answers written with and without guesses, by turns, in one process.

The mini writes what it writes. What larger models write is measured with a scripted one: all its work is done, the wide
mini's (0.2 B, 8 bits), but the word chosen is the next one of a text that people wrote. Decoding only, without reading.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.shaped import MINI, wide_mini
from edge.library.folder import EMBEDDED, read_pack
from edge.llama.brake import never
from edge.llama.reading import Reading
from edge.llama.writing import Writer
from edge.tutor.llama import LlamaEngine
from edge.tutor.prompt import grounded

PROMPTS, SAME, ROUNDS, LONGEST = 6, 200, 3, 48
Told = tuple[list[int], list[int]]
"""The tokens of a question, and of the answer that is to be written."""


class Scripted(Reading):
    """A reading whose likeliest next token is that of a given text."""

    script: Sequence[int] = ()
    last = 0

    def read(self, tokens: Sequence[int], *args: Any, **named: Any) -> bool:
        """Read, and remember how much."""
        self.last = min(len(tokens), self._batch)
        return super().read(tokens, *args, **named)

    def scores(self, place: int = -1) -> Any:
        """Return the model's scores with the script's token far ahead."""
        row = super().scores(place).copy()
        length = len(self.past) if place < 0 else len(self.past) - self.last + place + 1
        row[self.script[min(length, len(self.script) - 1)]] = row.max() + 100
        return row


def run() -> str:
    """Return the table."""
    rows = ["| text | prompts | tokens | tokens at once | tokens/s with, of without |", "|---|---|---|---|---|"]
    asked = _questions()
    with LlamaEngine.open(MINI) as mini:
        ways = [(_mini_text(mini, each, False), _mini_text(mini, each, True)) for each in asked[:SAME]]
    same = sum(plain[0] == guessed[0] for plain, guessed in ways)
    ratio = sum(plain[1] for plain, _ in ways) / sum(guessed[1] for _, guessed in ways)
    with tempfile.TemporaryDirectory() as folder, _scripted(wide_mini(Path(folder))) as engine:
        for name, told in _texts(engine, asked).items():
            rows.append(_row(engine, name, told))
    rows.append("")
    rows.append(
        f"The mini's own grounded answers: the same text with and without guesses for {same} of {SAME} prompts,"
    )
    rows.append(f"tokens/s with guesses **{ratio:.2f}** of without, after the first piece.")
    return "\n".join(rows)


def _questions() -> list[tuple[str, list[str], str, str]]:
    """Return question, paragraphs, answer as people wrote it, and language, from the packs that ship."""
    found = []
    for folder in sorted(EMBEDDED.iterdir()):
        for lesson in read_pack(folder)[0].lessons:
            parts = [part for part in lesson.text.split("\n\n") if len(part) > 40][:3]
            found += [(entry.question, parts, entry.text, lesson.lang) for entry in lesson.bank if parts]
    random.Random(1).shuffle(found)
    return found


def _mini_text(engine: LlamaEngine, asked: tuple[str, list[str], str, str], guessing: bool) -> tuple[str, float]:
    """Return what the mini answers, and the seconds it wrote after its first piece."""
    question, parts, _, lang = asked
    engine.guessing = guessing
    # A question that stands in memory already is read in other portions, which alone can turn a close choice.
    engine._reading.forget()
    pieces = engine.stream(grounded(question, parts[:1], lang), max_tokens=LONGEST)
    first = next(pieces, "")
    began = time.perf_counter()
    return first + "".join(pieces), time.perf_counter() - began


@contextmanager
def _scripted(model: Path) -> Iterator[LlamaEngine]:
    with LlamaEngine.open(model, threads=2) as engine:
        engine._reading.__class__ = Scripted
        yield engine


def _texts(engine: LlamaEngine, asked: Sequence[tuple[str, list[str], str, str]]) -> dict[str, list[Told]]:
    """Return what is to be written: copied sentences, answers by people, and answers that have nothing to do with it."""

    def told(number: int, answer: str) -> Told:
        question, parts, _, lang = asked[number]
        tokens = engine.tokens_of(engine.prompt_of(grounded(question, parts, lang)), special=True)
        return tokens, engine.tokens_of(answer)[:LONGEST]

    chosen = range(PROMPTS)
    return {
        "sentences copied from the lesson": [told(n, asked[n][1][-1]) for n in chosen],
        "reviewed answers of the bank over their lesson": [told(n, asked[n][2]) for n in chosen],
        "answers of another lesson (nothing to copy)": [told(n, asked[n + PROMPTS][2]) for n in chosen],
    }


def _row(engine: LlamaEngine, name: str, told: Sequence[Told]) -> str:
    ratios, steps = [], 0
    tokens = sum(len(answer) for _, answer in told)
    for _ in range(ROUNDS):
        seconds = {}
        for guessing in (False, True):
            engine._reading.forget()
            parts = [_write(engine, each, guessing) for each in told]
            seconds[guessing] = sum(each[0] for each in parts)
            steps = sum(each[1] for each in parts)
        ratios.append(seconds[False] / seconds[True])
    low, high = min(ratios), max(ratios)
    return f"| {name} | {len(told)} | {tokens} | {tokens / steps:.2f} | **{median(ratios):.2f}** ({low:.2f} to {high:.2f}) |"


def _write(engine: LlamaEngine, told: Told, guessing: bool) -> tuple[float, int]:
    """Return seconds and steps of writing one answer after its first token."""
    question, answer = told
    reading: Any = engine._reading
    reading.script = [*question, *answer]
    writer, steps = Writer(reading, question, guessing=guessing), 1
    writer.step(len(answer), never)
    began = time.perf_counter()
    while writer.count < len(answer) and writer.step(len(answer), never):
        steps += 1
    return time.perf_counter() - began, steps

"""What an ONNX model has read of one conversation, and the scores of what may follow.

The scores never depend on how much was read at once, or on what stood in memory already: see `LEAST_ROWS`.
Keys and values stay where they are in memory: the network writes into them in place. Nothing here is safe for two
threads at once; whoever owns it locks.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.llama.brake import Stop, never
from edge.llama.history import common
from edge.onnx.head import DecoderHead
from edge.onnx.session import refusals

PORTION_S = 0.08
"""A stop is obeyed between portions of a question that take about so long to read."""

FIRST_TOKENS, MOST_TOKENS = 8, 32
"""Of a portion, before and after it is known how fast this machine reads. Longer ones are read hardly faster."""

LEAST_ROWS = 2
"""So many tokens are computed at once, at least: one alone is multiplied in another order than the same one among others. The
last bit differs, the rounding to 8 bits makes much of it, and the answer becomes another. Two or more agree to the bit."""


class Memory:
    """The memory of one conversation; it does for ONNX what `edge.llama.reading` does for GGUF."""

    def __init__(self, session: Any, head: DecoderHead, name: str, room: int) -> None:
        import numpy as np
        import onnxruntime

        self._session, self._name, self._room = session, name, room
        self._portion = FIRST_TOKENS
        self._scores: Any = None
        self.past: list[int] = []
        """The tokens in memory."""

        self._binding = session.io_binding()
        self._binding.bind_output("logits", "cpu")  # the first, so that it is found first
        shape = (1, head.key_heads, room + LEAST_ROWS - 1, head.head_size)
        self._held: list[Any] = []
        for name in (f"{part}.{layer}" for layer in range(head.layers) for part in ("key", "value")):
            self._held.append(np.zeros(shape, dtype=np.float32))
            held = onnxruntime.OrtValue.ortvalue_from_numpy(self._held[-1])  # the very same bytes
            self._binding.bind_ortvalue_input(f"past_{name}", held)
            self._binding.bind_ortvalue_output(f"present_{name}", held)

    def forget(self) -> None:
        """Begin anew."""
        self.past = []

    def recall(self, tokens: Sequence[int], longer: Sequence[Sequence[int]] = ()) -> list[int]:
        """Keep what the last conversation has in common with this one; return what is still to be read.

        Where turns were dropped (`longer` has them still), what follows them is read again: here it cannot move up.
        """
        del longer
        self.cut(common(self.past, tokens[:-1]))
        return list(tokens[len(self.past) :])

    def cut(self, length: int) -> bool:
        """Forget what comes after the first `length` tokens."""
        del self.past[length:]
        return True

    def read(self, tokens: Sequence[int], stop: Stop = never, *, every: bool = False) -> bool:
        """Read tokens after those already read, keeping the scores after the last or `every` one; False when stopped.

        With `every` they are read in one go. What was read before a stop stays read.
        """
        at = 0
        while at < len(tokens):
            if stop():
                return False
            part = tokens[at:] if every else tokens[at : at + self._portion]
            began = time.perf_counter()
            self._run(part, every=every)
            rate = len(part) / max(time.perf_counter() - began, 1e-6)
            if len(part) == self._portion:
                self._portion = max(1, min(MOST_TOKENS, 4 * self._portion, int(rate * PORTION_S)))
            at += len(part)
        return True

    def scores(self, place: int = -1) -> Any:
        """Return the scores after the token at `place` of what was read last: float32 [vocabulary]."""
        return self._scores[place]

    def rows(self) -> Any:
        """Return all scores of what was read last: float32 [rows, vocabulary]."""
        return self._scores

    def save(self, path: Path, length: int) -> bool:
        """Write the memory of the first `length` tokens to a file; raises OSError."""
        with path.open("wb") as file:
            for array in self._held:
                file.write(array[:, :, :length].tobytes())
        return True

    def load(self, path: Path, tokens: Sequence[int]) -> bool:
        """Take the memory of `tokens` from a file, in place of what was there; False when it does not fit."""
        import numpy as np

        self.forget()
        _, heads, _, size = self._held[0].shape
        shape = (len(self._held), heads, len(tokens), size)
        found = np.fromfile(path, dtype=np.float32)
        if len(tokens) > self._room or found.size != np.prod(shape):
            return False
        for array, part in zip(self._held, found.reshape(shape), strict=True):
            array[0, :, : len(tokens)] = part
        self.past = list(tokens)
        return True

    def _run(self, part: Sequence[int], *, every: bool) -> None:
        import numpy as np

        count, total = len(part), len(self.past) + len(part)
        if total > self._room:
            raise ModelError("model-question-long", tokens=total, room=self._room)
        # What is computed beside a single token comes after it, unseen by it; the next reading writes over it.
        rows = [*part, *[part[-1]] * (LEAST_ROWS - count)]
        end = len(self.past) + len(rows)
        given = {
            "input_ids": np.array([rows], dtype=np.int64),
            "wanted": np.arange(0 if every else count - 1, count, dtype=np.int64),
            "last": np.array([end - 1], dtype=np.int32),
            "total": np.array([end], dtype=np.int32),
        }
        for name, array in given.items():
            self._binding.bind_cpu_input(name, array)
        self._binding.bind_output("logits", "cpu")  # as large as is asked for now
        try:
            self._session.run_with_iobinding(self._binding)
        except refusals() as error:
            self.forget()
            raise ModelError("model-failed", name=self._name, code=str(error)[:80]) from error
        self._scores = self._binding.get_outputs()[0].numpy()[0]
        self.past += part

"""What one model has read so far, and the scores of what may follow.

Tokens that stand in memory already are not read again; where the oldest turns of a conversation are dropped, what
follows them moves up. Nothing here is safe for two threads at once; whoever owns it locks.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.llama.brake import Stop, never
from edge.llama.computing import Computing
from edge.llama.history import reuse
from edge.tutor.llama_library import Library

ABORTED = 2
SEQUENCE, SPARE = 0, 1
"""One conversation at a time, and room to take the beginning of it apart."""

FIRST_TOKENS, LEAST_TOKENS, PORTION_SECONDS = 32, 16, 6.0
"""A stop is heard between the steps of a portion; in one that took longer they would be too long."""


class Reading:
    """The memory of one conversation; close it before its model."""

    def __init__(self, library: Library, context: Any, name: str, vocabulary_size: int, batch: int) -> None:
        self._api, self._context, self._name = library.api, context, name
        self._size, self._batch = vocabulary_size, batch
        self.past: list[int] = []
        """The tokens in memory."""

        model = self._api.llama_get_model(context)
        self.parts = not (self._api.llama_model_is_recurrent(model) or self._api.llama_model_is_hybrid(model))
        """Whether memory has a part for each token, so that its beginning can be taken apart and its end forgotten."""

        self._moved = False
        """Whether tokens were given new places that the model has not computed yet."""

        self._rate = 0.0
        """Tokens a second that were read last."""

        self.computing = Computing(library, context)

    def close(self) -> None:
        """Give the memory back."""
        self.computing.close()
        self._api.llama_free(self._context)

    def forget(self) -> None:
        """Begin anew."""
        self._api.llama_memory_clear(self._memory(), True)
        self.past, self._moved = [], False

    def recall(self, tokens: Sequence[int], longer: Sequence[Sequence[int]] = ()) -> list[int]:
        """Keep what the last conversation has in common with this one; return what is still to be read.

        `longer` is the same conversation with turns that are dropped now.
        """
        kept = reuse(self.past, tokens, longer)
        if kept.gap and not (self.cut(kept.until) and self.drop(kept.head, kept.head + kept.gap)):
            kept = reuse(self.past, tokens)
        length = min(kept.length, len(tokens) - 1)
        if length and self.cut(length):
            return list(tokens[length:])
        self.forget()
        return list(tokens)

    def drop(self, start: int, end: int) -> bool:
        """Forget the tokens from `start` to `end` and let what follows move up; False where a model cannot do that."""
        memory = self._memory()
        if not self._api.llama_memory_can_shift(memory):
            return False
        if not self._api.llama_memory_seq_rm(memory, SEQUENCE, start, end):
            return False
        self._api.llama_memory_seq_add(memory, SEQUENCE, end, -1, start - end)
        del self.past[start:end]
        self._moved = True
        return True

    def cut(self, length: int) -> bool:
        """Forget what comes after the first `length` tokens; False where a model cannot do that."""
        if length < len(self.past):
            if not self._api.llama_memory_seq_rm(self._memory(), SEQUENCE, length, -1):
                return False
            self.past = self.past[:length]
        return True

    def read(self, tokens: Sequence[int], stop: Stop = never, *, every: bool = False) -> bool:
        """Read tokens after those already read, keeping the scores after the last or `every` one; False when stopped.

        With `every`, no more tokens than fit in one batch can be scored. What was read before a stop stays read.
        """
        at = 0
        while at < len(tokens):
            # A stop while places are computed anew would leave some of them done and some not.
            part = tokens[at : at + (1 if self._moved else self._batch if every else self._portion(stop))]
            began = time.perf_counter()
            if not self._decode(part, never if self._moved else stop, every=every):
                return False
            if len(part) >= LEAST_TOKENS:
                self._rate = len(part) / (time.perf_counter() - began)
            self._moved = False
            at += len(part)
        return True

    def _portion(self, stop: Stop) -> int:
        """Return how many tokens to read in one go: as many as possible, but so that a stop is soon heard."""
        if stop is never:
            return self._batch
        return min(self._batch, max(LEAST_TOKENS, int(self._rate * PORTION_SECONDS)) if self._rate else FIRST_TOKENS)

    def _decode(self, part: Sequence[int], stop: Stop, *, every: bool) -> bool:
        held = (self._api.llama_token * len(part))(*part)  # C reads it: it must outlive the call
        batch = self._api.llama_batch_get_one(held, len(part))
        flags = (ctypes.c_int8 * len(part))(*[1] * len(part))
        if every:
            batch.logits = flags
        result = self.computing.decode(batch, stop)
        if result == 0:
            self.past += part
            return True
        # llama.cpp takes out what it did not finish; where it cannot, nothing is certain any more.
        if result != ABORTED or self._api.llama_memory_seq_pos_max(self._memory(), SEQUENCE) != len(self.past) - 1:
            self.forget()
        if result != ABORTED:
            raise ModelError("model-failed", name=self._name, code=result)
        return False

    def scores(self, place: int = -1) -> Any:
        """Return the scores after the token at `place` of what was read last: float32 [vocabulary], valid until the next reading."""
        import numpy as np

        row = self._api.llama_get_logits_ith(self._context, place)
        return np.ctypeslib.as_array(row, shape=(self._size,))

    def save(self, path: Path, length: int) -> bool:
        """Write the memory of the first `length` tokens to a file; False when the disk refuses, or the model cannot part them."""
        if length < len(self.past) and not self.parts:
            return False
        api, memory = self._api, self._memory()
        tokens = (api.llama_token * length)(*self.past[:length])
        apart = length < len(self.past)
        if apart:
            api.llama_memory_seq_cp(memory, SEQUENCE, SPARE, 0, length)
        try:
            save = api.llama_state_seq_save_file
            return bool(save(self._context, os.fsencode(path), SPARE if apart else SEQUENCE, tokens, length))
        finally:
            if apart:
                api.llama_memory_seq_rm(memory, SPARE, -1, -1)

    def load(self, path: Path, tokens: Sequence[int]) -> bool:
        """Take the memory of `tokens` from a file; False, with nothing read, when it does not fit this model."""
        self.forget()
        room = len(tokens) + 1
        found, count = (self._api.llama_token * room)(), ctypes.c_size_t(0)
        load = self._api.llama_state_seq_load_file
        size = load(self._context, os.fsencode(path), SEQUENCE, found, room, ctypes.byref(count))
        if not size or list(found[: count.value]) != list(tokens):
            self.forget()
            return False
        self.past = list(tokens)
        return True

    def _memory(self) -> Any:
        return self._api.llama_get_memory(self._context)

"""Many conversations in the memory of one model, read and written side by side.

Each conversation is a numbered sequence. A beginning that several share is read once and copied: copies share its
cells. Nothing here is safe for two threads at once.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.llama.brake import Stop, never
from edge.llama.computing import Computing
from edge.llama.grammar import Grammar
from edge.llama.reading import ABORTED
from edge.tutor.llama_library import Library

NOTHING = -1
"""No token."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one sequence reads next."""

    sequence: int
    tokens: tuple[int, ...]
    ask: bool
    """Whether the token that follows is wanted."""

    grammar: Grammar | None = None
    """What that token is held to."""


class Sequences:
    """The memory of all conversations; close it before its model."""

    def __init__(self, library: Library, context: Any, name: str, vocabulary_size: int, batch: int, count: int) -> None:
        self._api, self._context, self._name = library.api, context, name
        self._size, self.batch = vocabulary_size, batch
        self._batch = self._api.llama_batch_init(batch, 0, 1)
        self.past: list[list[int]] = [[] for _ in range(count)]
        """The tokens in memory, for each sequence."""

        self._shared = [0] * count
        """So many of the first tokens of each sequence may have their places in common with another one."""

        self._moved = False
        """Whether tokens were given new places that the model has not computed yet."""

        self._computing = Computing(library, context)

    def close(self) -> None:
        """Give the memory back."""
        self._computing.close()
        self._api.llama_batch_free(self._batch)
        self._api.llama_free(self._context)

    def cut(self, sequence: int, length: int) -> None:
        """Forget what comes after the first `length` tokens of a sequence."""
        if length < len(self.past[sequence]):
            if not self._api.llama_memory_seq_rm(self._memory(), sequence, length, -1):
                self._api.llama_memory_seq_rm(self._memory(), sequence, -1, -1)
                length = 0
            del self.past[sequence][length:]
            self._shared[sequence] = min(self._shared[sequence], length)

    def copy(self, source: int, target: int, length: int) -> None:
        """Let `target` begin with the first `length` tokens of `source`, and hold nothing else."""
        self.cut(target, 0)
        self._api.llama_memory_seq_cp(self._memory(), source, target, 0, length)
        self.past[target] = self.past[source][:length]
        self._shared[target] = length
        self._shared[source] = max(self._shared[source], length)

    def drop(self, sequence: int, start: int, end: int) -> bool:
        """Forget the tokens of a sequence from `start` to `end` and let what follows move up.

        False where the model cannot do that, or where what follows belongs to another conversation too.
        """
        memory = self._memory()
        if self._shared[sequence] > end or not self._api.llama_memory_can_shift(memory):
            return False
        if not self._api.llama_memory_seq_rm(memory, sequence, start, end):
            return False
        self._api.llama_memory_seq_add(memory, sequence, end, -1, start - end)
        del self.past[sequence][start:end]
        self._shared[sequence] = min(self._shared[sequence], start)
        self._moved = True
        return True

    def save(self, sequence: int, path: Path) -> bool:
        """Write the memory of a sequence to a file; False when the disk refuses."""
        past = self.past[sequence]
        tokens = (self._api.llama_token * len(past))(*past)
        save = self._api.llama_state_seq_save_file
        return bool(save(self._context, os.fsencode(path), sequence, tokens, len(past)))

    def load(self, sequence: int, path: Path, tokens: Sequence[int]) -> bool:
        """Take the memory of `tokens` from a file, in place of what the sequence held; False when it does not fit."""
        self.cut(sequence, 0)
        room = len(tokens) + 1
        found, count = (self._api.llama_token * room)(), ctypes.c_size_t(0)
        load = self._api.llama_state_seq_load_file
        size = load(self._context, os.fsencode(path), sequence, found, room, ctypes.byref(count))
        if not size or list(found[: count.value]) != list(tokens):
            self._api.llama_memory_seq_rm(self._memory(), sequence, -1, -1)
            return False
        self.past[sequence] = list(tokens)
        return True

    def read(self, parts: Sequence[Part], stop: Stop = never) -> dict[int, int] | None:
        """Read all parts together, at most `batch` tokens; return the likeliest next token of those that ask.

        It is NOTHING where a grammar allows none. None when stopped. Raises ModelError when there is no more room in
        memory. In both cases nothing was read.
        """
        batch, place = self._batch, 0
        asked: list[tuple[Part, int]] = []
        for part in parts:
            begin = len(self.past[part.sequence])
            for number, token in enumerate(part.tokens):
                last = number == len(part.tokens) - 1
                batch.token[place], batch.pos[place] = token, begin + number
                batch.n_seq_id[place], batch.seq_id[place][0] = 1, part.sequence
                batch.logits[place] = int(part.ask and last)
                if part.ask and last:
                    asked.append((part, place))
                place += 1
        batch.n_tokens = place
        # A stop while places are computed anew would leave some of them done and some not.
        result = self._computing.decode(batch, never if self._moved else stop)
        self._moved = self._moved and result != 0
        if result != 0:
            for part in parts:
                self._undo(part.sequence)
            if result == ABORTED:
                return None
            raise ModelError("model-failed", name=self._name, code=result)
        for part in parts:
            self.past[part.sequence] += part.tokens
        return {part.sequence: self._likeliest(place, part.grammar) for part, place in asked}

    def _undo(self, sequence: int) -> None:
        """Take out of memory what a failed reading may have left there."""
        length = len(self.past[sequence])
        self._api.llama_memory_seq_rm(self._memory(), sequence, length, -1)

    def _likeliest(self, place: int, grammar: Grammar | None) -> int:
        import numpy as np

        row = self._api.llama_get_logits_ith(self._context, place)
        scores = np.ctypeslib.as_array(row, shape=(self._size,))
        found = int(scores.argmax()) if grammar is None else grammar.choose(scores)
        return NOTHING if found is None else found

    def _memory(self) -> Any:
        return self._api.llama_get_memory(self._context)


class Seat:
    """One of the sequences, as what is kept on disk sees it."""

    def __init__(self, sequences: Sequences, number: int) -> None:
        self._sequences, self._number = sequences, number

    @property
    def past(self) -> list[int]:
        """The tokens in memory."""
        return self._sequences.past[self._number]

    def save(self, path: Path, length: int) -> bool:
        """Write all that was read to a file; False when that is not just `length` tokens, or the disk refuses."""
        return len(self.past) == length and self._sequences.save(self._number, path)

    def load(self, path: Path, tokens: Sequence[int]) -> bool:
        """Take the memory of `tokens` from a file; False when it does not fit."""
        return self._sequences.load(self._number, path, tokens)

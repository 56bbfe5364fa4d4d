"""Run a GGUF language model with llama.cpp, on the processor alone.

A file is checked before llama.cpp sees it. What was read of the last conversation is kept, so that the next turn of
the same one starts quickly; when it grows too long its oldest turns are left out. A beginning that many conversations
share is kept on disk. `stop()` is asked for every token and, while a long question is being read, many times a second.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from edge.errors import ModelError
from edge.llama.beginnings import Beginnings, key_of
from edge.llama.brake import Stop, never
from edge.llama.grammar import Grammar
from edge.llama.history import Fitted, beginning_of, common
from edge.llama.loading import load_model, open_context
from edge.llama.reading import Reading
from edge.llama.talking import Talking
from edge.llama.vocabulary import Vocabulary
from edge.llama.writing import Writer
from edge.tutor.adapter import put_on
from edge.tutor.engine import Message
from edge.tutor.llama_library import Library
from edge.tutor.tuning import Tuning

CONTEXT_TOKENS = 2048
BATCH_TOKENS, STEP_TOKENS = 256, 128
"""Handed over at once, and computed at once: twice as many are read no faster and take twice the memory to compute with."""

Kv = Literal["f16", "q8_0"]
"""How the memory of the conversation is written down."""

SCORE_ROWS = 64
"""So many rows of scores at once: 33 MB with a vocabulary of 128,000."""


class LlamaEngine(Talking):
    """One loaded model and its memory of the conversation; close it when done."""

    def __init__(self, library: Library, model: Any, context: Any, name: str, room: int) -> None:
        super().__init__(name, Vocabulary(library.api, model, name), room)
        self._library, self._api, self._model, self._context = library, library.api, model, context
        self._reading = Reading(library, context, name, self.vocabulary_size, min(BATCH_TOKENS, room))
        self.guessing = self._reading.parts
        self._writing = 0
        """Whose answer is being written, if anybody's."""

        self._keeper: threading.Thread | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        context_tokens: int = CONTEXT_TOKENS,
        threads: int = 0,
        adapter: Path | None = None,
        tuning: Tuning | None = None,
        kv: Kv = "f16",
    ) -> LlamaEngine:
        """Load the model at `path`, with an adapter on it if one is given; raise ModelError when that cannot run here.

        `tuning` is what was measured on this machine; without it threads are chosen with caution. Report cards are about
        a `kv` of 16 bits; 8 bits are for measuring.
        """
        library, model, head = load_model(path)
        api = library.api
        settings = api.llama_context_default_params()
        room = min(context_tokens, head.context or context_tokens)
        settings.n_ctx = room
        settings.n_seq_max, settings.kv_unified = 2, True  # the conversation, and what is taken apart of it
        settings.n_batch, settings.n_ubatch = min(BATCH_TOKENS, room), min(STEP_TOKENS, room)  # more ends the program
        if tuning is not None:
            settings.flash_attn_type = int(tuning.flash)
        if kv == "q8_0":
            settings.type_k = settings.type_v = api.GGML_TYPE_Q8_0
            settings.flash_attn_type = 1  # without it values must be 16-bit numbers
        context = open_context(library, model, path, settings, head, tuning, threads)
        engine = cls(library, model, context, path.stem, room)
        if adapter is not None:
            try:
                put_on(library, model, context, adapter)
            except ModelError:
                engine.close()
                raise
        return engine

    @property
    def memory_bytes(self) -> int:
        """Return how many bytes a whole conversation takes, judged by what was read; 0 before anything was."""
        count = len(self._reading.past)
        return int(self._api.llama_state_seq_get_size(self._context, 0) * self.context_tokens / count) if count else 0

    def keep_beginnings(self, folder: Path, model_sha256: str, *, extra: str = "") -> None:
        """Keep shared beginnings of conversations in `folder`; `extra` names what else changes the memory (an adapter)."""
        self.beginnings = Beginnings(folder, key_of(model_sha256, self.context_tokens, extra))

    def close(self) -> None:
        """Give the memory back; what is being read or written ends."""
        self._take_turn()
        if self._keeper is not None:
            self._keeper.join()
        with self._lock:
            if self._context is not None:
                self._reading.close()
                self._api.llama_model_free(self._model)
                self._context = self._model = None

    def prepare(self, messages: Sequence[Message], stop: Stop = never) -> Path | None:
        """Read the beginning that these messages share with others and keep it on disk; return the file, None when there is none.

        Whoever asks comes first: while an answer is written nothing is prepared, and a question ends it.
        """
        tokens = self._vocabulary.conversation(messages)
        beginning = tokens[: self._stable(messages, tokens)]
        with self._lock:
            if self.beginnings is None or self._writing or len(beginning) >= self.context_tokens:
                return None
            if there := self.beginnings.use(beginning):
                return there
            before = self._turn
            if self._begin(beginning, lambda: stop() or self._turn != before):
                self.beginnings.keep(self._reading, len(beginning))
            self._reading.computing.rest()
            return self.beginnings.use(beginning)

    def logits_of(self, tokens: Sequence[int]) -> Iterator[Any]:
        """Read `tokens` from the start and yield, for each, the scores of what may follow (a numpy row)."""
        with self._lock:
            self._reading.forget()
            for token in tokens:
                self._reading.read([token])
                yield self._reading.scores().copy()
            self._reading.forget()

    def scores_of(self, tokens: Sequence[int], *, start: int = 0) -> Iterator[Any]:
        """Read `tokens` and yield the scores of what may follow each from `start` on: blocks, float32 [rows, vocabulary].

        What the last reading had in common before `start` is not read again, so that several
        endings of one beginning cost little more than the endings.
        """
        import numpy as np

        if len(tokens) > self.context_tokens:
            raise ModelError("model-question-long", tokens=len(tokens), room=self.context_tokens)
        self._take_turn()
        with self._lock:
            self._reading.read(self._reading.recall(tokens[: start + 1])[:-1])
            for at in range(start, len(tokens), SCORE_ROWS):
                part = list(tokens[at : at + SCORE_ROWS])
                self._reading.read(part, every=True)
                rows = self._api.llama_get_logits(self._context)
                yield np.ctypeslib.as_array(rows, shape=(len(part), self.vocabulary_size)).copy()

    def _stable(self, messages: Sequence[Message], tokens: Sequence[int]) -> int:
        """Return how many tokens stay the same whatever follows the first stable part of the conversation."""
        if self.beginnings is None:
            return 0
        return beginning_of(messages, tokens, self._vocabulary.conversation)

    def _begin(self, tokens: Sequence[int], stop: Stop) -> bool:
        """Have exactly this beginning in memory, from memory, disk or by reading; False when stopped."""
        if self.beginnings is not None:
            self.beginnings.recall(self._reading, tokens, stop)
        same = common(self._reading.past, tokens)
        if not self._reading.cut(same):
            self._reading.forget()
            same = 0
        return self._reading.read(tokens[same:], stop)

    def _answer(self, fitted: Fitted, most: int, stop: Stop, grammar: Grammar | None = None) -> Iterator[bytes]:
        """Yield the bytes of each next token, the most likely one each time.

        A newer question, or `close`, ends this one: nobody waits for an answer that is no longer read.
        """
        mine = self._take_turn()

        def over() -> bool:
            return self._turn != mine or stop()

        stable = self._stable(fitted.messages, fitted.tokens)
        beginning = fitted.tokens[:stable]
        try:
            with self._lock:
                self._writing = mine
                # Where memory goes on from the beginning, it is not touched.
                if over() or (common(self._reading.past, beginning) < stable and not self._begin(beginning, over)):
                    return
            writer = Writer(self._reading, fitted.tokens, guessing=self.guessing, longer=fitted.longer, grammar=grammar)
            yield from self._written(writer, most, over)
        finally:
            self._reading.computing.rest()
            self._done(mine, beginning)

    def _done(self, mine: int, beginning: list[int]) -> None:
        """Keep a beginning that was read, now that nobody waits for the disk."""
        if self._writing == mine:
            self._writing = 0
        if self.beginnings is None or not beginning or self._turn != mine or self.beginnings.has(beginning):
            return
        if self._keeper is not None and self._keeper.is_alive():
            return
        self._keeper = threading.Thread(target=self._keep, args=(beginning,), daemon=True)
        self._keeper.start()

    def _keep(self, beginning: list[int]) -> None:
        with self._lock:
            there = self._context is not None and common(self._reading.past, beginning) == len(beginning)
            fresh = self.beginnings.write(self._reading, len(beginning)) if there and self.beginnings else None
        if self.beginnings is not None:
            self.beginnings.settle(fresh, beginning)

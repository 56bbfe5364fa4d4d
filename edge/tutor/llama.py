"""Run a GGUF language model with llama.cpp, on the processor alone.

A file is checked before llama.cpp sees it. What was read of the last conversation
is kept, so that the next turn of the same one starts quickly. `stop()` is asked
for every token and, while a long question is being read, many times a second.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.tutor.adapter import put_on
from edge.tutor.engine import Message, whole_letters
from edge.tutor.gguf import read_head
from edge.tutor.llama_library import Library, load_library
from edge.tutor.tuning import Tuning

CONTEXT_TOKENS = 2048
BATCH_TOKENS = 256
SMALL_PARAMETERS, FEW_THREADS, THREADS = 150_000_000, 1, 2
"""A small model is slower on two threads than on one: they wait for each other more than they work."""

SCORE_ROWS = 64
"""So many rows of scores at once: 33 MB with a vocabulary of 128,000."""

ABORTED = 2
PIECE_BYTES = 256


def never() -> bool:
    """Never stop."""
    return False


class LlamaEngine:
    """One loaded model and its memory of the conversation; close it when done."""

    def __init__(self, library: Library, model: Any, context: Any, name: str, room: int) -> None:
        self.name = name
        self.context_tokens = room
        """How many tokens question and answer may have together."""

        self._batch = min(BATCH_TOKENS, room)
        self._library, self._api = library, library.api
        self._model, self._context = model, context
        self._vocabulary = self._api.llama_model_get_vocab(model)
        self.vocabulary_size = int(self._api.llama_vocab_n_tokens(self._vocabulary))
        self._sampler = self._api.llama_sampler_init_greedy()
        self._past: list[int] = []
        self._turn = 0
        self._lock = threading.Lock()
        self._stop: Callable[[], bool] = never
        self._abort = self._api.ggml_abort_callback(lambda _: self._stop())
        self._api.llama_set_abort_callback(context, self._abort, ctypes.c_void_p(0))

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        context_tokens: int = CONTEXT_TOKENS,
        threads: int = 0,
        adapter: Path | None = None,
        tuning: Tuning | None = None,
    ) -> LlamaEngine:
        """Load the model at `path`, with an adapter on it if one is given; raise ModelError when that cannot run here.

        `tuning` is what was measured on this machine; without it threads are chosen with caution.
        """
        head = read_head(path)
        library = load_library()
        api = library.api
        params = api.llama_model_default_params()
        params.n_gpu_layers = 0
        params.use_extra_bufts = library.extra_layouts
        model = api.llama_model_load_from_file(os.fsencode(path), params)
        if not model:
            raise ModelError("model-refused", path=path, reason="; ".join(library.complaints) or "-")
        settings = api.llama_context_default_params()
        room = min(context_tokens, head.context or context_tokens)
        settings.n_ctx = room
        settings.n_batch = settings.n_ubatch = min(BATCH_TOKENS, room)  # more at once ends the program
        few = head.parameters < SMALL_PARAMETERS
        settings.n_threads = settings.n_threads_batch = threads or (FEW_THREADS if few else THREADS)
        if tuning is not None:
            settings.n_threads, settings.n_threads_batch = tuning.write_threads, tuning.read_threads
            settings.flash_attn_type = int(tuning.flash)
        settings.no_perf = True
        context = api.llama_init_from_model(model, settings)
        if not context:
            api.llama_model_free(model)
            raise ModelError("model-refused", path=path, reason="; ".join(library.complaints) or "-")
        engine = cls(library, model, context, path.stem, room)
        if adapter is not None:
            try:
                put_on(library, model, context, adapter)
            except ModelError:
                engine.close()
                raise
        return engine

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._turn += 1
            if self._context is not None:
                self._api.llama_sampler_free(self._sampler)
                self._api.llama_free(self._context)
                self._api.llama_model_free(self._model)
                self._context = self._model = None

    def __enter__(self) -> LlamaEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, stop: Callable[[], bool] = never
    ) -> Iterator[str]:
        """Yield the most likely answer piece by piece; end within a moment of `stop()`."""
        tokens = self.tokens_of(self.prompt_of(messages), special=True)
        room = self.context_tokens
        if len(tokens) + 1 > room:
            raise ModelError("model-question-long", tokens=len(tokens), room=room)
        yield from whole_letters(self._answer(tokens, min(max_tokens, room - len(tokens)), stop))

    def prompt_of(self, messages: Sequence[Message]) -> str:
        """Write the conversation as the model learned it, up to where its answer begins."""
        api = self._api
        chat = (api.llama_chat_message * len(messages))()
        for place, message in zip(chat, messages, strict=True):
            place.role = message["role"].encode()
            place.content = self._harmless(message["content"]).encode("utf-8", "replace")
        template = api.llama_model_chat_template(self._model, None) or b"chatml"
        for known in (template, b"chatml"):
            need = api.llama_chat_apply_template(known, chat, len(messages), True, None, 0)
            if need > 0:
                buffer = ctypes.create_string_buffer(need + 1)
                api.llama_chat_apply_template(known, chat, len(messages), True, buffer, need + 1)
                return buffer.raw[:need].decode("utf-8", "replace")
        raise ModelError("model-broken", path=self.name)

    def tokens_of(self, text: str, *, special: bool = False) -> list[int]:
        """Return the tokens of `text`; with `special`, control marks in it count as such."""
        content = text.encode("utf-8", "replace")
        size = len(content) + 8
        buffer = (self._api.llama_token * size)()
        count = self._api.llama_tokenize(self._vocabulary, content, len(content), buffer, size, special, special)
        return list(buffer[: max(0, count)])

    def logits_of(self, tokens: Sequence[int]) -> Iterator[Any]:
        """Read `tokens` from the start and yield, for each, the scores of what may follow (a numpy row)."""
        import numpy as np

        with self._lock:
            self._forget()
            for token in tokens:
                self._decode([token])
                row = self._api.llama_get_logits_ith(self._context, -1)
                yield np.ctypeslib.as_array(row, shape=(self.vocabulary_size,)).copy()
            self._forget()

    def scores_of(self, tokens: Sequence[int], *, start: int = 0) -> Iterator[Any]:
        """Read `tokens` and yield the scores of what may follow each from `start` on: blocks, float32 [rows, vocabulary].

        What the last reading had in common before `start` is not read again, so that several
        endings of one beginning cost little more than the endings.
        """
        import numpy as np

        if len(tokens) > self.context_tokens:
            raise ModelError("model-question-long", tokens=len(tokens), room=self.context_tokens)
        with self._lock:
            self._turn += 1
            self._decode(self._recall(list(tokens[: start + 1]))[:-1])
            for at in range(start, len(tokens), SCORE_ROWS):
                part = list(tokens[at : at + SCORE_ROWS])
                self._decode(part, every=True)
                rows = self._api.llama_get_logits(self._context)
                yield np.ctypeslib.as_array(rows, shape=(len(part), self.vocabulary_size)).copy()

    def ends(self, token: int) -> bool:
        """Tell whether this token ends an answer."""
        return bool(self._api.llama_vocab_is_eog(self._vocabulary, token))

    def bytes_of(self, tokens: Sequence[int]) -> bytes:
        """Return what `tokens` write; control marks write nothing."""
        return b"".join(map(self._piece, tokens))

    def _answer(self, tokens: list[int], most: int, stop: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the bytes of each next token, the most likely one each time.

        A newer question, or `close`, ends this one: nobody waits for an answer that is no longer read.
        """
        with self._lock:
            self._turn += 1
            mine = self._turn
        pending = tokens
        for number in range(most):
            with self._lock:
                if stop() or self._turn != mine:
                    return
                if not self._decode(self._recall(tokens) if number == 0 else pending, stop):
                    return
                token = int(self._api.llama_sampler_sample(self._sampler, self._context, -1))
            if self.ends(token):
                return
            yield self._piece(token)
            pending = [token]

    def _recall(self, tokens: list[int]) -> list[int]:
        """Keep what the last conversation has in common with this one; return what is still to be read."""
        same = 0
        for ours, theirs in zip(self._past, tokens[:-1], strict=False):
            if ours != theirs:
                break
            same += 1
        memory = self._api.llama_get_memory(self._context)
        if same and self._api.llama_memory_seq_rm(memory, 0, same, -1):
            self._past = self._past[:same]
            return tokens[same:]
        self._forget()
        return tokens

    def _decode(self, tokens: Sequence[int], stop: Callable[[], bool] = never, *, every: bool = False) -> bool:
        """Read tokens after those already read, keeping the scores after the last or `every` one; False when stopped."""
        self._stop = stop
        try:
            for at in range(0, len(tokens), self._batch):
                part = tokens[at : at + self._batch]
                held = (self._api.llama_token * len(part))(*part)  # C reads it: it must outlive the call
                batch = self._api.llama_batch_get_one(held, len(part))
                flags = (ctypes.c_int8 * len(part))(*[1] * len(part))
                if every:
                    batch.logits = flags
                result = self._api.llama_decode(self._context, batch)
                if result != 0:
                    self._forget()
                    if result == ABORTED:
                        return False
                    raise ModelError("model-failed", name=self.name, code=result)
                self._past += part
        finally:
            self._stop = never
        return True

    def _forget(self) -> None:
        self._api.llama_memory_clear(self._api.llama_get_memory(self._context), True)
        self._past = []

    def _piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(PIECE_BYTES)
        count = self._api.llama_token_to_piece(self._vocabulary, token, buffer, PIECE_BYTES, 0, False)
        return buffer.raw[: max(0, count)]

    def _harmless(self, text: str) -> str:
        """Take the model's own control marks out of what a person wrote."""
        clean = text.replace("\0", "")
        while marks := [t for t in self.tokens_of(clean, special=True) if self._is_control(t)]:
            shorter = clean
            for token in marks:
                shorter = shorter.replace(self._mark(token), "")
            if shorter == clean:  # only the begin and end marks that every text gets
                break
            clean = shorter
        return clean

    def _is_control(self, token: int) -> bool:
        return bool(self._api.llama_vocab_is_control(self._vocabulary, token))

    def _mark(self, token: int) -> str:
        buffer = ctypes.create_string_buffer(PIECE_BYTES)
        count = self._api.llama_token_to_piece(self._vocabulary, token, buffer, PIECE_BYTES, 0, True)
        return buffer.raw[: max(0, count)].decode("utf-8", "replace")

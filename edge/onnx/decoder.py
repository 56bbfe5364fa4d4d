"""Run a language model that is an ONNX file with onnxruntime, on the processor alone: the same engine as for GGUF files.

The vocabulary is llama.cpp's, the loop that writes is the one of `edge.llama`: only the arithmetic is another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edge.device import refuse_unfit_processor
from edge.errors import ModelError
from edge.llama.beginnings import Beginnings
from edge.llama.brake import Stop, never
from edge.llama.grammar import Grammar
from edge.llama.history import Fitted, beginning_of, common
from edge.llama.talking import Talking
from edge.llama.writing import Writer
from edge.onnx.head import DecoderHead, read_decoder_head
from edge.onnx.memory import LEAST_ROWS, Memory
from edge.onnx.session import open_session, refusals, runtime_version
from edge.onnx.words import Words
from edge.tutor.engine import Message
from edge.tutor.tuning import Tuning

CONTEXT_TOKENS = 2048
SCORE_ROWS = 64
USUAL_THREADS = 2
OWN_INPUTS = ("input_ids", "wanted", "last", "total")


class OnnxEngine(Talking):
    """One loaded model and its memory of the conversation; close it when done."""

    def __init__(self, session: Any, head: DecoderHead, words: Words, path: Path, room: int) -> None:
        super().__init__(path.stem, words.vocabulary, room)
        self._words = words
        self._memory: Memory | None = Memory(session, head, self.name, room)

    @classmethod
    def open(
        cls, path: Path, *, context_tokens: int = CONTEXT_TOKENS, threads: int = 0, tuning: Tuning | None = None
    ) -> OnnxEngine:
        """Load the model at `path`; raise ModelError when that cannot run here."""
        head = read_decoder_head(path)
        refuse_unfit_processor()
        words = Words(head.vocabulary, path)
        try:
            return cls._loaded(path, head, words, context_tokens, tuning.write_threads if tuning else threads)
        except ModelError:
            words.close()
            raise

    @classmethod
    def _loaded(cls, path: Path, head: DecoderHead, words: Words, context_tokens: int, threads: int) -> OnnxEngine:
        try:
            session = open_session(path, threads or USUAL_THREADS)
            given = {entry.name for entry in session.get_inputs()}
            if given != set(OWN_INPUTS) | {f"past_{part}.{n}" for n in range(head.layers) for part in ("key", "value")}:
                raise ModelError("model-broken", path=path)
            return cls(session, head, words, path, min(context_tokens, head.context + 1 - LEAST_ROWS))
        except refusals() as error:
            raise ModelError("model-refused", path=path, reason=str(error)[:200]) from error

    def keep_beginnings(self, folder: Path, model_sha256: str) -> None:
        """Take shared beginnings of conversations from `folder`; `prepare` puts them there."""
        form = (model_sha256, f"onnxruntime {runtime_version()}", str(self.context_tokens), "f32")
        self.beginnings = Beginnings(folder, "\n".join(form))

    def close(self) -> None:
        """Give the memory back; what is being read or written ends."""
        self._take_turn()
        with self._lock:
            if self._memory is not None:
                self._memory = None
                self._words.close()

    def prepare(self, messages: Sequence[Message], stop: Stop = never) -> Path | None:
        """Read the beginning that these messages share with others and keep it on disk; return the file, None when there is none.

        Whoever asks comes first: a question ends it.
        """
        tokens = self._vocabulary.conversation(messages)
        beginning = tokens[: beginning_of(messages, tokens, self._vocabulary.conversation)]
        before = self._turn
        with self._lock:
            if self.beginnings is None or not 0 < len(beginning) < self.context_tokens:
                return None
            memory = self._open()
            if not (there := self.beginnings.use(beginning)):
                memory.cut(common(memory.past, beginning))
                if memory.read(beginning[len(memory.past) :], lambda: stop() or self._turn != before):
                    self.beginnings.keep(memory, len(beginning))
            return there or self.beginnings.use(beginning)

    def scores_of(self, tokens: Sequence[int], *, start: int = 0) -> Iterator[Any]:
        """Read `tokens` and yield the scores of what may follow each from `start` on: blocks, float32 [rows, vocabulary]."""
        self._take_turn()
        with self._lock:
            memory = self._open()
            memory.read(memory.recall(tokens[: start + 1])[:-1])
            for at in range(start, len(tokens), SCORE_ROWS):
                memory.read(list(tokens[at : at + SCORE_ROWS]), every=True)
                yield memory.rows()

    def _open(self) -> Memory:
        if self._memory is None:
            raise ModelError("model-failed", name=self.name, code="closed")
        return self._memory

    def _answer(self, fitted: Fitted, most: int, stop: Stop, grammar: Grammar | None = None) -> Iterator[bytes]:
        """Yield the bytes of each next token; a newer question, or `close`, ends this one."""
        mine = self._take_turn()

        def over() -> bool:
            return self._turn != mine or stop()

        with self._lock:
            if over():
                return
            memory = self._open()
            if self.beginnings is not None:
                length = beginning_of(fitted.messages, fitted.tokens, self._vocabulary.conversation)
                self.beginnings.recall(memory, fitted.tokens[:length], over)
        writer = Writer(memory, fitted.tokens, guessing=self.guessing, grammar=grammar)
        yield from self._written(writer, most, over)

"""What every engine with llama.cpp's words has in common: its words, whose turn it is, and how long an answer may take."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Self

from edge.errors import ModelError
from edge.llama.beginnings import Beginnings
from edge.llama.brake import Stop, never
from edge.llama.grammar import Grammar
from edge.llama.history import Fitted, fit
from edge.llama.vocabulary import Vocabulary
from edge.llama.writing import Writer
from edge.tutor.engine import LIMIT_SECONDS, Message, Shape, whole_letters


class Talking(ABC):
    """An engine without its arithmetic; who comes last is answered, everybody else ends."""

    def __init__(self, name: str, vocabulary: Vocabulary, room: int) -> None:
        self.name = name
        self.context_tokens = room
        """How many tokens question and answer may have together."""

        self.guessing = True
        """Whether to guess ahead; it changes the speed only."""

        self.beginnings: Beginnings | None = None
        """Where beginnings are kept on disk, if anywhere."""

        self.limit_seconds = LIMIT_SECONDS
        """An answer that is not whole by then ends."""

        self.vocabulary_size = vocabulary.size
        self._vocabulary = vocabulary
        self._lock, self._turns = threading.Lock(), threading.Lock()
        self._turn = 0
        """Who came last."""

    @abstractmethod
    def close(self) -> None:
        """Give the memory back; what is being read or written ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, stop: Stop = never, shape: Shape | None = None
    ) -> Iterator[str]:
        """Yield the most likely answer piece by piece; end within a moment of `stop()`.

        `messages` is the whole conversation: a system line, then questions and answers by turns. What does not fit with
        the answer is left out from the oldest turn on, never the system line or what is `stable` in a question.
        """
        room = self.context_tokens
        fitted = fit(messages, self._vocabulary.conversation, room - max_tokens)
        length = len(fitted.tokens)
        if length + 1 > room:
            raise ModelError("model-question-long", tokens=length, room=room)
        grammar = None if shape is None else self._vocabulary.grammar(shape)
        most, end = min(max_tokens, room - length), time.monotonic() + self.limit_seconds
        wrote = False
        for text in whole_letters(self._answer(fitted, most, lambda: stop() or time.monotonic() > end, grammar)):
            wrote = True
            yield text
        if not wrote and time.monotonic() > end and not stop():
            raise ModelError("model-slow", seconds=round(self.limit_seconds))

    def prompt_of(self, messages: Sequence[Message]) -> str:
        """Write the conversation as the model learned it, up to where its answer begins."""
        return self._vocabulary.prompt_of(messages)

    def tokens_of(self, text: str, *, special: bool = False) -> list[int]:
        """Return the tokens of `text`; with `special`, control marks in it count as such."""
        return self._vocabulary.tokens_of(text, special=special)

    def ends(self, token: int) -> bool:
        """Tell whether this token ends an answer."""
        return self._vocabulary.ends(token)

    def bytes_of(self, tokens: Sequence[int]) -> bytes:
        """Return what `tokens` write; control marks write nothing."""
        return b"".join(map(self._vocabulary.piece, tokens))

    @abstractmethod
    def _answer(self, fitted: Fitted, most: int, stop: Stop, grammar: Grammar | None = None) -> Iterator[bytes]:
        """Yield the bytes of each next token; a newer question, or `close`, ends this one."""

    def _take_turn(self) -> int:
        """Let everything else that reads or writes end soon; return a number that stays ours while nobody else comes."""
        with self._turns:
            self._turn += 1
            return self._turn

    def _written(self, writer: Writer, most: int, over: Callable[[], bool]) -> Iterator[bytes]:
        """Yield what the writer writes, the most likely token each time."""
        while writer.count < most:
            with self._lock:
                found = [] if over() else writer.step(most, over)
            if not found:
                return
            for token in found:
                if self.ends(token):
                    return
                yield self._vocabulary.piece(token)

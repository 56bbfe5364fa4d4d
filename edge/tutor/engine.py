"""What a language model must be able to do for the tutor, whoever runs it.

Knows nothing of files or libraries: `llama` runs GGUF files. Bytes become text
here, because a model's pieces may end in the middle of a letter.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NotRequired, Protocol, TypedDict

from edge.tutor.reply import Waiting

Shape = str | Mapping[str, Any]
"""What an answer must look like: a grammar (GBNF, with the rule `root`), or a JSON schema."""


LIMIT_SECONDS = 180.0
"""An answer that is not whole by then ends: nobody waits for ever."""


class Message(TypedDict):
    """One thing said in a conversation."""

    role: str
    content: str
    stable: NotRequired[int]
    """So many characters of a question are its lesson: kept from turn to turn and, with the system line, never left out.

    They end with the space or line break that stands before the question itself, which then goes on anywhere.
    """


class Engine(Protocol):
    """A language model that can be asked to go on with a conversation."""

    name: str
    context_tokens: int
    """How many tokens a conversation may have with its answer."""

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, stop: Callable[[], bool]
    ) -> Iterator[str | Waiting]:
        """Yield the answer piece by piece, before it our place where others wait too; end soon after `stop()` says so.

        The messages are the whole conversation: a system line, then questions and answers by turns, a question last.
        Where it is too long with its answer, the oldest turns are left out; ModelError when nothing is left to leave out.
        """
        ...


class ShapingEngine(Engine, Protocol):
    """A language model that can be held to a shape."""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        stop: Callable[[], bool],
        shape: Shape | None = None,
    ) -> Iterator[str | Waiting]:
        """Do as `Engine` does, and keep the answer within `shape`; `max_tokens` may still cut it off.

        Raises ModelError when the shape cannot be used.
        """
        ...


def whole_letters(pieces: Iterable[bytes]) -> Iterator[str]:
    """Turn bytes into text, holding back a letter until all its bytes are there.

    Bytes that are no text become the replacement sign.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text
    if rest := decoder.decode(b"", final=True):
        yield rest

"""A model's answer, shown sentence by sentence and only as far as the passages support it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edge.tutor.engine import Engine
from edge.tutor.prompt import grounded
from edge.tutor.reply import Piece, Sentence, sentences_of
from edge.tutor.support import supported

MOST_TOKENS = 160
MOST_SENTENCES = 4


def generate(
    engine: Engine, question: str, passages: Sequence[str], lang: str, stop: Callable[[], bool]
) -> Iterator[Piece | Sentence]:
    """Yield the supported sentences of the model's answer; end at the first that is not."""
    pending, shown = "", 0
    for text in engine.stream(grounded(question, passages, lang), max_tokens=MOST_TOKENS, stop=stop):
        pending += text
        *whole, pending = sentences_of(f"{pending}\0") or [pending]
        pending = pending.removesuffix("\0")
        for sentence in whole:
            if shown == MOST_SENTENCES or not supported(sentence, passages, lang):
                return
            yield from _show(sentence, shown)
            shown += 1
    if pending.strip() and shown < MOST_SENTENCES and supported(pending, passages, lang) and not stop():
        yield from _show(pending.strip(), shown)


def _show(sentence: str, shown: int) -> Iterator[Piece | Sentence]:
    yield Piece(sentence if shown == 0 else f" {sentence}")
    yield Sentence(sentence)

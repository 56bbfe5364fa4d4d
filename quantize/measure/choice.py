"""Answer questions with choices by likelihood: the ending that the model finds likeliest, letter for letter.

Every choice is read after the same question, which is read once. The score of a
choice is its log chance divided by its length in bytes (`acc_norm` of EleutherAI's
evaluation harness), so that long choices are not at a loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.onnx.opening import Loaded
from edge.tutor.engine import Message
from quantize.measure.score import log_softmax
from quantize.measure.tasks import Choice


def chosen(engine: Loaded, question: Choice) -> int | None:
    """Return which choice the model finds likeliest; None when the question does not fit into its memory."""
    asked: list[Message] = [{"role": "user", "content": question.question}]
    before = engine.tokens_of(engine.prompt_of(asked), special=True)
    endings = [engine.tokens_of(text) for text in question.choices]
    if not before or len(before) + max(map(len, endings)) > engine.context_tokens:
        return None
    scores = [likelihood(engine, before, ending) for ending in endings]
    sizes = [max(1, len(text.encode())) for text in question.choices]
    return int(np.argmax([score / size for score, size in zip(scores, sizes, strict=True)]))


def likelihood(engine: Loaded, before: Sequence[int], ending: Sequence[int]) -> float:
    """Return the log chance of `ending` after `before`, in nats; what was read before is not read again."""
    total, at = 0.0, 0
    for rows in engine.scores_of([*before, *ending[:-1]], start=len(before) - 1):
        came = list(ending[at : at + len(rows)])
        total += float(log_softmax(rows)[np.arange(len(came)), came].sum())
        at += len(rows)
    return total

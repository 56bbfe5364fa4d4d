"""How much memory a file needs while it answers: weights, conversation and working memory.

The conversation is exact for the plain case (16-bit keys and values for every token
of the context); working memory is an estimate, checked in the tests against what
llama.cpp reports.
"""

from __future__ import annotations

from dataclasses import dataclass

from quantize.bits.parent import EMBEDDING, Parent

BATCH = 256
"""Tokens that our engine reads at once."""

CELLS = 256
"""llama.cpp rounds the room for a conversation up to a multiple of this."""

GLOBAL_EVERY = 6
"""Of Gemma 3's layers, one in so many sees the whole context; the others a window."""


@dataclass(frozen=True, slots=True)
class Ram:
    """Bytes, part by part."""

    weights: int
    conversation: int
    working: int

    @property
    def total(self) -> int:
        """Return all of it."""
        return self.weights + self.conversation + self.working

    def parts(self) -> dict[str, int]:
        """Return the parts by name, and the total."""
        return {
            "weights": self.weights,
            "conversation": self.conversation,
            "working": self.working,
            "total": self.total,
        }


def ram_of(parent: Parent, file_bytes: int, context: int) -> Ram:
    """Return what a file of `file_bytes` with this architecture needs at `context` tokens."""
    context = min(context, parent.fact("context_length", context) or context)
    context = -(-context // CELLS) * CELLS
    return Ram(file_bytes, _conversation(parent, context), _working(parent, context))


def _conversation(parent: Parent, context: int) -> int:
    layers = parent.fact("block_count")
    keys = parent.fact("attention.head_count_kv", parent.fact("attention.head_count"))
    size = parent.fact("embedding_length") // max(1, parent.fact("attention.head_count", 1))
    width = keys * (parent.fact("attention.key_length", size) + parent.fact("attention.value_length", size))
    window = parent.fact("attention.sliding_window")
    near = layers - layers // GLOBAL_EVERY if parent.architecture == "gemma3" and window else 0
    tokens = (layers - near) * context + near * min(context, window + BATCH)
    return 2 * width * tokens


def _working(parent: Parent, context: int) -> int:
    """Estimate: scores for a batch of words, or the widest layer, in 32 bits; attention needs no table of its own."""
    batch = min(BATCH, context)
    words = next((tensor.rows for tensor in parent.tensors if tensor.name == EMBEDDING), 0)
    hidden, wide = parent.fact("embedding_length"), parent.fact("feed_forward_length")
    return 4 * (words + batch * (max(words, 3 * wide) + 2 * hidden))

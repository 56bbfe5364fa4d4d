"""How many pupils one model can answer at once in the memory that is free. Pure; what it takes is reckoned, not guessed."""

from __future__ import annotations

from edge.shared.room import LESSON_TOKENS, SEAT_TOKENS
from edge.tutor.gguf import GgufHead

MOST_SEATS = 8
"""More at once are slower for each of them than waiting a moment."""

MEGABYTE = 1 << 20
WORK_MB = 200
"""What llama.cpp and Python take beside the model and the memory of the conversations."""

BYTES_A_NUMBER = 2


def seats_for(head: GgufHead, size: int, free_mb: int) -> int:
    """Return for how many seats there is room, at most MOST_SEATS; 0 when not even one fits."""
    left = free_mb * MEGABYTE - size - WORK_MB * MEGABYTE - token_bytes(head) * LESSON_TOKENS
    return max(0, min(MOST_SEATS, left // (token_bytes(head) * SEAT_TOKENS)))


def token_bytes(head: GgufHead) -> int:
    """Return how much memory a model keeps of one token: a key and a value in every layer."""

    def number(name: str, otherwise: int) -> int:
        found = head.fields.get(f"{head.architecture}.{name}", otherwise)
        return found if isinstance(found, int) and found > 0 else otherwise

    heads = number("attention.head_count", 1)
    width = number("embedding_length", heads) // heads
    keys, values = number("attention.key_length", width), number("attention.value_length", width)
    # Where the layers differ the file holds a list, which the head leaves out; then as many as there can be.
    kept = number("attention.head_count_kv", heads)
    return max(1, number("block_count", 1) * kept * (keys + values) * BYTES_A_NUMBER)

"""Which tokens of a byte-level BPE vocabulary can go without any kept text being read differently. Pure functions.

A token is built by merges inside its own letters, always the same ones. Whoever keeps a token and all pieces it is
built of ("merge closure") keeps its merges, and every text that was read as kept tokens is read as the same tokens:
with fewer merges on offer, the one that was first before is still first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Pair = tuple[str, str]


def pieces_of(token: str, ranks: Mapping[Pair, int]) -> set[str]:
    """Return every piece that merging makes on the way from single letters to `token`, and what it ends at."""
    parts = list(token)
    made: set[str] = set(parts)
    while len(parts) > 1:
        best = min(range(len(parts) - 1), key=lambda at: ranks.get((parts[at], parts[at + 1]), len(ranks)))
        if (parts[best], parts[best + 1]) not in ranks:
            break
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
        made.add(parts[best])
    return made


def closure(tokens: Iterable[str], ranks: Mapping[Pair, int]) -> set[str]:
    """Return the tokens and every piece they are built of."""
    kept: set[str] = set()
    for token in tokens:
        kept.add(token)
        kept |= pieces_of(token, ranks)
    return kept


def most_used(counts: Mapping[int, int], coverage: float) -> list[int]:
    """Return the fewest tokens that make up the part `coverage` of all that were counted, most used first."""
    total = sum(counts.values())
    chosen: list[int] = []
    seen = 0
    for number, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if seen >= coverage * total:
            break
        chosen.append(number)
        seen += count
    return chosen


def choose(
    counts: Mapping[str, Counter[int]],
    names: Sequence[str],
    always: set[int],
    ranks: Mapping[Pair, int],
    coverage: float,
    most: int,
) -> list[int]:
    """Return the numbers of the tokens to keep, in order.

    `names` are the tokens by number, `always` the numbers that stay whatever the texts say, `counts` how often each
    token occurs in each language. With `most` > 0 the coverage of all languages sinks alike until that many are enough.
    """
    numbers = {name: number for number, name in enumerate(names)}

    def keeping(share: float) -> list[int]:
        wanted = {number for found in counts.values() for number in most_used(found, share)} - always
        pieces = closure((names[number] for number in wanted), ranks)
        return sorted(always | {numbers[piece] for piece in pieces if piece in numbers})

    kept = keeping(coverage)
    if most <= 0 or len(kept) <= most:
        return kept
    low, high = 0.0, coverage
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if len(keeping(middle)) <= most else (low, middle)
    return keeping(low)


def unchanged(counts: Mapping[int, int], kept: set[int]) -> float:
    """Return the part of the tokens of a text that a trimmed vocabulary still has."""
    return sum(count for number, count in counts.items() if number in kept) / max(1, sum(counts.values()))

"""Give the pieces of words a first meaning: pieces with like neighbours get like vectors.

Weighted co-occurrence counts and a singular value decomposition (Levy and Goldberg,
2014): a minute of work that spares the network from learning it out of few questions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from edge.tutor.encoding import Vocabulary
from edge.tutor.features import words_of

REACH = 5
SPREAD = 0.05
"""The standard deviation of the vectors; the network's other first numbers have 0.02."""


def first_meanings(texts: Sequence[str], vocabulary: Vocabulary, width: int, seed: int) -> Tensor:
    """Return one vector for each piece of the vocabulary."""
    size = len(vocabulary.pieces)
    counts = torch.zeros(size * size)
    for start in range(0, len(texts), 2000):
        ids = _pieces(texts[start : start + 2000], vocabulary)
        for distance in range(1, REACH + 1):
            left, right = ids[:-distance], ids[distance:]
            apart = torch.ones(len(left), dtype=torch.bool)
            for between in range(distance + 1):
                apart &= ids[between : len(ids) - distance + between] >= 0
            weight = torch.full((int(apart.sum()),), 1.0 / distance)
            counts.index_add_(0, left[apart] * size + right[apart], weight)
    table = counts.view(size, size)
    table = table + table.T
    return _factor(table, width, seed)


def _pieces(texts: Sequence[str], vocabulary: Vocabulary) -> Tensor:
    """Return the pieces of all texts in one row, with -1 between texts."""
    ids: list[int] = []
    for text in texts:
        for word in words_of(text):
            ids.extend(vocabulary.split(word.folded))
        ids.append(-1)
    return torch.tensor(ids)


def _factor(table: Tensor, width: int, seed: int) -> Tensor:
    """Turn counts into positive pointwise mutual information, and that into `width` numbers each."""
    torch.manual_seed(seed)
    total = table.sum()
    rows = table.sum(1).clamp(min=1.0)
    softened = rows**0.75
    expected = rows.unsqueeze(1) * (softened / softened.sum()).unsqueeze(0)
    table = (table / expected).clamp(min=1.0).log() if total > 0 else table
    left, sizes, _ = torch.svd_lowrank(table, q=width, niter=3)
    vectors = left * sizes.sqrt()
    vectors = vectors - vectors.mean(0)
    return vectors / vectors.std().clamp(min=1e-6) * SPREAD

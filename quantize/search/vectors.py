"""Count which words stand near each other, and turn the counts into vectors.

Positive pointwise mutual information with softened contexts, factored by a singular value
decomposition (Levy, Goldberg and Dagan, 2015), over stems as the search sees them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from edge.library.terms import term_of

WORD = re.compile(r"[^\W\d_]+")
REACH = 6
VERY_FREQUENT = 120
"""The most frequent words say nothing about their neighbours."""

SOFTENING = 0.75
SHIFT = float(np.log(2.0))
LARGE_BLOCK = 2_000_000
WEIGHT_OFFSET = 5.0
"""Subtracted from the log of how rare a word is, so that ordinary words weigh about 1."""

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Counted:
    """Words of one language, the most frequent first, with vectors, shape (words, width), and weights."""

    words: list[str]
    vectors: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Keep the words and numbers in one file."""
        np.savez(path, words=np.array(self.words), vectors=self.vectors, weights=self.weights)

    @classmethod
    def load(cls, path: Path) -> Counted:
        """Read what `save` kept."""
        with np.load(path) as found:
            return cls(found["words"].tolist(), found["vectors"], found["weights"])


def count(texts: Iterable[str], lang: str, vocabulary: int, least: int, width: int, seed: int) -> Counted:
    """Count the texts of one language and factor the counts."""
    seen: Counter[str] = Counter()
    stems: list[list[str]] = []
    stem = lru_cache(maxsize=None)(lambda word: min(term_of(word, lang))[2:])
    for text in texts:
        found = [stem(word) for word in WORD.findall(text.lower())]
        seen.update(found)
        stems.append(found)
    words = [word for word, number in seen.most_common(vocabulary) if number >= least]
    rows = {word: row for row, word in enumerate(words)}
    table = _neighbours(([rows.get(s, -1) for s in found] for found in stems), len(words))
    total = sum(seen.values())
    rare = np.log(np.array([total / seen[word] for word in words])) - WEIGHT_OFFSET
    return Counted(words, _factor(table, min(width, len(words) - 2), seed, width), rare.astype(np.float32))


def _neighbours(texts: Iterable[list[int]], size: int) -> sparse.csr_matrix:
    """Return how often words stand within reach of each other, nearer ones counting more."""
    table = sparse.csr_matrix((size, size), dtype=np.float32)
    block: list[Ids] = []
    held = 0
    for text in texts:
        block.append(np.array([i for i in text if i >= min(VERY_FREQUENT, size // 8)] + [-1] * REACH, dtype=np.int32))
        held += len(block[-1])
        if held > LARGE_BLOCK:
            table, block, held = table + _pairs(np.concatenate(block), size), [], 0
    return table + _pairs(np.concatenate(block), size) if block else table


def _pairs(ids: Ids, size: int) -> sparse.csr_matrix:
    left, right, weight = [], [], []
    for away in range(1, REACH + 1):
        near = (ids[:-away] >= 0) & (ids[away:] >= 0)
        left.append(ids[:-away][near])
        right.append(ids[away:][near])
        weight.append(np.full(int(near.sum()), 1.0 / away, dtype=np.float32))
    shape = (size, size)
    half = sparse.coo_matrix((np.concatenate(weight), (np.concatenate(left), np.concatenate(right))), shape=shape)
    return (half + half.T).tocsr()


def _factor(table: sparse.csr_matrix, rank: int, seed: int, width: int) -> npt.NDArray[np.float32]:
    """Return unit vectors, shape (words, width), from a randomised factorisation of the information."""
    sums = np.asarray(table.sum(1)).ravel() + 1e-9
    context = sums**SOFTENING / (sums**SOFTENING).sum()
    cells = table.tocoo()
    value = np.log(cells.data / (sums[cells.row] * context[cells.col]) + 1e-12) - SHIFT
    kept = value > 0
    information = sparse.csr_matrix(
        (value[kept], (cells.row[kept], cells.col[kept])), shape=table.shape, dtype=np.float32
    )
    guess = np.random.default_rng(seed).normal(size=(table.shape[0], min(rank + 16, table.shape[0]))).astype(np.float32)
    for _ in range(4):
        guess, _ = np.linalg.qr(information @ guess)
        guess, _ = np.linalg.qr(information.T @ guess)
    left, sizes, _ = np.linalg.svd(information @ guess, full_matrices=False)
    vectors = np.zeros((table.shape[0], width), dtype=np.float32)
    vectors[:, :rank] = left[:, :rank] * np.sqrt(sizes[:rank])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    return vectors

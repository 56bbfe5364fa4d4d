"""Bring the ways to ask one thing together: a linear map over the counted vectors.

Contrastive (in-batch) training on the packs' own paraphrases and answers; a second small
function learns how much each word pulls. Words that no paraphrase holds are moved by the
same map, so they stay among their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from edge.library.meaning import LEAST_WEIGHT, WIDTH
from edge.library.pack import Pack
from edge.library.terms import content_terms
from quantize.search.settings import SearchTable
from quantize.search.vectors import Counted

LONGEST = 24
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Aligned:
    """Final vectors of one language, shape (words, WIDTH), and how much each word pulls, shape (words,)."""

    vectors: npt.NDArray[np.float32]
    pulls: npt.NDArray[np.float32]


class Aligner(nn.Module):  # type: ignore[misc]
    """Maps counted vectors and weighs them into one vector a text."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.map = nn.Linear(width, WIDTH, bias=False)
        self.map.weight.data = torch.eye(WIDTH, width)
        self.pull = nn.Linear(width + 1, 1)
        self.pull.weight.data.zero_()
        self.pull.weight.data[0, width] = 0.3
        self.scale = nn.Parameter(torch.tensor(2.5))

    def pulls(self, vectors: Tensor, weights: Tensor) -> Tensor:
        """Return how much each word pulls, shape of `weights`."""
        return nn.functional.softplus(self.pull(torch.cat([vectors, weights[..., None]], -1)).squeeze(-1))

    def forward(self, batch: Batch) -> Tensor:
        """Return unit vectors, shape (texts, WIDTH), for padded words, shape (texts, LONGEST, width)."""
        vectors, weights = batch
        pulls = self.pulls(vectors, weights) * (weights > 0)
        centre = (self.map(vectors) * pulls[..., None]).sum(1)
        return centre / (centre.norm(dim=-1, keepdim=True) + 1e-6)


def align(packs: list[Pack], counted: dict[str, Counted], table: SearchTable, seed: int) -> dict[str, Aligned]:
    """Train the map on the ways to ask each bank entry, pupils' own among them, and apply it to every word."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    texts = _Texts(counted)
    entries = [(lesson.lang, entry) for pack in packs for lesson in pack.lessons for entry in lesson.bank]
    ways = [[texts.add(t, lang) for t in (e.question, *e.variants, *e.heard)] for lang, e in entries]
    answers = [texts.add(e.text, lang) for lang, e in entries]
    several = [number for number, found in enumerate(ways) if len(found) > 1]
    model = Aligner(table.counted_width)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(table.align_steps):
        chosen = random.choice(several, min(table.align_batch, len(several)), replace=False)
        pairs = [random.choice(ways[n], 2, replace=False) for n in chosen]
        one, other = (model(texts.batch([pair[side] for pair in pairs])) for side in (0, 1))
        answer = model(texts.batch([answers[n] for n in chosen]))
        right = torch.arange(len(chosen))
        heat = model.scale.exp()
        loss = nn.functional.cross_entropy(one @ other.T * heat, right)
        loss = loss + 0.5 * nn.functional.cross_entropy(one @ answer.T * heat, right)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {lang: _apply(model, c) for lang, c in counted.items()}


class _Texts:
    """Texts as rows of one table of word vectors, every language below the other; row 0 is no word."""

    def __init__(self, counted: dict[str, Counted]) -> None:
        width = next(iter(counted.values())).vectors.shape[1]
        self._rows: dict[str, dict[str, int]] = {}
        vectors, weights, at = [np.zeros((1, width), np.float32)], [np.zeros(1, np.float32)], 1
        for lang, found in counted.items():
            self._rows[lang] = {word: at + row for row, word in enumerate(found.words)}
            vectors.append(found.vectors)
            weights.append(np.maximum(found.weights, LEAST_WEIGHT))
            at += len(found.words)
        self._vectors, self._weights = (
            torch.from_numpy(np.concatenate(vectors)),
            torch.from_numpy(np.concatenate(weights)),
        )
        self._texts: list[npt.NDArray[np.int64]] = []

    def add(self, text: str, lang: str) -> int:
        """Keep a text; return its number."""
        rows = self._rows[lang]
        terms = dict.fromkeys(content_terms(text, lang))
        known = [min((rows[form[2:]] for form in term if form[2:] in rows), default=0) for term in terms]
        kept = np.zeros(LONGEST, dtype=np.int64)
        found = [row for row in known if row][:LONGEST]
        kept[: len(found)] = found
        self._texts.append(kept)
        return len(self._texts) - 1

    def batch(self, numbers: Sequence[int]) -> Batch:
        """Return the vectors and weights of some texts, padded to LONGEST words."""
        rows = torch.from_numpy(np.stack([self._texts[number] for number in numbers]))
        return self._vectors[rows], self._weights[rows]


def _apply(model: Aligner, counted: Counted) -> Aligned:
    with torch.no_grad():
        vectors = torch.from_numpy(counted.vectors)
        weights = torch.from_numpy(np.maximum(counted.weights, LEAST_WEIGHT))
        return Aligned(model.map(vectors).numpy(), model.pulls(vectors, weights).numpy())


def save_aligned(aligned: dict[str, Aligned], counted: dict[str, Counted], folder: Path) -> None:
    """Write what devices read, one file a language: 8-bit vectors, words by newlines, two weights a word."""
    folder.mkdir(parents=True, exist_ok=True)
    for lang, found in aligned.items():
        scale = 127 / (np.abs(found.vectors).max(axis=1, keepdims=True) + 1e-9)
        np.savez(
            folder / f"{lang}.npz",
            words=np.frombuffer("\n".join(counted[lang].words).encode(), dtype=np.uint8),
            vectors=np.round(found.vectors * scale).astype(np.int8),
            weights=counted[lang].weights.astype(np.float16),
            pulls=found.pulls.astype(np.float16),
        )

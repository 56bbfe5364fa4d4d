"""What words mean to the search: vectors in which `restregar` stands near `lavar`.

Made by `amauta-quantize run recipes/search.toml` from open texts and the packs. A word
the vectors lack still counts by its letters. Reads one small file a language, at first use.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from edge.errors import ModelError
from edge.library.terms import Term

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

EMBEDDED = Path(__file__).parent.parent / "models" / "search"
WIDTH = 64
LEAST_WEIGHT = 0.2
UNKNOWN_WEIGHT, UNKNOWN_PULL = 9.0, 2.5
"""What a word weighs and how much it pulls when the vectors lack it: it is rare, often a name."""

NEAR_FROM, NEAR_SPAN, NEAR_MOST = 0.35, 0.5, 0.9
"""A cosine of 0.35 or less says nothing; 0.8 and more nearly counts as the same word."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: the words of a question, an answer, a passage."""

    terms: tuple[Term, ...]
    vectors: Floats
    """Shape (words, WIDTH), unit length; zero for a word without a vector."""

    weights: Floats
    """Shape (words,): how much each word tells, from how rare it is in the language."""

    pulls: Floats
    """Shape (words,): how much each word matters for what is asked, learned from paraphrases."""

    centre: Floats
    """Shape (WIDTH,): where the whole text stands, unit length or zero."""

    @cached_property
    def forms(self) -> frozenset[str]:
        """Return every form of every word."""
        return frozenset(form for term in self.terms for form in term)

    def found_in(self, other: Side) -> tuple[Floats, Floats]:
        """Return for each word whether `other` holds it (0 or 1), and how nearly it does (0 to 1)."""
        import numpy as np

        exact = np.array([bool(term & other.forms) for term in self.terms], dtype=np.float32)
        if not self.terms or not other.terms:
            return exact, exact
        near = (self.vectors @ other.vectors.T).max(axis=1)
        return exact, np.maximum(exact, np.clip((near - NEAR_FROM) / NEAR_SPAN, 0, NEAR_MOST))

    def share(self, found: Floats) -> float:
        """Return the part of this side's weight that was found."""
        return float((found * self.weights).sum() / (self.weights.sum() + 1e-6))

    def pulled(self, found: Floats) -> float:
        """Return the part of what matters on this side that was found."""
        return float((found * self.pulls).sum() / (self.pulls.sum() + 1e-6))


class Meaning:
    """The vectors of every language, each read when it is first asked for."""

    def __init__(self, folder: Path = EMBEDDED) -> None:
        self._folder = folder
        self._tables: dict[str, dict[str, Any]] = {}

    def fingerprint(self) -> str:
        """Return a name for these vectors, from their files' names, sizes and first bytes."""
        digest = hashlib.sha256()
        for path in sorted(self._folder.glob("??.npz")):
            with path.open("rb") as file:
                digest.update(f"{path.name} {path.stat().st_size}".encode() + file.read(4096))
        return digest.hexdigest()[:12]

    def side(self, terms: Sequence[Term], lang: str) -> Side:
        """Return these words as one side of a comparison; each word counts once."""
        import numpy as np

        kept = tuple(dict.fromkeys(terms))
        table = self._table(lang)
        rows = [self._row(table, term) for term in kept]
        vectors = np.zeros((len(kept), WIDTH), dtype=np.float32)
        weights = np.full(len(kept), UNKNOWN_WEIGHT, dtype=np.float32)
        pulls = np.full(len(kept), UNKNOWN_PULL, dtype=np.float32)
        held = [n for n, row in enumerate(rows) if row is not None]
        if held:
            at = [row for row in rows if row is not None]
            # Kept in 8 bits, for most are never asked for.
            found = table["vectors"][at].astype(np.float32)
            vectors[held] = found / (np.linalg.norm(found, axis=1, keepdims=True) + 1e-6)
            weights[held] = np.maximum(table["weights"][at], LEAST_WEIGHT)
            pulls[held] = table["pulls"][at]
        centre = (vectors * pulls[:, None]).sum(axis=0)
        return Side(kept, vectors, weights, pulls, centre / (float(np.linalg.norm(centre)) + 1e-6))

    def _row(self, table: dict[str, Any], term: Term) -> int | None:
        rows = [row for form in term if (row := table["rows"].get(form[2:])) is not None]
        return min(rows, default=None)

    def _table(self, lang: str) -> dict[str, Any]:
        if lang not in self._tables:
            path = self._folder / f"{lang}.npz"
            self._tables[lang] = _read(path) if path.exists() else {"rows": {}}
        return self._tables[lang]


def _read(path: Path) -> dict[str, Any]:
    """Read one language: the words, the most frequent first, with vectors of 8 bits."""
    import numpy as np

    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
            words = found["words"].tobytes().decode("utf-8").split("\n")
            vectors = found["vectors"]
            weights, pulls = found["weights"].astype(np.float32), found["pulls"].astype(np.float32)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ModelError("search-model-broken", path=path, reason=str(error)) from error
    return {
        "rows": {word: row for row, word in enumerate(words)},
        "vectors": vectors,
        "weights": weights,
        "pulls": pulls,
    }

"""Weigh features into a probability: small regression trees, added up (gradient boosting).

Fitted by `amauta-quantize run recipes/search.toml` on questions that pupils might ask,
none of them those of the tests. Here they are only followed, all trees at once.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from edge.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from edge.library.meaning import Floats

    Whole = npt.NDArray[np.int16]

FIELDS = ("feature", "bound", "below", "above", "value")
"""The arrays of a judge, each of shape (trees, nodes)."""


@dataclass(frozen=True, slots=True)
class Judge:
    """The trees of one judgement. A node whose `feature` is negative is a leaf."""

    feature: Whole
    bound: Floats
    below: Whole
    """Where to go when the feature is at most the bound; `above` otherwise."""

    above: Whole
    value: Floats
    start: float
    threshold: float
    """From this probability on, what was judged may be shown."""

    def of(self, features: Sequence[Sequence[float]]) -> list[float]:
        """Return the probability of each row, for any number of rows."""
        import numpy as np

        return [float(p) for p in self.probabilities(np.array(features, dtype=np.float32))] if features else []

    def probabilities(self, features: Floats) -> Floats:
        """Return the probability for each row of `features`, shape (rows,)."""
        import numpy as np

        trees = np.arange(len(self.feature))
        rows = np.arange(len(features))[:, None]
        at = np.zeros((len(features), len(trees)), dtype=np.int64)
        while (inner := self.feature[trees, at] >= 0).any():
            low = features[rows, np.maximum(self.feature[trees, at], 0)] <= self.bound[trees, at]
            at = np.where(inner, np.where(low, self.below[trees, at], self.above[trees, at]), at)
        total: Floats = self.start + self.value[trees, at].sum(axis=1)
        return total.clip(0.0, 1.0)


def read_judges(path: Path) -> dict[str, Judge]:
    """Read every judgement of a file; raise ModelError when it is not one of ours."""
    import numpy as np

    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
            names = sorted({key.partition(".")[0] for key in found.files})
            return {name: _judge({field: found[f"{name}.{field}"] for field in (*FIELDS, "numbers")}) for name in names}
    except (OSError, ValueError, KeyError, EOFError, IndexError, BadZipFile) as error:
        raise ModelError("search-model-broken", path=path, reason=str(error)) from error


def _judge(arrays: dict[str, Any]) -> Judge:
    start, threshold = (float(number) for number in arrays["numbers"])
    feature, bound, below, above, value = (arrays[field] for field in FIELDS)
    return Judge(feature, bound, below, above, value, start, threshold)

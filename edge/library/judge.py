"""Weigh features into a probability: a few small networks of one hidden layer, averaged.

Fitted by `amauta-quantize run recipes/search.toml` on questions that pupils might ask,
none of them those of the tests.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ModelError

if TYPE_CHECKING:
    from edge.library.meaning import Floats


@dataclass(frozen=True, slots=True)
class Judge:
    """The networks of one judgement."""

    mean: Floats
    spread: Floats
    networks: tuple[tuple[Floats, Floats, Floats, float], ...]
    """For each: hidden weights (hidden, features), hidden bias, output weights (hidden,), output bias."""

    threshold: float
    """From this probability on, what was judged may be shown."""

    def of(self, features: Sequence[Sequence[float]]) -> list[float]:
        """Return the probability of each row, for any number of rows."""
        import numpy as np

        return [float(p) for p in self.probabilities(np.array(features, dtype=np.float32))] if features else []

    def probabilities(self, features: Floats) -> Floats:
        """Return the probability for each row of `features`, shape (rows,)."""
        import numpy as np

        scaled = (features - self.mean) / self.spread
        total = np.zeros(len(features))
        for hidden, bias, output, last in self.networks:
            score = np.tanh(scaled @ hidden.T + bias) @ output + last
            total += 1 / (1 + np.exp(-np.clip(score, -30, 30)))
        return (total / max(1, len(self.networks))).astype(np.float32)


def read_judges(path: Path) -> dict[str, Judge]:
    """Read every judgement of a file; raise ModelError when it is not one of ours."""
    import numpy as np

    def floats(values: list[Any]) -> Floats:
        return np.array(values, dtype=np.float32)

    try:
        found = json.loads(path.read_bytes())
        return {
            name: Judge(
                floats(facts["mean"]),
                floats(facts["spread"]),
                tuple((floats(h), floats(b), floats(o), float(last)) for h, b, o, last in facts["networks"]),
                float(facts["threshold"]),
            )
            for name, facts in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError("search-model-broken", path=path, reason=str(error)) from error

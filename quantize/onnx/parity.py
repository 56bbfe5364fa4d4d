"""How far an ONNX folder is from the checkpoint it was made from: the same texts through torch and onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.onnx.export import load_network, quiet
from quantize.onnx.folder import Kind
from quantize.onnx.runner import Runner
from quantize.recipe import RecipeError

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Parity:
    """What was compared and how much it differs."""

    task: str
    kind: Kind
    texts: int
    tokens: int
    difference: float
    """The largest, between single outputs, as a share of the spread (standard deviation) of torch's outputs."""

    cosine: float
    """The lowest, between what the two say of one text: of mean embeddings, or of all its logits."""

    agreement: float
    """How many tokens' best output is the same: the next token, or the place an answer begins and ends."""

    bytes: int

    def facts(self) -> dict[str, Any]:
        """Return what a report card keeps."""
        rounded = {name: round(v, 6) if isinstance(v, float) else v for name, v in asdict(self).items()}
        return {**rounded, "accepted": dict(LIMITS[self.kind])}


LIMITS: Mapping[Kind, Mapping[str, float]] = {
    "fp32": {"difference": 2e-3, "cosine": 0.99999},
    "int8": {"cosine": 0.98},
    "int4": {"cosine": 0.95},
}
"""What is accepted: `difference` at most, `cosine` at least. fp32 differs only by the order of its sums."""


def parity(folder: Path, onnx: Path, texts: Sequence[str]) -> Parity:
    """Compare the checkpoint in `folder` with an ONNX folder on `texts`; raise RecipeError when there is nothing to compare."""
    runner = Runner(onnx)
    tokens = [row for row in runner.encode(texts) if row]
    if not tokens:
        raise RecipeError("onnx-texts", path=onnx)
    task = runner.facts.task
    with quiet():
        network = load_network(folder, task)
        pairs = [(_torch(network, row), mine) for row, mine in zip(tokens, runner.outputs(tokens), strict=True)]
    spread = float(np.concatenate([theirs.ravel() for theirs, _ in pairs]).std()) or 1.0
    pooled = task == "feature-extraction"
    return Parity(
        task=task,
        kind=runner.facts.kind,
        texts=len(tokens),
        tokens=sum(len(row) for row in tokens),
        difference=max(float(np.abs(theirs - mine).max()) for theirs, mine in pairs) / spread,
        cosine=min(cosine(*((a.mean(axis=0) if pooled else a.ravel()) for a in pair)) for pair in pairs),
        agreement=float(np.mean(np.concatenate([_agreed(task, *pair) for pair in pairs]))),
        bytes=runner.facts.bytes,
    )


def check(found: Parity, kind: Kind) -> None:
    """Raise RecipeError when an ONNX file is further from its checkpoint than `kind` may be."""
    limits = LIMITS[kind]
    most = limits.get("difference", float("inf"))
    good = found.cosine >= limits["cosine"] and found.difference <= most
    if not good:
        raise RecipeError(
            "onnx-parity",
            kind=kind,
            cosine=round(found.cosine, 5),
            least=limits["cosine"],
            difference=round(found.difference, 5),
        )


def cosine(one: Floats, other: Floats) -> float:
    """Return the cosine of the angle between two vectors; 0 when one of them is nothing or not a number."""
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if np.isfinite(length) and length > 0 else 0.0


def _torch(network: Any, row: Sequence[int]) -> Floats:
    import torch

    with torch.no_grad():
        out = network(input_ids=torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long))
    if "start_logits" in out:
        return np.stack([out.start_logits[0].numpy(), out.end_logits[0].numpy()], axis=1)
    said = out.logits if "logits" in out else out.last_hidden_state
    return np.asarray(said[0].numpy(), dtype=np.float32)


def _agreed(task: str, theirs: Floats, mine: Floats) -> NDArray[np.bool_]:
    axis = 0 if task == "question-answering" else 1
    same: NDArray[np.bool_] = theirs.argmax(axis=axis) == mine.argmax(axis=axis)
    return same

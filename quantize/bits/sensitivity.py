"""Measure one tensor at a time what its types really cost: slow, and the check on the Fisher scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quantize.bits.ggml import kind_of, rounded
from quantize.bits.ledger import load
from quantize.bits.parent import read_parent
from quantize.bits.words import Windows

if TYPE_CHECKING:
    import torch

AT_ONCE = 8


def measured(
    folder: Path, gguf: Path, importance: Path, windows: Windows, tensors: Sequence[str] = (), threads: int = 1
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Return the measured KLD per token and the prediction, by tensor, for every type that `importance` tried."""
    import torch

    from quantize.bits import twins

    torch.set_num_threads(threads)
    parent = read_parent(gguf)
    found, facts = load(importance)
    model = twins.load_model(folder)
    parameters = dict(model.named_parameters())
    wanted = [_scores(model, torch.from_numpy(part)) for part in _parts(windows)]
    costs: dict[str, NDArray[np.float64]] = {}
    for pair in twins.pairs_of(model, parent):
        name = pair.tensor.name
        if tensors and name not in tensors:
            continue
        parameter = parameters[pair.parameter]
        original = parameter.detach().clone()
        values = parent.values(pair.tensor)
        row = []
        for kind in facts["types"][name]:
            pair.put(parameter, rounded(values, kind_of(kind), found["imatrix"].get(name), threads))
            row.append(_divergence(model, windows, wanted))
        parameter.data.copy_(original)
        costs[name] = np.array(row)
    predicted = found["fisher"] or found["error"]
    return costs, {name: predicted[name] for name in costs}


def rank_correlation(one: Mapping[str, NDArray[np.float64]], other: Mapping[str, NDArray[np.float64]]) -> float:
    """Return Spearman's correlation over all tensors and types, those that cost nothing left out."""
    a = np.concatenate([one[name] for name in sorted(one)])
    b = np.concatenate([other[name] for name in sorted(one)])
    keep = (a > 0) & (b > 0)
    ranks = [np.argsort(np.argsort(values[keep])).astype(float) for values in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _parts(windows: Windows) -> list[Windows]:
    return [windows[at : at + AT_ONCE] for at in range(0, len(windows), AT_ONCE)]


def _scores(model: torch.nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    import torch

    with torch.no_grad():
        scores: torch.Tensor = model(input_ids=tokens, use_cache=False).logits.float().log_softmax(-1)
    return scores


def _divergence(model: torch.nn.Module, windows: Windows, wanted: Sequence[torch.Tensor]) -> float:
    import torch

    total = 0.0
    for part, p in zip(_parts(windows), wanted, strict=True):
        q = _scores(model, torch.from_numpy(part))
        total += float((p.exp() * (p - q)).sum())
    return total / windows.size

"""A network whose matrices are, at every step, exactly what a quantized file would hold.

The network computes with rounded weights; what training moves are the weights
behind them (straight-through: the gradient passes as if nothing had been rounded).
These are kept as they will be stored, in 16 bits, so that the file is what was trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quantize.bits.ggml import kind_of, rounded

if TYPE_CHECKING:
    import torch

    from quantize.bits.twins import Pair


class Grid:
    """The rounded copy of a model's matrices, and the weights behind them."""

    def __init__(
        self,
        model: torch.nn.Module,
        pairs: Sequence[Pair],
        types: Mapping[str, str],
        imatrix: Mapping[str, NDArray[np.float32]],
        threads: int = 1,
    ) -> None:
        parameters = dict(model.named_parameters())
        self.model = model
        self._pairs, self._types, self._imatrix, self._threads = pairs, types, imatrix, threads
        self._shown = {pair.parameter: parameters[pair.parameter] for pair in pairs}
        self.behind = {name: shown.detach().clone() for name, shown in self._shown.items()}
        """The weights behind the rounded ones, by parameter."""

    def show(self) -> None:
        """Let the network compute with the rounded weights."""
        for pair in self._pairs:
            values = self.behind[pair.parameter].detach().half().float().cpu().numpy()
            name = pair.tensor.name
            near = rounded(
                np.ascontiguousarray(pair.to_gguf(values)),
                kind_of(self._types[name]),
                self._imatrix.get(name),
                self._threads,
            )
            pair.put(self._shown[pair.parameter], near)

    def pass_gradients(self) -> None:
        """Hand the gradients of the rounded weights to the weights behind them."""
        for name, shown in self._shown.items():
            self.behind[name].grad = shown.grad
            shown.grad = None

    def uncover(self) -> None:
        """Put the weights behind, in 16 bits, into the network itself."""
        for name, shown in self._shown.items():
            shown.data.copy_(self.behind[name].detach().half().float())

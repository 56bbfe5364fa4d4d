"""Muon in 32 bits: the optimizer of the matrices between the layers.

Each step moves a matrix along the orthogonal part of its momentum (Jordan et al. 2024; five Newton-Schulz rounds with
the published coefficients). PyTorch's own computes that part in bfloat16, which a processor without bfloat16 units does
seven times more slowly than in 32 bits; matrices of one size are worked on together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

ROUNDS = 5
A, B, C = 3.4445, -4.7750, 2.0315


class Muon(torch.optim.Optimizer):  # type: ignore[misc]
    """Momentum, made orthogonal; weight decay apart from it."""

    def __init__(
        self, weights: Iterable[Tensor], lr: float, weight_decay: float = 0.05, momentum: float = 0.95
    ) -> None:
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Callable[[], float] | None = None) -> None:
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            alike: dict[tuple[int, ...], list[Tensor]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    alike.setdefault(tuple(weight.shape), []).append(weight)
            for weights in alike.values():
                self._move(weights, group)

    def _move(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        wanted = torch.stack([self._momentum(weight, group["momentum"]) for weight in weights])
        rows, columns = wanted.shape[-2:]
        rate = group["lr"] * max(1.0, rows / columns) ** 0.5
        for weight, direction in zip(weights, orthogonal(wanted), strict=True):
            weight.mul_(1.0 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-rate)

    def _momentum(self, weight: Tensor, keep: float) -> Tensor:
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        momentum: Tensor = state["momentum"].lerp_(weight.grad, 1.0 - keep)
        return weight.grad.lerp(momentum, keep)


def orthogonal(matrices: Tensor) -> Tensor:
    """Return matrices [n, rows, columns] with the same singular vectors and singular values near one."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(ROUNDS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=B, alpha=C), x, beta=A)
    return x.mT if tall else x

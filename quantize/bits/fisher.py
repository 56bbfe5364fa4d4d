"""Fisher-projected KLD: what rounding each tensor to each type would cost, from gradients alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quantize.bits.candidates import Candidates
from quantize.bits.ggml import Kind
from quantize.bits.ledger import Clock, resume, save
from quantize.bits.settings import ImportanceSettings
from quantize.bits.words import Windows

if TYPE_CHECKING:
    import torch

    from quantize.bits.twins import Pair

PIECE = 1 << 22
"""Weights that are multiplied at once."""


def fisher(
    model: torch.nn.Module,
    pairs: Sequence[Pair],
    candidates: Candidates,
    windows: Windows,
    settings: ImportanceSettings,
    work: Path,
    device: str,
) -> dict[str, NDArray[np.float64]]:
    """Return for each matrix the predicted KLD per token of every type it may have, in nats."""
    found: dict[str, list[NDArray[np.float64]]] = {}
    for number, group in enumerate(_groups(pairs, candidates, settings.memory_mb << 20)):
        changes = {share.pair.parameter: _changes(share, candidates, device) for share in group}
        sums = _project(model, changes, windows, settings.seed, work / f"fisher-{number}.npz", device)
        for share in group:
            found.setdefault(share.pair.tensor.name, []).append(0.5 * sums[share.pair.parameter] / windows.size)
    return {name: np.concatenate(parts) for name, parts in found.items()}


@dataclass(frozen=True, slots=True)
class Share:
    """Some of a tensor's types: as many as fit into memory together."""

    pair: Pair
    kinds: tuple[Kind, ...]

    @property
    def bytes(self) -> int:
        """Return the memory that its changes take, at two bytes a number."""
        return 2 * self.pair.tensor.numbers * len(self.kinds)


def _groups(pairs: Sequence[Pair], candidates: Candidates, most: int) -> Iterator[list[Share]]:
    """Yield every tensor and type in groups whose changes fit into memory together; no tensor is in one twice."""
    group: list[Share] = []
    for pair in pairs:
        kinds = candidates.kinds_for(pair.tensor)
        at_once = max(1, most // (2 * pair.tensor.numbers))
        for at in range(0, len(kinds), at_once):
            share = Share(pair, kinds[at : at + at_once])
            again = any(other.pair is pair for other in group)
            if group and (again or sum(other.bytes for other in group) + share.bytes > most):
                yield group
                group = []
            group.append(share)
    if group:
        yield group


def _changes(share: Share, candidates: Candidates, device: str) -> torch.Tensor:
    """Return what each type changes in a parameter: [types, numbers], in 16 bits with a wide range."""
    import torch

    pair, tensor = share.pair, share.pair.tensor
    values = candidates.parent.values(tensor)
    changes = torch.empty(len(share.kinds), tensor.numbers, dtype=torch.bfloat16, device=device)
    for row, kind in zip(changes, share.kinds, strict=True):
        row.copy_(torch.from_numpy(pair.to_torch(candidates.change(tensor, kind, values)).reshape(-1)))
    return changes


def _project(
    model: torch.nn.Module,
    changes: dict[str, torch.Tensor],
    windows: Windows,
    seed: int,
    checkpoint: Path,
    device: str,
) -> dict[str, Any]:
    """Return the sum over windows of <gradient, change> squared, for every parameter and type."""
    import torch

    sums, done = resume(checkpoint)
    parameters = dict(model.named_parameters())
    was = {name: parameter.requires_grad for name, parameter in parameters.items()}
    for name, parameter in parameters.items():
        parameter.requires_grad_(name in changes)

    def listen(name: str) -> Any:
        def hook(parameter: torch.Tensor) -> None:
            assert parameter.grad is not None
            gradient = parameter.grad.reshape(-1)[: changes[name].shape[1]]
            squares = _products(changes[name], gradient).square().cpu().numpy()
            sums[name] = sums.get(name, 0.0) + squares
            parameter.grad = None

        return hook

    handles = [parameters[name].register_post_accumulate_grad_hook(listen(name)) for name in changes]
    clock = Clock("fisher", len(windows))
    try:
        for number in range(done, len(windows)):
            tokens = torch.from_numpy(windows[number : number + 1]).to(device)
            logits = model(input_ids=tokens, use_cache=False).logits[0].float()
            _surprise(logits, seed, number).backward()
            clock.tick(number + 1)
            if clock.due():
                save(checkpoint, sums | {"done": np.array(number + 1)})
    finally:
        for handle in handles:
            handle.remove()
        for name, parameter in parameters.items():
            parameter.requires_grad_(was[name])
    save(checkpoint, sums | {"done": np.array(len(windows))})
    return sums


def _surprise(logits: torch.Tensor, seed: int, number: int) -> torch.Tensor:
    """Draw a next token at every place from the model itself; return how little it expected them, in nats."""
    import torch

    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    drawn = torch.multinomial(logits.detach().softmax(-1).cpu(), 1, generator=generator).to(logits.device)
    return -logits.log_softmax(-1).gather(-1, drawn).sum()


def _products(changes: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return <gradient, change> for each type, in 64 bits."""
    import torch

    total = torch.zeros(len(changes), dtype=torch.float64, device=changes.device)
    for at in range(0, gradient.numel(), PIECE):
        total += (changes[:, at : at + PIECE].float() @ gradient[at : at + PIECE].float()).double()
    return total

"""Train the network: first on made-up questions, then on real ones; keep the weights that did best on dev.

A checkpoint is written at every look at dev, so that a run killed at any moment goes
on from there; a checkpoint of other settings is not trusted.
"""

from __future__ import annotations

import copy
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch

from quantize.reader.examples import Example
from quantize.reader.network import batch_of, forward, losses, make_network
from quantize.reader.settings import ReaderTable
from quantize.recipe import Recipe

AVERAGE = 0.995
WARM_UP_STEPS = 100
IMPORTANCE = {"sure": 2.0, "any": 0.5, "which": 1.0, "words": 1.0}


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train."""

    width: int
    layers: int
    dropout: float
    rate: float
    batch_pieces: int
    first_passes: float
    """Passes over the made-up questions."""

    passes: float
    """Passes over the real ones."""

    look_every: int
    patience: int
    """Looks at dev without progress before training ends."""

    seed: int
    threads: int


def plan_of(recipe: Recipe, table: ReaderTable) -> Plan:
    """Return the plan that a recipe asks for."""
    return Plan(
        width=table.width,
        layers=table.layers,
        dropout=table.dropout,
        rate=table.rate,
        batch_pieces=table.batch_pieces,
        first_passes=table.made_up_passes,
        passes=table.passes,
        look_every=table.look_every,
        patience=table.patience,
        seed=recipe.seed,
        threads=table.threads,
    )


@dataclass(slots=True)
class Progress:
    """All that must survive a power cut."""

    network: Any
    average: Any
    optimizer: Any
    step: int = 0
    best: float = float("inf")
    best_step: int = 0
    pieces: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Data:
    """Examples, by their use."""

    made_up: Sequence[Example]
    real: Callable[[int], Sequence[Example]]
    """The real examples of one pass: negatives are drawn anew each time."""

    dev: Sequence[Example]


def train(data: Data, plan: Plan, meanings: Path, folder: Path, mark: str) -> dict[str, float]:
    """Train into `folder`/best.pt; return figures about the run. `mark` names the settings and data."""
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    vectors = torch.load(meanings, weights_only=True)
    network = make_network(len(vectors), plan.width, plan.layers, plan.dropout)
    with torch.no_grad():
        network.bert.embeddings.word_embeddings.weight.copy_(vectors)
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=0.02, betas=(0.9, 0.98))
    progress = Progress(network, copy.deepcopy(network), optimizer)
    folder.mkdir(parents=True, exist_ok=True)
    _resume(progress, folder / "checkpoint.pt", mark)
    schedule = list(_schedule(data, plan))
    began = time.monotonic() - progress.seconds
    for batch in schedule[progress.step :]:
        _learn(progress, batch, _rate(progress.step, len(schedule), plan.rate))
        if progress.step % plan.look_every == 0 or progress.step == len(schedule):
            progress.seconds = time.monotonic() - began
            _look(progress, data.dev, len(schedule), folder)
            _keep(progress, folder / "checkpoint.pt", mark)
            if progress.step - progress.best_step >= plan.patience * plan.look_every:
                break
    return {
        "steps": progress.step,
        "best_step": progress.best_step,
        "dev_loss": round(progress.best, 4),
        "pieces": progress.pieces,
        "seconds": round(progress.seconds),
    }


def load_best(folder: Path, pieces: int, width: int, layers: int) -> Any:
    """Return the network with the weights that did best on dev."""
    network = make_network(pieces, width, layers, 0.0)
    network.load_state_dict(torch.load(folder / "best.pt", weights_only=True))
    return network.eval()


def _schedule(data: Data, plan: Plan) -> Iterator[Sequence[Example]]:
    random = Random(plan.seed)
    yield from _batches(data.made_up, plan.first_passes, plan.batch_pieces, random)
    whole = int(plan.passes)
    for number in range(whole + (plan.passes > whole)):
        yield from _batches(data.real(number), min(1.0, plan.passes - number), plan.batch_pieces, random)


def _batches(
    examples: Sequence[Example], passes: float, batch_pieces: int, random: Random
) -> Iterator[Sequence[Example]]:
    """Yield batches of about equally long examples, in a random order."""
    chosen: list[Example] = []
    while passes > 0 and examples:
        chosen += random.sample(list(examples), int(len(examples) * min(1.0, passes)))
        passes -= 1
    chosen.sort(key=lambda example: len(example.ids) + random.uniform(0, 30))
    batches: list[list[Example]] = [[]]
    for example in chosen:
        if (len(batches[-1]) + 1) * (len(example.ids) + 15) > batch_pieces:
            batches.append([])
        batches[-1].append(example)
    random.shuffle(batches)
    yield from (batch for batch in batches if batch)


def _rate(step: int, steps: int, rate: float) -> float:
    return rate * min((step + 1) / WARM_UP_STEPS, 1.0) * max(0.03, min(1.0, 1.6 * (1 - step / steps)))


def _learn(progress: Progress, examples: Sequence[Example], rate: float) -> None:
    for group in progress.optimizer.param_groups:
        group["lr"] = rate
    progress.network.train()
    batch = batch_of(examples)
    found = losses(forward(progress.network, batch), batch)
    loss = sum(IMPORTANCE[name] * value for name, value in found.items())
    progress.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(progress.network.parameters(), 1.0)
    progress.optimizer.step()
    progress.step += 1
    progress.pieces += int((batch["ids"] != 0).sum())
    keep = min(AVERAGE, progress.step / (progress.step + 20))
    with torch.no_grad():
        mine = progress.network.state_dict()
        for name, value in progress.average.state_dict().items():
            value.mul_(keep).add_(mine[name] * (1 - keep)) if value.is_floating_point() else None


def _look(progress: Progress, dev: Sequence[Example], steps: int, folder: Path) -> None:
    progress.average.eval()
    order = sorted(dev, key=lambda example: len(example.ids))
    sums: dict[str, float] = {}
    with torch.no_grad():
        for start in range(0, len(order), 48):
            batch = batch_of(order[start : start + 48])
            for name, value in losses(forward(progress.average, batch), batch).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(batch["ids"]) / len(order)
    loss = sum(IMPORTANCE[name] * value for name, value in sums.items())
    better = loss < progress.best
    if better:
        progress.best, progress.best_step = loss, progress.step
        torch.save(progress.average.state_dict(), folder / "best.part")
        (folder / "best.part").replace(folder / "best.pt")
    parts = " ".join(f"{name} {value:.3f}" for name, value in sums.items())
    note = "  best" if better else ""
    told = f"step {progress.step}/{steps}: dev {loss:.4f} ({parts}) {progress.seconds:.0f} s{note}"
    print(told, file=sys.stderr, flush=True)


def _keep(progress: Progress, path: Path, mark: str) -> None:
    state = {
        "mark": mark,
        "network": progress.network.state_dict(),
        "average": progress.average.state_dict(),
        "optimizer": progress.optimizer.state_dict(),
        "counts": [progress.step, progress.best, progress.best_step, progress.pieces, progress.seconds],
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def _resume(progress: Progress, path: Path, mark: str) -> None:
    if not path.exists():
        return
    state = torch.load(path, weights_only=True)
    if state["mark"] != mark:
        return
    progress.network.load_state_dict(state["network"])
    progress.average.load_state_dict(state["average"])
    progress.optimizer.load_state_dict(state["optimizer"])
    step, best, best_step, pieces, seconds = state["counts"]
    progress.step, progress.best, progress.best_step = step, best, best_step
    progress.pieces, progress.seconds = pieces, seconds

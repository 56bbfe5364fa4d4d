"""Train the network in stages: made-up questions first, then real ones from several seeds; keep what did best on dev.

A checkpoint is written at every look at dev, so that a run killed at any moment goes
on from there; a checkpoint of other settings is not trusted.
"""

from __future__ import annotations

import copy
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor

from quantize.reader.examples import NOBODY, Case, Example, cut, whole
from quantize.reader.network import (
    ANSWERS,
    BEGINS,
    ENDS,
    HIDDEN,
    batch_of,
    forward,
    hidden_outside,
    losses,
    make_network,
    share_facts,
    unshare_facts,
)

AVERAGE = 0.99
WARM_UP_STEPS = 60
LONGEST_SPAN = 20
"""Pieces."""

NEGATIVES, OTHERS = 0.35, {"bank": 0.3, "lessons": 0.7}
"""How much of the unanswered cases, and of some kinds of answered ones, is drawn in each pass."""

IMPORTANCE = {"sure": 0.5, "any": 0.5, "which": 1.0, "words": 1.0}


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train one stage."""

    rate: float
    batch_pieces: int
    most_pieces: int
    """Pieces of the longest example; longer passages are cut around the answer, differently each time."""

    passes: float
    looks: int
    """How often to look at dev, evenly spread."""

    seed: int
    threads: int


@dataclass(slots=True)
class Progress:
    """All that must survive a power cut."""

    network: Any
    average: Any
    optimizer: Any
    step: int = 0
    best: float = -1.0
    best_step: int = 0
    pieces: int = 0
    seconds: float = 0.0


def new_network(vectors: Tensor, shape: tuple[int, int, int], dropout: float, seed: int) -> Any:
    """Return a network that starts from the first meanings; `shape` is width, layers and inner width."""
    torch.manual_seed(seed)
    network = make_network(len(vectors), shape[0], shape[1], dropout, shape[2])
    with torch.no_grad():
        network.bert.embeddings.word_embeddings.weight.copy_(vectors)
    share_facts(network)
    return network


def train(
    network: Any, cases: Sequence[Case], dev: Sequence[Case], plan: Plan, folder: Path, mark: str
) -> dict[str, float]:
    """Train `network` into `folder`/best.pt; return figures about the run. `mark` names the settings and data."""
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=0.02, betas=(0.9, 0.98))
    progress = Progress(network, copy.deepcopy(network), optimizer)
    folder.mkdir(parents=True, exist_ok=True)
    _resume(progress, folder / "checkpoint.pt", mark)
    schedule = _schedule(cases, plan)
    look_every = max(1, len(schedule) // plan.looks)
    seen = [whole(case) for case in dev]
    began = time.monotonic() - progress.seconds
    for number in range(progress.step, len(schedule)):
        random = Random(plan.seed * 100003 + number)
        examples = [cut(cases[case], plan.most_pieces, random) for case in schedule[number]]
        _learn(progress, examples, _rate(number, len(schedule), plan.rate))
        if progress.step % look_every == 0 or progress.step == len(schedule):
            progress.seconds = time.monotonic() - began
            _look(progress, seen, len(schedule), folder)
            _keep(progress, folder / "checkpoint.pt", mark)
    return {
        "steps": progress.step,
        "best_step": progress.best_step,
        "dev_score": round(progress.best, 4),
        "pieces": progress.pieces,
        "seconds": round(progress.seconds),
    }


def load_best(network: Any, folders: Sequence[Path]) -> Any:
    """Return `network` with the mean of the weights that did best on dev in each folder, as a plain BERT."""
    states = [torch.load(folder / "best.pt", weights_only=True) for folder in folders]
    mean = {
        name: sum(state[name] for state in states) / len(states) if value.is_floating_point() else value
        for name, value in states[0].items()
    }
    network.load_state_dict(mean)
    unshare_facts(network)
    return network.eval()


def _schedule(cases: Sequence[Case], plan: Plan) -> list[list[int]]:
    """Return batches of about equally long cases, by their numbers, in a random order."""
    random = Random(plan.seed)
    sizes = [min(plan.most_pieces, _length(case)) for case in cases]
    shares = [NEGATIVES if case.line == NOBODY else OTHERS.get(case.source, 1.0) for case in cases]
    batches: list[list[int]] = []
    passes = plan.passes
    while passes > 0 and cases:
        chosen = [number for number, share in enumerate(shares) if random.random() < share * min(1.0, passes)]
        chosen.sort(key=lambda number: sizes[number] + random.uniform(0, 20))
        some: list[list[int]] = [[]]
        for number in chosen:
            if (len(some[-1]) + 1) * (sizes[number] + 10) > plan.batch_pieces:
                some.append([])
            some[-1].append(number)
        random.shuffle(some)
        batches += [batch for batch in some if batch]
        passes -= 1
    return batches


def _length(case: Case) -> int:
    return len(case.laid.ids) + 1 + sum(len(line.ids) for line in case.laid.lines)


def _rate(step: int, steps: int, rate: float) -> float:
    return rate * min((step + 1) / WARM_UP_STEPS, 1.0) * max(0.02, 1 - step / steps)


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
        for mean, value in zip(progress.average.parameters(), progress.network.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)


def _look(progress: Progress, dev: Sequence[Example], steps: int, folder: Path) -> None:
    """Measure the averaged weights: the overlap of the best words with the answer, and the best sentence."""
    progress.average.eval()
    order = sorted(dev, key=lambda example: len(example.ids))
    overlap = right = 0.0
    with torch.no_grad():
        for start in range(0, len(order), 32):
            examples = order[start : start + 32]
            batch = batch_of(examples)
            logits = forward(progress.average, batch)
            words = hidden_outside(logits, batch)
            for row, example in enumerate(examples):
                overlap += _overlap(best_span(words[row, :, BEGINS], words[row, :, ENDS]), example)
                scores = logits[row, :, ANSWERS].masked_fill(~batch["markers"][row], HIDDEN)
                right += int(scores.argmax()) == int(batch["right"][row])
    count = len(order) or 1
    score = (overlap + right) / count
    better = score > progress.best
    if better:
        progress.best, progress.best_step = score, progress.step
        torch.save(progress.average.state_dict(), folder / "best.part")
        (folder / "best.part").replace(folder / "best.pt")
    note = "  best" if better else ""
    told = f"step {progress.step}/{steps}: dev words {overlap / count:.3f} sentence {right / count:.3f}"
    print(f"{told} {progress.seconds:.0f} s{note}", file=sys.stderr, flush=True)


def best_span(begins: Tensor, ends: Tensor) -> tuple[int, int]:
    """Return the first and last piece of the likeliest words."""
    scores = begins.unsqueeze(1) + ends.unsqueeze(0)
    within = torch.ones_like(scores).triu().tril(LONGEST_SPAN)
    place = int(scores.masked_fill(within == 0, 2 * HIDDEN).argmax())
    return place // len(ends), place % len(ends)


def _overlap(found: tuple[int, int], example: Example) -> float:
    same = min(found[1], example.last) - max(found[0], example.first) + 1
    return max(0.0, 2 * same / (found[1] - found[0] + 1 + example.last - example.first + 1))


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

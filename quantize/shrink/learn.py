"""Train a student on windows and on the teacher's cached opinion, on as many devices as `accelerate` finds.

Every device takes its part of the same batch; the order is drawn from the seed alone, so that students with and without
a teacher see the same. A checkpoint (network, optimizer, place) is kept every minute and replaced whole.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge.files import write_atomic
from quantize.lm.muon import Muon
from quantize.recipe import RecipeError
from quantize.shrink.cache import Cache, TopLogits
from quantize.shrink.loss import student_loss
from quantize.shrink.settings import DistilSettings
from quantize.shrink.teacher import load_model
from quantize.shrink.windows import load_windows

LOG_EVERY = 10
WRAPPED = re.compile(r"(_fsdp_wrapped_module|_orig_mod|^module)\.")
"""What wrappers put into the names of parameters."""


@dataclass(slots=True)
class Place:
    """How far the training is."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


def learn(
    student: Path, windows: Path, cache: Path | None, settings: DistilSettings, accelerator: Any, work: Path
) -> Any:
    """Train the network in the folder `student`; return it as `accelerate` holds it. Goes on from the checkpoint in `work` if there is one."""
    torch.manual_seed(settings.seed)
    model, optimizers = _prepared(load_model(student).train(), settings, accelerator)
    batches = Batches(windows, cache, settings, accelerator)
    place = _resume(work, accelerator)
    saved = began = time.monotonic()
    kept = place.seconds
    while place.tokens < settings.tokens:
        rate = rate_at(place.tokens / settings.tokens, settings)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * rate
        loss = _step(model, batches, place.step, settings, accelerator)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        place.step += 1
        place.tokens += settings.rows * settings.context
        place.seconds = kept + time.monotonic() - began
        if not math.isfinite(loss):
            raise RecipeError("distil-diverged", step=place.step, loss=loss)
        if place.step % LOG_EVERY == 0:
            _log(work, place, loss, accelerator)
        if time.monotonic() - saved > settings.checkpoint_seconds:
            _checkpoint(work, place, accelerator)
            saved = time.monotonic()
    return model


def rate_at(progress: float, settings: DistilSettings) -> float:
    """Return the part of the highest learning rate to use: up, level, down to a tenth."""
    if progress < settings.warm_up:
        return 0.05 + 0.95 * progress / settings.warm_up
    return min(1.0, 0.1 + 0.9 * (1.0 - progress) / max(settings.cool_down, 1e-9))


class Batches:
    """The windows of each step that fall to this device, with what the teacher thinks of them."""

    def __init__(self, windows: Path, cache: Path | None, settings: DistilSettings, accelerator: Any) -> None:
        self.settings = settings
        self.tokens, self.weights = load_windows(windows)
        self.cache = Cache(cache, settings.shard_windows) if cache else None
        self.device, self.rank, self.ranks = accelerator.device, accelerator.process_index, accelerator.num_processes
        if settings.rows % (settings.micro_rows * self.ranks):
            raise RecipeError("distil-rows", rows=settings.rows, micro_rows=settings.micro_rows, devices=self.ranks)

    def of_step(self, step: int) -> list[NDArray[np.int64]]:
        """Return the numbers of this device's windows in one step, in parts of `micro_rows`."""
        rows, count = self.settings.rows, len(self.tokens)
        numbers = np.array([self._number(at, count) for at in range(step * rows, (step + 1) * rows)])
        mine = np.split(numbers, self.ranks)[self.rank]
        return np.split(mine, len(mine) // self.settings.micro_rows)

    def load(self, numbers: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor, TopLogits | None]:
        """Return inputs, targets, weights of the targets, and the teacher's opinion."""
        whole = torch.from_numpy(np.asarray(self.tokens[numbers], dtype=np.int64)).to(self.device)
        weights = torch.ones(whole.shape[0], whole.shape[1] - 1)
        if self.weights is not None:
            weights = torch.from_numpy(np.asarray(self.weights[numbers], dtype=np.float32) / 10.0)
        teacher = self.cache.rows(numbers) if self.cache else None
        if teacher is not None:
            teacher = TopLogits(*(part.to(self.device) for part in (teacher.tokens, teacher.scores, teacher.tails)))
        return whole[:, :-1], whole[:, 1:], weights.to(self.device), teacher

    def _number(self, at: int, count: int) -> int:
        """Return the window at one place of the training: shards are shuffled, and windows within each."""
        epoch, within = divmod(at, count)
        return int(_order(self.settings.seed + epoch, count, self.settings.shard_windows)[within])


_ORDERS: dict[tuple[int, int, int], NDArray[np.int64]] = {}


def _order(seed: int, count: int, shard: int) -> NDArray[np.int64]:
    """Return an order of windows that reads each shard of the cache once."""
    key = (seed, count, shard)
    if key not in _ORDERS:
        random = np.random.default_rng(seed)
        starts = random.permutation(-(-count // shard)) * shard
        parts = [random.permutation(np.arange(start, min(start + shard, count))) for start in starts]
        _ORDERS.clear()
        _ORDERS[key] = np.concatenate(parts)
    return _ORDERS[key]


def _step(model: Any, batches: Batches, step: int, settings: DistilSettings, accelerator: Any) -> float:
    parts = batches.of_step(step)
    total = 0.0
    for numbers in parts:
        inputs, targets, weights, teacher = batches.load(numbers)
        with accelerator.autocast():
            logits = model(input_ids=inputs, use_cache=False).logits
        loss = student_loss(logits, targets, weights, teacher, settings.alpha, settings.temperature) / len(parts)
        accelerator.backward(loss)
        total += float(loss.detach())
    return total


def _prepared(model: Any, settings: DistilSettings, accelerator: Any) -> tuple[Any, list[torch.optim.Optimizer]]:
    """Lay model and optimizers out over the devices; the matrices are told by name, for FSDP may flatten them."""
    inner = {n for n, w in model.named_parameters() if w.dim() == 2 and "embed" not in n and "lm_head" not in n}
    if getattr(accelerator, "is_fsdp2", False):
        model, *optimizers = accelerator.prepare(model, *_optimizers(model, inner, settings, accelerator))
        return model, optimizers
    model = accelerator.prepare(model)
    return model, [accelerator.prepare(one) for one in _optimizers(model, inner, settings, accelerator)]


def _optimizers(model: Any, inner: set[str], settings: DistilSettings, accelerator: Any) -> list[torch.optim.Optimizer]:
    named = [(WRAPPED.sub("", name), weight) for name, weight in model.named_parameters() if weight.requires_grad]
    matrices = [weight for name, weight in named if name in inner]
    others = [weight for name, weight in named if name not in inner]
    if settings.optimizer == "muon":
        if accelerator.num_processes > 1:
            raise RecipeError("distil-muon", devices=accelerator.num_processes)
        first: torch.optim.Optimizer = Muon(matrices, lr=settings.rate)
    else:
        first = torch.optim.AdamW(matrices, lr=settings.rate, betas=(0.9, 0.95), weight_decay=0.1)
    second = torch.optim.AdamW(others, lr=settings.embedding_rate, betas=(0.9, 0.95), weight_decay=0.01)
    for optimizer in (first, second):
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return [first, second]


def _checkpoint(work: Path, place: Place, accelerator: Any) -> None:
    """Replace the checkpoint: the new one is whole before the old one goes."""
    new, now, old = (work / name for name in ("checkpoint.new", "checkpoint", "checkpoint.old"))
    accelerator.save_state(new)
    if accelerator.is_main_process:
        facts = {"step": place.step, "tokens": place.tokens, "seconds": place.seconds}
        write_atomic(new / "place.json", json.dumps(facts).encode())
        shutil.rmtree(old, ignore_errors=True)
        if now.is_dir():
            now.rename(old)
        new.rename(now)
        shutil.rmtree(old, ignore_errors=True)
    accelerator.wait_for_everyone()


def _resume(work: Path, accelerator: Any) -> Place:
    for folder in (work / "checkpoint", work / "checkpoint.old"):
        try:
            facts = json.loads((folder / "place.json").read_bytes())
        except (OSError, ValueError):
            continue
        accelerator.load_state(folder)
        return Place(facts["step"], facts["tokens"], facts["seconds"])
    return Place()


def _log(work: Path, place: Place, loss: float, accelerator: Any) -> None:
    if not accelerator.is_main_process:
        return
    row = {"step": place.step, "tokens": place.tokens, "seconds": round(place.seconds, 1), "loss": round(loss, 4)}
    with (work / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    if sys.stderr.isatty() or place.step % 50 == 0:
        print(f"  student: {row}", file=sys.stderr, flush=True)


def losses(work: Path) -> Sequence[dict[str, float]]:
    """Return the rows of a training's log."""
    return [json.loads(line) for line in (work / "log.jsonl").read_text(encoding="utf-8").splitlines()]

"""Train a model on the grid of its own types, until its words are those of the full model again.

Quantization-aware distillation (NVIDIA, arXiv 2601.20088) against ggml's real
quantizer: each step computes with the rounded weights of the plan, compares with
the full model on text the full model wrote itself, and moves the weights behind.
A training that is too hot makes things worse, so held-out text judges: what is not
better than plain rounding is not kept. A run that is cut off goes on at its checkpoint.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.files import sha256_of, write_atomic
from quantize.bits.allocate import read_plan
from quantize.bits.candidates import mark_of
from quantize.bits.grid import Grid
from quantize.bits.ledger import load
from quantize.bits.parent import EMBEDDING, read_parent
from quantize.bits.settings import QadSettings
from quantize.bits.words import cut

if TYPE_CHECKING:
    import torch

CHECKPOINT_SECONDS = 20.0
WARM_STEPS = 5
JUDGED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Course:
    """Everything one training needs."""

    full: torch.nn.Module
    grid: Grid
    texts: torch.Tensor
    held: torch.Tensor
    settings: QadSettings
    trained: tuple[str, ...]
    """Parameters that move."""

    ends: float
    """When the clock stops it (monotonic seconds)."""


def qad(
    folder: Path,
    gguf: Path,
    plan: Path,
    importance: Path,
    calibration: Path,
    settings: QadSettings,
    output: Path,
    work: Path,
) -> bool:
    """Write `output`, a checkpoint folder with the weights behind the grid; tell whether training helped.

    When it did not, `output` holds the weights as they were. `qad.json` inside says what was measured.
    """
    import torch

    torch.set_num_threads(settings.threads)
    mark = mark_of(*(sha256_of(path) for path in (gguf, plan, importance, calibration)), asdict(settings))
    work = work / mark
    work.mkdir(parents=True, exist_ok=True)
    course = _prepare(folder, gguf, plan, importance, calibration, settings, work)
    course.grid.show()
    plain = judge(course)
    log: list[dict[str, Any]] = [{"rate": 0.0, "step": 0, "kld": plain}]
    start = {name: weights.clone() for name, weights in course.grid.behind.items()}
    best, kept = plain, False
    for rate in settings.rates:
        for name, weights in start.items():
            course.grid.behind[name] = weights.clone()
        reached, rows = _train(course, float(rate), work / f"rate-{rate}.pt")
        log += rows
        if reached < best:
            best, kept = reached, True
            shutil.copyfile(work / f"rate-{rate}.pt.best", work / "best.pt")
    _write(course, folder, work / "best.pt" if kept else None, output)
    facts = {"kept": kept, "kld_before": plain, "kld_after": best, "log": log, "settings": asdict(settings)}
    write_atomic(output / "qad.json", json.dumps(facts, indent=2).encode())
    shutil.rmtree(work)
    return kept


def _prepare(
    folder: Path, gguf: Path, plan: Path, importance: Path, calibration: Path, settings: QadSettings, work: Path
) -> Course:
    import torch

    from quantize.bits import twins
    from quantize.bits.selftext import selftext

    device = twins.pick_device(settings.device)
    parent = read_parent(gguf)
    wanted = read_plan(plan)
    full, student = twins.load_model(folder, device), twins.load_model(folder, device)
    pairs = twins.pairs_of(student, parent)
    for parameter in [*full.parameters(), *student.parameters()]:
        parameter.requires_grad_(False)
    grid = Grid(student, pairs, wanted.types, load(importance)[0]["imatrix"], settings.threads)
    trained = tuple(p.parameter for p in pairs if settings.embedding or p.tensor.name != EMBEDDING)
    windows = cut(gguf, calibration, settings.window, settings.seed)
    held, rest = windows[: settings.held], windows[settings.held :]
    texts = selftext(full, rest if len(rest) else windows, settings, work / "selftext.npz", device)
    ends = time.monotonic() + 60 * settings.minutes if settings.minutes else float("inf")
    return Course(full, grid, torch.from_numpy(texts), torch.from_numpy(held), settings, trained, ends)


def judge(course: Course) -> float:
    """Return the mean divergence per token of the network as it is shown, on the held-out windows."""
    import torch

    total = 0.0
    device = next(course.full.parameters()).device
    for at in range(0, len(course.held), JUDGED_AT_ONCE):
        part = course.held[at : at + JUDGED_AT_ONCE].to(device)
        with torch.no_grad():
            total += float(_divergence(course, part)) * part.numel()
    return total / float(course.held.numel())


def _divergence(course: Course, tokens: torch.Tensor) -> torch.Tensor:
    import torch

    with torch.no_grad():
        wanted = course.full(input_ids=tokens, use_cache=False).logits.float().log_softmax(-1)
    said = course.grid.model(input_ids=tokens, use_cache=False).logits.float().log_softmax(-1)
    return (wanted.exp() * (wanted - said)).sum(-1).mean()


def _train(course: Course, rate: float, checkpoint: Path) -> tuple[float, list[dict[str, Any]]]:
    """Train at one rate; return the best held-out divergence and what was seen on the way."""
    import torch

    settings, grid = course.settings, course.grid
    behind = [grid.behind[name] for name in course.trained]
    parameters = dict(grid.model.named_parameters())
    for name in course.trained:
        parameters[name].requires_grad_(True)
    optimizer = torch.optim.AdamW(behind, lr=rate, betas=(0.9, 0.99), weight_decay=0.0)
    step, best, rows = _resume(course, optimizer, checkpoint)
    kept = time.monotonic()
    device = next(course.full.parameters()).device
    while step < settings.steps and time.monotonic() < course.ends:
        if step % settings.refresh == 0:
            grid.show()
        for group in optimizer.param_groups:
            group["lr"] = rate * _warmth(step, settings.steps)
        order = np.random.default_rng((settings.seed, step)).integers(0, len(course.texts), settings.rows)
        loss = _divergence(course, course.texts[torch.from_numpy(order)].to(device))
        loss.backward()
        grid.pass_gradients()
        optimizer.step()
        step += 1
        if step % settings.every == 0 or step == settings.steps:
            grid.show()
            found = judge(course)
            rows.append({"rate": rate, "step": step, "loss": float(loss.detach()), "kld": found})
            print(f"  qad {rate:g}: step {step}, held-out KLD {found:.6f}", file=sys.stderr, flush=True)
            if found < best:
                best = found
                _keep(
                    {name: grid.behind[name] for name in grid.behind}, checkpoint.with_name(f"{checkpoint.name}.best")
                )
        if time.monotonic() - kept >= CHECKPOINT_SECONDS or step == settings.steps:
            kept = time.monotonic()
            state = {"behind": grid.behind, "optimizer": optimizer.state_dict(), "step": step, "best": best}
            _keep(state | {"rows": json.dumps(rows)}, checkpoint)
    for name in course.trained:
        parameters[name].requires_grad_(False)
    return best, rows


def _warmth(step: int, steps: int) -> float:
    """Return the share of the full rate: a short warm-up, then a straight line down to a tenth."""
    return min(1.0, (step + 1) / WARM_STEPS) * (1 - 0.9 * step / max(1, steps))


def _resume(course: Course, optimizer: Any, checkpoint: Path) -> tuple[int, float, list[dict[str, Any]]]:
    import torch

    if not checkpoint.is_file():
        return 0, float("inf"), []
    state = torch.load(checkpoint, weights_only=True)
    with torch.no_grad():
        for name, weights in state["behind"].items():
            course.grid.behind[name].copy_(weights)
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"]), float(state["best"]), json.loads(state["rows"])


def _keep(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint whole or not at all."""
    from io import BytesIO

    import torch

    buffer = BytesIO()
    torch.save(state, buffer)
    write_atomic(path, buffer.getvalue())


def _write(course: Course, folder: Path, best: Path | None, output: Path) -> None:
    """Write the folder: the trained weights, or the original ones, with everything else as it was."""
    import torch

    partial = output.with_name(f"{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    if best is None:
        shutil.copytree(folder, partial)
    else:
        shutil.copytree(folder, partial, ignore=shutil.ignore_patterns("*.safetensors", "*.safetensors.index.json"))
        for name, weights in torch.load(best, weights_only=True).items():
            course.grid.behind[name] = weights
        course.grid.uncover()
        course.grid.model.save_pretrained(partial, safe_serialization=True)
    shutil.rmtree(output, ignore_errors=True)
    partial.replace(output)

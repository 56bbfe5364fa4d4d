"""Train the network on the streams, so that a kill or a power cut costs a minute.

On a GPU where there is one, in bfloat16; else on the processor. The checkpoint holds
the network, its optimizers, what was spent and the state of chance; training goes on
from it. It ends at its tokens or its minutes, whichever comes first, and the learning
rate falls towards that end.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantize.lm.encode import Stream, load_streams
from quantize.lm.grow import load_grown
from quantize.lm.muon import Muon
from quantize.lm.network import Llama
from quantize.lm.settings import LmSettings, Shape
from quantize.recipe import ROOT

CPU = torch.device("cpu")
CHECKPOINT_SECONDS = 60.0
WARM_UP, COOL_DOWN = 0.01, 0.4
"""The parts of the training in which the learning rate rises, and falls to its tenth."""


@dataclass(slots=True)
class Spent:
    """What the training has used so far."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


def train(streams: Path, settings: LmSettings, seed: int, folder: Path) -> None:
    """Train and leave `model.pt` in `folder`; go on from its checkpoint if there is one."""
    torch.manual_seed(seed)
    torch.set_num_threads(settings.threads)
    folder.mkdir(parents=True, exist_ok=True)
    device = training_device()
    model = first_network(settings).to(device)
    precision = faster_type(device)
    batches = Batches(load_streams(streams), settings, seed, device)
    optimizers = _optimizers(model, settings)
    spent = _resume(folder / "checkpoint.pt", model, optimizers, batches)
    loss_of = _compiled(model, settings, precision) if settings.compile else model.loss
    saved, kept = time.monotonic(), spent.seconds
    began = saved
    while (progress := _progress(spent, settings)) < 1.0:
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * rate_at(progress)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            loss = loss_of(*batches.draw())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        spent.step += 1
        spent.tokens += settings.rows * settings.context
        spent.seconds = kept + time.monotonic() - began
        if spent.step % 25 == 0:
            _log(folder / "log.jsonl", spent, loss.item())
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            _checkpoint(folder / "checkpoint.pt", model, optimizers, batches, spent)
            saved = time.monotonic()
    weights = {name: weight.cpu() for name, weight in model.state_dict().items()}
    torch.save({"model": weights, "tokens": spent.tokens, "seconds": spent.seconds}, folder / "model.pt")


def training_device() -> torch.device:
    """Return where to train: the GPU, if there is one."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda")


def _compiled(model: Llama, settings: LmSettings, precision: torch.dtype) -> Callable[..., Tensor]:
    """Return the network's loss, compiled before the clock of the training runs."""
    loss_of: Callable[..., Tensor] = torch.compile(model.loss)
    device = next(model.parameters()).device
    blank = torch.zeros(settings.rows, settings.context, dtype=torch.int64, device=device)
    with torch.autocast(device.type, precision, enabled=precision != torch.float32):
        loss_of(blank, blank.clone(), blank.float()).backward()
    model.zero_grad()
    return loss_of


def first_network(settings: LmSettings) -> Llama:
    """Return the network as training finds it: by chance, or grown from the one the recipe starts with."""
    model = Llama(settings.shape())
    if settings.start:
        model.load_state_dict(load_grown(ROOT / settings.start, settings.shape()))
    return model


def faster_type(device: torch.device) -> torch.dtype:
    """Return the type of numbers in which a device multiplies faster: bfloat16 only where it has units for it."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    seconds = {}
    for kind in (torch.bfloat16, torch.float32):
        left, right = torch.ones(512, 512, dtype=kind), torch.ones(512, 512, dtype=kind)
        left @ right
        began = time.perf_counter()
        for _ in range(3):
            left @ right
        seconds[kind] = time.perf_counter() - began
    return min(seconds, key=lambda kind: seconds[kind])


def load_trained(path: Path, shape: Shape) -> tuple[Llama, int]:
    """Return a trained network and the tokens it has seen."""
    found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    model = Llama(shape)
    model.load_state_dict(found["model"])
    return model.eval(), int(found["tokens"])


def rate_at(progress: float) -> float:
    """Return the part of the highest learning rate to use: up, level, down."""
    if progress < WARM_UP:
        return 0.05 + 0.95 * progress / WARM_UP
    return min(1.0, 0.1 + 0.9 * (1.0 - progress) / COOL_DOWN)


class Batches:
    """Draws windows of tokens, each source as often as its share says; all sources lie end to end on the device."""

    def __init__(
        self, streams: Mapping[str, Stream], settings: LmSettings, seed: int, device: torch.device = CPU
    ) -> None:
        self.rows, self.length, self.device = settings.rows, settings.context, device
        shares = {name: share for name, share in parse_shares(settings.shares) if name in streams}
        self.streams = [_long_enough(streams[name], self.length + 1) for name in shares]
        self.firsts = np.cumsum([0, *(len(stream.tokens) for stream in self.streams)])
        self.tokens = _joined([stream.tokens.astype(np.int32) for stream in self.streams], device)
        self.weights = _joined([stream.weights for stream in self.streams], device)
        self.within = torch.arange(self.length + 1, device=device)
        # The draws of numpy's own `choice` with chances, without its checks of every call.
        self.until = np.cumsum(np.array(list(shares.values())) / sum(shares.values()))
        self.until /= self.until[-1]
        self.random = np.random.default_rng(seed)

    def draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return inputs, targets and the weights of the targets."""
        places = torch.tensor([self._place() for _ in range(self.rows)])
        at = places.to(self.device, non_blocking=True).unsqueeze(1) + self.within
        tokens = self.tokens[at].long()
        return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous(), self.weights[at[:, 1:]].float() / 10.0

    def _place(self) -> int:
        source = int(self.until.searchsorted(self.random.random(), side="right"))
        return int(self.firsts[source]) + self._start(self.streams[source])

    def _start(self, stream: Stream) -> int:
        last = len(stream.tokens) - self.length - 1
        if len(stream.starts):
            return min(last, int(stream.starts[self.random.integers(len(stream.starts))]))
        return int(self.random.integers(last + 1))


def _joined(parts: Sequence[NDArray[Any]], device: torch.device) -> Tensor:
    return torch.from_numpy(np.concatenate(parts)).to(device)


def parse_shares(shares: Sequence[str]) -> list[tuple[str, float]]:
    """Read "openstax 0.2" and the like."""
    return [(name, float(share)) for name, share in (text.split() for text in shares)]


def _long_enough(stream: Stream, length: int) -> Stream:
    times = -(-length // max(1, len(stream.tokens)))
    return Stream(np.tile(stream.tokens, times), np.tile(stream.weights, times), stream.starts)


def _progress(spent: Spent, settings: LmSettings) -> float:
    return max(spent.tokens / settings.tokens, spent.seconds / (60.0 * settings.minutes))


def _optimizers(model: Llama, settings: LmSettings) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between the layers, AdamW for the embedding and the norms."""
    inner = [w for name, w in model.named_parameters() if w.dim() == 2 and "embed" not in name]
    others = [w for name, w in model.named_parameters() if w.dim() != 2 or "embed" in name]
    made: list[torch.optim.Optimizer] = [
        Muon(inner, lr=settings.rate),
        torch.optim.AdamW(
            others, lr=settings.embedding_rate, betas=(0.9, 0.95), weight_decay=0.01, fused=others[0].is_cuda or None
        ),
    ]
    for optimizer in made:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return made


def _checkpoint(
    path: Path, model: Llama, optimizers: Sequence[torch.optim.Optimizer], batches: Batches, spent: Spent
) -> None:
    state = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "spent": [spent.step, spent.tokens, spent.seconds],
        "chance": json.dumps(batches.random.bit_generator.state),
    }
    temporary = path.with_suffix(".new")
    torch.save(state, temporary)
    temporary.replace(path)


def _resume(path: Path, model: Llama, optimizers: Sequence[torch.optim.Optimizer], batches: Batches) -> Spent:
    if not path.is_file():
        return Spent()
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(kept)
    batches.random.bit_generator.state = json.loads(state["chance"])
    step, tokens, seconds = state["spent"]
    return Spent(int(step), int(tokens), float(seconds))


def _log(path: Path, spent: Spent, loss: float) -> None:
    row = {
        "step": spent.step,
        "tokens": spent.tokens,
        "seconds": round(spent.seconds, 1),
        "loss": round(loss, 4),
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    if sys.stderr.isatty() or spent.step % 100 == 0:
        print(f"  {row}", file=sys.stderr, flush=True)

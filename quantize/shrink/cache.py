"""Keep what the teacher thinks of every token, so that one teacher pass serves many students.

For each predicted token: the `top` most likely next tokens, their log-probabilities at temperature 1 in 16 bits, and
for each of `TEMPERATURES` the share of all other tokens. At top 50 that is 210 bytes a token (260 where numbers of
tokens need three bytes) against 16 to 512 kB of whole logits. Shards carry a receipt with their hash, written last; a
killed pass makes only the shards anew that have none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge.files import sha256_of, write_atomic
from quantize.recipe import RecipeError
from quantize.shrink.settings import TEMPERATURES

SMALL = 1 << 16
LEAST_TAIL = 1e-7
"""A smaller share than this is not told from nothing."""

AT_ONCE = 64
"""Positions worked on together: their logits should stay in the processor's own memory."""


@dataclass(frozen=True, slots=True)
class TopLogits:
    """The teacher's opinion at each position of some windows."""

    tokens: Tensor
    """[rows, context, top], int64."""

    scores: Tensor
    """[rows, context, top], float32: log-probabilities at temperature 1, best first."""

    tails: Tensor
    """[rows, context, temperatures], float32: log of the share of all other tokens at each temperature."""

    def at(self, temperature: float) -> tuple[Tensor, Tensor]:
        """Return log-probabilities [.., top] and the log share of the rest [.., 1] at `temperature`; they add up to 1."""
        tail = self.tails[..., TEMPERATURES.index(temperature)].unsqueeze(-1)
        scaled = self.scores / temperature
        known = torch.log1p(-tail.exp().clamp(max=1.0 - LEAST_TAIL))
        return scaled - scaled.logsumexp(-1, keepdim=True) + known, tail


def top_of(logits: Tensor, top: int) -> TopLogits:
    """Return what the cache keeps of logits [rows, context, vocabulary]."""
    parts = [_top_of(part.float(), top) for part in logits.flatten(0, -2).split(AT_ONCE)]
    joined = (torch.cat(part) for part in zip(*parts, strict=True))
    return TopLogits(*(part.unflatten(0, logits.shape[:-1]) for part in joined))


def _top_of(logits: Tensor, top: int) -> tuple[Tensor, Tensor, Tensor]:
    best, tokens = logits.topk(top, dim=-1)
    tails = []
    for temperature in TEMPERATURES:
        known = (best / temperature).logsumexp(-1) - (logits / temperature).logsumexp(-1)
        tails.append((-torch.expm1(known)).clamp(min=LEAST_TAIL).log())
    return tokens, best - logits.logsumexp(-1, keepdim=True), torch.stack(tails, -1)


def save_shard(path: Path, found: TopLogits, facts: Mapping[str, str]) -> None:
    """Write a shard, then its receipt."""
    receipt_of(path).unlink(missing_ok=True)
    tokens = found.tokens.cpu().numpy().astype(np.uint32)
    content: dict[str, NDArray[np.generic]] = {
        "low": (tokens % SMALL).astype(np.uint16),
        "scores": found.scores.cpu().numpy().astype(np.float16),
        "tails": found.tails.cpu().numpy().astype(np.float16),
    }
    if int(tokens.max()) >= SMALL:
        content["high"] = (tokens // SMALL).astype(np.uint8)
    temporary = path.with_suffix(".partial")
    with temporary.open("wb") as file:
        np.savez(file, **content)  # type: ignore[arg-type]
    temporary.replace(path)
    write_atomic(receipt_of(path), json.dumps({"inputs": dict(facts), "sha256": sha256_of(path)}).encode())


def load_shard(path: Path) -> TopLogits:
    """Read a shard back, having checked that it is the one its receipt was written for."""
    try:
        wanted = json.loads(receipt_of(path).read_bytes())["sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise RecipeError("distil-shard", path=path) from error
    if not path.is_file() or sha256_of(path) != wanted:
        raise RecipeError("distil-shard", path=path)
    with np.load(path) as found:
        tokens = found["low"].astype(np.int64)
        if "high" in found:
            tokens += found["high"].astype(np.int64) * SMALL
        scores, tails = found["scores"].astype(np.float32), found["tails"].astype(np.float32)
    return TopLogits(torch.from_numpy(tokens), torch.from_numpy(scores), torch.from_numpy(tails))


def receipt_of(path: Path) -> Path:
    """Return where a shard's receipt is kept."""
    return path.with_suffix(".json")


def shard_path(folder: Path, number: int) -> Path:
    """Return the file of one shard."""
    return folder / f"shard-{number:06}.npz"


def missing_shards(folder: Path, count: int, facts: Mapping[str, str]) -> list[int]:
    """Return the numbers of the shards that are not there whole and from the same inputs."""
    return [number for number in range(count) if not _is_whole(shard_path(folder, number), facts)]


def _is_whole(path: Path, facts: Mapping[str, str]) -> bool:
    try:
        found = json.loads(receipt_of(path).read_bytes())
    except (OSError, ValueError):
        return False
    same: bool = found.get("inputs") == dict(facts) and path.is_file() and sha256_of(path) == found.get("sha256")
    return same


class Cache:
    """The shards of one teacher pass, read as windows."""

    def __init__(self, folder: Path, shard_windows: int) -> None:
        self.folder, self.shard_windows = folder, shard_windows
        self.shards: dict[int, TopLogits] = {}

    def rows(self, numbers: NDArray[np.int64]) -> TopLogits:
        """Return the teacher's opinion of the windows with these numbers."""
        picked = [self._row(int(number)) for number in numbers]
        return TopLogits(*(torch.stack(parts) for parts in zip(*picked, strict=True)))

    def _row(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        shard, row = divmod(number, self.shard_windows)
        if shard not in self.shards:
            self.shards = {shard: load_shard(shard_path(self.folder, shard))}
        found = self.shards[shard]
        return found.tokens[row], found.scores[row], found.tails[row]

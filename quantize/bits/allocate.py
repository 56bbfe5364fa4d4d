"""Share out a budget: which type every tensor gets, so that the predicted KLD is least.

Reads what `importance` measured and the head of the GGUF file; loads no model.
The plan's size is the exact size of the file that `quantize` will write.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.files import write_atomic
from quantize.bits.ggml import BitsError, kind_of
from quantize.bits.knapsack import Choice, choose
from quantize.bits.ledger import load
from quantize.bits.parent import Parent, Tensor, read_parent
from quantize.bits.ram import Ram, ram_of
from quantize.bits.settings import AllocateSettings

MISS = 0.005
"""The plan misses its budget by less than this share, or says that all the types together cannot fill it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A type for every matrix, and what that makes."""

    types: dict[str, str]
    bytes: int
    """The whole file, exactly."""

    bits_per_weight: float
    predicted_kld: float
    """Nats per token by the Fisher scores; without them, the weighted error, which only ranks."""

    budget: dict[str, Any]
    """What was asked, and how much of it the plan fills."""

    ram: dict[str, int]
    """Bytes at the context length: weights, conversation, working memory."""


def allocate(gguf: Path, importance: Path, settings: AllocateSettings, output: Path | None) -> Plan:
    """Return the best plan within the budget and write it to `output`; with None nothing is written (a dry run)."""
    parent = read_parent(gguf)
    measured, facts = load(importance)
    room = _room(parent, settings)
    options = {tensor.name: _options(tensor, measured, facts, settings, importance) for tensor in parent.plannable}
    fixed = parent.size_with({}) - sum(tensor.bytes for tensor in parent.plannable)
    choices = [_choice(tensor, *options[tensor.name]) for tensor in parent.plannable]
    taken = choose(choices, room - fixed)
    if taken is None:
        least = fixed + sum(int(choice.bytes.min()) for choice in choices)
        raise BitsError("bits-budget-small", room=room, least=least, path=gguf)
    kinds = {t.name: options[t.name][0][at] for t, at in zip(parent.plannable, taken, strict=True)}
    plan = _plan(parent, kinds, sum(float(c.cost[at]) for c, at in zip(choices, taken, strict=True)), room, settings)
    if output is not None:
        write_atomic(output, json.dumps(asdict(plan), indent=2, sort_keys=True).encode())
    return plan


def read_plan(path: Path) -> Plan:
    """Read a plan that `allocate` wrote."""
    try:
        found = json.loads(path.read_bytes())
        plan = Plan(**found)
    except (OSError, ValueError, TypeError) as error:
        raise BitsError("bits-plan", path=path, reason=str(error)) from error
    for name in plan.types.values():
        kind_of(name)
    return plan


def plan_of(parent: Parent, kinds: dict[str, str]) -> Plan:
    """Return the plan that gives exactly these types, without a budget."""
    return _plan(parent, kinds, float("nan"), parent.size_with(kinds), AllocateSettings())


def _plan(parent: Parent, kinds: dict[str, str], cost: float, room: int, settings: AllocateSettings) -> Plan:
    size = parent.size_with(kinds)
    numbers = sum(tensor.numbers for tensor in parent.tensors)
    weights = sum(parent.tensor_bytes(tensor, kinds) for tensor in parent.tensors)
    ram = ram_of(parent, size, settings.context)
    asked = {name: value for name, value in asdict(settings).items() if value}
    filled = size / room
    return Plan(
        types=kinds,
        bytes=size,
        bits_per_weight=round(8 * weights / numbers, 4),
        predicted_kld=cost,
        budget=asked | {"room": room, "filled": round(filled, 5), "reached": 1 - filled <= MISS},
        ram=ram.parts(),
    )


def _room(parent: Parent, settings: AllocateSettings) -> int:
    """Return how many bytes the file may have."""
    given = [name for name in ("bytes", "bits", "ram_mb") if getattr(settings, name)]
    if len(given) != 1 or min(settings.bytes, settings.bits, settings.ram_mb) < 0:
        raise BitsError("bits-budget-one", given=", ".join(given) or "-")
    if settings.bytes:
        return settings.bytes
    if settings.bits:
        numbers = sum(tensor.numbers for tensor in parent.tensors)
        return parent.head_bytes_after() + int(settings.bits * numbers / 8)
    ram: Ram = ram_of(parent, 0, settings.context)
    room = (settings.ram_mb << 20) - ram.total
    if room <= 0:
        raise BitsError("bits-ram-small", ram=settings.ram_mb, rest=ram.total >> 20, context=settings.context)
    return room


def _options(
    tensor: Tensor,
    measured: dict[str, dict[str, NDArray[Any]]],
    facts: dict[str, Any],
    settings: AllocateSettings,
    path: Path,
) -> tuple[list[str], NDArray[np.float64]]:
    """Return the types a tensor may take and what each would cost."""
    scores = measured["fisher" if measured["fisher"] else "error"].get(tensor.name)
    names = facts["types"].get(tensor.name)
    if scores is None or names is None or len(scores) != len(names):
        raise BitsError("bits-importance-other", path=path, tensor=tensor.name)
    wanted = {kind_of(name).name for name in settings.types} | {"F16"}
    keep = [
        at
        for at, name in enumerate(names)
        if (not settings.types or name in wanted) and not (settings.fast_only and kind_of(name).slow)
    ]
    return [names[at] for at in keep], scores[keep].astype(np.float64)


def _choice(tensor: Tensor, names: list[str], cost: NDArray[np.float64]) -> Choice:
    sizes = np.array([tensor.rows * kind_of(name).row_bytes(tensor.columns) for name in names], dtype=np.int64)
    return Choice(-(-sizes // 32) * 32, cost)

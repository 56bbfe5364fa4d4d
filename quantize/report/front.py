"""What the allocator expects of other budgets: the curve behind the points of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quantize.bits.allocate import allocate
from quantize.bits.ggml import BitsError
from quantize.bits.ledger import load
from quantize.bits.settings import AllocateSettings

BITS = (2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0)


@dataclass(frozen=True, slots=True)
class Expected:
    """The best file of one size, before anything is made."""

    bytes: int
    kld: float
    """Predicted divergence, nats a token."""


def expected_front(
    gguf: Path, importance: Path, settings: AllocateSettings, bits: Sequence[float] = BITS
) -> list[Expected]:
    """Return the best plan for each budget in bits per weight, under the limits of `settings` on types.

    Budgets that no allowed types can meet are left out. Without Fisher scores there is no
    divergence to predict, and so no curve.
    """
    measured, _ = load(importance)
    if not measured["fisher"]:
        return []
    found: dict[int, Expected] = {}
    for budget in bits:
        try:
            plan = allocate(gguf, importance, replace(settings, bytes=0, ram_mb=0, bits=budget), None)
        except BitsError as error:
            if error.key != "bits-budget-small":
                raise
            continue
        found[plan.bytes] = Expected(plan.bytes, plan.predicted_kld)
    return list(found.values())

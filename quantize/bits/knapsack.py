"""Choose one type for each tensor so that the whole costs least and fits: a knapsack with groups.

Lagrangian first: at a price per byte every tensor takes what is best for it alone,
and the price is searched until the whole fits. Then the bytes left over are filled,
by the upgrade that gains most per byte and by exchanges between two tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROUNDS = 60
EXCHANGES = 400


@dataclass(frozen=True, slots=True)
class Choice:
    """What one tensor may become."""

    bytes: NDArray[np.int64]
    cost: NDArray[np.float64]
    """Predicted KLD of each, in the same order."""


def choose(choices: Sequence[Choice], room: int) -> list[int] | None:
    """Return which option each tensor takes so that all bytes fit in `room`; None when nothing fits."""
    least = [int(c.bytes.argmin()) for c in choices]
    if _bytes(choices, least) > room:
        return None
    best = [int(np.lexsort((c.bytes, c.cost))[0]) for c in choices]
    if _bytes(choices, best) <= room:
        return best
    low, high = 0.0, 1.0
    while _bytes(choices, _at_price(choices, high)) > room:
        high *= 10
        if high > 1e30:
            return _filled(choices, least, room)
    for _ in range(200):
        middle = (low * high) ** 0.5 if low else high / 10
        if _bytes(choices, _at_price(choices, middle)) > room:
            low = middle
        else:
            high = middle
        if low and high / low < 1 + 1e-9:
            break
        if middle < 1e-300:
            break
    return _filled(choices, _at_price(choices, high), room)


def _at_price(choices: Sequence[Choice], price: float) -> list[int]:
    return [int(np.argmin(c.cost + price * c.bytes)) for c in choices]


def _bytes(choices: Sequence[Choice], taken: Sequence[int]) -> int:
    return sum(int(c.bytes[at]) for c, at in zip(choices, taken, strict=True))


def _filled(choices: Sequence[Choice], taken: list[int], room: int) -> list[int]:
    """Use the bytes left over: single upgrades, then exchanges, as long as they gain."""
    taken = list(taken)
    spare = room - _bytes(choices, taken)
    for _ in range(EXCHANGES):
        move = _best_upgrade(choices, taken, spare) or _best_exchange(choices, taken, spare)
        if move is None:
            return taken
        for at, option in move:
            spare -= int(choices[at].bytes[option] - choices[at].bytes[taken[at]])
            taken[at] = option
    return taken


def _moves(choice: Choice, now: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many bytes more, and how much less cost, each option would be."""
    return choice.bytes - choice.bytes[now], choice.cost[now] - choice.cost


def _best_upgrade(choices: Sequence[Choice], taken: Sequence[int], spare: int) -> list[tuple[int, int]] | None:
    best, found = 0.0, None
    for at, (choice, now) in enumerate(zip(choices, taken, strict=True)):
        more, gain = _moves(choice, now)
        worth = np.where((more <= spare) & (gain > 0), gain / np.maximum(more, 1), 0.0)
        option = int(worth.argmax())
        if worth[option] > best:
            best, found = float(worth[option]), [(at, option)]
    return found


def _best_exchange(choices: Sequence[Choice], taken: Sequence[int], spare: int) -> list[tuple[int, int]] | None:
    """Return the upgrade and downgrade of two tensors that together gain most and still fit."""
    owner, option, more, gain = [], [], [], []
    for at, (choice, now) in enumerate(zip(choices, taken, strict=True)):
        m, g = _moves(choice, now)
        for number in range(len(m)):
            if number != now:
                owner.append(at)
                option.append(number)
                more.append(int(m[number]))
                gain.append(float(g[number]))
    if not owner:
        return None
    owners, mores, gains = np.array(owner), np.array(more), np.array(gain)
    down = np.flatnonzero(mores < 0)
    best, found = 1e-15, None
    for up in np.flatnonzero((mores > 0) & (gains > 0)):
        together = np.where(
            (mores[down] + mores[up] <= spare) & (owners[down] != owners[up]), gains[down] + gains[up], 0
        )
        if not together.size:
            continue
        other = int(together.argmax())
        if together[other] > best:
            best = float(together[other])
            found = [(int(owners[up]), option[up]), (int(owners[down[other]]), option[down[other]])]
    return found

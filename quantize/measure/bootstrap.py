"""How sure a figure is: the 95 % interval of a mean or a quantile, by drawing the texts again. Pure, seeded.

Texts are drawn, not tokens: the tokens of one text are alike, and to treat each as a
witness of its own would make every interval too narrow (the cluster bootstrap;
Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 8).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOW, HIGH = 0.025, 0.975
RULE_OF_THREE = 3.0

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it lies in 95 of 100 drawings."""

    value: float
    low: float
    high: float

    def rounded(self, digits: int = 6) -> list[float]:
        """Return value, low and high as a card keeps them."""
        return [round(self.value, digits), round(self.low, digits), round(self.high, digits)]


def draws(units: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """Return how often each of `units` comes up in each drawing: [resamples, units]."""
    return np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=resamples)


def mean(values: Numbers, unit: NDArray[np.int64], resamples: int, seed: int) -> Interval:
    """Return the mean of `values` [n]; `unit` [n] says which text each belongs to."""
    owners = np.unique(unit, return_inverse=True)[1]
    sums, counts = np.bincount(owners, weights=values), np.bincount(owners)
    drawn = draws(len(counts), resamples, seed)
    means = (drawn @ sums) / (drawn @ counts)
    return _interval(float(values.mean()), means)


def quantile(values: Numbers, unit: NDArray[np.int64], share: float, resamples: int, seed: int) -> Interval:
    """Return the value that `share` of `values` [n] do not exceed."""
    order = np.argsort(values)
    names, owners = np.unique(unit, return_inverse=True)
    ordered, owners = values[order], owners[order]
    found = np.empty(resamples)
    for at, times in enumerate(draws(len(names), resamples, seed)):
        reached = np.cumsum(times[owners])
        found[at] = ordered[np.searchsorted(reached, share * reached[-1])]
    return _interval(float(np.quantile(values, share, method="inverted_cdf")), found)


def of_items(values: Numbers, resamples: int, seed: int, bounds: tuple[float, float] = (0.0, 1.0)) -> Interval:
    """Return the mean of one value an item, each item a unit of its own.

    Where all are alike no drawing can show anything else, and the interval reaches 3 / n
    further (the rule of three: Hanley & Lippman-Hand 1983), within `bounds`.
    """
    found = mean(values, np.arange(len(values)), resamples, seed)
    if found.low < found.high:
        return found
    reach = RULE_OF_THREE / len(values)
    return Interval(found.value, max(bounds[0], found.value - reach), min(bounds[1], found.value + reach))


def _interval(value: float, drawn: Numbers) -> Interval:
    low, high = np.quantile(drawn, [LOW, HIGH])
    return Interval(value, float(low), float(high))

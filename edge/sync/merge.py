"""What two hubs know together: a set union, so order and repetition do not matter.

Pure; the database of the hub does the same and is tested against this. Two contents under
one name are both kept: they mean that a device was cloned. What was erased stays erased,
however late it arrives again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from edge.sync.facts import KINDS, Answer, Erasure, Kind, Stream, Talk

Name = tuple[Kind, str, int]
"""Kind, device and number."""

Fact = tuple[Name, Answer | Talk | Erasure]


@dataclass(frozen=True, slots=True)
class State:
    """Everything known; two that are equal would report the same."""

    facts: frozenset[Fact] = frozenset()
    erased: frozenset[int] = frozenset()
    """Learners to forget."""


def state_of(streams: Iterable[Stream]) -> State:
    """Return what one bundle says."""
    facts = frozenset(
        ((kind, stream.device, row.seq), row) for stream in streams for kind in KINDS for row in getattr(stream, kind)
    )
    return _forgotten(facts, frozenset(row.learner for (kind, *_), row in facts if kind == "erased"))


def merge(one: State, other: State) -> State:
    """Return what both know: commutative, associative, idempotent."""
    return _forgotten(one.facts | other.facts, one.erased | other.erased)


def cloned(state: State) -> set[str]:
    """Return the devices under which one name has two contents."""
    names = Counter(name for name, _ in state.facts)
    return {device for (_, device, _), many in names.items() if many > 1}


def _forgotten(facts: frozenset[Fact], erased: frozenset[int]) -> State:
    """An erasure stays as a fact: it must travel on to other hubs."""
    kept = frozenset(fact for fact in facts if fact[0][0] == "erased" or fact[1].learner not in erased)
    return State(kept, erased)

"""What of a long conversation the model is told: the system line, the lesson and the question always; the oldest turns go.

Pure. A turn is a question with its answer. The lesson is the `stable` part of a question: when that question goes, its
lesson moves before the question that is now the first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.tutor.engine import Message

LEVELS = 3
"""Memory may hold the conversation with so many turns more than fit now; a longer one is read again."""

LEAST_MOVED = 16
"""Moving fewer tokens than that saves nothing."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A conversation that leaves room for its answer, or that has no turn left to drop."""

    messages: list[Message]
    tokens: list[int]
    longer: tuple[list[int], ...]
    """The same with one, two, three turns more: what memory may hold of it."""

    dropped: int
    """So many turns are not told."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What of the memory serves a conversation: its first `until` tokens, without `gap` of them after the first `head`."""

    until: int
    head: int
    gap: int

    @property
    def length(self) -> int:
        """Return how many tokens need not be read."""
        return self.until - self.gap


def without(messages: Sequence[Message], turns: int) -> list[Message]:
    """Return the conversation without its oldest turns; the last question always stays."""
    questions = [place for place, message in enumerate(messages) if message["role"] == "user"]
    if not 0 < turns < len(questions):
        return list(messages)
    first = questions[turns]
    lessons = [m["content"][: m["stable"]] for m in messages[:first] if m["role"] == "user" and "stable" in m]
    question = messages[first]
    if lessons and "stable" not in question:
        question = {**question, "content": lessons[-1] + question["content"], "stable": len(lessons[-1])}
    return [*messages[: questions[0]], question, *messages[first + 1 :]]


def fit(messages: Sequence[Message], tokens_of: Callable[[Sequence[Message]], list[int]], room: int) -> Fitted:
    """Drop as few of the oldest turns as needed for the conversation to be at most `room` tokens long."""
    most = turns_of(messages) - 1
    dropped = bisect_left(range(most), True, key=lambda turns: len(tokens_of(without(messages, turns))) <= room)
    levels = range(dropped - 1, max(-1, dropped - 1 - LEVELS), -1)
    longer = tuple(tokens_of(without(messages, turns)) for turns in levels)
    told = without(messages, dropped)
    return Fitted(told, tokens_of(told), longer, dropped)


def turns_of(messages: Sequence[Message]) -> int:
    """Return how many turns the conversation has, the one to be answered among them."""
    return max(1, sum(message["role"] == "user" for message in messages))


def beginning_of(
    messages: Sequence[Message], tokens: Sequence[int], tokens_of: Callable[[Sequence[Message]], list[int]]
) -> int:
    """Return how many tokens stay the same whatever follows the first stable part of the conversation."""
    place = next((number for number, message in enumerate(messages) if "stable" in message), None)
    if place is None:
        return 0
    before, first = messages[:place], messages[place]
    beginning = first["content"][: first["stable"]]
    others: list[list[Message]] = [[*before, {**first, "content": f"{beginning}{end}"}] for end in ("¿Qué", "7")]
    return min(common(tokens, tokens_of(other)) for other in others)


def reuse(past: Sequence[int], tokens: Sequence[int], longer: Sequence[Sequence[int]] = ()) -> Kept:
    """Return what of the tokens in memory serves `tokens`, all but the last of which may be there already."""
    same = common(past, tokens[:-1])
    best = Kept(same, same, 0)
    for other in longer:
        head, gap = common(tokens, other), len(other) - len(tokens)
        # Where a border became another token the two do not end alike, and all after it is read again.
        if gap <= 0 or list(tokens[head:]) != list(other[head + gap :]):
            continue
        kept = Kept(common(past, other[:-1]), head, gap)
        if kept.until >= head + gap + LEAST_MOVED and kept.length > best.length:
            best = kept
    return best


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many tokens two beginnings share."""
    for place, (ours, theirs) in enumerate(zip(left, right, strict=False)):
        if ours != theirs:
            return place
    return min(len(left), len(right))

"""Answer many requests with one model: each round every answer gets one more token, and who waits is read a portion.

The portion is as long as reading takes a third of a second, so that nobody's answer stops; where no answer is being
written, twice as long, for longer portions read faster. Called from one thread; `ask` and `take_back` from any.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge.errors import EdgeError, ModelError
from edge.llama.beginnings import LEAST_TOKENS, Beginnings
from edge.llama.brake import Stop, never
from edge.llama.grammar import Grammar
from edge.llama.history import common, reuse
from edge.llama.sequences import NOTHING, Part, Seat, Sequences
from edge.shared.turns import Turns
from edge.tutor.engine import LIMIT_SECONDS

FLOWING_SECONDS, QUIET_SECONDS = 0.35, 0.7
"""How long reading may take in one round, where an answer is being written and where none is."""

LEAST_PORTION = 8
ROUND_TOKENS = 16
"""Batches of a multiple of so many tokens are read a fifth faster, token for token: matrices are multiplied in blocks."""

LEAST_COMMON = 32
"""Tokens that a beginning must share with another conversation to be copied."""


@dataclass(slots=True, eq=False)
class Request:
    """One question of one pupil."""

    who: str
    tokens: Sequence[int]
    most: int
    told: Callable[[dict[str, object]], None]
    """Hears of the queue (`place`, `seconds`), of tokens (`token`), and once of the end (`end`: done, stopped, or an error)."""

    longer: Sequence[Sequence[int]] = ()
    """The same conversation with turns that are dropped now: what a seat may have in memory."""

    grammar: Grammar | None = None
    """What the answer is held to, if anything."""

    beginning: int = 0
    """So many of the tokens begin every conversation about this lesson."""

    sequence: int = -1
    started: bool = False
    """Whether reading began; until then others may read what it has in common with them."""

    left: list[int] = field(default_factory=list)
    """Tokens still to be read."""

    pending: int = -1
    """The token written last, which is read next."""

    written: int = 0
    began: float = 0.0
    gone: bool = False


class Desk:
    """The one model's work."""

    def __init__(
        self,
        sequences: Sequences,
        seats: int,
        ends: Callable[[int], bool],
        most_waiting: int = 64,
        beginnings: Beginnings | None = None,
    ) -> None:
        self._sequences, self._ends, self._beginnings = sequences, ends, beginnings
        self._turns: Turns[Request] = Turns(seats, most_waiting)
        self._seats: list[Request | None] = [None] * seats
        self._left = [("", 0.0)] * seats
        """Who sat there last, until when."""

        self._lock, self._work = threading.Lock(), threading.Event()
        self._rate = 0.0
        """Tokens a second that are read in portions, of late."""

        self.heard = time.monotonic()
        """When it was last seen at work; a model that hangs leaves it behind."""

        self._moved = False
        """Whether the queue is another one than when its places were last told."""

    def ask(self, request: Request) -> bool:
        """Take a request in; False when the queue is full."""
        with self._lock:
            taken = self._turns.ask(request.who, request)
            self._moved |= taken
        self._work.set()
        return taken

    def take_back(self, request: Request) -> None:
        """Nobody wants this answer any more."""
        request.gone = True
        with self._lock:
            self._moved |= self._turns.leave(request)
        self._work.set()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Work until told to stop."""
        while not stopped():
            if not self.round(stopped):
                self._work.wait(0.5)
                self._work.clear()

    def round(self, stopped: Stop = never) -> bool:
        """Do one round; False when there was nothing to do. It is broken off when nobody it is for is there any more."""
        self.heard = time.monotonic()
        self._seat()
        sitting = [request for request in self._seats if request]
        if not sitting:
            return False
        parts = [Part(r.sequence, (r.pending,), True, r.grammar) for r in sitting if r.started and not r.left]
        portions = self._portions(sitting, len(parts))
        parts += [Part(r.sequence, tuple(r.left[:n]), n == len(r.left), r.grammar) for r, n in portions]
        began = time.monotonic()
        try:
            found = self._sequences.read(parts, lambda: stopped() or all(request.gone for request in sitting))
        except ModelError as error:
            if not self._make_room():
                # The youngest gives way, the others go on.
                youngest = max((r for r in sitting if r.started), key=lambda r: r.began)
                self._end(youngest, "error", error)
                self._sequences.cut(youngest.sequence, 0)
            return True
        if found is None:
            return True
        if portions:
            self._learn(sum(len(part.tokens) for part in parts), time.monotonic() - began)
        for request, count in portions:
            del request.left[:count]
            self._keep(request)
        for request in sitting:
            if request.sequence in found:
                self._give(request, found[request.sequence])
        return True

    def _seat(self) -> None:
        """Free the seats of who is gone, fill them from the queue, and tell the others where they stand."""
        for request in list(self._seats):
            if request and request.gone:
                self._end(request, "stopped")
            elif request and time.monotonic() - request.began > LIMIT_SECONDS:
                late = None if request.written else ModelError("model-slow", seconds=round(LIMIT_SECONDS))
                self._end(request, "error" if late else "done", late)
        while free := [seat for seat, taken in enumerate(self._seats) if taken is None]:
            with self._lock:
                request = self._turns.next()
            if request is None:
                break
            # Whoever comes back finds the own conversation; who is new takes the seat that was left longest ago.
            who = request.who
            seat = min(free, key=lambda number: (self._left[number][0] != who, self._left[number][1]))
            self._seats[seat] = request
            request.sequence, request.began = seat, time.monotonic()
            self._moved = True
        if self._moved:
            self._tell_places()

    def _tell_places(self) -> None:
        with self._lock:
            self._moved = False
            places = [(request, place, self._turns.seconds(place)) for place, request in self._turns.places()]
        for request, place, seconds in places:
            request.told({"place": place, "seconds": round(seconds, 1)})

    def _begin(self, request: Request) -> None:
        """Give a request the memory of its seat, with as much as any conversation in memory can save it of reading."""
        sequences, seat, wanted = self._sequences, request.sequence, request.tokens[:-1]
        shared = [common(past, wanted) for past in sequences.past]
        best = max(range(len(shared)), key=lambda number: shared[number])
        kept = reuse(sequences.past[seat], request.tokens, request.longer)
        if self._beginnings is not None and request.beginning > max(shared[best], kept.length):
            self._beginnings.recall(Seat(sequences, seat), request.tokens[: request.beginning])
            shared[seat] = common(sequences.past[seat], wanted)
        if kept.gap and kept.length > shared[best]:
            sequences.cut(seat, kept.until)
            sequences.drop(seat, kept.head, kept.head + kept.gap)
            shared[seat] = common(sequences.past[seat], wanted)
        if best != seat and shared[best] >= max(LEAST_COMMON, shared[seat] + 1):
            sequences.copy(best, seat, shared[best])
        else:
            sequences.cut(seat, shared[seat])
        request.left = list(request.tokens[len(self._sequences.past[seat]) :])
        request.started = True

    def _keep(self, request: Request) -> None:
        """Keep a beginning on disk when just this was read; nobody waits for the disk."""
        if self._beginnings is None or len(self._sequences.past[request.sequence]) != request.beginning:
            return
        tokens = list(request.tokens[: request.beginning])
        if len(tokens) >= LEAST_TOKENS and not self._beginnings.has(tokens):
            fresh = self._beginnings.write(Seat(self._sequences, request.sequence), len(tokens))
            threading.Thread(target=self._beginnings.settle, args=(fresh, tokens), daemon=True).start()

    def _make_room(self) -> bool:
        """Forget the longest conversation that nobody needs now; False when there is none."""
        past = self._sequences.past
        idle = [n for n, taken in enumerate(self._seats) if past[n] and (taken is None or not taken.started)]
        if idle:
            self._sequences.cut(max(idle, key=lambda number: len(past[number])), 0)
        return bool(idle)

    def _portions(self, sitting: Sequence[Request], writing: int) -> list[tuple[Request, int]]:
        """Return how many tokens of whom are read in this round, from who sits longest on.

        Whose beginning is just being read for somebody else waits for it.
        """
        wished = int(self._rate * (FLOWING_SECONDS if writing else QUIET_SECONDS)) if self._rate else 4 * LEAST_PORTION
        room = min(self._sequences.batch, _whole(writing, wished)) - writing
        found: list[tuple[Request, int]] = []
        for request in sorted((r for r in sitting if r.left or not r.started), key=lambda r: r.began):
            if room <= 0:
                break
            if not request.started:
                if any(self._saves(other, request) for other, _ in found):
                    continue
                self._begin(request)
            count = min(room, len(request.left), self._until_kept(request))
            found.append((request, count))
            room -= count
        return found

    def _until_kept(self, request: Request) -> int:
        """Return how many tokens of a request are read until its beginning, and nothing else, can be kept."""
        to_come = request.beginning - len(self._sequences.past[request.sequence])
        return to_come if self._beginnings is not None and to_come > 0 else len(request.left)

    def _saves(self, other: Request, request: Request) -> bool:
        """Tell whether `request` can copy more once `other` is read than it can now."""
        wanted = request.tokens[:-1]
        now = max(common(past, wanted) for past in self._sequences.past)
        return common(other.tokens, wanted) >= max(LEAST_COMMON, now + 1)

    def _learn(self, count: int, seconds: float) -> None:
        rate = count / max(seconds, 1e-6)
        self._rate = 0.7 * self._rate + 0.3 * rate if self._rate else rate

    def _give(self, request: Request, token: int) -> None:
        if token == NOTHING or self._ends(token):
            self._end(request, "done")
            return
        request.pending = token
        request.written += 1
        request.told({"token": token})
        if request.written >= request.most:
            self._end(request, "done")

    def _end(self, request: Request, how: str, error: EdgeError | None = None) -> None:
        self._seats[request.sequence] = None
        self._left[request.sequence] = (request.who, time.monotonic())
        if how == "done":
            with self._lock:
                self._turns.finished(time.monotonic() - request.began)
        request.told({"end": how, "error": error})


def _whole(writing: int, wished: int) -> int:
    """Return the size of a batch in which so many write and about so many tokens are read: whole blocks, and some reading."""
    whole = (writing + wished) // ROUND_TOKENS * ROUND_TOKENS
    least = -(-(writing + LEAST_PORTION) // ROUND_TOKENS) * ROUND_TOKENS
    return max(whole, least)

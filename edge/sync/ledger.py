"""What this device has handed over, kept in the store beside what was done.

A bundle is recorded before it is written anywhere; that it lies whole on a stick, and that the hub has it,
are added later. Rows are only ever added. What no acknowledged bundle holds travels again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.learning.store import BUSY_SECONDS, Store, plain_errors
from edge.sync.facts import KINDS, Erasure, Kind, Stream, answer, pseudonym, seconds_of, talk
from edge.sync.spans import Span, spans_of, united, without

EVERYTHING: list[Span] = [(1, (1 << 53) - 1)]

_COLUMNS = {
    "attempts": "learner, seq, lesson, item, given, right, hints, seconds, at, option",
    "turns": "learner, seq, question, mode, text, lesson, at",
    "erased": "learner, seq, at",
}


@dataclass(frozen=True, slots=True)
class States:
    """How many facts are in each state on their way."""

    draft: int
    """In no bundle yet."""

    ready: int
    """In a bundle that is not whole on a stick yet."""

    delivered: int
    """Whole on a stick."""

    acknowledged: int
    """The hub has them."""


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle that was made: its name, and what is in it."""

    digest: str
    streams: tuple[Stream, ...]

    def count(self) -> int:
        """Return how many facts are in it."""
        return sum(stream.count() for stream in self.streams)


class Ledger:
    """The handing-over part of one store. Close it when done."""

    def __init__(self, path: Path) -> None:
        Store.open(path).close()
        self.path = path
        with plain_errors(path):
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self._connection.execute("PRAGMA synchronous = EXTRA")

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def streams(self) -> list[str]:
        """Return every name this device wrote under, the present one last."""
        return [name for (name,) in self._rows("SELECT id FROM device ORDER BY rowid")]

    def begin_stream(self, name: str) -> None:
        """Write under another name from now on; a second time it changes nothing."""
        if name not in self.streams():
            self._add([("INSERT INTO device VALUES (?)", [(name,)])])

    def unacknowledged(
        self, hub: str, secret: bytes, *, turns: bool, everything: bool = False, besides: Iterable[str] = ()
    ) -> list[Stream]:
        """Return what `hub` has not acknowledged (or `everything`) and no bundle of `besides` holds, as it may leave."""
        learners: dict[str, int] = {"": 0}
        done = {} if everything else self._spans(hub, "JOIN acks USING (digest)")
        for digest in besides:
            for kind, device, first, last in self.parts(digest, hub):
                done[kind, device] = united([*done.get((kind, device), []), (first, last)])
        streams = []
        for device in self.streams():
            rows = {
                kind: [
                    self._leaving(kind, row, secret, learners)
                    for span in without(EVERYTHING, done.get((kind, device), []))
                    for row in self._rows(
                        f"SELECT {_COLUMNS[kind]} FROM {kind} WHERE device = ? AND seq BETWEEN ? AND ? ORDER BY seq",
                        [device, *span],
                    )
                ]
                for kind in KINDS
                if turns or kind != "turns"
            }
            stream = Stream(device, **{kind: tuple(found) for kind, found in rows.items()})
            streams += [stream] if stream.count() else []
        return streams

    def record(self, made: Iterable[Made], hub: str, at: str) -> None:
        """Remember bundles before any of them is written to a stick."""
        bundles, parts = [], []
        for each in made:
            bundles.append((each.digest, hub, each.count(), at))
            for stream in each.streams:
                for kind in KINDS:
                    for span in spans_of(row.seq for row in getattr(stream, kind)):
                        parts.append((each.digest, kind, stream.device, *span))
        self._add(
            [
                ("INSERT OR IGNORE INTO bundles VALUES (?, ?, ?, ?)", bundles),
                ("INSERT OR IGNORE INTO bundle_parts VALUES (?, ?, ?, ?, ?)", parts),
            ]
        )

    def delivered(self, names: Iterable[tuple[str, str]], at: str) -> None:
        """Remember that bundles (digest, file name) lie whole on a stick."""
        self._add([("INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?)", [(*each, at) for each in names])])

    def acknowledge(self, digests: Iterable[str], hub: str, at: str) -> int:
        """Remember what `hub` has; return how many facts that makes newly acknowledged. Others' digests are passed over."""
        before = self.states(hub).acknowledged
        known = {digest for (digest,) in self._rows("SELECT digest FROM bundles WHERE hub = ?", [hub])}
        rows = [(digest, at) for digest in digests if digest in known]
        self._add([("INSERT OR IGNORE INTO acks VALUES (?, ?)", rows)])
        return self.states(hub).acknowledged - before

    def parts(self, digest: str, hub: str) -> list[tuple[Kind, str, int, int]]:
        """Return what a bundle for `hub` holds: kind, stream, first and last number; nothing when there is none such."""
        sql = "SELECT kind, device, first, last FROM bundle_parts JOIN bundles USING (digest) WHERE digest = ? AND hub = ?"
        return self._rows(sql, [digest, hub])

    def is_acknowledged(self, digest: str) -> bool:
        """Tell whether the hub has a bundle."""
        return bool(self._rows("SELECT 1 FROM acks WHERE digest = ?", [digest]))

    def finished_files(self) -> set[str]:
        """Return the names of files on sticks that nobody needs any more: the hub has what is in them."""
        return {name for (name,) in self._rows("SELECT name FROM deliveries JOIN acks USING (digest)")}

    def states(self, hub: str, *, turns: bool = True) -> States:
        """Return how far everything is on its way to `hub`."""
        acknowledged = self._spans(hub, "JOIN acks USING (digest)")
        delivered = self._spans(hub, "JOIN deliveries USING (digest)")
        made = self._spans(hub, "")
        counts = [0, 0, 0, 0]
        for device in self.streams():
            for kind in KINDS:
                if kind == "turns" and not turns:
                    continue
                seen: list[Span] = []
                ways = [spans.get((kind, device), []) for spans in (acknowledged, delivered, made)]
                for place, here in enumerate((*ways, EVERYTHING)):
                    counts[place] += sum(self._count(kind, device, span) for span in without(here, seen))
                    seen = united([*seen, *here])
        return States(draft=counts[3], ready=counts[2], delivered=counts[1], acknowledged=counts[0])

    def last_ack(self, hub: str) -> str:
        """Return when the last acknowledgement was taken in, empty when there was none."""
        rows = self._rows("SELECT max(acks.at) FROM acks JOIN bundles USING (digest) WHERE hub = ?", [hub])
        return rows[0][0] or ""

    def waiting_since(self, hub: str) -> str:
        """Return when the first delivery was made of which `hub` still has not acknowledged everything, else nothing."""
        done = self._spans(hub, "JOIN acks USING (digest)")
        sql = (
            "SELECT kind, device, first, last, min(deliveries.at) FROM bundle_parts JOIN bundles USING (digest) "
            "JOIN deliveries USING (digest) WHERE hub = ? GROUP BY 1, 2, 3, 4 ORDER BY 5"
        )
        for kind, device, first, last, at in self._rows(sql, [hub]):
            left = without([(first, last)], done.get((kind, device), []))
            if any(self._count(kind, device, span) for span in left):
                return str(at)
        return ""

    def _leaving(self, kind: Kind, row: tuple[Any, ...], secret: bytes, learners: dict[str, int]) -> Any:
        name, *rest = row
        if (learner := learners.get(name)) is None:
            learner = learners[name] = pseudonym(secret, name)
        if kind == "attempts":
            return answer(tuple(rest), learner)
        if kind == "turns":
            return talk(tuple(rest), learner)
        return Erasure(rest[0], learner, seconds_of(rest[1]))

    def _spans(self, hub: str, joined: str) -> dict[tuple[str, str], list[Span]]:
        rows = self._rows(
            f"SELECT DISTINCT kind, device, first, last FROM bundle_parts JOIN bundles USING (digest) {joined} "
            "WHERE hub = ?",
            [hub],
        )
        found: dict[tuple[str, str], list[Span]] = {}
        for kind, device, first, last in rows:
            found.setdefault((kind, device), []).append((first, last))
        return {name: united(spans) for name, spans in found.items()}

    def _count(self, kind: Kind, device: str, span: Span) -> int:
        sql = f"SELECT count(*) FROM {kind} WHERE device = ? AND seq BETWEEN ? AND ?"
        return int(self._rows(sql, [device, *span])[0][0])

    def _rows(self, sql: str, values: Sequence[str | int] = ()) -> list[tuple[Any, ...]]:
        with plain_errors(self.path):
            return self._connection.execute(sql, values).fetchall()

    def _add(self, steps: Iterable[tuple[str, Sequence[tuple[Any, ...]]]]) -> None:
        """Add rows in one step; when this returns, a power cut can no longer take them."""
        with plain_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for sql, rows in steps:
                    self._connection.executemany(sql, rows)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

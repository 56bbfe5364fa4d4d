"""The tables of the file of records, and how long a wrong passphrase makes one wait. Pure."""

from __future__ import annotations

FORMAT = "1"

SCHEMA = (
    "CREATE TABLE vault (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE wraps (kind TEXT PRIMARY KEY, cost INTEGER NOT NULL, salt BLOB NOT NULL, sealed BLOB NOT NULL)",
    "CREATE TABLE keys (patient TEXT PRIMARY KEY, sealed BLOB NOT NULL)",
    "CREATE TABLE events (seq INTEGER PRIMARY KEY, patient TEXT NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL,"
    " digest BLOB NOT NULL, sealed BLOB NOT NULL)",
    "CREATE TABLE head (one INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL, mac BLOB NOT NULL)",
    "CREATE TABLE failures (one INTEGER PRIMARY KEY, count INTEGER NOT NULL, at REAL NOT NULL)",
    # What was written stays; only deletion may empty a text.
    "CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT raise(ABORT, 'events are never removed'); END",
    "CREATE TRIGGER events_fixed BEFORE UPDATE ON events WHEN new.sealed != x'' OR new.seq != old.seq"
    " OR new.patient != old.patient OR new.prev != old.prev OR new.hash != old.hash OR new.digest != old.digest"
    " BEGIN SELECT raise(ABORT, 'events never change'); END",
)

LATER = (
    "CREATE TABLE IF NOT EXISTS pages (patient TEXT PRIMARY KEY, sealed BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS unsaved (name TEXT PRIMARY KEY, seconds REAL NOT NULL)",
)
"""What files of the first days lack."""

FREE_TRIES = 3
LONGEST_WAIT_SECONDS = 300.0


def wait_seconds(failed: int, since_last: float) -> float:
    """Return how long to wait still: after three wrong tries 2, 4, 8 ... seconds, at most five minutes.

    A clock that was set back counts as no time passed, never as more than the whole wait.
    """
    if failed < FREE_TRIES:
        return 0.0
    whole = min(2.0 ** (failed - FREE_TRIES + 1), LONGEST_WAIT_SECONDS)
    return max(0.0, whole - max(0.0, since_last))

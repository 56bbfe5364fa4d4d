"""Decide at each start which release this device uses, and give up one that does not reach its prompt.

A new release is on trial. Each start is counted before anything of it runs; when it was begun twice and
never showed its prompt, the one before it is used again, and the next prompt says so. A launcher counts
and chooses the same way, so that a program that cannot even begin is given up too.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from edge.learning import migrations
from edge.update.errors import UpdateError
from edge.update.places import Releases, Trial
from edge.update.switch import alone, collect, go_back

MOST_STARTS = 2
CHOSEN = "AMAUTA_RELEASE"
"""The release a launcher has chosen; it has counted this start already."""

KEPT_STORE = "store-before.db"
"""What learners did, as the release before the one on trial can read it."""


def begin(home: Path, environ: Mapping[str, str]) -> None:
    """Count a start of a release on trial, or go back when it had its starts. Never stops the app from opening."""
    releases = Releases.of(home)
    trial = releases.trial()
    if trial is None:
        return
    chosen = environ.get(CHOSEN, "")
    counted = chosen == str(trial.number)
    earlier = trial.starts - counted
    with suppress(OSError, sqlite3.Error):
        if earlier >= MOST_STARTS:
            _give_up(releases, trial, home)
        elif counted or not chosen:
            if earlier == 0:
                _keep_store(releases, home)
            if not counted:
                count(releases)


def count(releases: Releases) -> None:
    """Note one more start of the release on trial."""
    with (releases.folder / "trying").open("a", encoding="ascii") as file:
        file.write("start\n")
        file.flush()
        # Whoever cuts the power on a start that hangs must be counted too.
        os.fsync(file.fileno())


def forgive(home: Path) -> None:
    """Take back the count of a start that a person ended by choice while the library was still opening."""
    releases = Releases.of(home)
    trial = releases.trial()
    if trial is None or trial.starts == 0:
        return
    with suppress(OSError):
        releases.begin_trial(trial.number, trial.before)
        for _ in range(trial.starts - 1):
            count(releases)


def reached(home: Path, number: int) -> None:
    """Note that release `number` shows its prompt: it stays, and what is older than the one before it goes."""
    releases = Releases.of(home)
    trial = releases.trial()
    if trial is None or trial.number != number:
        return
    with suppress(OSError, UpdateError), alone(releases):
        releases.end_trial()
        (releases.folder / KEPT_STORE).unlink(missing_ok=True)
        collect(releases)


def told(home: Path) -> None:
    """Remember that a person has read of the release that was given up."""
    releases = Releases.of(home)
    with suppress(OSError):
        releases.mark_failed(releases.failed()[0], told=True)


def _give_up(releases: Releases, trial: Trial, home: Path) -> None:
    releases.mark_failed(trial.number)
    _restore_store(releases, home)
    go_back(releases, trial.before if releases.is_installed(trial.before) else 0)


def _keep_store(releases: Releases, home: Path) -> None:
    """Copy the store before a new release may change its tables: the old one could not read them then."""
    store, kept = home / "amauta.db", releases.folder / KEPT_STORE
    kept.unlink(missing_ok=True)
    if not store.is_file():
        return
    partial = kept.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(partial)) as copy:
        source.backup(copy)
    partial.replace(kept)


def _restore_store(releases: Releases, home: Path) -> None:
    """Put the copy back where the release on trial changed the tables; it never took an answer."""
    store, kept = home / "amauta.db", releases.folder / KEPT_STORE
    if not (store.is_file() and kept.is_file()):
        return
    with closing(sqlite3.connect(store)) as now, closing(sqlite3.connect(kept)) as then:
        if migrations.recorded(now) != migrations.recorded(then):
            then.backup(now)
    kept.unlink(missing_ok=True)

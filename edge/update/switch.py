"""Make a staged release the one in use, go back to the one before it, and clear away what is older.

Every step leaves the old or the new release whole: the pointer is one file, replaced in one move, and
nothing that it names, or may name again, is deleted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.files import sync_folder
from edge.locks import take
from edge.release.contents import Contents
from edge.update.errors import UpdateError
from edge.update.places import RECEIPT, STAGING, Pointer, Releases
from edge.update.receipt import write_receipt


def reopen(releases: Releases, number: int) -> None:
    """Turn a release without a receipt back into one that is being made: a cut came between the last two steps."""
    whole, staging = releases.whole(number), releases.staging(number)
    if whole.is_dir() and not releases.is_installed(number):
        if staging.is_dir():
            shutil.rmtree(staging)
        whole.rename(staging)


def doubt(releases: Releases, number: int) -> None:
    """Take the receipt from a release that was found damaged: until it is mended, the one before it is used."""
    receipt = releases.whole(number) / RECEIPT
    if receipt.exists():
        receipt.unlink()
        sync_folder(receipt.parent)


def switch(releases: Releases, contents: Contents) -> Pointer:
    """Use the staged release from the next start on, on trial until it has reached its prompt."""
    number, old, trial = contents.number, releases.pointer(), releases.trial()
    # What is kept to go back to has shown its prompt here.
    before = old.before if trial or old.number == number else old.number
    releases.staging(number).rename(releases.whole(number))
    sync_folder(releases.folder)
    write_receipt(releases, contents)
    return use(releases, number, before)


def use(releases: Releases, number: int, before: int) -> Pointer:
    """Point to an installed release; what tells that it is on trial is written first."""
    releases.begin_trial(number, before)
    releases.point(pointer := Pointer(number, before))
    if releases.failed()[0] == number:
        releases.forget_failed()
    return pointer


def go_back(releases: Releases, before: int) -> None:
    """Use the release before the present one from the next start on."""
    releases.point(Pointer(before, 0))
    releases.end_trial()


def collect(releases: Releases, *, keep: int = 0) -> None:
    """Delete what neither the pointer nor `keep`, the number being made, needs."""
    pointer = releases.pointer()
    needed = {pointer.number, pointer.before}
    for number in releases.numbers():
        if number not in needed:
            # Without its receipt it is nothing, however much of it is left.
            doubt(releases, number)
            shutil.rmtree(releases.whole(number), ignore_errors=True)
    for path in releases.folder.glob(f"{STAGING}*"):
        if path != releases.staging(keep):
            shutil.rmtree(path, ignore_errors=True)
    for path in releases.folder.glob(".*.*"):
        path.unlink(missing_ok=True)  # what a cut left of a pointer


@contextmanager
def alone(releases: Releases) -> Iterator[None]:
    """Let one update work at a time; the lock ends with its process, however that ends."""
    releases.folder.mkdir(parents=True, exist_ok=True)
    path = releases.folder / "lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not take(handle):
            raise UpdateError("update-busy", path=releases.folder)
        yield
    finally:
        os.close(handle)


def remove(folder: Path) -> None:
    """Delete a folder as far as the disk allows."""
    with suppress(OSError):
        shutil.rmtree(folder)

"""What a stick offers this device: a release that can be trusted, is newer, and did not fail here before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge.errors import EdgeError
from edge.release.contents import Contents
from edge.release.trust import Trusted, open_release
from edge.update.install import for_this_device, state_of
from edge.update.places import Releases


@dataclass(frozen=True, slots=True)
class Offer:
    """A newer release, with the files this device takes."""

    contents: Contents
    trusted: Trusted


def look(home: Path, folders: Iterable[Path], now: datetime) -> Offer | None:
    """Return the newest release worth offering; what cannot be trusted is passed over, not told to a learner."""
    offers: list[Offer] = []
    for folder in folders:
        try:
            trusted = open_release(folder, home, None, now)
        except EdgeError:
            continue
        contents = for_this_device(trusted.contents)
        failed = contents.number == Releases.of(home).failed()[0]
        if contents.files and not failed and state_of(home, contents.number) == "newer":
            offers.append(Offer(contents, trusted))
    return max(offers, key=lambda offer: offer.contents.number, default=None)

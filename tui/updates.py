"""The releases of this device, as the screens ask for them. Knows nothing of Textual; opens nothing before it must."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edge.settings import Settings
from edge.update.places import Releases

if TYPE_CHECKING:
    from edge.update.install import Done
    from edge.update.offer import Offer


class Updates:
    """Which release runs, whether it must still prove itself, and what a stick brings."""

    def __init__(self, settings: Settings, sticks: Callable[[], list[Path]], now: Callable[[], datetime]) -> None:
        self._home, self._release = settings.home, settings.release
        self._sticks, self._now = sticks, now
        self._seen: list[Path] = []
        self.shown = False
        """Whether the prompt came on screen."""

        self.broken = False
        """Whether the library of this release does not open."""

        self.offer: Offer | None = None
        """What the sticks that are here offer, as far as was looked."""

    @property
    def on_trial(self) -> bool:
        """Whether the release in use has not shown its prompt yet."""
        return Releases.of(self._home).trial() is not None

    def prove(self) -> None:
        """The prompt is on screen and the library is open: this release stays."""
        from edge.update.start import reached

        reached(self._home, self._release)

    def leave(self) -> None:
        """A person closed the app by choice: a start whose library was still opening counts for nothing."""
        if self.shown and not self.broken and self.on_trial:
            from edge.update.start import forgive

            forgive(self._home)

    def given_up(self) -> int:
        """Return, once, the release that did not start here and was left for the one before; else 0."""
        number, told = Releases.of(self._home).failed()
        if not number or told:
            return 0
        from edge.update.start import told as remember

        remember(self._home)
        return number

    def look(self) -> Offer | None:
        """Look at the sticks; a stick that was looked at is not read again while it stays. Slow when one is new."""
        sticks = self._sticks()
        if sticks != self._seen:
            from edge.update.offer import look

            self._seen, self.offer = sticks, look(self._home, sticks, self._now()) if sticks else None
        return self.offer

    def install(self, offer: Offer, moved: Callable[[int, int], None]) -> Done:
        """Install what is offered; raise EdgeError when that cannot be, and then all is as it was."""
        from edge.update.install import install

        done = install(self._home, offer.contents, offer.trusted.part, moved, lambda _: None)
        self.offer = None
        return done

"""Networks, the school's own and the internet, as screens and line mode ask for them. Knows nothing of Textual."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from edge.settings import Settings
from edge.sync.errors import SyncError

if TYPE_CHECKING:
    from edge.sync.lan.carrying import Load
    from edge.sync.lan.events import Event
    from edge.sync.lan.find import Found
    from edge.sync.lan.interfaces import Address
    from edge.sync.lan.receiving import Receiving
    from edge.sync.lan.sender import Progress, Sent
    from edge.sync.wire.sending import Handed
    from edge.sync.wire.sending import Progress as WireProgress

LOOK_SECONDS = 0.1
"""How often to look whether a person wants to stop, while nothing gets through."""


class NearBy:
    """Deliver to a laptop nearby, or be the laptop that carries for others."""

    def __init__(self, settings: Callable[[], Settings], addresses: Sequence[Address] | None = None) -> None:
        self._settings = settings
        self._addresses = addresses
        """Where to listen; on every card of this machine when None."""

    def load(self) -> Load | None:
        """Return what this laptop carries for others; None when it never did."""
        from edge.sync.lan.carrying import load_of

        return load_of(self._settings().home)

    def find(self, cancelled: Callable[[], bool]) -> list[Found]:
        """Return the laptops that receive on this network."""
        from edge.sync.lan.find import find

        return find(cancelled=cancelled)

    def send(self, code: str, address: str, moved: Callable[[Progress], object], cancelled: Callable[[], bool]) -> Sent:
        """Deliver to the laptop that shows `code`; raise EdgeError when that cannot be."""
        from edge.sync.lan.sender import send_near

        return send_near(self._settings(), code, address or None, lambda progress: void(moved(progress)), cancelled)

    def upload(self, moved: Callable[[WireProgress], object], cancelled: Callable[[], bool]) -> Handed:
        """Deliver to the hub over the internet; raise EdgeError when that cannot be."""
        from edge.sync.wire.client import Chance, Link
        from edge.sync.wire.sending import send

        def go_on() -> None:
            if cancelled():
                raise SyncError("near-cancelled")

        def pause(seconds: float) -> None:
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:
                go_on()
                time.sleep(min(left, LOOK_SECONDS))

        def told(progress: WireProgress) -> None:
            go_on()
            moved(progress)

        return send(self._settings(), "", None, told, partial(Link, chance=Chance(sleep=pause)))

    def receive(self, told: Callable[[Event], object]) -> AbstractContextManager[Receiving]:
        """Be open until the end of the block; `told` is called from other threads."""
        from edge.sync.lan.receiving import open_receiving

        return open_receiving(self._settings(), lambda event: void(told(event)), addresses=self._addresses)


def void(_: object) -> None:
    """Let go of an answer that nobody asked for."""

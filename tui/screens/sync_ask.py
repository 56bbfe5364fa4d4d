"""Ask what has to be asked before an adult's decision is carried out, and tell how it ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.screen import Screen

from edge.errors import EdgeError
from tui import deeds
from tui.screens.sync_confirm import ConfirmScreen
from tui.services import Services


class Asking:
    """The decisions one screen offers."""

    def __init__(self, screen: Screen[Any], services: Services, tell: Callable[[str], None]) -> None:
        self._screen, self._services, self._tell = screen, services, tell

    def open(self, deed: str) -> None:
        """Ask, and do it when it was confirmed."""
        services = self._services
        if deed == "chats" and services.settings.share_turns:
            self._try(lambda: deeds.allow_chats(services, allowed=False))
        elif deed == "chats":
            self._confirm("chats", lambda: deeds.allow_chats(services, allowed=True))
        elif deed == "renew":
            self._confirm("renew", lambda: deeds.renew(services))
        elif deed == "upload":
            from tui.screens.sync_upload import UploadScreen

            self._screen.app.push_screen(UploadScreen(services))
        elif deed == "send":
            from tui.screens.sync_send import SendScreen

            self._screen.app.push_screen(SendScreen(services))
        elif deed == "receive":
            from tui.screens.sync_receive import ReceiveScreen

            self._screen.app.push_screen(ReceiveScreen(services))
        elif deed == "enrol":
            from tui.screens.sync_enrol import EnrolScreen

            self._screen.app.push_screen(EnrolScreen(services), self.enrol)
        elif deed == "people":
            from tui.screens.sync_person import PeopleScreen

            self._screen.app.push_screen(PeopleScreen(services))

    def enrol(self, given: str | Path | None) -> None:
        """Enrol with what was given; nothing was given when the person went back."""
        if given:
            self._try(lambda: deeds.enrol(self._services, given))

    def _confirm(self, deed: str, do: Callable[[], str]) -> None:
        words = self._services.words
        asked = ConfirmScreen(
            self._services,
            question=words.say(f"confirm.{deed}"),
            about=words.say(f"confirm.{deed}_about"),
            word=words.say(f"confirm.{deed}_word"),
        )
        self._screen.app.push_screen(asked, lambda confirmed: self._try(do) if confirmed else None)

    def _try(self, do: Callable[[], str]) -> None:
        try:
            self._tell(do())
        except EdgeError as error:
            self._tell(error.say(self._services.lang))

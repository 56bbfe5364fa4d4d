"""The clinic's records while the app runs: opened by whoever knows the passphrase, locked by themselves.

One vault for the whole app; nothing is opened before it is wanted. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING

from edge.errors import EdgeError

if TYPE_CHECKING:
    from edge.records.book import Book
    from edge.records.vault import Vault


COUNT_SECONDS = 600.0
"""How often the use of the app is counted, by which answers that nobody saved go."""


class Records:
    """The vault of this device, or none yet."""

    def __init__(
        self, home: Callable[[], Path], clock: Callable[[], float] = time, ticks: Callable[[], float] = monotonic
    ) -> None:
        self._home = home
        self.ticks = ticks
        """Counts seconds of use, whatever the clock says."""

        self._counted = ticks()
        self.clock = clock
        """Counts seconds; the vault locks and makes wait by it."""

        self._vault: Vault | None = None
        self._open = False

    @property
    def path(self) -> Path:
        """Where they lie."""
        from edge.records.file import FILE_NAME

        return self._home() / FILE_NAME

    @property
    def exist(self) -> bool:
        """Whether somebody made them; raise EdgeError where the file cannot be used."""
        if self._vault is not None:
            return True
        from edge.records.errors import RecordsError

        try:
            self._opened()
        except RecordsError as error:
            if error.key == "records-none":
                return False
            raise
        return True

    @property
    def locked(self) -> bool:
        """Whether the passphrase is needed; asking does not count as use."""
        return self._vault is None or self._vault.locked

    def just_locked(self) -> bool:
        """Tell once that they were open and have locked themselves."""
        if self.ticks() - self._counted > COUNT_SECONDS:
            self.count_use()
        was, self._open = self._open, not self.locked
        return was and not self._open

    def touch(self) -> None:
        """Count as use that somebody pressed a key."""
        if self._vault is not None and not self.locked:
            self._vault.key()

    def create(self, passphrase: str) -> str:
        """Make them, open them, and return the recovery key."""
        from edge.records.vault import Vault

        recovery = Vault.create(self.path, passphrase)
        self.unlock(passphrase)
        return recovery

    def unlock(self, passphrase: str) -> None:
        """Open them, or raise EdgeError."""
        self._opened().unlock(passphrase)
        self._open = True
        self.count_use()

    def recover(self, recovery: str, passphrase: str) -> None:
        """Open them with the recovery key, and set a new passphrase."""
        self._opened().recover(recovery, passphrase)
        self._open = True

    def change_passphrase(self, passphrase: str) -> None:
        """Set another passphrase."""
        self._opened().change_passphrase(passphrase)

    @property
    def recovery_copied(self) -> bool:
        """Whether somebody said that the recovery key is on paper."""
        return self._opened().recovery_copied

    def renew_recovery(self) -> str:
        """Return a new recovery key; older ones open nothing any more."""
        return self._opened().renew_recovery()

    def confirm_recovery(self) -> None:
        """Keep that the recovery key is on paper."""
        self._opened().recovery_is("copied")

    def book(self) -> Book:
        """Return the visits, for as long as the records are open."""
        from edge.records.book import Book

        return Book(self._opened())

    def lock(self) -> None:
        """Lock them now; nobody needs to be told."""
        self.count_use()
        self._open = False
        if self._vault is not None:
            self._vault.lock()

    def close(self) -> None:
        """Let go of the file."""
        self.count_use()
        self._open = False
        if self._vault is not None:
            self._vault.close()
            self._vault = None

    def count_use(self) -> None:
        """Count how long the app was used since the last time; a full disk must not stop anybody from closing it."""
        if self._vault is None:
            return
        from edge.records.unsaved import count_use

        with suppress(EdgeError):
            count_use(self._vault, self.ticks() - self._counted)
            self._counted = self.ticks()

    def _opened(self) -> Vault:
        if self._vault is None:
            from edge.records.vault import Vault

            self._vault = Vault(self.path, lambda: self.clock())
        return self._vault


def checked_passphrase(given: str, lang: str) -> str:
    """Return what is wrong with a new passphrase, in a sentence; nothing: it will do."""
    from edge.records.seal import clean_passphrase

    try:
        clean_passphrase(given)
    except EdgeError as error:
        return error.say(lang)
    return ""

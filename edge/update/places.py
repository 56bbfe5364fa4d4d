"""Where the releases of a device lie, and which of them it uses. Reads and writes pointers; moves no content.

    releases/current      the number in use, then the one before it (0: what came with the app)
    releases/trying       the number on trial, the one to go back to, then a line for each start
    releases/failed       a number that never reached its prompt, then `told` once somebody has read so
    releases/12/          one release whole; its receipt `installed.json` was written last
    releases/staging-12/  one that is still being made

A launcher reads the first two with `read`: they stay plain lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomic

RECEIPT = "installed.json"
STAGING = "staging-"
TOLD = "told"
MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which release is used, and which was before it; 0 is what came with the app."""

    number: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """A release that has not reached its prompt yet."""

    number: int
    before: int
    starts: int
    """How often it was begun."""


@dataclass(frozen=True, slots=True)
class Releases:
    """The folder `releases` of one device."""

    folder: Path

    @classmethod
    def of(cls, home: Path) -> Releases:
        """Return those below Amauta's folder."""
        return cls(home / "releases")

    def whole(self, number: int) -> Path:
        """Return where a release lies once it is whole."""
        return self.folder / str(number)

    def staging(self, number: int) -> Path:
        """Return where a release is made."""
        return self.folder / f"{STAGING}{number}"

    def is_installed(self, number: int) -> bool:
        """Tell whether a release was finished; 0, what came with the app, always is."""
        return number == 0 or (self.whole(number) / RECEIPT).is_file()

    def numbers(self) -> list[int]:
        """Return the numbers of the folders here, finished or not, in order."""
        if not self.folder.is_dir():
            return []
        return sorted(int(path.name) for path in self.folder.iterdir() if path.name.isdecimal() and path.is_dir())

    def pointer(self) -> Pointer:
        """Return what is used; where the pointer names what is not here, the one before it, else 0."""
        number, before = (*_numbers(self.folder / "current"), 0, 0)[:2]
        if not self.is_installed(before):
            before = 0
        return Pointer(number, before) if self.is_installed(number) else Pointer(before, 0)

    def point(self, pointer: Pointer) -> None:
        """Use another release from the next start on: the one write that switches."""
        write_atomic(self.folder / "current", f"{pointer.number}\n{pointer.before}\n".encode())

    def trial(self) -> Trial | None:
        """Return the release on trial, if the one in use is; what a cut left of another trial counts as none."""
        found = _numbers(self.folder / "trying")
        if len(found) < 2 or found[0] != self.pointer().number:
            return None
        starts = len(_lines(self.folder / "trying")) - 2
        return Trial(found[0], found[1], starts)

    def begin_trial(self, number: int, before: int) -> None:
        """Note, before the switch, that this release must prove itself."""
        write_atomic(self.folder / "trying", f"{number}\n{before}\n".encode())

    def end_trial(self) -> None:
        """Forget that anything is on trial."""
        (self.folder / "trying").unlink(missing_ok=True)

    def failed(self) -> tuple[int, bool]:
        """Return the release that did not start here, or 0, and whether somebody was told."""
        lines = _lines(self.folder / "failed")
        return (_numbers(self.folder / "failed") or [0])[0], TOLD in lines[1:]

    def mark_failed(self, number: int, *, told: bool = False) -> None:
        """Remember a release that did not start here."""
        write_atomic(self.folder / "failed", f"{number}\n{TOLD if told else ''}\n".encode())

    def forget_failed(self) -> None:
        """Nothing failed, or it was tried again and works."""
        (self.folder / "failed").unlink(missing_ok=True)


def current_folder(home: Path) -> tuple[int, Path | None]:
    """Return the release in use and its folder; 0 and None when it is what came with the app."""
    releases = Releases.of(home)
    number = releases.pointer().number
    return number, releases.whole(number) if number else None


def _lines(path: Path) -> list[str]:
    """Return the lines of a small file that say something; none when it cannot be read."""
    try:
        return [line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        return []


def _numbers(path: Path) -> list[int]:
    """Return the numbers a file begins with."""
    found: list[int] = []
    for line in _lines(path):
        if not (line.isascii() and line.isdecimal() and len(line) <= MOST_DIGITS):
            break
        found.append(int(line))
    return found

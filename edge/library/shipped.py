"""The search indexes that came with the app: made once where the app was made, and never written to.

One counts only for the very packs, vectors and format it was made of, which its name says, and only while
no byte of it has changed. Whoever finds it unfit makes an index of their own, as if there were none.
"""

from __future__ import annotations

from pathlib import Path

from edge.files import sha256_of
from edge.library import index
from edge.library.folder import CLINIC, EMBEDDED, pack_folders
from edge.library.meaning import Meaning

FOLDER = Path(__file__).parent.parent / "index"
"""Beside the packs; empty where Amauta runs from its source."""

RECEIPT = ".sha256"


def find(name: str, folder: Path) -> Path | None:
    """Return the index of this name when it is there and whole."""
    path = folder / name
    return path if path.is_file() and not is_damaged(name, folder) else None


def is_damaged(name: str, folder: Path) -> bool:
    """Tell whether the index of this name came along but is no longer what was made."""
    path, receipt = folder / name, folder / f"{name}{RECEIPT}"
    try:
        return path.is_file() and receipt.read_text(encoding="ascii").strip() != sha256_of(path)
    except (OSError, UnicodeDecodeError):
        return True


def make(package: Path) -> tuple[Path, ...]:
    """Write the indexes of the packs in a copy of this package, a school's and a health post's, in place of any before."""
    meaning = Meaning(package / "models" / "search")
    folder = package / FOLDER.name
    for old in folder.glob("*"):
        old.unlink()
    school = package / EMBEDDED.name
    clinic = package / CLINIC.parent.name / CLINIC.name
    wanted = {
        index.fingerprint(packs, meaning): packs for packs in (pack_folders(school), pack_folders(school, clinic))
    }
    return tuple(_made(name, packs, folder, meaning) for name, packs in wanted.items())


def _made(name: str, packs: list[Path], folder: Path, meaning: Meaning) -> Path:
    path = folder / f"{name}{index.SUFFIX}"
    index.build(packs, path, meaning)
    (folder / f"{path.name}{RECEIPT}").write_text(f"{sha256_of(path)}\n", encoding="ascii")
    return path

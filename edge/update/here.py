"""Find what of a release is on this disk already: in installed releases, in the app, among what a person added.

Reads names, sizes and receipts; only a loose file that has the name of a wanted one is read through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.files import sha256_of
from edge.release.contents import ReleaseFile, cut
from edge.update.places import Releases
from edge.update.plan import Here
from edge.update.receipt import read_receipt

APP = Path(__file__).parent.parent
LOOSE = ("models", "voices", "packs")


def survey(home: Path, wanted: Iterable[ReleaseFile], program: Path | None, app: Path = APP) -> Here:
    """Return every file and part of use that is here. Nothing of it is trusted: whoever takes it hashes it.

    `program` is the folder of the frozen program that runs, `app` that of Amauta's own data.
    """
    here, wanted = Here(), list(wanted)
    releases = Releases.of(home)
    for number in reversed(releases.numbers()):
        contents = read_receipt(releases, number)
        for file in contents.files if contents else ():
            path = releases.whole(number) / file.path
            if _size(path) == file.size:
                here.add(path, file.sha256, file.size, file.parts)
    missing = [file for file in wanted if file.sha256 not in here.files]
    names = {Path(file.path).name for file in missing if file.kind != "app"}
    for path in [*_loose(home, app, names), *(_running(program, missing) if program else ())]:
        here.add(path, sha256_of(path), path.stat().st_size, cut(path))
    return here


def _running(program: Path, missing: Iterable[ReleaseFile]) -> Iterator[Path]:
    """Yield the files of the running program that may be those of the release."""
    for file in missing:
        if file.kind == "app":
            path = program.joinpath(*file.path.split("/")[2:])
            if _size(path) == file.size:
                yield path


def _loose(home: Path, app: Path, names: set[str]) -> Iterator[Path]:
    """Yield the files of these names beside the releases."""
    for folder in (home, app):
        for kind in LOOSE if names else ():
            for path in sorted((folder / kind).rglob("*")):
                if path.name in names and path.is_file() and not path.is_symlink():
                    yield path


def _size(path: Path) -> int:
    """Return the size of a file, -1 when it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return -1

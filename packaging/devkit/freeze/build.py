"""Freeze the app: gather with PyInstaller, finish the folder, prove that it runs, describe it.

Works in a folder beside the result and moves it into place at the end; a build that broke
off leaves the former one as it was. What is gathered is decided in `choice` and `closure`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from devkit.errors import KitError
from devkit.freeze import choice, closure, elf, notices
from devkit.freeze.folder import check_names, describe, settle, write_description, zip_folder
from devkit.freeze.proof import prove
from edge import __version__
from edge.library import shipped
from edge.release.anchor import read_anchor
from edge.release.sources import TrustError
from edge.update.install import platform_name

SOURCE = Path(__file__).resolve().parent.parent.parent.parent
SPEC = Path("packaging/pyinstaller/amauta.spec")
NEEDED_MB = 1500
"""The folder twice, PyInstaller's own notes and the zip."""

ROOT_PLACE = Path("_internal/edge/release/root.json")
BUILT_PLACE = Path("_internal/edge/release/built.txt")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a build left behind."""

    folder: Path
    pack: Path
    """The same as a zip without links."""

    size: int
    glibc: str
    platform: str


def freeze(out: Path, root: Path | None, heading: str, say: Say) -> Frozen:
    """Build for this machine's kind; `say` is told which step begins. Raise KitError when it cannot be done."""
    out = out.absolute()
    check_machine(SOURCE, shutil.disk_usage(_existing(out)).free >> 20, out)
    trusted = None if root is None else read_root(root)
    kind = platform_name()
    target = out / f"amauta-{__version__}-{kind}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".freeze-") as work:
            say("gather")
            folder = _gather(Path(work))
            say("finish")
            _finish(folder, trusted, heading)
            say("prove")
            prove(folder)
            facts = describe(folder, __version__, kind)
            write_description(folder, facts)
            say("pack")
            _replace(folder, target)
        pack = zip_folder(target, target.with_name(f"{target.name}.zip"))
    except OSError as error:
        raise KitError("freeze-disk", path=out, reason=error.strerror or str(error)) from error
    return Frozen(target, pack, int(str(facts["size"])), str(facts["glibc"]), kind)


def check_machine(source: Path, free_mb: int, out: Path) -> None:
    """Raise KitError when this machine cannot freeze the app, and say what is missing."""
    if not (source / SPEC).is_file():
        raise KitError("freeze-no-source", path=source)
    if find_spec("PyInstaller") is None:
        raise KitError("freeze-no-pyinstaller")
    if free_mb < NEEDED_MB:
        raise KitError("freeze-disk-small", path=out, free=free_mb, needed=NEEDED_MB)
    llama = find_spec("llama_cpp")
    from edge.tutor.llama_library import find_variants

    if llama is None or not llama.origin or not find_variants(Path(llama.origin).parent):
        raise KitError("freeze-not-portable")


def read_root(path: Path) -> bytes:
    """Return the keys a device shall trust first; raise KitError when this is no such file."""
    try:
        content = path.read_bytes()
        read_anchor(content)
    except OSError as error:
        raise KitError("freeze-root-unreadable", path=path, reason=error.strerror or str(error)) from error
    except TrustError as error:
        raise KitError("freeze-root-wrong", path=path) from error
    return content


def lay_root(folder: Path, content: bytes) -> None:
    """Put the keys where the frozen app looks for those it was built with."""
    place = folder / ROOT_PLACE
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def _gather(work: Path) -> Path:
    """Let PyInstaller fill `work`/dist/amauta."""
    log = work / "pyinstaller.log"
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(work / "dist"), "--workpath", str(work / "notes"), str(SOURCE / SPEC)]
    with log.open("wb") as sink:
        done = subprocess.run(command, cwd=work, stdout=sink, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-8:]
        raise KitError("freeze-failed", tail="\n".join(tail))
    return work / "dist" / "amauta"


def _finish(folder: Path, trusted: bytes | None, heading: str) -> None:
    settle(folder)
    # A device with a dead clock goes by the day its app was made.
    (folder / BUILT_PLACE).write_text(f"{datetime.now(UTC):%Y-%m-%d}\n", encoding="ascii")
    if trusted is not None:
        lay_root(folder, trusted)
    # Making it takes an old laptop a minute, in which nothing can be searched.
    shipped.make(folder / "_internal/edge")
    _strip(folder)
    parts = [
        *notices.notices_of(closure.carried_here()),
        notices.python_notice(),
        *notices.notices_of(["pyinstaller"]),
        *notices.system_notices(sorted(p.name for p in (folder / "_internal").glob("lib*.so*"))),
    ]
    place = notices.write_notices(folder, parts, heading)
    for name in ("LICENSE", "NOTICES.md"):
        shutil.copyfile(SOURCE / name, place / name)
    settle(folder)
    check_names(folder)
    if missing := elf.unresolved(folder):
        raise KitError("freeze-unresolved", library=missing[0][1], path=missing[0][0])


def _strip(folder: Path) -> None:
    """Take the symbols out of the few libraries that bear it."""
    if not (tool := shutil.which("strip")) or os.name == "nt":
        return
    for path in sorted(folder.rglob("*.so*")):
        if choice.is_worth_stripping(path.relative_to(folder)):
            subprocess.run([tool, "--strip-unneeded", str(path)], check=False, capture_output=True)


def _replace(folder: Path, target: Path) -> None:
    """Put the new folder where the old one was; the old one goes away only then."""
    old = folder.with_name("old")
    if target.exists():
        target.rename(old)
    folder.rename(target)


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.absolute().parents) if place.exists())

"""Put a pack on this device's shelf, or copy one out. The folder is copied whole or not at all."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from edge.errors import PackError
from edge.library.check import check
from edge.library.folder import CLINIC, pack_files, read_pack
from edge.library.pack import Pack

PACK_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def admit(folder: Path) -> Pack:
    """Read a pack that is to be added; raise PackError unless it is whole and right."""
    pack, complaints = read_pack(folder)
    complaints += check(pack)
    if complaints:
        raise PackError("pack-broken", path=folder, count=len(complaints))
    if not PACK_ID.fullmatch(pack.id):
        raise PackError("pack-id", pack=pack.id)
    return pack


def folder_named(path: Path) -> Path:
    """Return the folder of a pack that ships for clinics where `path` is its bare name, else `path`."""
    shipped = CLINIC / path
    return shipped if len(path.parts) == 1 and not path.exists() and (shipped / "pack.toml").exists() else path


def copy_pack(pack: Pack, target: Path) -> None:
    """Copy the pack's own files to `target`; a former folder there is replaced at the end."""
    new, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    try:
        for rest in (new, old):
            shutil.rmtree(rest, ignore_errors=True)
        (new / "lessons").mkdir(parents=True)
        for path in pack_files(pack.folder):
            shutil.copyfile(path, new / path.relative_to(pack.folder))
        if target.exists():
            target.rename(old)
        new.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(new, ignore_errors=True)
        raise PackError("pack-copy", path=target, reason=error.strerror or str(error)) from error

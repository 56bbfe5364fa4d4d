"""The finished folder: no links, plain names, known permissions; its description and its zip.

Sticks are FAT: they know neither links nor capital letters apart, and not every stick keeps the
executable bit, so the description says it for each file.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import zipfile
from pathlib import Path

from devkit.errors import KitError
from devkit.freeze.elf import glibc_floor, needs_in
from edge.files import sha256_of, write_atomic

DESCRIPTION = "build.json"
PLAIN, EXECUTABLE = 0o644, 0o755
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The same date for every file: the same folder makes the same zip."""


def settle(folder: Path) -> None:
    """Turn links into what they point at and give every file one of two permissions."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            target = path.resolve(strict=True)
            path.unlink()
            if target.is_dir():
                shutil.copytree(target, path)
            else:
                shutil.copy2(target, path)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(EXECUTABLE if path.stat().st_mode & stat.S_IXUSR else PLAIN)


def check_names(folder: Path) -> None:
    """Raise KitError for a name that not every stick can hold beside the others."""
    seen: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        other = seen.setdefault(name.lower(), name)
        if not name.isascii() or other != name or any(sign in name for sign in '\\:*?"<>|'):
            raise KitError("freeze-name", path=name)


def files_of(folder: Path) -> list[dict[str, object]]:
    """Return every file with size, hash and permissions; the description itself is not among them."""
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and p != folder / DESCRIPTION]
    return [
        {
            "path": path.relative_to(folder).as_posix(),
            "size": path.stat().st_size,
            "sha256": sha256_of(path),
            "mode": _mode(path),
        }
        for path in paths
    ]


def describe(folder: Path, version: str, platform: str) -> dict[str, object]:
    """Return what the depot must know about this folder."""
    files = files_of(folder)
    return {
        "version": version,
        "platform": platform,
        "glibc": glibc_floor(needs for _, needs in needs_in(folder)),
        "size": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name != DESCRIPTION),
        "files": files,
    }


def write_description(folder: Path, facts: dict[str, object]) -> Path:
    """Write the description into the folder, last: with it the folder is whole."""
    path = folder / DESCRIPTION
    write_atomic(path, json.dumps(facts, indent=1, sort_keys=True).encode())
    path.chmod(PLAIN)
    return path


def zip_folder(folder: Path, target: Path) -> Path:
    """Pack the folder under its own name; what it holds is files only, with their executable bits."""
    half = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as pack:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", EARLIEST)
                    entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
                    entry.external_attr = (stat.S_IFREG | _mode(path)) << 16
                    with path.open("rb") as source, pack.open(entry, "w") as sink:
                        shutil.copyfileobj(source, sink, 1 << 20)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
    return target


def _mode(path: Path) -> int:
    if os.name == "nt":
        return EXECUTABLE if path.suffix == ".exe" else PLAIN
    return EXECUTABLE if path.stat().st_mode & stat.S_IXUSR else PLAIN

"""Freeze inside a Debian 11 room, so that the result runs on every Linux since 2020.

The room is made once by `packaging/pyinstaller/bullseye.sh` (root, debootstrap, half an hour) and
kept in the cache. The source is copied into it, set up and frozen there by the very commands used
outside; only the result comes out.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from devkit.errors import KitError
from devkit.freeze.build import SOURCE, Frozen, Say, read_root
from edge.cache import cache_folder

RECIPE = Path("packaging/pyinstaller/bullseye.sh")
NEEDED_MB = 5000
INSIDE = Path("opt/amauta")
COPIED = ("edge", "tui", "packaging", "pyproject.toml", "models_manifest.json", "LICENSE", "NOTICES.md", "README.md")
"""What is needed to install and freeze the app; a room never sees the rest of the repository."""

PYTHON = "/opt/amauta/python/bin/python3"
SETUP = (PYTHON, "packaging/devkit/environment.py", "--folder", "/opt/amauta/venv", "--with", "kit")
FREEZE = ("/opt/amauta/venv/bin/amauta-kit", "freeze", "--out", "/opt/amauta/out", "--json")


def freeze_old(out: Path, root: Path | None, say: Say) -> Frozen:
    """Make the room if needed, freeze inside it, and bring folder and zip to `out`."""
    room = cache_folder() / "bullseye"
    place = next(p for p in (room, *room.parents) if p.exists())
    check_host(
        platform.system(), os.geteuid() if hasattr(os, "geteuid") else -1, shutil.disk_usage(place).free >> 20, room
    )
    trusted = None if root is None else read_root(root)
    log = room.with_name("bullseye.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    say("room")
    _run(["sh", str(SOURCE / RECIPE), str(room)], log)
    say("install")
    copy_source(SOURCE, room / INSIDE / "source")
    _run(enter(room, SETUP), log)
    more = []
    if trusted is not None:
        (room / INSIDE / "root.json").write_bytes(trusted)
        more = ["--root", "/opt/amauta/root.json"]
    say("gather")
    answer = _run(enter(room, (*FREEZE, *more)), log)
    say("pack")
    return _bring_out(room, json.loads(answer), out)


def check_host(system: str, user: int, free_mb: int, room: Path) -> None:
    """Raise KitError when no room can be made on this machine, and say why."""
    if system != "Linux":
        raise KitError("freeze-room-system", system=system)
    if user != 0:
        raise KitError("freeze-room-root")
    for tool in ("debootstrap", "unshare", "chroot"):
        if not shutil.which(tool):
            raise KitError("freeze-room-tool", tool=tool)
    if not room.exists() and free_mb < NEEDED_MB:
        raise KitError("freeze-disk-small", path=room, free=free_mb, needed=NEEDED_MB)


def copy_source(source: Path, target: Path) -> None:
    """Copy what is frozen into the room, in place of what was there."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in COPIED:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy2(source / name, target / name)


def enter(room: Path, command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` inside the room, with a /proc that goes away with it."""
    settings = {
        "PATH": "/opt/amauta/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "AMAUTA_CACHE": "/opt/amauta/cache",
        "PIP_CERT": "/opt/amauta/certificates.crt",
    }
    pairs = [f"{name}={value}" for name, value in settings.items()]
    script = 'mount -t proc proc "$0/proc" && room=$0 && exec chroot "$room" env -i -C /opt/amauta/source "$@"'
    return ["unshare", "--mount", "sh", "-ec", script, str(room), *pairs, *command]


def _run(command: list[str], log: Path) -> str:
    """Run one step; what it narrates goes to the log, what it answers comes back."""
    with log.open("ab") as sink:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=sink, check=False)
        sink.write(done.stdout)
    if done.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-8:]
        raise KitError("freeze-room-failed", log=log, tail="\n".join(tail))
    return done.stdout.decode("utf-8", "replace").strip().splitlines()[-1] if done.stdout.strip() else ""


def _bring_out(room: Path, answer: dict[str, str], out: Path) -> Frozen:
    inside, pack = (room / answer[name].lstrip("/") for name in ("folder", "zip"))
    target = out / inside.name
    try:
        out.mkdir(parents=True, exist_ok=True)
        half = out / f".{inside.name}.part"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(inside, half)
        shutil.rmtree(target, ignore_errors=True)
        half.rename(target)
        shutil.copy2(pack, half)
        half.replace(out / pack.name)
    except OSError as error:
        raise KitError("freeze-disk", path=out, reason=error.strerror or str(error)) from error
    return Frozen(target, out / pack.name, int(answer["size"]), answer["glibc"], answer["platform"])

"""What this computer needs to make an image: asked for before anything begins, by Debian's names."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from pathlib import Path

from devkit.errors import KitError

PROGRAMS = {
    "mmdebstrap": "mmdebstrap", "mksquashfs": "squashfs-tools", "sfdisk": "fdisk", "mkfs.vfat": "dosfstools", "mcopy": "mtools",
    "grub-mkimage": "grub-common", "apt-get": "apt", "dpkg-deb": "dpkg",
}  # fmt: skip
"""Each program with the Debian package that brings it."""

GRUB_BIOS = Path("/usr/lib/grub/i386-pc")
GRUB_FONT = Path("/usr/share/grub/ascii.pf2")
NEEDED_MB = 3000
"""The new root, its layers, and the image."""

Which = Callable[[str], str | None]


def check_tools(which: Which = shutil.which, grub: Path = GRUB_BIOS, system: str = "") -> None:
    """Raise KitError naming every missing package at once."""
    if (here := system or platform.system()) != "Linux":
        raise KitError("image-system", system=here)
    missing = {
        package for program, package in PROGRAMS.items() if not (which(program) or which(f"/usr/sbin/{program}"))
    }
    if not (grub / "boot.img").is_file():
        missing.add("grub-pc-bin")
    if missing:
        raise KitError("image-tools", packages=" ".join(sorted(missing)))


def check_room(place: Path) -> None:
    """Raise KitError when the folder's disk has too little room."""
    existing = next(path for path in (place.absolute(), *place.absolute().parents) if path.exists())
    if (free := shutil.disk_usage(existing).free >> 20) < NEEDED_MB:
        raise KitError("image-room", path=place, free=free, needed=NEEDED_MB)


def read_app(app: Path) -> str:
    """Return the version of a frozen app for this kind of computer; raise KitError when the folder is none."""
    import json

    try:
        facts = json.loads((app / "build.json").read_bytes())
        version, kind = str(facts["version"]), str(facts["platform"])
    except OSError as error:
        raise KitError("image-no-app", path=app, reason=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise KitError("image-no-app", path=app, reason="build.json") from error
    if kind != "linux-x86_64":
        raise KitError("image-app-platform", path=app, platform=kind)
    if not (app / "amauta").is_file():
        raise KitError("image-no-app", path=app, reason="amauta")
    return version

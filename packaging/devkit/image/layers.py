"""The layers of a live system: Debian, what is ours around it, and the app; each one compressed file.

The Debian layer takes minutes and is kept in the cache under the name of its recipe; its receipt comes
last. The other two take seconds, so a new app needs no new Debian.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from devkit.compose.programs import call
from devkit.freeze.build import SOURCE
from devkit.image import layout
from edge.cache import cache_folder
from edge.files import write_atomic

RECIPES = SOURCE / "packaging" / "image"
SUITE = "bookworm"
MODULES = RECIPES / "modules-left-out.txt"
BASE = RECIPES / "base"
FINISH = BASE / "finish.sh"
SYSTEM = RECIPES / "system"
LAUNCHER = SOURCE / "packaging" / "launch" / "Amauta-Linux.sh"
APP_PLACE = Path("opt/amauta")
COMPRESSION = ("-comp", "zstd", "-Xcompression-level", "12", "-b", "256K", "-noappend", "-no-progress", "-quiet")
SIGNED_PACKAGES = ("shim-signed", "grub-efi-amd64-signed")
"""Microsoft's and Debian's signatures, so that computers with Secure Boot start the stick too."""

SIGNED = {
    "BOOTX64.EFI": Path("usr/lib/shim/shimx64.efi.signed"),
    "grubx64.efi": Path("usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed"),
}
RECEIPT = "base.json"


@dataclass(frozen=True, slots=True)
class Base:
    """The Debian layer with its kernel."""

    folder: Path
    packages: dict[str, str]

    @property
    def layer(self) -> Path:
        """The compressed file system."""
        return self.folder / "filesystem.squashfs"


def packages(arch: str) -> tuple[str, ...]:
    """Return the Debian packages asked for by name."""
    return layout.listed((RECIPES / f"packages-{arch}.txt").read_text(encoding="utf-8"))


def base_folder(arch: str) -> Path:
    """Return where the Debian layer of today's recipe is kept."""
    recipe = [SUITE.encode(), arch.encode(), " ".join(COMPRESSION).encode(), " ".join(packages(arch)).encode()]
    ours = [path.read_bytes() for path in (MODULES, *sorted(BASE.rglob("*"))) if path.is_file()]
    key = layout.base_key([*recipe, *ours])
    return cache_folder() / "image" / f"{SUITE}-{arch}-{key}"


def find_base(arch: str) -> Base | None:
    """Return the Debian layer when it is complete."""
    folder = base_folder(arch)
    try:
        return Base(folder, json.loads((folder / RECEIPT).read_bytes()))
    except (OSError, ValueError):
        return None


def make_base(arch: str) -> Base:
    """Make the Debian layer from Debian's packages, in place of what was there."""
    folder = base_folder(arch)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="root-") as work:
        root = Path(work) / "root"
        hook = f'sh "{FINISH}" "$1" "{MODULES}"'
        wanted = f"--include={','.join(packages(arch))}"
        apt = ("--aptopt=Acquire::Languages none", "--dpkgopt=path-exclude=/usr/share/man/*")
        call(
            "mmdebstrap", ["--variant=minbase", f"--arch={arch}", *apt, wanted, f"--customize-hook={hook}", SUITE, root]
        )
        return pack_base(root, folder)


def pack_base(root: Path, folder: Path) -> Base:
    """Take kernel, packages and layer out of a finished root; the receipt comes last."""
    for name, target in (("vmlinuz", "vmlinuz"), ("initrd.img", "initrd.img")):
        shutil.copyfile(max((root / "boot").glob(f"{name}-*")), folder / target)
    found = layout.packages_of((root / "var/lib/dpkg/status").read_text(encoding="utf-8"))
    squash(
        root, folder / "filesystem.squashfs", "-wildcards", "-e", "boot/*", "dev/*", "proc/*", "sys/*", "run/*", "tmp/*"
    )
    write_atomic(folder / RECEIPT, json.dumps(found, indent=1, sort_keys=True).encode())
    return Base(folder, found)


def squash(tree: Path, layer: Path, *more: str) -> None:
    """Compress a tree into one file, the same bytes for the same tree."""
    call("mksquashfs", [tree, layer, *COMPRESSION, *more])


def make_app_layer(app: Path, layer: Path, work: Path) -> None:
    """Compress the frozen app under the place it runs from, with the launcher that takes what an update brought."""
    tree = work / "app"
    shutil.copytree(app, tree / APP_PLACE, copy_function=_link)
    shutil.copy(LAUNCHER, tree / APP_PLACE)
    squash(tree, layer, "-all-root")


def make_system_layer(layer: Path, work: Path) -> None:
    """Compress our units and scripts, switched on as each unit says."""
    tree = work / "system"
    shutil.copytree(SYSTEM, tree)
    (tree / "datos").mkdir()
    units = tree / "etc/systemd/system"
    for unit in sorted(path for path in units.iterdir() if path.is_file()):
        for target in layout.wanted_by(unit.read_text(encoding="utf-8")):
            wants = units / f"{target}.wants"
            wants.mkdir(exist_ok=True)
            (wants / unit.name).symlink_to(f"../{unit.name}")
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    squash(tree, layer, "-all-root")


def signed_starters() -> dict[str, Path]:
    """Return the signed programs that UEFI starts, brought once from Debian."""
    folder = cache_folder() / "image" / "signed"
    found = {name: folder / place for name, place in SIGNED.items()}
    if not all(path.is_file() for path in found.values()):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            call("apt-get", ["download", "-q", *SIGNED_PACKAGES], Path(work))
            for package in sorted(Path(work).glob("*.deb")):
                call("dpkg-deb", ["-x", package, folder])
    return found


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target

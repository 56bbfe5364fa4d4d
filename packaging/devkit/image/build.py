"""Make the image of a stick that starts a computer right into the tutor.

A raw disk with its block map; the receipt, which the depot asks for, comes last. Nothing is
mounted. What the stick shall look like is decided in `layout`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devkit.compose.fat import make_fat
from devkit.compose.programs import call
from devkit.errors import KitError
from devkit.image import layers, layout
from devkit.image.tools import GRUB_BIOS, GRUB_FONT, check_room, check_tools, read_app
from edge.files import sha256_of, write_atomic

ARCH = "amd64"
VOLUME_SERIAL = 0x41AA0712
PIECE = 1 << 20
MODULES = (
    "biosdisk",
    "part_gpt",
    "fat",
    "search",
    "search_label",
    "normal",
    "configfile",
    "linux",
    "echo",
    "test",
    "all_video",
    "vbe",
    "font",
    "gfxterm",
)
"""What GRUB needs to find the stick's own grub.cfg with a BIOS."""

EARLY = (
    f"search --no-floppy --set=root --label {layout.LABEL}\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n"
)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for."""

    app: Path
    out: Path
    lang: str
    encrypt: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be made, before anything is."""

    version: str
    image: Path
    base_ready: bool


@dataclass(frozen=True, slots=True)
class Built:
    """What a build left behind."""

    image: Path
    receipt: Path
    facts: dict[str, Any]


def plan(wanted: Wanted) -> Planned:
    """Say what would be made; raise KitError when this computer or the app cannot."""
    version = read_app(wanted.app)
    check_tools()
    check_room(wanted.out)
    return Planned(version, wanted.out / f"amauta-{version}-live-{ARCH}.img", layers.find_base(ARCH) is not None)


def build(wanted: Wanted, say: Say) -> Built:
    """Make the image, its block map and its receipt; `say` is told which step begins."""
    planned = plan(wanted)
    receipt = planned.image.with_suffix(".json")
    try:
        wanted.out.mkdir(parents=True, exist_ok=True)
        receipt.unlink(missing_ok=True)
        say("base")
        base = layers.find_base(ARCH) or layers.make_base(ARCH)
        starters = layers.signed_starters()
        with tempfile.TemporaryDirectory(dir=wanted.out, prefix=".image-") as name:
            work = Path(name)
            say("layers")
            tree = _stick_tree(wanted, base, starters, work)
            say("image")
            image = make_image(tree, work)
            say("describe")
            facts = _facts(planned, wanted, base, image)
            image.replace(planned.image)
        write_atomic(planned.image.with_suffix(".bmap"), layout.block_map(facts["size"], facts["sha256"]).encode())
        write_atomic(receipt, json.dumps(facts, indent=1, sort_keys=True).encode())
    except OSError as error:
        raise KitError("image-disk", path=wanted.out, reason=error.strerror or str(error)) from error
    return Built(planned.image, receipt, facts)


def _stick_tree(wanted: Wanted, base: layers.Base, starters: dict[str, Path], work: Path) -> Path:
    """Lay out what the stick's FAT32 holds."""
    tree = work / "stick"
    live, boot, efi = tree / "live", tree / "boot/grub", tree / "EFI/BOOT"
    for folder in (live, boot, efi, tree / ".disk"):
        folder.mkdir(parents=True)
    ours = [live / "system.squashfs", live / "app.squashfs"]
    layers.make_system_layer(ours[0], work)
    layers.make_app_layer(wanted.app, ours[1], work)
    for name in ("filesystem.squashfs", "vmlinuz", "initrd.img"):
        shutil.copyfile(base.folder / name, live / name)
    (live / "filesystem.module").write_text(layout.module_list([base.layer, *ours]), encoding="ascii")
    for place in (boot, efi):
        shutil.copyfile(layers.RECIPES / "grub.cfg", place / "grub.cfg")
    shutil.copyfile(GRUB_FONT, boot / "letters.pf2")
    for name, path in starters.items():
        shutil.copyfile(path, efi / name)
    (tree / ".disk/info").write_text("Amauta\n", encoding="ascii")
    (tree / "amauta.conf").write_text(layout.choices(wanted.lang, encrypt=wanted.encrypt), encoding="utf-8")
    return tree


def make_image(tree: Path, work: Path) -> Path:
    """Make a disk from what its FAT32 shall hold: table, GRUB for BIOS, the volume."""
    fat = layout.fat_bytes(sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()))
    volume, image = work / "volume.fat", work / "image.img"
    with volume.open("wb") as file:
        file.truncate(fat)
    make_fat(volume, layout.LABEL, VOLUME_SERIAL)
    call("mcopy", ["-i", volume, "-s", "-Q", *sorted(tree.iterdir()), "::/"])
    with image.open("wb") as file:
        file.truncate(layout.image_bytes(fat))
    script = work / "table"
    script.write_text(layout.table_script(fat), encoding="ascii")
    call("sh", ["-c", 'sfdisk -q "$1" < "$2"', "sh", image, script])
    with image.open("r+b") as disk:
        _start_with_bios(disk.read(layout.SECTOR), work, lambda at, what: (disk.seek(at), disk.write(what)))
        with volume.open("rb") as source:
            for at, piece in enumerate(iter(lambda: source.read(PIECE), b"")):
                if piece.count(0) != len(piece):
                    disk.seek(layout.FAT_START + at * PIECE)
                    disk.write(piece)
    volume.unlink()
    return image


def _start_with_bios(first: bytes, work: Path, put: Callable[[int, bytes], object]) -> None:
    early, core = work / "early.cfg", work / "core.img"
    early.write_text(EARLY, encoding="ascii")
    call("grub-mkimage", ["-O", "i386-pc", "-o", core, "-p", "/boot/grub", "-c", early, *MODULES])
    put(0, layout.boot_sector((GRUB_BIOS / "boot.img").read_bytes(), first))
    put(layout.BIOS_START, layout.core_in_place(core.read_bytes()))


def _facts(planned: Planned, wanted: Wanted, base: layers.Base, image: Path) -> dict[str, Any]:
    return {
        "kind": "image",
        "version": planned.version,
        "name": planned.image.name,
        "arch": ARCH,
        "size": image.stat().st_size,
        "sha256": sha256_of(image),
        "lang": wanted.lang,
        "encrypt": wanted.encrypt,
        "app": {"version": planned.version, "build_sha256": sha256_of(wanted.app / "build.json")},
        "debian": layers.SUITE,
        "packages": base.packages,
    }

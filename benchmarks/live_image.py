"""The live image under emulation: its size, seconds from power-on to the tutor with BIOS and UEFI.

Takes a quarter of an hour: QEMU without hardware help, as a computer of 2008. Needs an image in build/image/out
(`amauta-kit image --app ... --out build/image/out`), qemu-system-x86, ovmf and e2fsprogs.
`python -m benchmarks.live_image STICK.img` counts what the data partition of a stick holds, after a power cut say.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from machine import OVMF, Machine, missing

OUT = Path("build/image/out")
WORK = Path("build/image/boot")
FREE = 400 << 20
"""What the stick is larger than the image."""

LONGEST = 900
DATA = "AMAUTA-DATOS"


def run() -> str:
    """Return a Markdown table."""
    images = sorted(OUT.glob("*-live-amd64.img"))
    if not images or missing() or not OVMF.exists():
        return f"Not measured here: needs an image in {OUT}, qemu-system-x86 and ovmf."
    rows = [f"| image, MB | {images[-1].stat().st_size / 1e6:.0f} |"]
    for firmware, secure in (("bios", False), ("uefi", True)):
        stick = make_stick(images[-1], WORK / firmware)
        machine = Machine(stick, WORK / firmware, firmware=firmware, secure=secure)
        machine.start()
        try:
            machine.wait_for("report: end", LONGEST)
            seconds = machine.wait_until_drawn(LONGEST)
            machine.photograph(WORK / firmware / "prompt.png")
        finally:
            machine.cut()
        rows.append(
            f"| power-on to the tutor's first screen, {firmware}{' with Secure Boot' if secure else ''}, s | {seconds:.0f} |"
        )
    return "\n".join(["| what | measured |", "|---|---|", *rows])


def make_stick(image: Path, folder: Path) -> Path:
    """Copy the image onto a file that is larger, as a stick is."""
    folder.mkdir(parents=True, exist_ok=True)
    stick = folder / "stick.img"
    shutil.copyfile(image, stick)
    with stick.open("r+b") as file:
        file.truncate(image.stat().st_size + FREE)
    return stick


def read_data(stick: Path, folder: Path) -> Path:
    """Copy the store out of the data partition of a stick, replaying its journal on a copy; return its path."""
    table = json.loads(subprocess.check_output(["/usr/sbin/sfdisk", "-J", stick]))["partitiontable"]
    part = next(part for part in table["partitions"] if part.get("name") == DATA)
    volume = folder / "data.ext4"
    with stick.open("rb") as source, volume.open("wb") as target:
        source.seek(part["start"] * 512)
        shutil.copyfileobj(_Limited(source, part["size"] * 512), target, 1 << 20)
    subprocess.run(["/usr/sbin/fsck.ext4", "-p", volume], check=False, capture_output=True)
    for name in ("amauta.db", "amauta.db-wal"):
        (folder / name).unlink(missing_ok=True)
        subprocess.run(
            ["/usr/sbin/debugfs", "-R", f"dump /amauta/{name} {folder / name}", volume],
            check=False,
            capture_output=True,
        )
    return folder / "amauta.db"


def count(store: Path, table: str) -> int:
    """Return how many rows a table of a store holds, after asking SQLite whether it is whole."""
    with sqlite3.connect(store) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # a name of ours


class _Limited:
    def __init__(self, file: object, left: int) -> None:
        self._file, self._left = file, left

    def read(self, size: int) -> bytes:
        piece: bytes = self._file.read(min(size, self._left))  # type: ignore[attr-defined]
        self._left -= len(piece)
        return piece


if __name__ == "__main__":
    if sys.argv[1:]:
        WORK.mkdir(parents=True, exist_ok=True)
        store = read_data(Path(sys.argv[1]), WORK)
        print({table: count(store, table) for table in ("attempts", "turns", "learners")})
    else:
        begun = time.monotonic()
        print(run())
        print(f"{time.monotonic() - begun:.0f} s")

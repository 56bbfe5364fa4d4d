"""The live image under emulation: seconds from power-on to the tutor, and what is left after its power is cut in practice.

QEMU without hardware help, as a computer of 2008: five minutes a start. Needs an image in build/image/out
(`amauta-kit image --app ... --out build/image/out`), qemu-system-x86, ovmf and e2fsprogs.
`python -m benchmarks.live_image ROUNDS` cuts the power so many times (3 where it is not said);
`python -m benchmarks.live_image STICK.img` counts what the data partition of a stick holds.
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
ROUNDS = 3
ANSWERS = 2
"""Confirmed answers in each round, before the power is cut."""

DATA = "AMAUTA-DATOS"
FIRST, KNOWN = "Elige tu idioma", "Hola, Rosa"
SAVED, AGAIN, WRITE = "Guardado. Enter", "otra vez", "Escribe tu respuesta"


def run(rounds: int = ROUNDS) -> str:
    """Return a Markdown table."""
    images = sorted(OUT.glob("*-live-amd64.img"))
    if not images or missing() or not OVMF.exists():
        return f"Not measured here: needs an image in {OUT}, qemu-system-x86 and ovmf."
    rows = [f"| image, MB | {images[-1].stat().st_size / 1e6:.0f} |"]
    stick, confirmed = make_stick(images[-1], WORK / "bios"), 0
    for number in range(1, rounds + 1):
        seconds = practise_until_cut(stick, WORK / "bios", number == 1)
        confirmed += ANSWERS
        kept = count(read_data(stick, WORK / "bios"), "attempts")
        what = "first question" if number == 1 else "prompt"
        rows.append(f"| power-on to the {what}, BIOS, s | {seconds:.0f} |")
        rows.append(
            f"| answers confirmed when the power was cut the {number}. time, and those kept | {confirmed}, {kept} |"
        )
        if kept < confirmed:
            rows.append("| **confirmed answers were lost** | |")
    secure = Machine(make_stick(images[-1], WORK / "uefi"), WORK / "uefi", firmware="uefi", secure=True)
    secure.start()
    try:
        seconds = _seconds_to(secure, FIRST)
    finally:
        secure.cut()
    rows.append(f"| power-on to the first question, UEFI with Secure Boot, s | {seconds:.0f} |")
    return "\n".join(["| what | measured |", "|---|---|", *rows])


def practise_until_cut(stick: Path, folder: Path, new: bool) -> float:
    """Start a computer from a stick, answer exercises by its keys, and cut its power the moment the last is confirmed.

    Return the seconds until a person could do something.
    """
    machine = Machine(stick, folder)
    machine.start()
    try:
        seconds = _seconds_to(machine, FIRST if new else KNOWN)
        if new:
            machine.type("\n")
            machine.wait_for_screen("llamas", seconds=LONGEST)
            machine.type("Rosa\n")
            machine.wait_for_screen(KNOWN, seconds=LONGEST)
        machine.press("f6")
        machine.wait_for_screen("Sumas", seconds=LONGEST)
        machine.type("\n")
        for number in range(1, ANSWERS + 1):
            machine.wait_for_screen(f"Ejercicio {number} de", seconds=LONGEST)
            _answer(machine)
            if number < ANSWERS:
                machine.type("\n")
    finally:
        machine.cut()
    return seconds


def _answer(machine: Machine) -> None:
    """Answer the exercise on the screen, right or wrong, until it is confirmed."""
    _type_answer(machine)
    if machine.wait_for_screen(SAVED, AGAIN, seconds=LONGEST) == AGAIN:
        _type_answer(machine)
        machine.wait_for_screen(SAVED, seconds=LONGEST)


def _type_answer(machine: Machine) -> None:
    machine.type("1\n" if WRITE in " ".join(machine.screen().split()) else "\n")


def _seconds_to(machine: Machine, words: str) -> float:
    machine.wait_for_screen(words, seconds=LONGEST)
    return time.monotonic() - machine.started


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
    asked = sys.argv[1] if sys.argv[1:] else str(ROUNDS)
    if asked.isdigit():
        begun = time.monotonic()
        print(run(int(asked)))
        print(f"{time.monotonic() - begun:.0f} s")
    else:
        WORK.mkdir(parents=True, exist_ok=True)
        store = read_data(Path(asked), WORK)
        print({table: count(store, table) for table in ("attempts", "turns", "learners")})

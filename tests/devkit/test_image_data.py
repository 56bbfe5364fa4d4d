"""The stick's own script that opens the partition for data: run as it is, on a disk that is a file, as root."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from devkit.image import layers, layout
from loops import needs, needs_loops

pytestmark = [needs_loops, needs("sfdisk", "partx", "mkfs.ext4", "unshare", "debugfs")]

SCRIPTS = layers.SYSTEM / "usr/lib/amauta"
MEDIUM_MB, FREE_MB = 8, 300
KEPT = "kept by Rosa"


@dataclass(frozen=True, slots=True)
class Stick:
    """A disk with what a computer was started from, and free space behind it."""

    image: Path
    place: Path

    def start(self, then: str = "true", *, protected: bool = False) -> str:
        """Start a computer from it: open the data, then do something there; return what was said."""
        with attached(self.image, protected) as disk:
            said = subprocess.run(
                ["unshare", "--mount", "sh", "-c", f"mount -r {disk}p1 {self.place / 'medium'} && echo | sh {self.place / 'data'} open; {then}"],
                cwd=self.place, capture_output=True, text=True, check=False,
            )  # fmt: skip
            subprocess.run(["partx", "-d", disk], check=False, capture_output=True)
        return said.stdout

    def keep(self) -> None:
        """Start it and keep something."""
        self.start(f"echo {KEPT} > datos/amauta/kept; sync")

    def kept(self) -> bool:
        """Start it and tell whether what was kept is there."""
        return KEPT in self.start("cat datos/amauta/kept")

    def parts(self) -> list[dict[str, object]]:
        """Return the partitions."""
        found = json.loads(subprocess.check_output(["/usr/sbin/sfdisk", "-J", self.image]))["partitiontable"]
        return list(found["partitions"])

    def spoil(self, at: int, size: int) -> None:
        """Overwrite bytes of the data partition."""
        start = int(str(self.parts()[1]["start"])) * layout.SECTOR
        with self.image.open("r+b") as file:
            file.seek(start + at)
            file.write(b"\xa5" * size)


@contextmanager
def attached(image: Path, protected: bool) -> Iterator[str]:
    kind = ["--read-only"] if protected else []
    command = ["losetup", "--find", "--show", *kind, str(image)]
    disk = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run(["partx", "-a", disk], check=True, capture_output=True)
        yield disk
    finally:
        subprocess.run(["losetup", "--detach", disk], check=True)


@pytest.fixture
def stick(tmp_path: Path) -> Stick:
    for name in ("medium", "datos", "run"):
        (tmp_path / name).mkdir()
    for path in SCRIPTS.iterdir():
        text = path.read_text(encoding="utf-8").replace("/usr/lib/amauta/", f"{tmp_path}/")
        text = text.replace("/run/live/medium", f"{tmp_path}/medium").replace("/run/amauta", f"{tmp_path}/run")
        text = text.replace("PLACE=/datos", f"PLACE={tmp_path}/datos").replace("-o amauta -g amauta", "")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    image = tmp_path / "stick.img"
    with image.open("wb") as file:
        file.truncate((MEDIUM_MB + FREE_MB + 2) * layout.MIB)
    table = f"label: gpt\nstart=2048, size={MEDIUM_MB * layout.MIB // layout.SECTOR}, name=AMAUTA\n"
    subprocess.run(["/usr/sbin/sfdisk", "-q", image], input=table.encode(), check=True, capture_output=True)
    with attached(image, False) as disk:
        subprocess.run(["mkfs.ext4", "-q", "-F", f"{disk}p1"], check=True, capture_output=True)
        subprocess.run(["partx", "-d", disk], check=True)
    made = Stick(image, tmp_path)
    made.start()
    assert [part.get("name") for part in made.parts()] == ["AMAUTA", "AMAUTA-DATOS"]
    return made


def test_what_is_kept_is_there_at_the_next_start(stick: Stick) -> None:
    stick.keep()
    assert stick.kept()


def test_a_partition_that_was_never_finished_is_made_again(stick: Stick) -> None:
    subprocess.run(["/usr/sbin/sfdisk", "-q", "--part-label", stick.image, "2", "AMAUTA-NUEVA"], check=True)
    stick.spoil(0, 1 << 20)
    stick.keep()
    assert stick.parts()[1]["name"] == "AMAUTA-DATOS"
    assert stick.kept()


def test_a_lost_beginning_is_mended_and_nothing_that_was_kept_is_lost(stick: Stick) -> None:
    stick.keep()
    stick.spoil(0, 64 << 10)
    assert stick.kept()


def test_a_partition_that_cannot_be_mended_is_said_to_be_damaged_and_never_made_again(stick: Stick) -> None:
    stick.keep()
    stick.spoil(0, FREE_MB // 2 * layout.MIB)
    before = stick.image.read_bytes()
    said = stick.start("touch datos/amauta/works")
    assert "está dañada" in said
    assert "técnico" in said
    assert stick.image.read_bytes() == before


def test_a_protected_stick_keeps_nothing_and_says_so(stick: Stick) -> None:
    stick.keep()
    assert "está protegida o sin espacio" in stick.start("touch datos/amauta/works", protected=True)
    assert (stick.place / "datos/amauta/works").is_file()
    shutil.rmtree(stick.place / "datos/amauta")
    assert stick.kept()


def test_a_full_partition_is_opened(stick: Stick) -> None:
    stick.keep()
    stick.start("cat /dev/zero > datos/amauta/full 2> /dev/null; sync")
    assert stick.kept()


def test_a_stick_without_free_space_says_so(stick: Stick) -> None:
    with stick.image.open("r+b") as file:
        file.truncate((MEDIUM_MB + 2) * layout.MIB)
    table = f"label: gpt\nstart=2048, size={MEDIUM_MB * layout.MIB // layout.SECTOR}, name=AMAUTA\n"
    subprocess.run(["/usr/sbin/sfdisk", "-q", stick.image], input=table.encode(), check=True, capture_output=True)
    assert "está protegida o sin espacio" in stick.start()

"""Sticks are written several at once, read back, and get a receipt only when every block is right."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest

from devkit.cli import main
from devkit.disks.choice import Rules
from devkit.errors import KitError
from devkit.stick import ImageStick, PlannedFile
from devkit.write.crew import Gauge, write_all
from devkit.write.device import FileDevice, aligned
from devkit.write.job import Job, Means, Outcome, _print_of
from devkit.write.journal import Journal
from devkit.write.receipt import receipts_in
from devkit.write.source import Source, image_source
from devkit.write.verify import verify_folder
from loops import Loop, LyingDevice, attached, laptop, loop, loops, needs, needs_loops

MEGA = 1 << 20


def image(folder: Path, size: int = 9 * MEGA + 700, seed: int = 1) -> Path:
    path = folder / "live.img"
    path.write_bytes(Random(seed).randbytes(size))
    return path


def write(picture: Path, disks: Sequence[Loop], *more: str) -> int:
    named = [word for disk in disks for word in ("--disk", disk.path, "--serial", disk.serial)]
    return main(["write", "--image", str(picture), *named, "--allow-loop", "--no-paper", *more])


def receipts(picture: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted((picture.parent / "receipts").glob("*.json"))]


@needs_loops
def test_four_sticks_are_written_at_once_and_each_has_its_receipt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = image(tmp_path)
    content = picture.read_bytes()
    with loops(tmp_path, 5, 20 * MEGA) as (*chosen, bystander):
        before = bystander.content()
        assert write(picture, chosen, "--json") == 0
        answer = json.loads(capsys.readouterr().out)["sticks"]
        assert [row["result"] for row in answer] == ["verified"] * 4
        assert all(disk.content()[: len(content)] == content for disk in chosen)
        assert bystander.content() == before, "a disk that was not named is untouched"
    made = receipts(picture)
    assert [receipt["disk"]["serial"] for receipt in made] == [disk.serial for disk in chosen]
    assert {receipt["source"]["sha256"] for receipt in made} == {hashlib.sha256(content).hexdigest()}
    for receipt in made:
        assert receipt["bytes_verified"] >= len(content)
        assert receipt["bytes_verified"] + receipt["bytes_not_ours"] == receipt["disk"]["size"] == 20 * MEGA
    assert not list((tmp_path / "receipts" / "in-progress").iterdir())


@needs_loops
def test_an_old_partition_table_at_the_end_is_wiped_and_what_is_between_is_not_claimed(tmp_path: Path) -> None:
    picture = image(tmp_path)
    with loops(tmp_path, 1, 20 * MEGA) as (disk,):
        old = disk.content()
        assert write(picture, [disk]) == 0
        now = disk.content()
    assert now[-MEGA:] == bytes(MEGA)
    middle = slice(11 * MEGA, 18 * MEGA)
    kept = sum(a == b for a, b in zip(old[middle][::4096], now[middle][::4096], strict=True))
    assert kept > 1000, "what is not ours is left alone, but for the probes"


@needs_loops
def test_holes_of_an_image_without_a_map_become_zeros(tmp_path: Path) -> None:
    picture = tmp_path / "sparse.img"
    with picture.open("wb") as file:
        file.write(b"begin")
        file.truncate(9 * MEGA)
    with loops(tmp_path, 1, 10 * MEGA) as (disk,):
        assert write(picture, [disk]) == 0
        assert disk.content() == b"begin" + bytes(10 * MEGA - 5)


@needs_loops
@needs("bmaptool")
def test_a_map_of_bmaptool_is_obeyed_and_one_of_another_image_is_found_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, bmap = tmp_path / "sparse.img", tmp_path / "sparse.bmap"
    with picture.open("wb") as file:
        for at in (0, 3, 7):
            file.seek(at * MEGA)
            file.write(os.urandom(MEGA))
        file.truncate(12 * MEGA)
    subprocess.run(["bmaptool", "create", "-o", bmap, picture], check=True, capture_output=True)
    with loops(tmp_path, 1, 16 * MEGA) as (disk,):
        assert write(picture, [disk], "--bmap", str(bmap)) == 0
        (receipt,) = receipts(picture)
        assert receipt["bytes_written"] == 4 * MEGA
        now = disk.content()
        for at in (0, 3, 7):
            assert now[at * MEGA : (at + 1) * MEGA] == picture.read_bytes()[at * MEGA : (at + 1) * MEGA]
        with picture.open("r+b") as file:
            file.seek(9 * MEGA)
            file.write(b"not in the map")
        assert write(picture, [disk], "--bmap", str(bmap)) == 1
    assert "deja fuera contenido" in capsys.readouterr().err
    assert receipts(picture) == [], "the receipt of what was there before is gone too"


@needs_loops
def test_a_disk_is_not_touched_until_it_is_confirmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = image(tmp_path)
    with loops(tmp_path, 2, 20 * MEGA) as (disk, other):
        before = disk.content(), other.content()
        command = ["write", "--image", str(picture), "--disk", disk.path, "--no-paper"]
        assert main([*command, "--serial", disk.serial]) == 1
        assert "--allow-loop" in capsys.readouterr().err
        assert main([*command, "--allow-loop", "--serial", "wrong"]) == 1
        assert "«wrong»" in capsys.readouterr().err
        monkeypatch.setattr("sys.stdin", StringIO("\n"))
        assert main([*command, "--allow-loop"]) == 1
        assert main([*command, "--allow-loop", "--disk", other.path, "--serial", disk.serial]) == 1
        assert write(picture, [disk, other], "--dry-run") == 0
        crossed = ["--disk", disk.path, "--serial", other.serial, "--disk", other.path, "--serial", disk.serial]
        assert main(["write", "--image", str(picture), "--allow-loop", *crossed]) == 1
        assert (disk.content(), other.content()) == before
        monkeypatch.setattr("sys.stdin", StringIO(f"{disk.serial}\n"))
        assert main([*command, "--allow-loop"]) == 0
        assert other.content() == before[1]


@needs_loops
@needs("mkfs.ext4")
def test_a_mounted_disk_and_the_disk_of_this_system_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = image(tmp_path)
    with loops(tmp_path, 1, 20 * MEGA) as (disk,):
        subprocess.run(["mkfs.ext4", "-q", disk.path], check=True, capture_output=True)
        place = tmp_path / "mounted"
        place.mkdir()
        subprocess.run(["mount", disk.path, place], check=True)
        try:
            assert write(picture, [disk]) == 1
            assert str(place) in capsys.readouterr().err
            with pytest.raises(KitError, match="in use by another program"):
                FileDevice(disk.path, writing=True)
        finally:
            subprocess.run(["umount", place], check=True)


@needs_loops
def test_too_small_a_disk_and_two_names_for_one_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = image(tmp_path)
    with loops(tmp_path, 1, 8 * MEGA) as (disk,):
        assert write(picture, [disk]) == 1
        assert "8.4 MB" in capsys.readouterr().err
    with loops(tmp_path, 1, 20 * MEGA) as (disk,):
        before = disk.content()
        assert write(picture, [disk, disk]) == 1
        assert "dos veces" in capsys.readouterr().err
        assert disk.content() == before


@needs_loops
def test_a_flipped_byte_and_another_disk_are_found_by_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = image(tmp_path)
    kept = str(tmp_path / "receipts")
    with loops(tmp_path, 2, 20 * MEGA) as (disk, other):
        assert write(picture, [disk]) == 0
        assert main(["verify", "--disk", disk.path, "--receipts", kept]) == 0
        assert main(["verify", "--disk", other.path, "--receipts", kept]) == 1
        (receipt,) = (tmp_path / "receipts").glob("*.json")
        assert main(["verify", "--disk", other.path, "--receipt", str(receipt)]) == 1
        assert "no es el disco de este recibo" in capsys.readouterr().err
        with disk.file.open("r+b") as file:
            file.seek(5 * MEGA)
            byte = file.read(1)
            file.seek(5 * MEGA)
            file.write(bytes([byte[0] ^ 1]))
            file.flush()
            os.fsync(file.fileno())
        assert main(["verify", "--disk", disk.path, "--receipts", kept]) == 1
        assert "4.2 MB: distinto" in capsys.readouterr().out


def run_one(device: Any, source: Source, folder: Path) -> Outcome:
    """Write one stick on a device of ours, as the command does."""
    disk = laptop()["/dev/sda"]
    stick = ImageStick("aula-01", PlannedFile("live.img", source.size, "", source.body))
    means = Means(
        folder, threading.Event(), os.urandom(16), lambda: datetime.now(UTC), open_device=lambda _path: device
    )
    (outcome,) = write_all([Job(stick, disk, source, "Escuela", "es", Rules())], means, _blind)
    return outcome


def _blind(_gauges: Sequence[Gauge]) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("wraps", [True, False])
@pytest.mark.parametrize("real", [8 * MEGA, 16 * MEGA, 11 * MEGA + 512, 33 * MEGA - 4096])
def test_a_stick_that_lies_about_its_size_is_found_before_anything_is_trusted(
    tmp_path: Path, wraps: bool, real: int
) -> None:
    outcome = run_one(
        LyingDevice(64 * MEGA, real, wraps=wraps), image_source(image(tmp_path, 6 * MEGA), None), tmp_path / "r"
    )
    assert outcome.error is not None
    assert outcome.error.key in ("disk-lies", "stick-differs")
    assert not list((tmp_path / "r").glob("*.json"))


@pytest.mark.parametrize(("real", "wraps"), [(8 << 30, True), (16 << 30, True), (7_400_000_000 // 512 * 512, False)])
def test_a_small_stick_sold_as_a_large_one_is_found_within_a_few_hundred_probes(
    tmp_path: Path, real: int, wraps: bool
) -> None:
    device = LyingDevice(64 << 30, real, wraps=wraps)
    outcome = run_one(device, image_source(image(tmp_path, MEGA), None), tmp_path / "r")
    assert outcome.error
    assert outcome.error.key == "disk-lies"
    assert "64" in str(outcome.error.values["claimed"]) or "68" in str(outcome.error.values["claimed"])
    assert device.used <= 400 * 8, "found before the data was written"


@pytest.mark.parametrize("wraps", [True, False])
def test_without_the_first_probe_the_reading_itself_finds_the_lie(tmp_path: Path, wraps: bool) -> None:
    """As when a cut write goes on: the disk is not probed first, for it holds what may be kept."""
    source = image_source(image(tmp_path, 20 * MEGA), None)
    device = LyingDevice(64 * MEGA, 16 * MEGA, wraps=wraps)
    Journal(tmp_path / "r", "aula-01", laptop()["/dev/sda"].serial, device.size, _print_of(source)).note(0)
    outcome = run_one(device, source, tmp_path / "r")
    assert outcome.error is not None
    assert outcome.error.key in ("disk-lies", "stick-differs")
    assert not list((tmp_path / "r").glob("*.json"))


def test_an_honest_stick_of_the_same_kind_passes(tmp_path: Path) -> None:
    outcome = run_one(
        LyingDevice(64 * MEGA, 64 * MEGA, wraps=True), image_source(image(tmp_path), None), tmp_path / "r"
    )
    assert outcome.error is None
    assert outcome.receipt
    assert outcome.receipt.path.is_file()


@pytest.mark.parametrize("last", [True, False])
def test_one_wrong_bit_on_the_medium_is_found_by_the_reading_and_gives_no_receipt(tmp_path: Path, last: bool) -> None:
    class Worn(LyingDevice):
        """Keeps everything but one bit, of the first megabyte or of the middle."""

        def write(self, offset: int, data: memoryview) -> None:
            super().write(offset, data)
            if len(data) >= MEGA and (offset == 0) == last:
                cell = bytearray(self._sectors[offset])
                cell[100] ^= 1
                self._sectors[offset] = bytes(cell)

    outcome = run_one(Worn(20 * MEGA, 20 * MEGA, wraps=True), image_source(image(tmp_path), None), tmp_path / "r")
    assert outcome.error
    assert outcome.error.key == "stick-differs"
    assert not list((tmp_path / "r").glob("*.json"))


def test_an_image_that_is_not_what_the_plan_says_gives_no_receipt(tmp_path: Path) -> None:
    picture = image(tmp_path)
    source = image_source(picture, None, hashlib.sha256(b"another").hexdigest())
    outcome = run_one(LyingDevice(64 * MEGA, 64 * MEGA, wraps=True), source, tmp_path / "r")
    assert outcome.error
    assert outcome.error.key == "source-changed"
    assert not list((tmp_path / "r").glob("*.json"))


@needs_loops
def test_a_cut_write_goes_on_and_what_its_note_claims_is_read_before_it_is_left_alone(tmp_path: Path) -> None:
    picture = image(tmp_path, 14 * MEGA)
    content = picture.read_bytes()
    source = image_source(picture, None)
    stick = ImageStick("aula-01", PlannedFile("live.img", source.size, "", picture))
    with loops(tmp_path, 1, 20 * MEGA) as (disk,):
        device = FileDevice(disk.path, writing=True)
        buffer = aligned(8 * MEGA)
        buffer[:] = content[: 8 * MEGA]
        device.write(0, buffer)
        device.close()
        # The note says three chunks; a megabyte of the second never reached the medium.
        with disk.file.open("r+b") as file:
            file.seek(5 * MEGA)
            file.write(bytes(MEGA))
            os.fsync(file.fileno())
        Journal(tmp_path / "r", "aula-01", disk.serial, 20 * MEGA, _print_of(source)).note(2)
        means = Means(tmp_path / "r", threading.Event(), os.urandom(16), lambda: datetime.now(UTC))
        (outcome,) = write_all([Job(stick, disk.disk, source, "", "es", Rules(allow_loop=True))], means, _blind)
        assert disk.content()[: len(content)] == content
    assert outcome.receipt
    facts = outcome.receipt.facts
    assert facts["bytes_verified"] - facts["bytes_written"] == 3 * MEGA, (
        "the first chunk after the head stayed as it was"
    )


def test_whoever_interrupts_stops_every_stick_and_it_goes_on_later(tmp_path: Path) -> None:
    source = image_source(image(tmp_path, 12 * MEGA), None)
    device = LyingDevice(20 * MEGA, 20 * MEGA, wraps=True)
    stop = threading.Event()

    class Slow(LyingDevice):
        def write(self, offset: int, data: memoryview) -> None:
            device.write(offset, data)
            if len(data) > MEGA:
                stop.set()

        def read(self, offset: int, into: memoryview) -> None:
            device.read(offset, into)

    means = Means(tmp_path / "r", stop, os.urandom(16), lambda: datetime.now(UTC),
                  open_device=lambda _path: Slow(20 * MEGA, 20 * MEGA, wraps=True))  # fmt: skip
    stick = ImageStick("aula-01", PlannedFile("live.img", source.size, "", source.body))
    (outcome,) = write_all([Job(stick, laptop()["/dev/sda"], source, "", "es", Rules())], means, _blind)
    assert outcome.error
    assert outcome.error.key == "write-stopped"
    assert list((tmp_path / "r" / "in-progress").iterdir())
    assert run_one(device, source, tmp_path / "r").receipt


@needs_loops
def test_a_real_write_error_is_told_and_the_other_stick_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file behind the disk lies on a full file system: the kernel answers with an input/output error."""
    picture = image(tmp_path)
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "none", small], check=True)
    try:
        with (small / "full.img").open("wb") as file:
            file.truncate(20 * MEGA)
        with attached(small / "full.img") as path, loop(tmp_path / "good.img", 20 * MEGA) as good:
            assert write(picture, [Loop(path, small / "full.img"), good], "--json") == 1
            rows = json.loads(capsys.readouterr().out)["sticks"]
            assert [row["result"] for row in rows] == ["failed", "verified"]
            assert rows[0]["error"] == "disk-failed"
    finally:
        subprocess.run(["umount", small], check=True)
    assert [receipt["disk"]["serial"] for receipt in receipts(picture)] == ["good.img"]


@needs_loops
def test_a_stick_that_shrinks_or_goes_away_while_it_is_written_gets_no_receipt(tmp_path: Path) -> None:
    source = image_source(image(tmp_path, 12 * MEGA), None)
    with loops(tmp_path, 1, 20 * MEGA) as (disk,):

        class Pulled(FileDevice):
            """The disk loses most of itself after some writes."""

            count = 0

            def write(self, offset: int, data: memoryview) -> None:
                self.count += len(data) > 4096
                if self.count == 2:
                    os.truncate(disk.file, 2 * MEGA)
                    subprocess.run(["losetup", "--set-capacity", disk.path], check=True)
                super().write(offset, data)

        stick = ImageStick("aula-01", PlannedFile("live.img", source.size, "", source.body))
        means = Means(tmp_path / "r", threading.Event(), os.urandom(16), lambda: datetime.now(UTC),
                      open_device=lambda path: Pulled(path, writing=True))  # fmt: skip
        job = Job(stick, disk.disk, source, "", "es", Rules(allow_loop=True))
        (outcome,) = write_all([job], means, _blind)
    assert outcome.error is not None
    assert outcome.error.key in ("disk-failed", "disk-gone")
    assert not list((tmp_path / "r").glob("*.json"))


@needs_loops
def test_detaching_a_stick_in_the_middle_never_leaves_a_wrong_receipt(tmp_path: Path) -> None:
    """losetup -d while we hold the disk takes effect when we let it go: what was verified is in the file."""
    picture = image(tmp_path)
    source = image_source(picture, None)
    with loops(tmp_path, 1, 20 * MEGA) as (disk,):

        def pull(gauges: Sequence[Gauge]) -> None:
            subprocess.run(["losetup", "--detach", disk.path], check=False, capture_output=True)

        stick = ImageStick("aula-01", PlannedFile("live.img", source.size, "", source.body))
        means = Means(tmp_path / "r", threading.Event(), os.urandom(16), lambda: datetime.now(UTC))
        job = Job(stick, disk.disk, source, "", "es", Rules(allow_loop=True))
        (outcome,) = write_all([job], means, pull)
        if outcome.receipt:
            assert disk.content()[: source.size] == picture.read_bytes()
        else:
            assert not list((tmp_path / "r").glob("*.json"))


@needs_loops
def test_another_stick_in_the_same_place_is_noticed_once_it_is_open(tmp_path: Path) -> None:
    source = image_source(image(tmp_path), None)
    with loops(tmp_path, 1, 20 * MEGA) as (disk,):
        named = disk.disk
        subprocess.run(["losetup", "--detach", disk.path], check=True)
        (tmp_path / "other.img").write_bytes(b"precious" * (20 * MEGA // 8))
        subprocess.run(["losetup", "--direct-io=on", disk.path, tmp_path / "other.img"], check=True)
        stick = ImageStick("aula-01", PlannedFile("live.img", source.size, "", source.body))
        means = Means(tmp_path / "r", threading.Event(), os.urandom(16), lambda: datetime.now(UTC))
        job = Job(stick, named, source, "", "es", Rules(allow_loop=True))
        (outcome,) = write_all([job], means, _blind)
    assert outcome.error
    assert outcome.error.key == "disk-swapped"
    assert (tmp_path / "other.img").read_bytes() == b"precious" * (20 * MEGA // 8)


@pytest.mark.parametrize(
    "listed",
    [b"", b"[]", b'{"format": 1, "files": []}', b'{"format": 1, "files": [{"path": "../x", "size": 1, "sha256": "a"}]}',
     b'{"format": 1, "files": [{"path": "C:/x", "size": 1, "sha256": "a"}]}', b'{"format": 2, "files": 3}'],
)  # fmt: skip
def test_a_list_that_leads_elsewhere_or_makes_no_sense_is_refused(tmp_path: Path, listed: bytes) -> None:
    (tmp_path / "AMAUTA").mkdir()
    (tmp_path / "AMAUTA" / "files.json").write_bytes(listed)
    with pytest.raises(KitError, match="damaged"):
        verify_folder(tmp_path, lambda _done, _total: None)


def test_a_folder_without_a_list_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 1
    assert "files.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["write"], "un plan o una imagen"),
        (["write", "plan.json", "--image", "x"], "un plan o una imagen"),
        (["write", "plan.json", "--bmap", "x"], "--bmap solo sirve"),
        (["write", "--image", "absent.img", "--disk", "/dev/sdz"], "absent.img"),
        (["verify"], "una carpeta o un disco"),
        (["verify", "--disk", "/dev/sdz"], "ningún disco"),
    ],
)
def test_wrong_use_gets_a_clear_sentence(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 1
    assert said in capsys.readouterr().err


def test_a_receipt_that_goes_while_others_look_is_no_trouble(tmp_path: Path) -> None:
    """Every stick of a run takes its own old receipt away while the other threads list the folder."""
    (tmp_path / "gone.json").symlink_to(tmp_path / "taken-away.json")
    (tmp_path / "damaged.json").write_bytes(b"{")
    assert receipts_in(tmp_path) == []

"""A data stick is composed so that any computer reads every file of it as planned."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.cli import main
from devkit.compose.fat import read_file
from devkit.compose.image import LIST, check_plan, compose
from devkit.compose.layout import block_map, geometry, needed_bytes, partition_table, volume_bytes
from devkit.errors import KitError
from devkit.site.saved import Plan, save
from devkit.stick import DataStick, Filesystem, PlannedFile
from loops import attached, loop, needs, needs_loops

MEGA = 1 << 20
fat_tools = needs("mkfs.vfat", "fsck.vfat", "mcopy")
exfat_tools = needs("mkfs.exfat", "fsck.exfat", "mount.exfat-fuse")


def planned(folder: Path, path: str, content: bytes) -> PlannedFile:
    digest = hashlib.sha256(content).hexdigest()
    folder.mkdir(exist_ok=True)
    (folder / digest).write_bytes(content)
    return PlannedFile(path, len(content), digest, folder / digest)


def stick_of(folder: Path, filesystem: Filesystem = "fat32", name: str = "aula-01") -> DataStick:
    contents = {
        "AMAUTA/LEEME.txt": "Léeme".encode(),
        "AMAUTA/models/mini.gguf": os.urandom(3_000_001),
        "AMAUTA/packs/vacio/empty.toml": b"",
        "AMAUTA/site.json": b"{}",
        "Amauta-Linux.sh": b"#!/bin/sh\n",
        **{f"AMAUTA/app/linux-x86_64/lib/un nombre largo {at}.py": bytes([at]) * at for at in range(60)},
    }
    files = tuple(planned(folder, path, content) for path, content in contents.items())
    return DataStick(name, "AMAUTA", filesystem, files)


def quiet(_phase: str, _done: int, _total: int) -> None:
    """Nobody watches."""


@fat_tools
def test_every_file_is_read_back_from_fat32_and_fsck_is_content(tmp_path: Path) -> None:
    stick = stick_of(tmp_path / "depot")
    source = compose(stick, 64 * MEGA, tmp_path / "work", quiet)
    for file in stick.files:
        digest = hashlib.sha256()
        assert read_file(source.body, file.path, digest.update) == file.size
        assert digest.hexdigest() == file.sha256
    listed = bytearray()
    read_file(source.body, LIST, listed.extend)
    assert b"AMAUTA/models/mini.gguf" in listed
    assert (
        subprocess.run([shutil.which("fsck.vfat") or "/sbin/fsck.vfat", "-n", source.body], check=False).returncode == 0
    )


@fat_tools
def test_sticks_of_the_same_files_share_what_was_made_once_and_it_is_always_the_same(tmp_path: Path) -> None:
    stick = stick_of(tmp_path / "depot")
    first = compose(stick, 64 * MEGA, tmp_path / "work", quiet)
    made: list[str] = []
    named = replace(stick, name="aula-02", volume="ESCUELA-02")
    again = compose(named, 64 * MEGA + 4096, tmp_path / "work", lambda phase, *_: made.append(phase))
    assert made == []
    assert (again.body, again.blocks_sha256) == (first.body, first.blocks_sha256)
    assert again.head != first.head, "a signature for each stick"
    other = compose(stick, 64 * MEGA, tmp_path / "elsewhere", quiet)
    assert other.body.read_bytes() == first.body.read_bytes()
    assert other.head == first.head


@fat_tools
def test_a_depot_file_that_rotted_is_named_and_nothing_is_kept(tmp_path: Path) -> None:
    stick = stick_of(tmp_path / "depot")
    bad = next(file for file in stick.files if file.path.endswith("mini.gguf"))
    content = bytearray(bad.source.read_bytes())
    content[1_000_000] ^= 1
    bad.source.write_bytes(content)
    with pytest.raises(KitError, match=r"mini\.gguf did not come out right"):
        compose(stick, 64 * MEGA, tmp_path / "work", quiet)
    assert not [path for path in (tmp_path / "work").glob("*.json") if "files" not in path.name]
    bad.source.unlink()
    with pytest.raises(KitError, match="is missing"):
        compose(stick, 64 * MEGA, tmp_path / "work", quiet)


def test_what_cannot_fit_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    stick = stick_of(tmp_path / "depot")
    with pytest.raises(KitError, match="needs about"):
        check_plan(stick, 20 * MEGA)
    large = PlannedFile("AMAUTA/models/big.gguf", 1 << 32, "0" * 64, tmp_path / "big")
    with pytest.raises(KitError, match="FAT32 holds no file"):
        check_plan(replace(stick, files=(large,)), 1 << 34)
    with pytest.raises(KitError, match=r"big\.gguf"):
        check_plan(replace(stick, files=(large,), filesystem="exfat"), 1 << 34)


@fat_tools
def test_a_missing_program_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devkit.compose.programs.shutil.which", lambda *_args, **_more: None)
    with pytest.raises(KitError, match="apt install dosfstools"):
        compose(stick_of(tmp_path / "depot"), 64 * MEGA, tmp_path / "work", quiet)


def test_the_partition_table_names_one_partition_behind_the_first_megabyte() -> None:
    head = partition_table("fat32", 62 * MEGA, 0xA1B2C3D4)
    assert len(head) == MEGA
    assert head[510:512] == b"\x55\xaa"
    assert struct.unpack_from("<I", head, 440) == (0xA1B2C3D4,)
    assert (head[450], *struct.unpack_from("<II", head, 454)) == (0x0C, 2048, 62 * 2048)
    assert set(head[462:510]) | set(head[512:]) == {0}


@given(st.integers(40 * MEGA, 1 << 40).map(lambda size: size // 512 * 512))
def test_a_volume_fits_and_leaves_both_ends_to_the_tables(size: int) -> None:
    volume = volume_bytes(size)
    assert volume % MEGA == 0
    assert MEGA + volume + MEGA <= size
    assert size - volume < 66 * MEGA


def boot_of(reserved: int, tables: int, per_cluster: int) -> bytes:
    boot = bytearray(512)
    struct.pack_into("<HBHB", boot, 11, 512, per_cluster, reserved, 2)
    struct.pack_into("<I", boot, 36, tables)
    return bytes(boot)


@given(
    st.integers(1, 64),
    st.integers(1, 4000),
    st.sampled_from([1, 8, 64]),
    st.lists(st.integers(0, 60 * MEGA), max_size=5),
)
def test_tables_and_whole_clusters_count(reserved: int, tables: int, per_cluster: int, starts: list[int]) -> None:
    boot, size = boot_of(reserved, tables, per_cluster), 64 * MEGA
    heap, cluster = geometry(boot)
    blocks = block_map(boot, size, [(start, start + 100) for start in starts])
    covered = dict(blocks.content)
    assert any(start == 0 and stop >= min(MEGA + heap, MEGA + size) for start, stop in covered.items())
    for start in starts:
        first = max(start, heap) if start + 100 > heap else start
        whole = heap + (first - heap) // cluster * cluster if first >= heap else first
        assert any(
            a <= MEGA + whole and MEGA + min(whole + (cluster if first >= heap else 1), size) <= b
            for a, b in covered.items()
        )


def test_what_is_needed_is_never_less_than_the_files_take(tmp_path: Path) -> None:
    stick = stick_of(tmp_path / "depot")
    assert needed_bytes(stick) > stick.size + 2 * MEGA


def write(plan: Path, path: str, serial: str) -> int:
    return main(["write", str(plan), "--disk", path, "--serial", serial, "--allow-loop", "--no-paper"])


@contextmanager
def partition(path: str, size: int) -> Iterator[str]:
    """Attach the first partition of a written stick."""
    command = ["losetup", "--find", "--show", "--offset", str(MEGA), "--sizelimit", str(size), path]
    part = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield part
    finally:
        subprocess.run(["losetup", "--detach", part], check=True)


@needs_loops
@fat_tools
def test_a_composed_volume_that_rotted_in_the_cache_gives_no_receipt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = stick_of(tmp_path / "depot")
    save(Plan("Escuela", "es", (stick, replace(stick, name="aula-02"))), tmp_path / "plan.json")
    with loop(tmp_path / "t.img", 80 * MEGA) as disk:
        assert write(tmp_path / "plan.json", disk.path, disk.serial) == 0
        (volume,) = (tmp_path / "composed").glob("*.volume")
        content = bytearray(volume.read_bytes())
        content[content.rfind(b"\x05" * 5)] ^= 1
        volume.write_bytes(content)
        assert write(tmp_path / "plan.json", disk.path, disk.serial) == 1
    assert "no es lo que dice el plan" in capsys.readouterr().err
    assert not list((tmp_path / "receipts").glob("*.json")), "the first stick's receipt is gone with its content"


@needs_loops
@fat_tools
def test_nothing_an_older_owner_left_shows_through_a_fat32_stick(tmp_path: Path) -> None:
    """The old content looks like folder entries; a cluster that is not wholly ours would show them."""
    stick = replace(stick_of(tmp_path / "depot"), volume="ESCUELA-07")
    save(Plan("Escuela", "es", (stick,)), tmp_path / "plan.json")
    with loop(tmp_path / "t.img", 80 * MEGA, b"VIEJO   TXT \0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\x09\0\0\0") as disk:
        assert write(tmp_path / "plan.json", disk.path, disk.serial) == 0
        assert not list((tmp_path / "composed").iterdir()), "no school's secrets stay behind once all is written"
        with partition(disk.path, volume_bytes(80 * MEGA)) as part:
            checked = subprocess.run(["/sbin/fsck.vfat", "-n", part], capture_output=True, text=True, check=False)
            assert checked.returncode == 0, checked.stdout
            named = subprocess.run(["mlabel", "-s", "-i", part, "::"], capture_output=True, text=True, check=True)
            assert "ESCUELA-07" in named.stdout
            listed = subprocess.run(["mdir", "-/", "-b", "-i", part, "::/"], capture_output=True, text=True, check=True)
            found = {line.removeprefix("::/") for line in listed.stdout.splitlines() if not line.endswith("/")}
    assert found == {file.path for file in stick.files} | {LIST}


@needs_loops
@fat_tools
@exfat_tools
def test_an_exfat_stick_is_mounted_and_checks_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stick = replace(stick_of(tmp_path / "depot", "exfat"), volume="ESCUELA-07")
    save(Plan("Escuela", "es", (stick,)), tmp_path / "plan.json")
    with loop(tmp_path / "t.img", 80 * MEGA) as disk:
        assert write(tmp_path / "plan.json", disk.path, disk.serial) == 0
        with partition(disk.path, volume_bytes(80 * MEGA)) as part:
            assert subprocess.run(["/sbin/fsck.exfat", "-n", part], capture_output=True, check=False).returncode == 0
            named = subprocess.run(["/sbin/exfatlabel", part], capture_output=True, text=True, check=False)
            assert "ESCUELA-07" in named.stdout
            place = tmp_path / "mounted"
            place.mkdir()
            subprocess.run(["/sbin/mount.exfat-fuse", part, place], check=True, capture_output=True)
            try:
                assert main(["verify", str(place)]) == 0
                (place / "AMAUTA" / "site.json").write_text("enrolled, secrets erased")
                assert main(["verify", str(place)]) == 0
                (place / "AMAUTA" / "LEEME.txt").write_text("otro")
                assert main(["verify", str(place)]) == 1
                assert "AMAUTA/LEEME.txt: distinto" in capsys.readouterr().out
            finally:
                subprocess.run(["umount", place], check=True)


@needs_loops
def test_attaching_is_undone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(4096))
    with attached(tmp_path / "a") as path:
        pass
    listed = subprocess.run(
        ["losetup", "--list", "--noheadings", "--output", "BACK-FILE"], capture_output=True, text=True, check=True
    )
    assert str(tmp_path) not in listed.stdout, path

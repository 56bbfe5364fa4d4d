"""Sticks are found from what the system says; an empty one too, and none that belongs to the system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drives import Mount, chosen, find, is_removable, looked_at, parse

MOUNTS = """\
/dev/sda2 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
/dev/sdb1 /media/ana/MOCHILA\\040VERDE vfat rw,nosuid 0 0
/dev/sdc1 /run/media/ana/TESIS exfat rw 0 0
/dev/sda3 /mnt/datos ext4 rw 0 0
/dev/sdb2 /run/live/medium vfat ro 0 0
tmpfs /media/ana/ram tmpfs rw 0 0
broken
"""


def nobody(_: Path) -> bool:
    return False


def test_sticks_are_what_is_mounted_where_people_find_them_and_can_be_pulled_out() -> None:
    sticks = chosen(parse(MOUNTS), lambda device: device.startswith(("/dev/sdb", "/dev/sdc")), nobody)
    assert sticks == [Path("/media/ana/MOCHILA VERDE"), Path("/run/media/ana/TESIS")]


def test_what_amauta_has_used_before_counts_whatever_the_device() -> None:
    ours = Path("/media/ana/ram")
    assert chosen(parse(MOUNTS), lambda _: False, lambda place: place == ours) == [ours]


def test_of_two_sticks_mounted_at_one_place_the_last_one_decides() -> None:
    mounts = [Mount("/dev/sdb1", "/mnt/usb"), Mount("/dev/sda9", "/mnt/usb")]
    assert chosen(mounts, lambda device: device == "/dev/sdb1", nobody) == []


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), max_size=4))
def test_any_name_of_a_place_is_read_as_the_kernel_writes_it(names: list[str]) -> None:
    places = [f"/media/{name.replace('/', '_')}" for name in names]

    def written(place: str) -> str:
        for letter in "\\ \t\n":
            place = place.replace(letter, f"\\{ord(letter):03o}")
        return place

    lines = [f"/dev/sdb1 {written(place)} vfat rw 0 0" for place in places]
    assert [mount.place for mount in parse("\n".join(lines))] == places


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    assert all(isinstance(mount, Mount) for mount in parse(text))


def a_disk(system: Path, where: str, removable: str, kind: str = "", partition: str = "") -> None:
    """Describe a disk as /sys does: a folder of the bus, and a link to it by name."""
    disk = system.parent / "devices" / where
    disk.mkdir(parents=True)
    (disk / "removable").write_text(f"{removable}\n")
    if kind:
        (disk / "device").mkdir()
        (disk / "device" / "type").write_text(f"{kind}\n")
    (system / disk.name).symlink_to(disk)
    if partition:
        (disk / partition).mkdir()
        (disk / partition / "partition").write_text("1\n")
        (system / partition).symlink_to(disk / partition)


@pytest.fixture
def system(tmp_path: Path) -> Path:
    if os.name != "posix":
        pytest.skip("links as in /sys")
    folder = tmp_path / "class"
    folder.mkdir()
    a_disk(folder, "pci/ata1/sda", "0", partition="sda1")
    a_disk(folder, "pci/usb2/2-1/sdb", "1", partition="sdb1")
    a_disk(folder, "pci/usb2/2-2/sdc", "0", partition="sdc1")
    a_disk(folder, "mmc0/mmcblk0", "0", kind="MMC", partition="mmcblk0p1")
    a_disk(folder, "mmc1/mmcblk1", "0", kind="SD", partition="mmcblk1p1")
    a_disk(folder, "virtual/dm-0", "0")
    (folder / "dm-0" / "slaves").mkdir()
    (folder / "dm-0" / "slaves" / "sdb1").mkdir()
    return folder


@pytest.mark.parametrize(
    ("device", "can"),
    [("sda1", False), ("sdb1", True), ("sdb", True), ("sdc1", True), ("mmcblk0p1", False), ("mmcblk1p1", True),
     ("dm-0", True), ("nothing", False)],
)  # fmt: skip
def test_sticks_cards_and_disks_on_usb_can_be_pulled_out_and_built_in_ones_cannot(
    device: str, can: bool, system: Path
) -> None:
    assert is_removable(f"/dev/{device}", system) is can


def test_a_stick_says_what_it_brings_and_an_empty_one_is_a_stick_too(tmp_path: Path) -> None:
    empty = looked_at(tmp_path)
    assert empty is not None
    assert (empty.enrolment, empty.acks, empty.ours, empty.writable) == (None, False, False, True)
    (tmp_path / "AMAUTA" / "ACUSES").mkdir(parents=True)
    (tmp_path / "AMAUTA" / "enrolment.json").write_text("{}")
    full = looked_at(tmp_path, "MOCHILA")
    assert full is not None
    assert (full.name, full.acks, full.ours) == ("MOCHILA", False, True)
    assert full.enrolment == tmp_path / "AMAUTA" / "enrolment.json"
    (tmp_path / "AMAUTA" / "ACUSES" / "0123456789abcdef.age").write_bytes(b"")
    again = looked_at(tmp_path)
    assert again is not None
    assert again.acks


def test_a_stick_that_was_pulled_out_is_none(tmp_path: Path) -> None:
    assert looked_at(tmp_path / "gone") is None


@pytest.mark.skipif(sys.platform != "linux", reason="what Linux has mounted")
def test_the_stick_the_app_runs_from_is_known_as_such_and_only_where_it_can_be_written(tmp_path: Path) -> None:
    own = tmp_path / "ESCUELA-3" / "AMAUTA"
    own.mkdir(parents=True)
    [drive] = [each for each in find({"AMAUTA_STICK": str(own)}) if each.path == tmp_path / "ESCUELA-3"]
    assert (drive.name, drive.own, drive.ours) == ("ESCUELA-3", True, True)
    assert not [each for each in find({}) if each.path == tmp_path / "ESCUELA-3"]


@pytest.mark.skipif(sys.platform != "linux", reason="what Linux has mounted")
def test_looking_is_cheap_enough_to_be_done_every_few_seconds() -> None:
    import time

    find({})
    begun = time.process_time()
    for _ in range(20):
        find({})
    assert (time.process_time() - begun) / 20 < 0.03


def test_names_that_are_not_utf_8_come_back_as_paths_of_the_system() -> None:
    if sys.platform == "win32":
        pytest.skip("bytes of a Unix name")
    text = (b"/dev/sdb1 /media/a\xf1o vfat rw 0 0").decode("utf-8", "surrogateescape")
    assert os.fsencode(parse(text)[0].place) == b"/media/a\xf1o"

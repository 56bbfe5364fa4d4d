"""Only a removable, free, large enough disk that the technician named may be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.cli import main
from devkit.disks.attached import attached_disks
from devkit.disks.choice import Rules, candidates, choose, confirms, objection, proofs
from devkit.disks.disk import parse_disks
from devkit.errors import KitError
from loops import laptop, loop, needs_loops


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/dev/sda", None),
        ("/dev/sdf", None),
        ("/dev/mmcblk0", None),
        ("/dev/sdb", "disk-mounted"),
        ("/dev/sdc", "disk-absent"),
        ("/dev/sdd", "disk-large"),
        ("/dev/sde", "disk-read-only"),
        ("/dev/sdg", "disk-fixed"),
        ("/dev/sdh", "disk-system"),
        ("/dev/sdi", "disk-mounted"),
        ("/dev/sr0", "disk-kind"),
        ("/dev/zram0", "disk-system"),
        ("/dev/zram1", "disk-fixed"),
        ("/dev/nvme0n1", "disk-system"),
        ("/dev/loop0", "disk-mounted"),
        ("/dev/loop1", "disk-loop"),
    ],
)
def test_each_disk_of_a_laptop_is_judged(path: str, why: str | None) -> None:
    refusal = objection(laptop()[path], Rules(need=1 << 30))
    assert (refusal.key if refusal else None) == why
    assert refusal is None or path in str(refusal)


def test_only_what_may_be_written_is_offered() -> None:
    assert [disk.path for disk in candidates(laptop().values(), Rules())] == ["/dev/sda", "/dev/sdf", "/dev/mmcblk0"]


def test_a_stick_too_small_is_refused_with_both_sizes() -> None:
    with pytest.raises(KitError, match=r"15\.9 GB and 20\.0 GB are needed"):
        choose(laptop().values(), "/dev/sda", Rules(need=20 * 10**9))


def test_a_large_disk_and_a_loop_need_an_extra_word() -> None:
    rules = Rules(allow_large=True, allow_loop=True)
    assert objection(laptop()["/dev/sdd"], rules) is None
    assert objection(laptop()["/dev/loop1"], rules) is None
    assert objection(laptop()["/dev/sdb"], rules)


def test_a_partition_or_a_file_is_no_disk() -> None:
    for path in ("/dev/sda1", "/dev/sdz", "image.img", ""):
        with pytest.raises(KitError, match="no disk"):
            choose(laptop().values(), path, Rules(allow_large=True, allow_loop=True))


def test_serial_or_label_confirm_and_nothing_else_does() -> None:
    stick = laptop()["/dev/sda"]
    assert proofs(stick) == ("60A44C413FAAE3B1", "ESCUELA")
    assert confirms(stick, " 60a44c413faae3b1\n")
    assert confirms(stick, "escuela")
    for typed in ("", "/dev/sda", "yes", "Kingston", "60A44C"):
        assert not confirms(stick, typed)


def test_a_stick_without_serial_or_label_is_confirmed_by_its_exact_size() -> None:
    nameless = laptop()["/dev/sdf"]
    assert confirms(nameless, "8053063680")
    assert not confirms(nameless, "")


def test_older_lsblk_gives_text_for_numbers_and_one_mount_point() -> None:
    row = {"name": "sdb", "type": "disk", "size": "8000000000", "rm": "1", "ro": "0", "hotplug": "1", "tran": "usb",
           "children": [{"name": "sdb1", "type": "part", "mountpoint": "/mnt"}]}  # fmt: skip
    (disk,) = parse_disks({"blockdevices": [row]})
    assert (disk.path, disk.size, disk.removable, disk.read_only) == ("/dev/sdb", 8_000_000_000, True, False)
    assert disk.mounts == ("/mnt",)


@given(
    st.recursive(st.just([]), lambda below: st.lists(below, max_size=3), max_leaves=12),
    st.integers(0, 99),
    st.booleans(),
)
def test_whatever_is_mounted_anywhere_below_is_never_written(shape: list[Any], where: int, old: bool) -> None:
    rows: list[dict[str, Any]] = []

    def build(inner: list[Any], kind: str) -> dict[str, Any]:
        row: dict[str, Any] = {"name": f"x{len(rows)}", "type": kind, "size": 1 << 33, "rm": True, "tran": "usb"}
        rows.append(row)
        row["children"] = [build(part, "part") for part in inner]
        return row

    found = {"blockdevices": [build(shape, "disk")]}
    everything = Rules(allow_large=True, allow_loop=True)
    assert objection(parse_disks(found)[0], everything) is None
    rows[where % len(rows)] |= {"mountpoint": "/media/x"} if old else {"mountpoints": [None, "/media/x"]}
    assert objection(parse_disks(found)[0], everything)


def test_a_label_cannot_play_with_the_terminal() -> None:
    row = {"name": "sdb", "type": "disk", "tran": "usb", "label": "\x1b[2JHOLA\n", "serial": "A\rB", "model": "x\x07"}
    (disk,) = parse_disks({"blockdevices": [row]})
    assert (disk.labels, disk.serial, disk.model) == (("[2JHOLA",), "AB", "x")


def test_an_answer_that_makes_no_sense_offers_nothing() -> None:
    for found in (None, [], {}, {"blockdevices": None}, {"blockdevices": ["x"]}):
        assert parse_disks(found) == ()


def test_where_raw_writing_does_not_exist_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(KitError, match="works on Linux only"):
        attached_disks()


@needs_loops
def test_a_loop_is_known_by_its_file_and_the_disk_of_this_system_is_never_offered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with loop(tmp_path / "stick.img", 1 << 20) as stick:
        assert stick.disk.serial == "stick.img"
        assert main(["write", "--list", "--json"]) == 0
        assert stick.path not in capsys.readouterr().out
        assert main(["write", "--list", "--json", "--allow-loop"]) == 0
        listed = [disk["path"] for disk in json.loads(capsys.readouterr().out)["disks"]]
        assert stick.path in listed
        system = [disk.path for disk in attached_disks() if any(place == "/" for place in disk.mounts)]
        assert not set(system) & set(listed)

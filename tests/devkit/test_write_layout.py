"""Every byte that counts is written once, the first megabyte last, and nothing else is claimed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.errors import KitError
from devkit.stick import ImageStick, PlannedFile
from devkit.write.assign import assign
from devkit.write.chunks import CHUNK_BYTES, HEAD_BYTES, BlockMap, chunks_for, content_chunks, free_ranges, whole
from devkit.write.journal import Journal, Note
from devkit.write.probe import PROBE_BYTES, addresses
from devkit.write.source import image_source, read_bmap
from loops import laptop

MEGA = 1 << 20
ranges = st.lists(
    st.tuples(st.integers(0, 40 * MEGA), st.integers(1, 9 * MEGA)).map(lambda a: (a[0], a[0] + a[1])), max_size=6
)


@given(ranges, st.integers(1, 30 * MEGA), st.integers(0, 20 * 2048).map(lambda sectors: 512 * sectors), st.booleans())
def test_chunks_cover_what_counts_and_never_overlap(
    data: list[tuple[int, int]], size: int, spare: int, everything: bool
) -> None:
    data = [(start, min(stop, size)) for start, stop in data if start < size]
    blocks = whole(size, data) if everything else BlockMap(size, tuple(data))
    disk = -(-size // 512) * 512 + spare
    chunks = chunks_for(blocks, disk)
    places = sorted((chunk.offset, chunk.offset + chunk.length) for chunk in chunks)
    assert all(a[1] <= b[0] for a, b in pairwise(places))
    assert all(0 <= start < stop <= disk and start % 512 == stop % 512 == 0 for start, stop in places)
    assert all(chunk.length <= CHUNK_BYTES for chunk in chunks)
    for start, stop in data:
        inside = sum(min(c.offset + c.length, stop) - max(c.offset, start) for c in chunks
                     if not c.zeros and c.offset < stop and c.offset + c.length > start)  # fmt: skip
        assert inside == stop - start
    written = sum(stop - start for start, stop in places)
    assert written + sum(stop - start for start, stop in free_ranges(chunks, disk)) == disk
    if everything:
        assert written >= size
    heads = [chunk.offset < HEAD_BYTES for chunk in chunks]
    assert heads == sorted(heads), "the partition table comes last"
    assert any(heads)
    assert content_chunks(blocks) == tuple(sorted((c for c in chunks if not c.zeros), key=lambda c: c.offset))


def test_both_ends_of_the_disk_are_wiped_where_the_image_has_nothing() -> None:
    chunks = chunks_for(BlockMap(8 * MEGA, ((4 * MEGA, 5 * MEGA),)), 64 * MEGA)
    zeros = [(chunk.offset, chunk.length) for chunk in chunks if chunk.zeros]
    assert zeros == [(63 * MEGA, MEGA), (0, MEGA)]


@given(ranges)
def test_probes_stay_within_what_is_free(data: list[tuple[int, int]]) -> None:
    for at in addresses(sorted(data)):
        assert any(start <= at and at + PROBE_BYTES <= stop for start, stop in data)


def test_probes_know_where_counterfeits_end() -> None:
    places = addresses([(0, 64 << 30)])
    assert {0, 1 << 30, 8 << 30, 32 << 30, (64 << 30) - PROBE_BYTES} <= set(places)
    assert len(places) < 400


BMAP = """<?xml version="1.0" ?>
<bmap version="2.0"><ImageSize> 20000 </ImageSize><BlockSize> 4096 </BlockSize><BlocksCount> 5 </BlocksCount>
<BlockMap><Range chksum="x"> 0-1 </Range><Range> 4 </Range></BlockMap></bmap>"""


def test_a_block_map_of_bmaptool_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.bmap").write_text(BMAP)
    assert read_bmap(tmp_path / "a.bmap", tmp_path / "a.img", 20000).content == ((0, 8192), (16384, 20000))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no xml", "not a block map"),
        ("<bmap/>", "not a block map"),
        (BMAP.replace("0-1", "3-1"), "not a block map"),
        (BMAP.replace("> 4 <", "> 5 <"), "not a block map"),
        (BMAP.replace("<Range chksum", "<!DOCTYPE x><Range chksum"), "DOCTYPE"),
        (BMAP.replace("20000", "20001"), "20001 bytes"),
    ],
)
def test_a_block_map_that_is_not_of_this_image_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.bmap").write_text(text)
    (tmp_path / "a.img").write_bytes(bytes(20000))
    with pytest.raises(KitError, match=said):
        image_source(tmp_path / "a.img", tmp_path / "a.bmap")


def sticks(*names: str) -> list[ImageStick]:
    return [ImageStick(name, PlannedFile("a.img", 1, "0" * 64, Path("a.img"))) for name in names]


def test_sticks_go_in_order_to_those_without_a_receipt_and_cut_ones_where_they_were() -> None:
    first, second = laptop()["/dev/sda"], laptop()["/dev/mmcblk0"]
    cut = Note("c", second.serial, second.size, "", 3)
    pairs = assign(sticks("a", "b", "c"), [first, second], [], {"a"}, [cut])
    assert [(stick.name, disk.path) for stick, disk in pairs] == [("b", "/dev/sda"), ("c", "/dev/mmcblk0")]
    pairs = assign(sticks("a", "b"), [first], ["a"], {"a"}, [])
    assert pairs[0][0].name == "a"
    with pytest.raises(KitError, match="fewer sticks left"):
        assign(sticks("a", "b"), [first, second], [], {"a"}, [])
    with pytest.raises(KitError, match="no stick 'z'"):
        assign(sticks("a"), [first], ["z"], set(), [])


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"done": 3}', b"\xff", b'{"done": -1}'])
def test_a_journal_that_makes_no_sense_starts_again(tmp_path: Path, broken: bytes) -> None:
    journal = Journal(tmp_path, "aula 1", "S/N", 512, "image 1")
    journal.note(7)
    assert journal.done() == 7
    assert Journal(tmp_path, "aula 1", "S/N", 512, "image 2").done() is None
    (file,) = (tmp_path / "in-progress").iterdir()
    file.write_bytes(broken)
    assert journal.done() is None

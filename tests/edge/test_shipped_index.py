"""The search index that comes with the app: used as it is while it fits, and made anew, without a word, when it does not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.device import probe
from edge.health import examine
from edge.library import index, shipped
from edge.library.folder import CLINIC, pack_folders
from edge.library.library import Library
from edge.library.meaning import EMBEDDED as VECTORS
from edge.settings import Settings
from edge.words import words_for

MINI = Path(__file__).parent.parent / "data" / "packs" / "mini"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as it lies in a frozen app: one pack, the vectors, and the index made of them."""
    folder = tmp_path / "edge"
    shutil.copytree(MINI, folder / "packs" / "mini")
    shutil.copytree(VECTORS, folder / "models" / "search")
    shipped.make(folder)
    return folder


def open_there(package: Path, own: Path) -> Library:
    return Library.of_folders(pack_folders(package / "packs"), own, package / "index")


def index_in(package: Path) -> Path:
    return next((package / "index").glob(f"*{index.SUFFIX}"))


def index_names(package: Path) -> set[str]:
    return {path.name for path in (package / "index").glob(f"*{index.SUFFIX}")}


def test_a_device_with_the_index_that_came_along_makes_none(package: Path, tmp_path: Path) -> None:
    library = open_there(package, tmp_path / "own")
    assert library.passages(library.understand("hielo", "es"))
    assert [row.folder for row in library.packs()] == [package / "packs" / "mini"]
    assert not (tmp_path / "own").exists()


def test_it_fits_wherever_and_whenever_the_app_is_copied(package: Path, tmp_path: Path) -> None:
    moved = tmp_path / "stick" / "edge"
    shutil.copytree(package, moved, copy_function=shutil.copyfile)
    for path in moved.rglob("*"):
        os.utime(path, ns=(1, 1))
    open_there(moved, tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_a_changed_pack_gets_an_index_of_its_own_though_its_size_and_time_are_the_same(
    package: Path, tmp_path: Path
) -> None:
    lesson = next((package / "packs/mini/lessons").glob("*.md"))
    before = lesson.stat()
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("hielo", "hiulo"), encoding="utf-8")
    os.utime(lesson, ns=(before.st_atime_ns, before.st_mtime_ns))
    library = open_there(package, tmp_path / "own")
    assert library.passages(library.understand("hiulo", "es"))
    assert len(list((tmp_path / "own").iterdir())) == 1


def turn_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def lose_its_receipt(path: Path) -> None:
    path.with_name(f"{path.name}{shipped.RECEIPT}").unlink()


@pytest.mark.parametrize("spoil", [turn_a_bit, cut_short, lose_its_receipt])
def test_a_damaged_one_is_never_read_and_doctor_says_so(
    spoil: Callable[[Path], None], package: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(index_in(package))
    library = open_there(package, settings.index_folder)
    assert library.passages(library.understand("hielo", "es"))
    assert (settings.index_folder / index_in(package).name).is_file()
    library.close()
    monkeypatch.setattr(shipped, "FOLDER", package / "index")
    monkeypatch.setattr("edge.library.library.folders_of", lambda _: pack_folders(package / "packs"))
    finding = next(finding for finding in examine(probe({}), settings) if finding.check == "lessons")
    assert (finding.good, finding.key) == (False, "lessons-damaged")
    assert "dañado" in finding.say(words_for("edge", "es"))


def test_the_same_packs_make_the_same_bytes_wherever_they_lie(package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "deeper" / "edge"
    shutil.copytree(package, other)
    (other / "index" / "0123.index").write_bytes(b"of an older app")
    (again,) = shipped.make(other)
    assert again.read_bytes() == index_in(package).read_bytes()
    assert sorted(path.suffix for path in (other / "index").iterdir()) == [index.SUFFIX, shipped.RECEIPT]


def test_a_health_post_finds_the_index_of_its_own_packs_too(package: Path, tmp_path: Path) -> None:
    shutil.copytree(CLINIC / "ensenanza", package / "clinic" / "packs" / "ensenanza")
    made = shipped.make(package)
    assert len(made) == 2
    assert index_names(package) == {path.name for path in made}
    library = Library.of_folders(
        pack_folders(package / "packs", package / "clinic" / "packs"), tmp_path / "own", package / "index"
    )
    assert {row.folder.name for row in library.packs()} == {"mini", "ensenanza"}
    open_there(package, tmp_path / "own")
    assert not (tmp_path / "own").exists()

"""`unheld.toml`: what a pack is known not to hold teaches the tutor when to say so."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.library.folder import read_pack
from edge.library.library import Library
from edge.library.outlook import outlook

MINI = Path(__file__).parent.parent / "data" / "packs" / "mini"
GAPS = 'questions = [\n  "quien gano el mundial de futbol",\n  "cuanto cuesta una moto",\n]\n'


def pack_with(tmp_path: Path, unheld: str) -> Path:
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    (folder / "unheld.toml").write_text(unheld, encoding="utf-8")
    return folder


def test_a_question_like_a_known_gap_has_a_worse_outlook_than_one_like_an_answered_one(tmp_path: Path) -> None:
    library = Library.of_folders([pack_with(tmp_path, GAPS)], tmp_path / "index")
    gap = library.outlook(library.understand("quien gano el mundial de basquet", "es"))
    held = library.outlook(library.understand("profe, ¿qué es el hielo?", "es"))
    assert gap is not None
    assert held is not None
    assert gap.unheld > gap.answered
    assert held.answered > held.unheld
    assert held.share > gap.share


def test_a_pack_that_names_no_gaps_gives_no_outlook(tmp_path: Path) -> None:
    library = Library.of_folders([MINI], tmp_path / "index")
    assert library.outlook(library.understand("qué es el hielo", "es")) is None


def test_a_gap_that_a_lesson_answers_is_complained_about_with_its_line(tmp_path: Path) -> None:
    folder = pack_with(tmp_path, GAPS.replace("cuanto cuesta una moto", "¿Qué es el hielo?"))
    (complaint,) = read_pack(folder)[1]
    assert (complaint.path.name, complaint.line, complaint.key) == ("unheld.toml", 3, "unheld-answered")
    assert "2-ciencias-agua" in complaint.say("es")


@pytest.mark.parametrize("source", ["questions = 3", "questions = [", "question = ['a']", "questions = ['']"])
def test_a_broken_file_is_complained_about_and_the_lessons_are_still_there(source: str, tmp_path: Path) -> None:
    pack, complaints = read_pack(pack_with(tmp_path, source))
    assert complaints
    assert all(complaint.path.name == "unheld.toml" for complaint in complaints)
    assert pack.lessons
    assert not pack.unheld


def test_a_change_of_the_gaps_makes_the_index_anew(tmp_path: Path) -> None:
    folder = pack_with(tmp_path, GAPS)
    Library.of_folders([folder], tmp_path / "index").close()
    (folder / "unheld.toml").unlink()
    library = Library.of_folders([folder], tmp_path / "index")
    assert library.outlook(library.understand("qué es el hielo", "es")) is None


def test_the_outlook_is_the_nearest_of_each_kind_and_the_share_of_the_neighbours() -> None:
    east, north, west = np.eye(2, dtype=np.float32)[0], np.eye(2, dtype=np.float32)[1], np.array([-1, 0], np.float32)
    seen = outlook(east, np.stack([east, north]), np.stack([west]))
    assert seen is not None
    assert (seen.answered, seen.unheld, seen.share) == pytest.approx((1.0, -1.0, 1.0), abs=1e-4)
    assert outlook(east, np.stack([east]), np.zeros((0, 2), np.float32)) is None

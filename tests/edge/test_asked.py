"""`asked.toml`: how pupils really ask is kept beside the lessons, and found again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.library.asked import add_asked
from edge.library.folder import read_pack
from edge.library.library import Library

MINI = Path(__file__).parent.parent / "data" / "packs" / "mini"
GOOD = """# a note
[[asked]]
lesson = "2-ciencias-agua"
entry = "¿Qué es el hielo?"
ways = ["profe ke es el yelo", "el granizado de que es"]
"""


def pack_with(tmp_path: Path, asked: str) -> Path:
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    (folder / "asked.toml").write_text(asked, encoding="utf-8")
    return folder


def test_a_pupils_own_words_find_the_reviewed_answer(tmp_path: Path) -> None:
    library = Library.of_folders([pack_with(tmp_path, GOOD)], tmp_path / "index")
    found = library.bank(library.understand("granizado", "es"))
    assert found[0].text == "El hielo es agua que se congeló."


def test_without_the_file_those_words_find_nothing(tmp_path: Path) -> None:
    library = Library.of_folders([MINI], tmp_path / "index")
    assert not [f for f in library.bank(library.understand("granizado", "es")) if f.features[0] > 0]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("2-ciencias-agua", "2-ciencias-fuego", 2, "en la lección «2-ciencias-fuego» no hay"),
        ("¿Qué es el hielo?", "¿Qué es el fuego?", 2, "no hay ninguna pregunta «¿Qué es el fuego?»"),
        ("ways = ", "was = ", 5, "no conozco el dato «was»"),
        ('["profe ke es el yelo", "el granizado de que es"]', "3", 5, "«ways» debe ser una lista"),
        ('lesson = "', "lesson = ", 3, "tienen un error"),
    ],
)
def test_every_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    _, complaints = read_pack(pack_with(tmp_path, GOOD.replace(old, new, 1)))
    assert any(f"asked.toml:{line}: " in c.say("es") and said in c.say("es") for c in complaints), [
        c.say("es") for c in complaints
    ]


@given(st.text(max_size=200))
def test_no_text_breaks_it(noise: str) -> None:
    pack, _ = read_pack(MINI)
    lessons = add_asked(f"{GOOD}{noise}", Path("asked.toml"), pack.lessons, [])
    assert len(lessons) == len(pack.lessons)


def test_the_file_may_grow_far_beyond_a_lesson_for_a_whole_district_writes_in_it(tmp_path: Path) -> None:
    folder = pack_with(tmp_path, f"{GOOD}# {'x' * 300_000}\n")
    assert read_pack(folder)[1] == []
    (folder / "asked.toml").write_text(f"{GOOD}# {'x' * 1_000_000}\n", encoding="utf-8")
    assert [complaint.key for complaint in read_pack(folder)[1]] == ["file-large"]

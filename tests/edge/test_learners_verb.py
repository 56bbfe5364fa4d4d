"""Class lists come in from a spreadsheet and progress goes out to one."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.cli import main
from edge.errors import StoreError
from edge.learning.learner import Learner, clean_name
from edge.learning.roster import decode, parse_roster, roster
from edge.learning.store import Store
from edge.settings import Settings
from edge.words import LANGUAGES, words_for

WORDS = words_for("edge", "es")


class Console:
    """`amauta` in one home, and what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self.capsys = capsys
        self.home = home

    def run(self, *argv: str) -> tuple[int, str, str]:
        code = main(argv, {"AMAUTA_HOME": str(self.home), "AMAUTA_LANG": "es"})
        output = self.capsys.readouterr()
        return code, output.out, output.err


@pytest.fixture
def console(capsys: pytest.CaptureFixture[str], home: Path) -> Console:
    return Console(capsys, home)


def names(home: Path) -> list[tuple[str, str]]:
    with Store.open(Settings(home).store_path) as store:
        return [(learner.name, learner.lang) for learner in store.learners()]


def practise(home: Path, name: str, lesson: str, answers: str) -> None:
    """Answer items 1, 2, 3 … of a lesson, right (r) or wrong (w)."""
    with Store.open(Settings(home).store_path) as store:
        learner = next(learner for learner in store.learners() if learner.name == name)
        for number, answer in enumerate(answers, start=1):
            store.append_attempt(
                learner=learner.id,
                lesson=lesson,
                item=f"{lesson}/{number}",
                given="x",
                right=answer == "r",
                hints=0,
                seconds=3,
                at="2026-03-02T12:00:00.000Z",
            )


@pytest.mark.parametrize(
    "content",
    [
        "nombre;idioma\r\nAna;es\r\nJosé Ñandú;pt\r\n".encode("utf-8-sig"),
        b"name,lang\nAna,es\nJos\xc3\xa9 \xc3\x91and\xc3\xba,PT\n",
        "Idioma\tNome\nes\tAna\n\npt\t  José   Ñandú \n".encode(),
        "nombre;idioma\nAna;\nJosé Ñandú;pt\n".encode("cp1252"),
    ],
)
def test_a_class_list_of_any_spreadsheet_is_read(console: Console, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lista.csv"
    path.write_bytes(content)
    code, out, err = console.run("learners", "import", str(path), "--dry-run")
    assert (code, out) == (0, "")
    assert "Se añadirían: 2" in err
    assert names(console.home) == []
    assert console.run("learners", "import", str(path))[0] == 0
    assert names(console.home) == [("Ana", "es"), ("José Ñandú", "pt")]
    code, _, err = console.run("learners", "import", str(path))
    assert "Añadidos: 0. Ya estaban: 2." in err
    assert len(names(console.home)) == 2


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("apellido;edad\nAna;9\n", "columna"),
        ("", "columna"),
        ("nombre;idioma\nAna;es\n;es\n", "línea 3: falta el nombre"),
        ("nombre;idioma\nAna;klingon\n", "línea 2: no hablo el idioma «klingon»"),
        ("nombre\nAna\nana\n", "línea 3: el nombre «ana» está dos veces"),
        (f"nombre\n{'x' * 61}\n", "línea 2: el nombre pasa de 60"),
        (f"nombre\n{'x' * 200_000}\n", "No se puede leer"),
    ],
)
def test_a_wrong_list_adds_nobody_and_names_the_line(
    console: Console, tmp_path: Path, content: str, complaint: str
) -> None:
    path = tmp_path / "lista.csv"
    path.write_text(content, encoding="utf-8")
    code, out, err = console.run("learners", "import", str(path))
    assert (code, out) == (1, "")
    assert complaint in err
    assert str(path) in err
    assert names(console.home) == []


def test_a_list_that_is_not_there_is_named(console: Console, tmp_path: Path) -> None:
    code, _, err = console.run("learners", "import", str(tmp_path / "no.csv"))
    assert code == 1
    assert "no.csv" in err


def test_people_are_added_one_by_one_and_only_once(console: Console) -> None:
    assert console.run("learners", "add", "Rosa Mamani", "--lang", "pt")[0] == 0
    code, _, err = console.run("learners", "add", "  rosa  mamani ")
    assert code == 1
    assert "rosa mamani" in err
    for wrong in (["add", "  "], ["add", "Luis", "--lang", "xx"], ["add", "x" * 61]):
        code, out, err = console.run("learners", *wrong)
        assert (code, out, len(err.splitlines())) == (1, "", 2)
    assert names(console.home) == [("Rosa Mamani", "pt")]


def test_the_list_goes_out_as_it_came_in(console: Console, tmp_path: Path) -> None:
    for name in ("Ana", "=1+1", "José; «Pepe»"):
        console.run("learners", "add", name)
    out = tmp_path / "salida.csv"
    assert console.run("learners", "export", "--out", str(out))[0] == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    assert "'=1+1" in out.read_text(encoding="utf-8-sig")
    rows = parse_roster(decode(out.read_bytes()), out, "es", WORDS)
    assert {row.name for row in rows} == {"Ana", "=1+1", "José; «Pepe»"}
    assert "José" in console.run("learners", "export")[1]
    listed = json.loads(console.run("learners", "list", "--json")[1])["learners"]
    assert [set(row) for row in listed] == [{"id", "name", "lang"}] * 3
    code, _, err = console.run("learners", "export", "--out", str(tmp_path / "no" / "x.csv"))
    assert code == 1
    assert "x.csv" in err


named = st.builds(Learner, st.just("x"), st.text(min_size=1, max_size=40), st.sampled_from(LANGUAGES))


@example([Learner("x", "'=", "es"), Learner("x", "=", "es"), Learner("x", "''=", "es"), Learner("x", "'", "es")])
@given(st.lists(named, max_size=6, unique_by=lambda learner: learner.name.casefold()))
def test_any_list_survives_going_out_and_coming_back(learners: list[Learner]) -> None:
    kept: dict[str, Learner] = {}
    for learner in learners:
        try:
            name = clean_name(learner.name)
        except StoreError:
            continue
        kept.setdefault(name.casefold(), Learner("x", name, learner.lang))
    rows = parse_roster(decode(roster(kept.values())), Path("x.csv"), "es", WORDS)
    assert [(row.name, row.lang) for row in rows] == [(k.name, k.lang) for k in kept.values()]


@given(st.text(max_size=200), st.sampled_from(["", "nombre;idioma\n", "name,lang\n"]))
def test_whatever_is_in_the_file_is_read_or_refused(text: str, head: str) -> None:
    with contextlib.suppress(StoreError):
        assert all(row.name for row in parse_roster(head + text, Path("x.csv"), "es", WORDS))


def test_the_report_tells_how_far_each_one_is(console: Console, tmp_path: Path) -> None:
    assert "Todavía no hay respuestas" in console.run("report")[2]
    for name in ("Ana", "Luis"):
        console.run("learners", "add", name)
    practise(console.home, "Ana", "exercise/add-2", "rrw")
    practise(console.home, "Luis", "p/no-such-lesson", "w")
    code, out, _ = console.run("report")
    assert code == 0
    assert "Ana: 3 respuestas, 2 correctas" in out
    assert "Sumas 2" in out
    assert "47%" in out
    rows = json.loads(console.run("report", "--learner", "ana", "--json")[1])["progress"]
    assert [(row["learner"], row["lesson"], row["right"], row["attempts"]) for row in rows] == [
        ("Ana", "exercise/add-2", 2, 3)
    ]
    path = tmp_path / "informe.csv"
    assert console.run("report", "--csv", str(path))[0] == 0
    table = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")), delimiter=";"))
    assert table[0] == [
        "aprendiz",
        "lección",
        "respuestas",
        "correctas",
        "ejercicios distintos",
        "dominio %",
        "última vez",
    ]
    assert table[1] == ["Ana", "Sumas 2", "3", "2", "3", "47", "2026-03-02 12:00"]


def test_lessons_of_the_packs_have_titles_and_count_all_their_items(console: Console) -> None:
    console.run("learners", "add", "Ana")
    practise(console.home, "Ana", "primaria/2-matematicas-sumar-llevando", "r")
    (row,) = json.loads(console.run("report", "--json")[1])["progress"]
    assert row["title"] == "Sumar llevando"
    assert row["mastery"] < 0.2


def test_a_report_on_somebody_unknown_or_not_unique_is_refused(console: Console) -> None:
    console.run("learners", "add", "Ana")
    with Store.open(Settings(console.home).store_path) as store:
        store.add_learner("ANA", "es", "other")
    for called in ("Pedro", "ana"):
        code, out, err = console.run("report", "--learner", called)
        assert (code, out, len(err.splitlines())) == (1, "", 2)
        assert called in err
    assert console.run("report", "--learner", "other")[0] == 0

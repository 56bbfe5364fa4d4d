"""Words of one more language are shown beside a table's own, and never change what it decides.

The words here are made up (language code qaa, kept free for private use); nothing of a real language is in this file.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli import main
from edge.settings import Settings
from edge.triage.amounts import amounts
from edge.triage.answers import read_answers
from edge.triage.overlay import Overlay, dress, read_overlay
from edge.triage.overlay_shelf import dressed, dressed_lesson, originals_of
from edge.triage.overlay_template import template
from edge.triage.parts import Table
from edge.triage.run import canonical, decide, make_run
from edge.triage.say import decision_lines, words_of_overlay
from edge.triage.shelf import find_table
from edge.words import words_for

TABLE = "child-cough"
LESSON = "ensenanza/2-salud-suero-oral-en-casa"
HEAD = {
    "id": "zub-zub",
    "version": "2026-11-26.1",
    "lang": "qaa",
    "name": "Zubzub",
    "author": "Zub A.",
    "licence": "CC0-1.0",
}
CASE = {
    "age": "14", "not_able_to_drink": "no", "vomits_everything": "no", "convulsions": "no", "lethargic": "no",
    "stridor": "no", "chest_indrawing": "no", "breaths": "44", "oxygen": "unknown", "hiv": "no", "weight": "11",
}  # fmt: skip


def zub(original: str) -> str:
    """Made-up words with the amounts of the original and nothing else of it."""
    kept = [f"{number} {unit}".strip() for number, unit in sorted(amounts(original).elements())]
    return " zub ".join(["Zub", *kept])


def write(folder: Path, names: list[str], without: str = "", **head: str) -> Path:
    """An overlay for these tables and texts, made from the template as a person would; lines that match stay empty."""
    settings = Settings(folder)
    text = template([(name, *originals_of(name, "es", settings)) for name in names], "es")
    for field, told in (HEAD | head).items():
        text = re.sub(rf'^{field} = ""', f'{field} = "{told}"', text, count=1, flags=re.M)
    lines, original = [], ""
    for line in text.splitlines():
        empty = re.fullmatch(r'(\S+) = ""', line)
        if line.startswith("# "):
            original = line[2:]
        elif empty and not (without and re.search(without, empty[1])):
            lines.append(f'{empty[1]} = "{zub(original)}"')
            continue
        lines.append(line)
    path = folder / "words.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read(path: Path) -> Overlay:
    overlay, complaints = read_overlay(path)
    assert overlay is not None, [one.say("en") for one in complaints]
    assert not complaints, [one.say("en") for one in complaints]
    return overlay


@pytest.fixture
def table(home: Path) -> Table:
    return find_table(TABLE, Settings(home))


def lines(table: Table, lang: str = "es") -> list[str]:
    decision = decide(table, read_answers(table, CASE, datetime(2026, 11, 26, tzinfo=UTC).date()))
    return list(decision_lines(table, decision, words_for("edge", lang)))


def test_the_words_are_shown_with_their_author_and_that_nobody_reviewed_them(table: Table, tmp_path: Path) -> None:
    said = lines(dress(table, read(write(tmp_path, [TABLE])), "es"))
    assert said[1] == "Zub"
    assert "1. Zub" in said
    assert any(line.startswith("Dosis: Zub") and "250 mg" in line for line in said)
    assert "FALTA LA APROBACIÓN" in said[-1]
    assert "Zubzub (qaa): Zub A., CC0-1.0; NADIE LAS REVISÓ" in said[-1]
    reviewed = lines(dress(table, read(write(tmp_path, [TABLE], reviewed_by="Zub B.")), "pt"), "pt")
    assert "revisadas por Zub B." in reviewed[-1]


def test_what_is_missing_stands_in_the_language_of_the_screens_with_a_mark(table: Table, tmp_path: Path) -> None:
    overlay = read(write(tmp_path, [TABLE], without=r"pneumonia\.(title|do\.2)"))
    for lang, name in (("es", "Neumonía"), ("pt", "Pneumonia")):
        said = lines(dress(table, overlay, lang), lang)
        assert said[1] == f"[{lang}] {name}"
        assert [line[:8] for line in said if line.startswith("2. ")] == [f"2. [{lang}] "]
        assert "1. Zub" in said
    worn = dress(table, overlay, "es")
    decision = decide(worn, read_answers(worn, CASE, datetime(2026, 11, 26, tzinfo=UTC).date()))
    heard = [text for text in words_of_overlay(worn, decision) if text]
    assert heard
    assert all(text.startswith("Zub") for text in heard), "a voice reads only words of its own language"


def test_an_overlay_decides_nothing_and_the_run_says_which_one_was_shown(table: Table, tmp_path: Path) -> None:
    overlay = read(write(tmp_path, [TABLE]))
    worn = dress(table, overlay, "es")
    at = datetime(2026, 11, 26, 12, tzinfo=UTC)
    answers = read_answers(table, CASE, at.date())
    plain, other = make_run(table, answers, at).facts(), make_run(worn, answers, at).facts()
    shown = other.pop("overlay")
    assert canonical(plain) == canonical(other)
    assert shown == {"id": "zub-zub", "version": "2026-11-26.1", "lang": "qaa", "sha256": overlay.shown.sha256}
    assert worn.sha256 == table.sha256
    assert "overlay" not in plain


AMOUNTS = ["250 mg", "5 ml", "1,5 g", "30 kg", "37.5 °C", "14", "110 mmHg", "90 %"]


@given(st.lists(st.sampled_from(AMOUNTS), max_size=4), st.randoms(use_true_random=False))
def test_amounts_are_the_same_in_any_order_and_any_words(found: list[str], random: Any) -> None:
    turned = found[:]
    random.shuffle(turned)
    there = " zub ".join(["", *turned]).replace(",", ".").replace("ml", "mL").replace("5 ml", "5ml")
    assert amounts(" dé ".join(["", *found])) == amounts(there)
    for at, amount in enumerate(found):
        changed = amount.replace("5", "6").replace("1", "2").replace("9", "8").replace("3", "4")
        assert amounts(" ".join([*found[:at], changed, *found[at + 1 :]])) != amounts(" ".join(found)), amount
        assert amounts(" ".join([*found[:at], *found[at + 1 :]])) != amounts(" ".join(found))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("250 mg en 5 ml", "5 ml zub 250 mg", True),
        ("250 mg en 5 ml", "250 ml zub 5 mg", False),
        ("½ tableta", "zub 1/2", True),
        ("2 tabletas", "٢ zub", True),
        ("2 tabletas", "zub zub", False),
        ("10 UI", "10 IU", True),
        ("100 µg", "100 mcg", True),
        ("100 mcg", "100 mg", False),
        ("4-10 kg", "10 kg - 4 zub", True),
        ("2 gramos", "2 g", False),
    ],
)
def test_numbers_and_units_are_held_against_the_original(one: str, other: str, same: bool) -> None:
    assert (amounts(one) == amounts(other)) is same


def test_another_amount_is_named_with_its_line_and_is_never_shown(
    table: Table, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, [TABLE])
    text = path.read_text(encoding="utf-8")
    first = next(line for line in text.splitlines() if "amoxicillin.amounts.1" in line)
    path.write_text(text.replace(first, first.replace("5 ml", "50 ml")), encoding="utf-8")
    assert main(["clinic", "overlay", "check", str(path)]) == 1
    said = capsys.readouterr().out
    assert f"{path}:{text.splitlines().index(first) + 1}: " in said
    assert "1, 50 ml" in said
    assert "1, 5 ml" in said
    worn = dress(table, read(path), "es")
    shown = dict(worn.doses[0].bands[0].amount)
    assert shown["shown"] == "[es] 1 tableta, o 5 ml"


def test_words_for_another_version_of_a_table_are_not_shown(table: Table, tmp_path: Path) -> None:
    overlay = read(write(tmp_path, [TABLE]))
    assert dress(replace(table, version="2027-01-01.1"), overlay, "es").overlay is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('lang = "es"', "código de otra lengua"),
        ('lang = "../x"', "código de otra lengua"),
        ('id = "../../x"', "id"),
        ('colour = "red"', "colour"),
        ('author = "Zub\\u001b[31m"', "signos que no se ven"),
        ('name = "Zub\\u202ebuz"', "signos que no se ven"),
        ("tables.child-cough.title = 5", "tables.child-cough.title"),
        ('tables.child-cough.title = "zub\\u0007"', "signos que no se ven"),
        ('tables.child-cough.inputs.nothing.ask = "zub"', "no existe en el original"),
        ('tables.child-cough.title = "zub zub zub"\ntables.no-such.title = "zub"', "no-such"),
        ("tables.child-cough.outcomes.pneumonia.title = '''zub\nzub'''", "una línea de más"),
        (f'tables.child-cough.outcomes.pneumonia.title = "{"zub " * 300}"', "mucho más largo"),
        (f"tables.child-cough.{'a.' * 2000}b = 'zub'", "a.b.c"),
        ('tables.child-cough.version = "2020-01-01.1"', "2020-01-01.1"),
    ],
    ids=lambda text: text[:40],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(
    line: str, said: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = HEAD | {"from": "es"}
    given = dict(part.split(" = ", 1) for part in [line] if line.split(" = ")[0] in head)
    text = "format = 1\n" + "".join(f"{n} = {given.get(n, json.dumps(told))}\n" for n, told in head.items())
    text += "" if given else f"{line}\n"
    if "child-cough.version" not in text:
        text += 'tables.child-cough.version = "2026-11-26.1"\n'
    if "child-cough.title" not in text:
        text += 'tables.child-cough.title = "Zub 2 zub 5"\n'
    path = tmp_path / "words.toml"
    path.write_text(text, encoding="utf-8")
    assert main(["clinic", "overlay", "add", str(path)]) == 1
    assert said in capsys.readouterr().out
    assert not (home / "clinic" / "overlays").exists()


def test_a_file_is_added_shown_listed_and_taken_away(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, [TABLE, LESSON], without="who")
    settings = Settings(home, lang="es", place="clinic")
    plain = find_table(TABLE, settings)
    assert main(["clinic", "overlay", "add", str(path), "--dry-run"]) == 0
    assert dressed(plain, settings) == plain
    assert main(["clinic", "overlay", "add", str(path)]) == 0
    out, err = capsys.readouterr()
    assert f"{TABLE}: 59 de 60" in out
    assert "No hay voz para «qaa»" in err
    worn = dressed(plain, settings)
    assert worn.overlay is not None
    assert worn.overlay.name == "Zubzub"
    assert main(["clinic", "overlay", "list"]) == 0
    assert "[se muestra]" in capsys.readouterr().out
    given = [f"{name}={value}" for name, value in CASE.items()]
    assert main(["clinic", "decide", TABLE, *given]) == 0
    assert "Zubzub" in capsys.readouterr().out
    assert main(["clinic", "decide", TABLE, *given, "--json"]) == 0
    assert "Zub" not in capsys.readouterr().out
    assert main(["clinic", "overlay", "use", "none"]) == 0
    assert dressed(plain, settings) == plain
    assert main(["clinic", "overlay", "use", "zub-zub"]) == 0
    assert dressed(plain, settings) == worn
    assert main(["clinic", "overlay", "remove", "zub-zub", "--dry-run"]) == 0
    assert dressed(plain, settings) == worn
    assert main(["clinic", "overlay", "remove", "zub-zub"]) == 0
    assert dressed(plain, settings) == plain
    assert main(["clinic", "overlay", "use", "zub-zub"]) == 1
    assert "zub-zub" in capsys.readouterr().err


def test_a_file_that_was_damaged_later_changes_nothing(home: Path, tmp_path: Path) -> None:
    path = write(tmp_path, [TABLE])
    assert main(["clinic", "overlay", "add", str(path)]) == 0
    settings = Settings(home)
    plain = find_table(TABLE, settings)
    kept = home / "clinic" / "overlays" / "zub-zub.toml"
    for damage in (b"\xff\xfe", b"format = 2\n", b"[[[", b"x" * (2 << 20)):
        kept.write_bytes(damage)
        assert dressed(plain, settings) == plain
    kept.unlink()
    assert dressed(plain, settings) == plain


def test_a_teaching_text_is_shown_paragraph_by_paragraph_with_its_headings(home: Path, tmp_path: Path) -> None:
    from edge.library.folder import CLINIC, read_head, read_lesson

    assert main(["clinic", "overlay", "add", str(write(tmp_path, [LESSON], without=r"text\.3$"))]) == 0
    lesson = read_lesson(read_head(CLINIC / "ensenanza", []), LESSON)
    worn = dressed_lesson(lesson, Settings(home))
    parts = worn.text.split("\n\n")
    assert worn.title == "Zub"
    assert parts[:2] == ["Zub", "## Zub"]
    assert parts[2].startswith("[es] Lávese las manos")
    assert len(parts) == len(lesson.text.split("\n\n"))
    assert "Zub A." in worn.sources[-1]
    other = read_lesson(read_head(CLINIC / "ensenanza", []), "ensenanza/2-salud-vacunas")
    assert dressed_lesson(other, Settings(home)) == other

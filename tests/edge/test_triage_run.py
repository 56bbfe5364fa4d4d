"""From answers to a decision: exact, reproducible, and refused in a sentence where something cannot be."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli import main
from edge.triage.age import age_in, months_between, read_date
from edge.triage.answers import read_answers, written
from edge.triage.errors import TriageError
from edge.triage.run import canonical, decide, decision_facts, make_run, open_questions
from edge.triage.table import read_table

PATH = Path(__file__).parent.parent / "data" / "clinic" / "cough.toml"
TABLE = read_table(PATH)
ON = date(2026, 11, 26)
WELL = {"age": "14", "convulsions": "no", "stridor": "no", "chest_indrawing": "no", "breaths": "30"}


def ask(**typed: str) -> dict[str, object]:
    return decision_facts(decide(TABLE, read_answers(TABLE, typed, ON)))


@pytest.mark.parametrize(
    ("born", "on", "months"),
    [
        ("2026-11-26", "2026-11-26", 0),
        ("2026-01-31", "2026-02-28", 0),
        ("2026-01-31", "2026-03-01", 1),
        ("2024-02-29", "2025-02-28", 11),
        ("2024-02-29", "2025-03-01", 12),
        ("2024-02-29", "2028-02-29", 48),
        ("2025-11-27", "2026-11-26", 11),
        ("2025-11-26", "2026-11-26", 12),
        ("2021-12-01", "2026-11-30", 59),
        ("2021-11-30", "2026-11-30", 60),
    ],
)
def test_ages_are_completed_calendar_months(born: str, on: str, months: int) -> None:
    assert months_between(read_date(born), read_date(on)) == months


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)), st.integers(0, 40_000))
def test_an_age_never_goes_back_and_grows_by_twelve_a_year(born: date, days: int) -> None:
    on = born + timedelta(days)
    months = months_between(born, on)
    assert 0 <= months_between(born, on + timedelta(1)) - months <= 1
    assert (
        months // 12 == on.year - born.year - ((on.month, on.day) < (born.month, born.day)) == age_in("years", born, on)
    )
    assert age_in("days", born, on) == days


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"age": "2027-01-01"}, "The date of birth 2027-01-01 is later than the visit, 2026-11-26."),
        ({"age": "2025-02-29"}, 'The date "2025-02-29" does not exist'),
        ({"age": "2025-13-01"}, 'The date "2025-13-01" does not exist'),
        ({"age": "2025-1-1"}, 'The date "2025-1-1" does not exist or is not written as'),
        ({"age": "1900-01-01"}, "somebody would be 120 years old or more"),
        ({"age": "2021-11-26"}, "This table is for 2 to 59 months of age; 60 months is outside."),
        ({"age": "1"}, "This table is for 2 to 59 months of age; 1 months is outside."),
        ({"age": "unknown"}, '"unknown" is no number for "How old?" (age).'),
        (
            {"breaths": "300"},
            '300 is not possible for "Breaths in one minute?" (breaths): it goes from 10 to 120 /min.',
        ),
        ({"breaths": "-3"}, "-3 is not possible"),
        ({"breaths": "40.5"}, "it is measured in steps of 1, from 10"),
        ({"breaths": "nan"}, '"nan" is no number'),
        ({"breaths": "9" * 400}, "is no number"),
        ({"weight": "10,45"}, "10.45 is not possible"),
        ({"stridor": "maybe"}, '"maybe" is no answer to "Stridor when calm?" (stridor).'),
        ({"stridor": "1"}, '"1" is no answer'),
        ({"fever": "yes"}, 'This table does not ask "fever".'),
        ({"age": "14", "convulsions": "no"}, "Not answered yet: stridor, chest_indrawing, breaths."),
        ({"convulsions": "yes"}, "Not answered yet: age."),
        ({**WELL, "breaths": "44"}, "Not answered yet: weight."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_with_the_value(typed: dict[str, str], said: str) -> None:
    with pytest.raises(TriageError) as refused:
        ask(**typed)
    assert said in refused.value.say("en")
    assert len({refused.value.say(lang) for lang in ("es", "pt", "en")}) == 3


def test_a_question_is_named_in_the_language_of_the_reader() -> None:
    with pytest.raises(TriageError) as refused:
        ask(breaths="300")
    assert refused.value.say("pt").startswith("300 não é possível para «Respirações em um minuto?»")


def test_answers_are_taken_as_people_type_them() -> None:
    typed = {
        "age": " 2025-09-26 ",
        "convulsions": "Sí",
        "stridor": "não",
        "chest_indrawing": "no sé",
        "weight": "10,40",
    }
    read = read_answers(TABLE, typed, ON)
    assert [written(answer) for answer in read.values()] == ["14", "yes", "no", "unknown", "10.4"]


def test_a_danger_sign_decides_alone_and_says_so() -> None:
    said = ask(age="14", convulsions="yes")
    assert (said["urgency"], said["row"], said["because"]) == ("emergency", "severe", {"convulsions": "yes"})
    assert said["source"] == {
        "guideline": "IMCI Chart Booklet, March 2014, World Health Organization, 2014",
        "chart": "Cough or difficult breathing",
        "page": "5",
    }


def test_thresholds_count_by_age() -> None:
    assert ask(**{**WELL, "age": "11", "breaths": "49"})["urgency"] == "home"
    assert ask(**{**WELL, "age": "11", "breaths": "50", "weight": "8"})["urgency"] == "soon"
    assert ask(**{**WELL, "age": "12", "breaths": "40", "weight": "8"})["urgency"] == "soon"
    assert ask(**{**WELL, "age": "12", "breaths": "39"})["urgency"] == "home"


def test_unknown_danger_is_named_to_look_at_again_and_only_where_it_matters() -> None:
    unsure = {**WELL, "convulsions": "unknown", "breaths": "unknown"}
    assert ask(**unsure)["look_again"] == ["convulsions", "breaths"]
    assert ask(**{**unsure, "stridor": "yes"})["look_again"] == []


@pytest.mark.parametrize(
    ("weight", "age", "band", "by"),
    [
        ("3.9", "14", 0, "weight"), ("4", "14", 1, "weight"), ("9.9", "14", 1, "weight"), ("10", "3", 2, "weight"),
        ("18.9", "14", 3, "weight"), ("19", "14", 0, "weight"), ("unknown", "11", 1, "age"), ("unknown", "12", 2, "age"),
        ("unknown", "59", 3, "age"),
    ],
)  # fmt: skip
def test_a_dose_is_looked_up_by_weight_then_age_and_out_of_range_is_referred(
    weight: str, age: str, band: int, by: str
) -> None:
    (dose,) = ask(**{**WELL, "chest_indrawing": "yes", "age": age, "weight": weight})["doses"]  # type: ignore[misc]
    amounts = {0: None, 1: "1 tablet", 2: "2 tablets", 3: "3 tablets"}
    assert (dose["band"], dose["by"], dose["amount"].get("en"), dose["refer"]) == (band, by, amounts[band], band == 0)


def test_the_next_question_is_the_first_open_one_and_a_dose_asks_for_its_measure() -> None:
    answers = read_answers(TABLE, {"age": "14", "convulsions": "no"}, ON)
    assert [one.id for one in open_questions(TABLE, answers)] == ["stridor", "chest_indrawing", "breaths"]
    answers |= read_answers(TABLE, {"stridor": "no", "chest_indrawing": "yes"}, ON)
    assert [one.id for one in open_questions(TABLE, answers)] == ["weight"]
    assert open_questions(TABLE, {**answers, "weight": "unknown"}) == ()


def test_a_run_is_the_same_bytes_whenever_and_however_it_is_repeated(tmp_path: Path) -> None:
    typed = {**WELL, "weight": "10.40", "breaths": "44"}
    at = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    first = make_run(TABLE, read_answers(TABLE, typed, ON), at, "Rosa Quispe")
    copy = tmp_path / "copy.toml"
    copy.write_bytes(PATH.read_bytes())
    backwards = dict(reversed(read_answers(TABLE, {**typed, "weight": "10.4"}, ON).items()))
    again = make_run(read_table(copy), backwards, at, "Rosa Quispe")
    assert canonical(first.facts()) == canonical(again.facts())
    facts = json.loads(canonical(first.facts()))
    assert facts["table"] == {"id": "cough", "version": "2026-11-26.1", "sha256": TABLE.sha256, "approved": False}
    assert facts["answers"]["weight"] == "10.4"
    assert (facts["at"], facts["confirmed_by"]) == ("2026-11-26T09:00:00.000Z", "Rosa Quispe")
    assert facts["decision"]["doses"][0]["amount"]["es"] == "2 tabletas"


def test_a_table_that_leaves_a_gap_decides_nothing_there(tmp_path: Path) -> None:
    path = tmp_path / "gap.toml"
    path.write_text(PATH.read_text(encoding="utf-8").replace("not chest_indrawing and not fast", "breaths < 20"))
    table = read_table(path)
    with pytest.raises(TriageError, match="do not lead to exactly one row"):
        decide(table, {**read_answers(table, WELL, ON), "weight": Decimal(9)})


def clinic(*given: str) -> int:
    return main(["clinic", *given])


def own(home: Path, text: str, name: str = "cough") -> Path:
    path = home / "clinic" / "tables" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_verb_decides_and_says_that_nobody_approved_the_table(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own(home, PATH.read_text(encoding="utf-8"))
    typed = [f"{name}={value}" for name, value in {**WELL, "breaths": "44", "weight": "10.4"}.items()]
    assert clinic("decide", "cough", *typed) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:4] == ["PRONTO: tratar aquí y controlar", "Neumonía", "1. Dé amoxicilina.", "2. Control en 3 días."]
    assert said[4:6] == ["Dosis: Amoxicilina 250 mg: 2 tabletas", "  fila 2: 10 - <14 kg; Oral antibiotic, pág. 12"]
    assert said[-1] == "Tabla: cough, versión 2026-11-26.1. FALTA LA APROBACIÓN de la autoridad de salud local"
    assert clinic("decide", "cough", "age=2025-09-26", "convulsions=yes", "--on", "2026-11-26", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["urgency"], facts["approved"], facts["answers"]["age"]) == ("emergency", False, "14")
    assert facts["steps"] == ["Refiera ya."]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["decide", "no-such"], "No hay ninguna tabla «no-such»."),
        (["decide", "cough", "age"], "«age» no es una respuesta como NOMBRE=VALOR."),
        (["decide", "cough", "age=3", "age=4"], "«age=4» no es una respuesta"),
        (["decide", "cough", "age=3", "--on", "26/11/2026"], "La fecha «26/11/2026» no existe o no está escrita"),
        (["tables", "no-such"], "No hay ninguna tabla «no-such»."),
    ],
)
def test_the_verb_refuses_in_one_sentence_and_a_hint(
    given: list[str], said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own(home, PATH.read_text(encoding="utf-8"))
    assert clinic(*given) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 2


def test_the_verb_checks_lists_and_never_uses_a_table_with_a_gap(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = own(home, PATH.read_text(encoding="utf-8").replace("not chest_indrawing and not fast", "breaths < 20"))
    assert clinic("check", str(path)) == 1
    out, err = capsys.readouterr()
    assert f"{path}:" in out
    assert "ninguna fila se cumple, por ejemplo con: " in out
    assert "errores: 1" in err
    assert clinic("check", str(path), "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["tables"]
    assert [one["key"] for one in found["complaints"]] == ["rows-gap"]
    assert clinic("decide", "cough", *(f"{name}={value}" for name, value in WELL.items())) == 1
    assert "no se puede usar" in capsys.readouterr().err
    own(home, PATH.read_text(encoding="utf-8"))
    assert clinic("tables", "cough", "--json") == 0
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    assert next(one["id"] for one in table["inputs"]) == "age"
    assert table["approved"] is False
    assert clinic("tables", "cough") == 0
    assert "breaths" in capsys.readouterr().out


def test_a_table_of_this_device_stands_in_for_the_one_that_ships(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own(home, PATH.read_text(encoding="utf-8").replace('id = "cough"', 'id = "child-cough"'), name="child-cough")
    assert clinic("tables", "--json") == 0
    found = {one["id"]: one["title"] for one in json.loads(capsys.readouterr().out)["tables"]}
    assert found["child-cough"] == "Tos (solo para pruebas)"
    assert len(found) > 1

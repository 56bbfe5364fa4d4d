"""A decision table that is wrong is refused with the line, the key and the value."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.triage.condition import MisreadError, holds, read_condition
from edge.triage.errors import TriageError
from edge.triage.table import read, read_table
from edge.words import LANGUAGES
from small_tables import ANSWERS, Small, Told, conditions, read_text, small_tables

PATH = Path(__file__).parent.parent / "data" / "clinic" / "cough.toml"
COUGH = PATH.read_text(encoding="utf-8")


def complaints(*changes: tuple[str, str]) -> list[str]:
    text = COUGH
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    _, found = read_text(text)
    for one in found:
        assert all(one.say(lang) for lang in LANGUAGES)
    return [one.say("en").split("small.toml:", 1)[1] for one in found]


def test_a_table_is_read_whole() -> None:
    assert complaints() == []
    table = read_table(PATH)
    assert (table.id, table.version, table.approval) == ("cough", "2026-11-26.1", None)
    assert [one.id for one in table.inputs] == ["age", "convulsions", "stridor", "chest_indrawing", "breaths", "weight"]
    assert [(row.id, row.urgency) for row in table.rows] == [
        ("severe", "emergency"),
        ("pneumonia", "soon"),
        ("cold", "home"),
    ]
    assert table.line_of("rows", "pneumonia", "when") == COUGH[: COUGH.index('when = "chest')].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format = 1", "format = 2", "2: I do not know format 2; this program reads 1"),
        ('id = "cough"', 'id = "Tos"', '3: the name "id" will not do'),
        ('"2026-11-26.1"', '"1.0"', '4: the version "1.0" must be a date and a number'),
        ('approval = "pending"', 'approval = "yes"', '5: "approval" must be "pending", or say who approved'),
        ('title.pt = "Tosse (só para testes)"', "", '"title.pt" is missing'),
        ('year = 2014', 'year = 14', '16: "guidelines.imci.year" must be a whole number from 1950 to 2100, not 14'),
        ('licence = "© WHO 2014"', "", '13: the field "guidelines.imci.licence" is missing'),
        ('unit = "kg"', "", '"inputs.weight.unit" is missing'),
        ("max = 29.9", "max = 1.9", "weight: from 2.0 to 1.9 in steps of 0.1 is not possible"),
        ("step = 0.1", "step = 0", "weight: from 2.0 to 29.9 in steps of 0 is not possible"),
        ("min = 10", "min = nan", '"inputs.breaths.min" must be a number, not NaN'),
        ('danger = "high"', 'danger = "yes"', '"inputs.breaths.danger" cannot be yes; choose one of: true, high, low'),
        ("[inputs.stridor]", "[inputs.or]", '"or" cannot name a question'),
        ('kind = "sign"', 'kind = "signo"', '"inputs.convulsions.kind" cannot be signo'),
        ("fast = ", "stridor = ", '"terms.stridor" cannot name a condition'),
        ('"chest_indrawing or fast"', '"chest_indrawin or fast"', 'there is no question "chest_indrawin" with that answer'),
        ('"chest_indrawing or fast"', '"breaths >= 40.5 or fast"', '"breaths >= 40.5" is not possible'),
        ('"chest_indrawing or fast"', '"breaths > 130"', '"breaths > 130" is not possible'),
        ('"chest_indrawing or fast"', '"age unknown"', '"age is unknown" is not possible'),
        ('"chest_indrawing or fast"', '"chest_indrawing or"', "is not complete"),
        ('"chest_indrawing or fast"', '"chest_indrawing & fast"', 'I do not understand "& fast" (word 2)'),
        ('"chest_indrawing or fast"', '"at least 3 of (stridor, fast)"', '"at least 3" is not possible with 2 parts'),
        ('"chest_indrawing or fast"', '"' + "(" * 50 + 'fast"', "more than 40 brackets"),
        ('outcome = "severe"', 'outcome = "grave"', '"rows.severe.outcome" cannot be grave; choose one of: severe, pneumonia, cold'),
        ('source.guideline = "imci"', 'source.guideline = "who"', '"rows.severe.source.guideline" cannot be who'),
        ('source.chart = "Cough or difficult breathing"\n', "", '"rows.severe.source.chart" is missing'),
        ('do.pt = ["Encaminhe já."]', 'do.pt = ["Encaminhe já.", "Já."]', "it has: es 1, pt 2, en 1"),
        ('doses = ["amoxicillin"]', 'doses = ["amoxi"]', '"outcomes.pneumonia.doses" cannot be amoxi'),
        ('by = ["weight", "age"]', 'by = ["stridor"]', '"doses.amoxicillin.by" cannot be stridor'),
        ("weight = [4, 10]", "weight = [10, 4]", '"doses.amoxicillin.bands.0.weight" must be like [4, 10]'),
        ('amount.en = "1 tablet"', "", '"doses.amoxicillin.bands.0.amount.en" is missing'),
        ("max = 120", "max = 1e400", '"inputs.breaths.max" must be a number, not 1E+400'),
        ("max = 120", "max = " + "9" * 5000, "1: the fields have a mistake: Exceeds the limit"),
        ("max = 120", "max = " + "[" * 50_000, "1: the fields have a mistake: "),
        ("[rows.cold]", "[rows.pneumonia]", "89: the fields have a mistake: Cannot declare"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_key_and_value(old: str, new: str, said: str) -> None:
    assert said in "\n".join(complaints((old, new)))


def test_the_line_is_that_of_the_part_itself_also_among_several_alike() -> None:
    line = COUGH.split("\n").index('amount.en = "3 tablets"') + 1
    assert complaints(('amount.en = "3 tablets"', 'amount.en = ""'))[0].startswith(f"{line}: ")
    line = COUGH.split("\n").index("[inputs.weight]") + 1
    assert complaints(("max = 29.9\n", ""))[0].startswith(f"{line}: ")


def test_an_approved_table_says_by_whom_and_when() -> None:
    table, found = read_text(COUGH.replace('approval = "pending"', 'approval = {by = "DIRESA Cusco", on = 2027-01-02}'))
    assert table is not None
    assert not found
    assert table.approval is not None
    assert (table.approval.by, table.approval.on.isoformat()) == ("DIRESA Cusco", "2027-01-02")
    assert complaints(('approval = "pending"', 'approval = {by = "x", on = "ayer"}'))


def test_a_broken_table_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text(COUGH.replace("format = 1", "format = 9"), encoding="utf-8")
    with pytest.raises(TriageError, match=r"has errors \(1\) and cannot be used"):
        read_table(path)


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_no_text_at_all_makes_reading_fail_otherwise_than_by_complaint(text: str) -> None:
    read_text(text)
    read_text(COUGH.replace("chest_indrawing or fast", text.replace('"', "").replace("\\", "")))


@settings(max_examples=80)
@given(
    st.integers(0, len(COUGH) - 2), st.integers(1, 60), st.sampled_from(["", "[", "=", "\n", "1", "true", '""', "x"])
)
def test_a_table_with_a_piece_torn_out_is_complained_about_or_read_but_never_crashes(
    at: int, size: int, put: str
) -> None:
    read_text(COUGH[:at] + put + COUGH[at + size :])


@settings(max_examples=80)
@given(conditions(["s", "t", "n", "m", "c"]), st.data())
def test_a_condition_means_what_it_says(told: Told, data: st.DataObject) -> None:
    text, meant = told
    case = {name: data.draw(st.sampled_from(answers)) for name, answers in ANSWERS.items()}
    assert holds(read_condition(text, {}), case) == meant(case)


def test_not_means_no_or_unknown_and_comparisons_need_a_known_number() -> None:
    for text, answer, held in (
        ("not s", "unknown", True), ("s no", "unknown", False), ("s unknown", "unknown", True), ("s known", "no", True),
        ("n >= 2", "unknown", False), ("not n >= 2", "unknown", True), ("n unknown or n < 2", "unknown", True),
    ):  # fmt: skip
        assert holds(read_condition(text, {}), {"s": answer, "n": answer}) is held, text


@pytest.mark.parametrize(
    "text", ["", "a b", "and", "a and and b", "(a", "a)", "a in", "at least of (a)", "a >= b", "A"]
)
def test_what_is_no_condition_is_misread(text: str) -> None:
    with pytest.raises(MisreadError):
        read_condition(text, {})


@settings(max_examples=15)
@given(small_tables())
def test_random_tables_are_read_without_complaint(small: Small) -> None:
    assert [row.id for row in small.read().rows] == [name for name, _, _ in small.rows]


def test_a_file_with_a_mark_of_utf8_at_its_start_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_bytes(b"\xef\xbb\xbf" + COUGH.encode())
    assert read(path)[1] == []

"""A form comes back as the table it was made from; what a form does not say, or says twice, is named cell by cell."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.cli import main
from edge.triage.answers import written
from edge.triage.check import check
from edge.triage.errors import TriageError
from edge.triage.parts import Table
from edge.triage.run import decide
from edge.triage.shelf import EMBEDDED
from edge.triage.table import read_table
from edge.triage.workbook import read_workbook
from edge.triage.xlsform import as_xlsx, sheets
from edge.triage.xlsform_read import Imported, import_form
from tests.small_tables import Small, small_tables, some

openpyxl = pytest.importorskip("openpyxl", reason="needs openpyxl, of the extra hub")

COUGH = Path(__file__).parent.parent / "data" / "clinic" / "cough.toml"
TABLES = [*sorted(EMBEDDED.glob("*.toml")), COUGH]
CASES = 25


def form_of(table: Table, folder: Path) -> Path:
    path = folder / f"{table.id}.xlsx"
    path.write_bytes(as_xlsx(sheets(table)))
    return path


def imported(path: Path) -> Imported:
    return import_form(read_workbook(path), Path(f"{path.stem}.toml"))


def texts_of(table: Table) -> tuple[Any, ...]:
    """Everything a table says, without the form in which its conditions were typed."""
    rows = [replace(row, when_text="") for row in table.rows]
    outcomes = sorted(table.outcomes, key=lambda one: one.id)
    return table.id, table.version, table.title, table.who, table.guidelines, table.inputs, rows, outcomes, table.doses


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_that_became_a_form_comes_back_with_every_text_and_decides_the_same(path: Path, tmp_path: Path) -> None:
    table = read_table(path)
    made = imported(form_of(table, tmp_path))
    assert [one.say("en") for one in made.faults] == []
    assert made.table is not None
    assert texts_of(made.table) == texts_of(table)
    random = Random(path.stem)
    for _ in range(CASES):
        answers = {one.id: some(one, random) for one in table.inputs}
        assert decide(made.table, answers) == decide(table, answers), {n: written(a) for n, a in answers.items()}


@settings(max_examples=15, deadline=None)
@given(small_tables(closed=True))
def test_whatever_the_conditions_are_they_come_back_and_so_does_what_is_wrong_with_them(small: Small) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        table = small.read()
        complaints = [one.key for one in check(table)]
        made = imported(form_of(table, Path(folder)))
    assert [one.key for one in made.faults] == complaints
    if made.table is not None:
        for case in list(small.cases())[::7]:
            assert decide(made.table, case).row == decide(table, case).row


def changed(folder: Path, *cells: tuple[str, str, str, object], table: Path = COUGH) -> Imported:
    """The form of a table with some cells typed over: (sheet, name of the row, heading, what is typed)."""
    path = form_of(read_table(table), folder)
    book = openpyxl.load_workbook(path)
    for sheet, name, heading, typed in cells:
        page = book[sheet]
        headings = {cell.value: cell.column for cell in page[1]}
        column = headings.get(heading) or page.max_column + 1
        page.cell(1, column).value = heading
        known_by = 1 if sheet == "guidelines" else headings.get("name", 1)
        line = next((r for r in range(2, page.max_row + 1) if page.cell(r, known_by).value == name), page.max_row + 1)
        page.cell(line, column).value = typed
    book.save(path)
    return imported(path)


def told(made: Imported) -> list[str]:
    assert made.table is None
    return [one.say("en") for one in made.faults]


def test_a_condition_may_be_typed_anew_in_the_form_and_decides_from_then_on(tmp_path: Path) -> None:
    table = read_table(COUGH)
    before = next(row["calculation"] for row in sheets(table)[0].rows if row["name"] == "row")
    typed = before.replace("${stridor} = 'yes'", 'selected( ${stridor} ,  "yes")').replace(">= 50", ">= 45")
    assert typed != before
    made = changed(tmp_path, ("survey", "row", "calculation", typed))
    assert made.table is not None
    answers = {one.id: "no" for one in table.inputs if one.kind == "sign"}
    infant = answers | read_numbers(age=6, breaths=46, weight=7)
    assert decide(table, infant).row == "cold"
    assert decide(made.table, infant).row == "pneumonia"


def read_numbers(**numbers: int) -> dict[str, Any]:
    from decimal import Decimal

    return {name: Decimal(number) for name, number in numbers.items()}


def test_a_gap_that_an_edited_condition_opens_is_named_at_its_cell_with_an_example(tmp_path: Path) -> None:
    table = read_table(COUGH)
    before = next(row["calculation"] for row in sheets(table)[0].rows if row["name"] == "row")
    shorter = before.replace("not((", "not(not((", 1).replace("))", ")))", 1)
    made = changed(tmp_path, ("survey", "row", "calculation", shorter))
    assert any(line.startswith("survey!") for line in told(made))


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (("survey", "breaths", "relevant", "${age} = 3"), "«relevant» says «${age} = 3», but by the rest"),
        (
            ("survey", "row_1", "label::Español (es)", "EMERGENCIA\nOtra\n1. Descanse\nF\nA"),
            "must say: EMERGENCIA: actuar",
        ),
        (("survey", "age", "constraint", "between 2 and 59"), "the range must be like"),
        (("survey", "row", "calculation", "if(${answered} = 1, concat('a'), '')"), "do not understand «concat»"),
        (("survey", "extra", "type", "geopoint"), "do not know what to do with the row"),
        (("survey", "row_1", "colour", "red"), "do not know the column «colour», which says «red»"),
        (("survey", "row_1", "amauta_urgency", "someday"), "someday"),
        (("survey", "convulsions", "amauta_danger", "perhaps"), "perhaps"),
        (("choices", "unknown", "label::English (en)", "maybe"), "must say: not known"),
        (("guidelines", "imci", "year", "soon"), "whole number from 1950 to 2100, not soon"),
    ],
)
def test_a_cell_that_says_something_else_is_named(cell: tuple[str, str, str, str], said: str, tmp_path: Path) -> None:
    lines = told(changed(tmp_path, cell))
    assert lines
    assert any(said in line for line in lines), lines
    assert all("!" in line.split(":")[0] for line in lines), lines


def test_a_form_of_another_editor_is_told_at_once_what_it_lacks(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "survey"
    for row in (
        ("type", "name", "label", "relevant", "calculation"),
        ("select_one yes_no", "fever", "Fever?", "", ""),
        ("calculate", "refer", "", "", "if(${fever} = 'yes', 1, 0)"),
        ("note", "go", "Go to hospital", "${refer} = 1", ""),
    ):
        book.active.append(row)
    book.create_sheet("choices").append(("list_name", "name", "label"))
    book["choices"].append(("yes_no", "yes", "Yes"))
    path = tmp_path / "plain.xlsx"
    book.save(path)
    with pytest.raises(TriageError) as refused:
        imported(path)
    said = refused.value.say("en")
    for missing in ("settings", "guidelines", "survey: row", "survey: who"):
        assert missing in said


def test_an_approval_does_not_travel_in_a_workbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = COUGH.read_text(encoding="utf-8").replace(
        'approval = "pending"', 'approval = { by = "DIRESA Cusco", on = 2027-01-02 }'
    )
    (tmp_path / "child-cough.toml").write_text(text, encoding="utf-8")
    form = form_of(read_table(tmp_path / "child-cough.toml"), tmp_path)
    assert main(["clinic", "import", str(form)]) == 0
    out, err = capsys.readouterr()
    assert 'approval = "pending"' in out
    assert "DIRESA Cusco" in err


def test_the_verb_writes_a_table_that_is_used_from_then_on(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    form, out = tmp_path / "f.xlsx", home / "clinic" / "tables" / "snake-bite.toml"
    assert main(["clinic", "xlsform", "snake-bite", str(form)]) == 0
    assert main(["clinic", "import", str(form), "--out", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["table"] == "snake-bite"
    assert main(["clinic", "check", str(out)]) == 0
    assert main(["clinic", "tables", "snake-bite", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])["tables"][0]
    assert (shown["path"], shown["sha256"]) == (str(out), facts["sha256"])
    assert main(["clinic", "import", str(form), "--out", str(tmp_path / "other.toml")]) == 1
    assert "settings!" in capsys.readouterr().out
    assert not (tmp_path / "other.toml").exists()


def packed(path: Path, name: str, content: bytes) -> None:
    """Put one more part into a workbook, or another in place of one."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, old in ({name: b""} | parts).items():
            archive.writestr(part, content if part == name else old)


SHEET = "xl/worksheets/sheet1.xml"
CELL = '<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
LINK = b'<Relationships><Relationship Id="r" Type="a/%s" Target="x" TargetMode="External"/></Relationships>'


def evil(path: Path, what: str) -> None:
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read(SHEET)
    if what == "bomb":
        packed(path, "xl/media/a.xml", bytes(64 << 20))
    elif what == "entities":
        packed(path, SHEET, sheet.replace(b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet', 1))
    elif what == "other letters":
        packed(path, SHEET, sheet.decode().encode("utf-16"))
    elif what == "macro":
        packed(path, "xl/vbaProject.bin", b"x")
    elif what == "other book":
        packed(path, "xl/externalLinks/externalLink1.xml", b"<externalLink/>")
    elif what == "outside":
        packed(path, "xl/worksheets/_rels/sheet1.xml.rels", LINK % b"image")
    elif what == "far row":
        packed(path, SHEET, sheet.replace(b"</sheetData>", CELL.format(row=1_000_000).encode()))
    elif what == "row without end":
        packed(path, SHEET, sheet.replace(b"</sheetData>", CELL.format(row=10**15).encode()))
    elif what == "no zip":
        path.write_bytes(b"type,name,label\n")
    else:
        book = openpyxl.load_workbook(path)
        book["survey"]["C2"] = '=WEBSERVICE("http://x")'
        book.save(path)


@pytest.mark.parametrize(
    ("what", "key"),
    [
        ("bomb", "workbook-large"),
        ("entities", "workbook-strange"),
        ("other letters", "workbook-strange"),
        ("macro", "workbook-strange"),
        ("other book", "workbook-strange"),
        ("outside", "workbook-strange"),
        ("far row", "workbook-large"),
        ("row without end", "workbook-large"),
        ("no zip", "workbook-broken"),
        ("formula", "workbook-formula"),
    ],
)
def test_a_workbook_that_means_harm_is_refused(what: str, key: str, tmp_path: Path) -> None:
    path = form_of(read_table(COUGH), tmp_path)
    evil(path, what)
    with pytest.raises(TriageError) as refused:
        read_workbook(path)
    assert refused.value.key == key


def test_links_in_a_cell_and_numbers_as_numbers_do_no_harm(tmp_path: Path) -> None:
    path = form_of(read_table(COUGH), tmp_path)
    book = openpyxl.load_workbook(path)
    page = book["guidelines"]
    page["D2"] = int(page["D2"].value)
    page["A2"].hyperlink = "https://example.org/"
    book["survey"].cell(5000, 3).font = openpyxl.styles.Font(bold=True)
    book.save(path)
    made = imported(path)
    assert made.table is not None, told(made)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_refused_or_read_but_never_breaks_the_program(data: st.DataObject) -> None:
    import tempfile

    content = bytearray(as_xlsx(sheets(read_table(COUGH))))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    part = parts[data.draw(st.sampled_from(sorted(parts)))]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(part) - 1))
        part[at : at + data.draw(st.integers(1, 30))] = data.draw(st.binary(max_size=6))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "child-cough.xlsx"
        with zipfile.ZipFile(path, "w") as archive:
            for name, bytes_ in parts.items():
                archive.writestr(name, bytes(bytes_))
        try:
            made = imported(path)
        except TriageError:
            return
        assert made.table is not None or made.faults

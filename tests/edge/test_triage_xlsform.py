"""A table exported as an XLSForm is taken by pyxform, and the form's own XPath decides as the table does."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.cli import main
from edge.triage.answers import written
from edge.triage.condition import UNKNOWN, Answer
from edge.triage.parts import Table
from edge.triage.run import decide
from edge.triage.shelf import EMBEDDED
from edge.triage.table import read_table
from edge.triage.xlsform import KNOWN, as_xlsx, sheets
from tests.small_tables import some

etree = pytest.importorskip("lxml.etree", reason="needs lxml, of the extra dev")
pytest.importorskip("pyxform", reason="needs pyxform, of the extra dev")
pytest.importorskip("openpyxl", reason="needs openpyxl, of the extra hub")

TABLES = [*sorted(EMBEDDED.glob("*.toml")), Path(__file__).parent.parent / "data" / "clinic" / "cough.toml"]
XFORMS = "{http://www.w3.org/2002/xforms}"
CASES = 40


class Form:
    """The XForm that pyxform makes of a table, filled in and evaluated by libxml2."""

    def __init__(self, table: Table, folder: Path) -> None:
        from pyxform.xls2xform import convert

        path = folder / "form.xlsx"
        path.write_bytes(as_xlsx(sheets(table)))
        made = convert(xlsform=path, validate=False, pretty_print=False)
        assert not made.warnings
        root = etree.fromstring(made.xform.encode())
        (self.data,) = root.find(f".//{XFORMS}instance")
        self.binds: list[dict[str, str]] = [dict(bind.attrib) for bind in root.iter(f"{XFORMS}bind")]

    def fill(self, table: Table, answers: dict[str, Answer]) -> None:
        for one in table.inputs:
            answer = answers.get(one.id)
            number = isinstance(answer, Decimal)
            if one.kind in ("number", "age") and one.may_be_unknown:
                self.put(one.id + KNOWN, "" if answer is None else "known" if number else UNKNOWN)
                self.put(one.id, written(answer) if number and answer is not None else "")
            else:
                self.put(one.id, "" if answer is None else written(answer))
        for bind in self.binds:
            if "calculate" in bind:
                node = self.at(bind["nodeset"])
                node.text = str(self.value(bind["calculate"], node))

    def put(self, name: str, text: str) -> None:
        self.at(f"/data/{name}").text = text

    def at(self, path: str) -> Any:
        return self.data.find(f"{{*}}{path.removeprefix('/data/')}")

    def value(self, xpath: str, node: Any) -> Any:
        plain = "{http://www.w3.org/2002/xforms}"
        namespace = self.data.nsmap.get(None, "")
        found = etree.XPath(local(xpath), namespaces={"x": namespace} if namespace else None, extensions=FUNCTIONS)(
            node
        )
        assert plain == XFORMS
        return int(found) if isinstance(found, float) and found == int(found) else found

    def shown(self) -> list[str]:
        return [
            bind["nodeset"].removeprefix("/data/")
            for bind in self.binds
            if "relevant" in bind and self.value(f"boolean({bind['relevant']})", self.at(bind["nodeset"]))
        ]


def local(xpath: str) -> str:
    """The instance lies in a namespace; its paths do not name it."""
    return re.sub(r"/data/([\w-]+)", r"ancestor-or-self::x:data/x:\1", xpath)


def choose(_: object, condition: Any, yes: Any, no: Any) -> Any:
    """ODK's if(); an argument that is a node set counts as its text."""
    one = yes if condition else no
    return one if not isinstance(one, list) else (one[0].text or "" if one else "")


FUNCTIONS = {(None, "if"): choose}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_form_decides_as_the_table_does_and_shows_the_same_dose(path: Path, tmp_path: Path) -> None:
    table = read_table(path)
    form = Form(table, tmp_path)
    random = Random(path.stem)
    quiet = [one for one in table.inputs if one.kind == "sign"]
    for _ in range(CASES):
        answers = {one.id: some(one, random) for one in table.inputs}
        answers |= dict.fromkeys((one.id for one in quiet if random.random() < 0.6), "no")
        decision = decide(table, answers)
        form.fill(table, answers)
        assert form.at("/data/row").text == decision.row
        assert form.at("/data/urgency").text == decision.urgency
        number = [row.id for row in table.rows].index(decision.row) + 1
        doses = [one.id for one in table.doses]
        bands = [f"dose_{doses.index(one.dose) + 1}_{one.band or 'none'}" for one in decision.doses]
        shown = [name for name in form.shown() if name.startswith(("row_", "dose_"))]
        assert sorted(shown) == sorted([f"row_{number}", *bands])


def test_nothing_is_shown_before_every_question_has_its_answer(tmp_path: Path) -> None:
    table = read_table(TABLES[-1])
    form = Form(table, tmp_path)
    answers: dict[str, Answer] = {
        "age": Decimal(14),
        "stridor": "no",
        "chest_indrawing": "no",
        "weight": UNKNOWN,
        "convulsions": "no",
    }
    form.fill(table, answers)
    assert form.at("/data/row").text == ""
    assert [name for name in form.shown() if name.startswith("row_")] == []
    form.fill(table, answers | {"breaths": UNKNOWN})
    assert form.at("/data/row").text == "cold"


def test_the_form_says_in_three_languages_that_nobody_approved_it_and_names_its_source() -> None:
    survey, choices, settings, guidelines = sheets(read_table(TABLES[-1]))
    first = survey.rows[0]
    assert first["label::Español (es)"] == "FALTA LA APROBACIÓN de la autoridad de salud local"
    assert first["label::English (en)"] == "NOT YET APPROVED by the local health authority"
    assert "FALTA LA APROBACIÓN" in settings.rows[0]["form_title"]
    assert guidelines.rows[0]["edition"] == "March 2014"
    (note,) = [row for row in survey.rows if row["name"] == "row_2"]
    assert "Fonte: IMCI Chart Booklet, March 2014" in note["label::Português (pt)"]
    assert {"list_name": "signs", "name": "unknown"}.items() <= choices.rows[2].items()


def test_the_verb_writes_a_workbook_of_texts_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from openpyxl import load_workbook

    out = tmp_path / "forms" / "cough.xlsx"
    assert main(["clinic", "xlsform", "child-cough", str(out)]) == 0
    assert "FALTA LA APROBACIÓN" in capsys.readouterr().err
    book = load_workbook(out)
    assert book.sheetnames == ["survey", "choices", "settings", "guidelines"]
    assert {cell.data_type for page in book for row in page.iter_rows() for cell in row} <= {"s", "n"}
    assert all(cell.value is None for page in book for row in page.iter_rows() for cell in row if cell.data_type == "n")
    assert main(["clinic", "xlsform", "child-cough", str(tmp_path)]) == 1
    assert "No puedo escribir" in capsys.readouterr().err

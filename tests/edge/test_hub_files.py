"""Reports by name from both databases, and as files: CSV, XLSX and xAPI."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from openpyxl import load_workbook

from district import ITEM, NOW, SCHOOLS, made
from edge.cli import main
from edge.hub.database import open_database
from edge.hub.errors import HubError
from edge.hub.place import Place, create
from edge.hub.reports.build import NAMES, Reports
from edge.hub.reports.catalogue import catalogue
from edge.hub.reports.files import as_csv, as_xlsx
from edge.hub.reports.months import period
from edge.hub.reports.table import Table
from edge.hub.xapi import Naming, home_of, statements
from edge.sync.facts import Answer, Stream
from edge.words import LANGUAGES, words_for

FEW = (None, None, None, None, None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return made(tmp_path_factory.mktemp("district") / "hub")


def told(
    place: Place, *names: str, school: str = "", lang: str = "es", since: str = "", until: str = ""
) -> list[Table]:
    with open_database(place) as database:
        chosen = period(since, until, NOW)
        return Reports(database, place.folder, words_for("edge", lang), chosen, NOW, school).tables(names)


@pytest.fixture
def run(place: Place, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    def run(*argv: str, code: int = 0) -> tuple[str, str]:
        assert main(["hub", *argv, "--hub", str(place.folder)], {"AMAUTA_LANG": "es"}) == code
        captured = capsys.readouterr()
        return captured.out, captured.err

    return run


def test_both_databases_tell_the_same(place: Place, hub_database: Callable[[], str], tmp_path: Path) -> None:
    other = made(tmp_path / "other", hub_database())
    assert told(other, *NAMES) == told(place, *NAMES)
    assert told(other, "lessons", since="2026-05", until="2026-05") == told(
        place, "lessons", since="2026-05", until="2026-05"
    )


def test_a_school_shows_its_numbers_its_silence_or_that_it_is_too_small(place: Place) -> None:
    [table] = told(place, "schools")
    rows = {str(row[0]): row for row in table.rows}
    # The one answer of the lesson nobody knows has no date and is one child's: it is in no table.
    assert rows["escuela-24"][1] == 444
    assert rows["escuela-24"][5:] == (10, 1, "2026-11-20", "al día")
    assert rows["rural-7"][1:] == (*FEW, 1, "2026-09-01", "en silencio")
    assert rows["quebrada-honda"][1:6] == FEW
    assert rows["sin-noticias"][1:] == (0, 0, 0, "", 0, 0, "", "nunca ha entregado")
    [months] = told(place, "months")
    assert sum(row[1] for row in months.rows) > sum(row[1] or 0 for row in table.rows)  # Small schools together.
    assert told(place, "schools", school="rural-7")[0].rows == (rows["rural-7"],)


def test_lessons_and_mistakes_have_the_names_their_packs_give_them(place: Place, tmp_path: Path) -> None:
    [lessons, mistakes] = told(place, "lessons", "mistakes")
    assert ("Las fracciones", "Matemáticas, 4.º grado", ITEM) in {row[:3] for row in lessons.rows}
    said = {row[:4] for row in mistakes.rows}
    asked = "¿Cuánto es 2/7 + 3/7?"
    why = "Respondieron «5/14». El denominador no se suma. Las partes siguen siendo séptimos."
    assert ("Las fracciones", asked, why, 10) in said
    assert ("Las fracciones", asked, "Respondieron mal.", 10) in said
    assert {row[2] for row in mistakes.rows if row[0] == "Sumas 2"} == {
        "Te pasaste o te faltó una decena. Revisa las decenas."
    }


def test_a_pack_in_the_folder_of_the_hub_gives_names_too_and_a_broken_one_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = made(tmp_path / "hub")
    folder = place.folder / "packs" / "primaria"
    (folder / "lessons").mkdir(parents=True)
    source = Path("edge/packs/primaria").resolve()
    (folder / "pack.toml").write_text((source / "pack.toml").read_text("utf-8"), "utf-8")
    lesson = f"lessons/{ITEM.partition('/')[2]}.md"
    text = (source / lesson).read_text("utf-8").replace("Las fracciones", "Partir una panela", 1)
    (folder / lesson).write_text(text, "utf-8")
    assert "Partir una panela" in {row[0] for row in told(place, "lessons")[0].rows}
    (folder / "pack.toml").write_text("id = ", "utf-8")
    assert main(["hub", "report", "--what", "lessons", "--hub", str(place.folder)], {"AMAUTA_LANG": "es"}) == 0
    captured = capsys.readouterr()
    assert "No se pudo leer el paquete" in captured.err
    assert ITEM in captured.out


def test_what_is_out_there_devices_versions_deliveries_and_refusals(place: Place) -> None:
    devices, versions, deliveries, refused = told(place, "devices", "versions", "deliveries", "refused")
    assert [(row[0], row[3], row[4]) for row in devices.rows] == [
        ("rural-7", 86, "en silencio"),
        ("escuela-24", 6, "bien"),
        ("quebrada-honda", 1, "bien"),
        ("san-martin", 0, "identidad copiada"),
    ]
    assert [row[:3] for row in versions.rows if row[0] == "Amauta"] == [("Amauta", "0.1.0", 2), ("Amauta", "0.2.0", 2)]
    assert [row[1] for row in deliveries.rows] == ["san-martin", "quebrada-honda", "escuela-24", "rural-7"]
    assert [row[1:3] for row in refused.rows] == [("b.age", "incompleto"), ("=cmd.age", "rechazado")]
    assert refused.rows[1][3:] == (
        "Un equipo de la escuela … entrega sin una inscripción de este centro.",
        "Da a la escuela un archivo de inscripción: amauta hub enrol ESCUELA --out ARCHIVO",
    )
    assert {table.name: len(table.rows) for table in told(place, "devices", "deliveries", school="rural-7")} == {
        "devices": 1,
        "deliveries": 1,
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_for_a_refusal_has_a_sentence_without_its_values(lang: str, tmp_path: Path) -> None:
    from edge.hub.reports.field import refused_table

    place = made(tmp_path / "hub")
    keys = [
        key.split(".")[1]
        for key in words_for("edge", lang).table
        if key.startswith("errors.") and key.endswith(".what")
    ]
    with open_database(place) as database:
        with database.step():
            for key in keys:
                database.audit(NOW, "import", outcome="refused", detail=f"{key}: x")
        rows = refused_table(database, words_for("edge", lang)).rows
    assert all(row[3] and row[4] and "{" not in f"{row[3]}{row[4]}" for row in rows[: len(keys)])


def test_numbers_in_files_are_numbers_and_no_text_is_a_formula(place: Place) -> None:
    words = words_for("edge", "es")
    refused, versions, schools = told(place, "refused", "versions", "schools")
    rows = list(csv.reader(io.StringIO(as_csv(refused, words).decode("utf-8-sig")), delimiter=";"))
    assert rows[0][0] == "cuándo (UTC)"
    assert rows[2][1] == "'=cmd.age"
    rows = list(csv.reader(io.StringIO(as_csv(schools, words).decode("utf-8-sig")), delimiter=";"))
    assert rows[1][:2] == ["escuela-24", "444"]
    assert rows[2][1:6] == [""] * 5
    book = load_workbook(io.BytesIO(as_xlsx([refused, versions, schools], words)))
    assert book.sheetnames == ["Archivos rechazados", "Versiones", "Escuelas"]
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert book["Archivos rechazados"]["B3"].value == "=cmd.age"
    assert book["Archivos rechazados"]["B3"].quotePrefix
    assert book["Escuelas"]["B2"].value == 444
    assert book["Escuelas"]["B3"].value is None


def test_the_verb_tells_keeps_and_says_what_it_cannot_do(run: Callable[..., tuple[str, str]], tmp_path: Path) -> None:
    out, err = run("report")
    assert "Escuelas\n" in out
    assert "pocas personas" in out
    assert "menos de 5 personas no se muestran números" in err
    assert json.loads(run("report", "--json", "--what", "schools")[0])["schools"][0]["school"] == "escuela-24"
    run("report", "--out", str(tmp_path / "r.xlsx"))
    assert len(load_workbook(tmp_path / "r.xlsx").sheetnames) == 8
    assert "2026-03 a 2026-04" in run("report", "--what", "months", "--from", "2026-03-20", "--to", "2026-04-02")[1]
    assert "una sola tabla" in run("report", "--out", str(tmp_path / "r.csv"), code=1)[1]
    assert ".csv o .xlsx" in run("report", "--out", str(tmp_path / "r.pdf"), code=1)[1]
    assert "no conoce la escuela" in run("report", "--school", "x", code=1)[1]
    assert "No hay un informe «refused»" in run("report", "--school", "rural-7", "--what", "refused", code=1)[1]


# xAPI 1.0.3, Part Two (Data): the rules that a statement of ours can break.

IRI = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"<>\\^`{|}]+")
LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
DURATION = re.compile(r"PT\d+(\.\d{1,2})?S")
PROPERTIES = {"id", "actor", "verb", "object", "result", "context", "timestamp", "version"}


def check_statement(statement: dict[str, Any]) -> None:
    def no_nulls(value: Any) -> None:
        assert value is not None
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            no_nulls(each)

    def language_map(found: dict[str, str]) -> None:
        assert found
        assert all(LANGUAGE.fullmatch(lang) and isinstance(text, str) for lang, text in found.items())

    def activity(found: dict[str, Any]) -> None:
        assert set(found) <= {"objectType", "id", "definition"}
        assert found["objectType"] == "Activity"
        assert IRI.fullmatch(found["id"])
        if definition := found.get("definition"):
            assert set(definition) <= {"name", "type"}
            language_map(definition["name"])
            assert IRI.fullmatch(definition["type"])

    no_nulls(statement)
    assert {"id", "actor", "verb", "object"} <= set(statement) <= PROPERTIES  # 2.2, 2.4
    assert UUID(statement["id"]).version == 5  # 2.4.1
    assert str(UUID(statement["id"])) == statement["id"]
    assert set(statement["actor"]) == {"objectType", "account"}  # 2.4.2.1: one inverse functional identifier
    assert set(statement["actor"]["account"]) == {"homePage", "name"}
    assert IRI.fullmatch(statement["actor"]["account"]["homePage"])
    assert statement["actor"]["account"]["name"]
    assert IRI.fullmatch(statement["verb"]["id"])  # 2.4.3
    language_map(statement["verb"]["display"])
    activity(statement["object"])  # 2.4.4.1
    assert set(statement["result"]) <= {"success", "response", "duration"}  # 2.4.5
    assert isinstance(statement["result"]["success"], bool)
    assert isinstance(statement["result"].get("response", ""), str)
    assert DURATION.fullmatch(statement["result"]["duration"])
    context = statement["context"]  # 2.4.6; platform and revision only with an Activity
    assert set(context) == {"platform", "language", "contextActivities", "extensions"}
    assert LANGUAGE.fullmatch(context["language"])
    assert set(context["contextActivities"]) <= {"parent", "grouping", "category", "other"}
    for some in context["contextActivities"].values():
        for each in some:
            activity(each)
    assert all(IRI.fullmatch(key) for key in context["extensions"])
    if "timestamp" in statement:  # 2.4.7: ISO 8601, never without a time zone
        assert datetime.fromisoformat(statement["timestamp"]).tzinfo
    assert re.fullmatch(r"1\.0\.\d+", statement["version"])  # 2.4.10


def xapi(place: Place, school: str = "", since: str = "", until: str = "") -> list[dict[str, Any]]:
    with open_database(place) as database:
        naming = Naming(home_of(place.id, ""), catalogue(place.folder, words_for("edge", "es")))
        return list(statements(database, period(since, until, NOW), naming, school))


def test_every_answer_is_one_right_statement_with_an_id_that_stays(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = xapi(place)
    for statement in found:
        check_statement(statement)
    assert len(found) == sum(36 * learners + learners + 1 for learners in SCHOOLS.values()) + 5
    assert len({statement["id"] for statement in found}) == len(found)
    monkeypatch.setattr("edge.hub.xapi.AT_ONCE", 7)
    assert xapi(place) == found
    twin = xapi(made(tmp_path / "twin"))
    assert [statement["id"] for statement in twin] == [statement["id"] for statement in found]
    item = next(statement for statement in found if statement["result"].get("response") == "5/14")
    assert item["object"]["definition"]["name"] == {"es": "¿Cuánto es 2/7 + 3/7?"}
    assert item["result"] == {"success": False, "response": "5/14", "duration": "PT5.5S"}
    assert item["object"]["id"].endswith(f"/items/{ITEM}/2")
    assert sum("timestamp" not in statement for statement in found) == len(SCHOOLS)
    assert len(xapi(place, "rural-7")) == 112
    assert len(xapi(place, "rural-7", "2026-03", "2026-03")) == 12


def test_a_clock_that_runs_ahead_has_no_date_and_no_content_of_a_copied_device_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = create(tmp_path / "hub", "hub")
    at = 1798761600  # 2027-01-01
    one, other = (
        Stream(
            "f" * 16,
            tuple(Answer(n, n, "exercise/add-1", "exercise/add-1/1+1", given, 1, 0, 9, at) for n in range(1, 6)),
        )
        for given in ("2", "02")
    )
    with open_database(place) as database, database.step([one]):
        for stream in (one, other):
            database.add(stream, database.stream(stream.device, database.school("a")))
    [months, schools] = told(place, "months", "schools")
    assert [row[:2] for row in months.rows] == [("sin fecha", 10)]
    assert schools.rows[0][1] == 10
    assert told(place, "months", since="2026-11")[0].rows == ()
    for page in (2, 3, 4):
        monkeypatch.setattr("edge.hub.xapi.AT_ONCE", page)
        found = xapi(place)
        assert len({statement["id"] for statement in found}) == len(found) == 10


def test_persons_leave_only_when_somebody_says_so_and_the_audit_keeps_it(
    run: Callable[..., tuple[str, str]], place: Place, tmp_path: Path
) -> None:
    out = tmp_path / "a.jsonl"
    assert "--pseudonyms" in run("xapi", "--out", str(out), code=1)[1]
    assert not out.exists()
    assert "dirección web" in run("xapi", "--out", str(out), "--pseudonyms", "--home", "javascript:x", code=1)[1]
    facts = json.loads(
        run("xapi", "--out", str(out), "--pseudonyms", "--json", "--school", "rural-7", "--home", "https://h.org/x/")[0]
    )
    assert facts["statements"] == 112
    lines = out.read_bytes().splitlines()
    assert len(lines) == 112
    assert json.loads(lines[0])["actor"]["account"]["homePage"] == "https://h.org/x"
    assert out.stat().st_mode & 0o777 == 0o600
    with open_database(place) as database:
        sql = "SELECT file, detail FROM audit WHERE deed = 'xapi'"
        assert database.rows(sql) == [("a.jsonl", "rural-7")]
    assert "hub-disk" not in run("xapi", "--out", str(tmp_path / "none" / "a"), "--pseudonyms", code=1)[1]


@pytest.mark.parametrize(
    "home", ["ftp://x", "https://", "https://a b", "https://a/?x=1", "https://[", "https://a:99999"]
)
def test_an_address_that_is_none_is_refused(home: str) -> None:
    with pytest.raises(HubError) as caught:
        home_of("f" * 16, home)
    assert caught.value.key == "xapi-home"
    assert urlsplit(home_of("f" * 16, "")).hostname == f"{'f' * 16}.hub.invalid"

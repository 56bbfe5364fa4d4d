"""What leaves the records: FHIR that its own models accept, a page of paper, counts without names."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edge.records.dhis2 import counts, read_mapping
from edge.records.errors import RecordsError
from edge.records.fhir import bundle
from edge.records.referral import page, parts
from edge.records.visit import Correction, Patient, Visit
from edge.triage.condition import Answer
from edge.triage.parts import Table
from edge.triage.run import make_run, open_questions
from edge.triage.table import read_table
from edge.words import words_for

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TABLES = Path(__file__).parent.parent.parent / "edge" / "clinic" / "tables"
ROSA = Patient("a1", "Rosa Quispe", birth="2025-03-01", sex="female", community="Ccorca", number="HC-7")


@pytest.fixture(scope="module")
def cough() -> Table:
    return read_table(TABLES / "child-cough.toml")


def answered(table: Table, **given: Answer) -> dict[str, Answer]:
    """The given answers, and for every question that is still open the mildest: no, or the least number."""
    answers: dict[str, Answer] = dict(given)
    while left := open_questions(table, answers):
        one = left[0]
        answers[one.id] = one.least if one.kind in ("number", "age") else one.values()[1 if one.kind == "sign" else 0]
    return answers


def seen(table: Table, **given: Answer) -> Visit:
    run = make_run(table, answered(table, **given), NOW, "Ana")
    return Visit(
        "v1",
        ROSA.id,
        "2026-11-26",
        (run.facts(),),
        "tos",
        "referida",
        "final",
        "Ana Flores",
        "2026-11-26T09:00:00.000Z",
    )


@pytest.fixture(scope="module")
def grave(cough: Table) -> Visit:
    danger = next(one for one in cough.inputs if one.danger == "yes")
    numbers = {one.id: one.most for one in cough.inputs if one.kind == "number"}
    return seen(cough, age=Decimal(20), **{danger.id: "yes"}, **numbers)


def resources(made: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == kind]


def test_a_grave_visit_is_a_bundle_with_measures_units_and_a_referral_marked_pending(
    cough: Table, grave: Visit
) -> None:
    made = bundle(ROSA, grave, {cough.sha256: cough}, "es")
    [request] = resources(made, "ServiceRequest")
    assert request["priority"] == "stat"
    assert request["meta"]["tag"][0]["code"] == "pending"
    measured = {one["code"]["text"]: one["valueQuantity"] for one in resources(made, "Observation")}
    breaths = next(one for one in cough.inputs if one.id == "breaths")
    assert measured[dict(breaths.ask)["es"]]["code"] == "/min"
    response = resources(made, "QuestionnaireResponse")[1]
    assert response["questionnaire"] == f"urn:amauta:table:child-cough|{cough.version}"
    links = {one["fullUrl"] for one in made["entry"]}
    told = json.dumps(made)
    assert all(piece.split('"')[0] in links for piece in told.split('"reference": "')[1:])


def test_a_draft_does_not_leave_and_a_mild_visit_asks_for_no_referral(cough: Table, grave: Visit) -> None:
    with pytest.raises(RecordsError, match="draft"):
        bundle(ROSA, replace(grave, state="draft"), {}, "es")
    mild = seen(cough, age=Decimal(20), breaths=Decimal(30), oxygen=Decimal(98))
    assert mild.runs[0]["decision"]["urgency"] == "home"
    assert resources(bundle(ROSA, mild, {cough.sha256: cough}, "es"), "ServiceRequest") == []


def test_the_models_of_fhir_accept_every_bundle_and_refuse_a_broken_one(cough: Table, grave: Visit) -> None:
    model = pytest.importorskip("fhir.resources.R4B.bundle", reason="fhir.resources is in the extra dev").Bundle
    corrected = replace(grave, state="handed-over", handed_to="H", corrections=(Correction("t", "Ana", "eran 54"),))
    unborn = replace(ROSA, birth="", age_months=20, community="", number="", sex="unknown")
    for visit in (grave, corrected, seen(cough, age=Decimal(20)), replace(grave, runs=(), notes="", outcome="")):
        for patient in (ROSA, unborn):
            for tables in ({cough.sha256: cough}, {}):
                made = json.dumps(bundle(patient, visit, tables, "pt"))
                again = json.loads(model.model_validate_json(made).model_dump_json())
                assert again.keys() == json.loads(made).keys()
    broken = bundle(ROSA, grave, {}, "es")
    broken["entry"][1]["resource"]["status"] = None
    with pytest.raises(ValueError):
        model.model_validate_json(json.dumps(broken))


@pytest.mark.parametrize("lang", ["es", "pt", "en"])
def test_the_referral_says_who_how_urgent_why_and_that_nobody_approved_it(
    cough: Table, grave: Visit, lang: str
) -> None:
    words = words_for("edge", lang)
    said = [line for part in parts(ROSA, grave, {cough.sha256: cough}, words) for line in part.lines]
    for wanted in ("Rosa Quispe", "Ccorca", "tos", "referida", words.say("records.urgency-emergency")):
        assert wanted in said
    assert words.say("clinic.pending") in said
    assert any(f"child-cough {cough.version}" in line for line in said)
    pytest.importorskip("fpdf", reason="fpdf2 is in the extra clinic")
    many = replace(grave, notes="tos con tiraje; no bebe. " * 40)
    for visit in (grave, many):
        pdf = page(ROSA, visit, {cough.sha256: cough}, words)
        assert pdf.startswith(b"%PDF-")
        assert pdf.count(b"/Type /Page\n") == 1
    with pytest.raises(RecordsError, match="draft"):
        parts(ROSA, replace(grave, state="draft"), {}, words)


def test_counts_are_exact_by_age_and_month_and_carry_no_name(grave: Visit, tmp_path: Path) -> None:
    mapping = read_mapping(TABLES.parent / "dhis2.toml")
    outcome = f"child-cough.{grave.runs[0]['decision']['outcome']}"
    older = replace(ROSA, birth="", age_months=30)
    pairs = [
        (ROSA, grave),
        (ROSA, replace(grave, date="2026-11-01", state="handed-over")),
        (older, grave),
        (replace(ROSA, birth="2026-01-26"), grave),
        (replace(ROSA, birth=""), grave),
        (ROSA, replace(grave, state="draft")),
        (ROSA, replace(grave, date="2026-10-31")),
    ]
    mapped = replace(mapping, org_unit="PE-07", elements={outcome: "DE1"})
    assert counts(pairs, "2026-11", mapped).decode().split("\r\n") == [
        "dataElement,period,orgUnit,categoryOptionCombo,value",
        "DE1,202611,PE-07,1-4-years,3",
        "DE1,202611,PE-07,2-11-months,1",
        "DE1,202611,PE-07,age-unknown,1",
        "",
    ]
    assert outcome in counts(pairs, "2026-10", mapping).decode()
    broken = tmp_path / "dhis2.toml"
    for text in ("org_unit = 'x'", "x", "org_unit='a'\nunknown_age='b'\nbands=[{from=5,code='a'},{from=2,code='b'}]"):
        broken.write_text(text)
        with pytest.raises(RecordsError):
            read_mapping(broken)

"""The tables that ship: proved by the checker, true to 171 told cases, to a second writing, and to the printed doses."""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.settings import Settings
from edge.triage.check import check
from edge.triage.condition import Answer
from edge.triage.errors import TriageError
from edge.triage.parts import Input, Table, in_language
from edge.triage.run import decide, look_up, row_for
from edge.triage.shelf import EMBEDDED
from edge.triage.table import read_table
from edge.triage.vaccines import EMBEDDED as SCHEDULES
from edge.triage.vaccines import Schedule, read_schedule, schedule_of
from second_encoding import cough, dehydration

TABLES = {path.stem: path for path in sorted(EMBEDDED.glob("*.toml"))}
TOLD = sorted((Path(__file__).parent.parent / "data" / "vignettes").glob("*.toml"))
RANDOM_CASES = 50_000
"""Of each of the two charts that were written twice."""

SEED = 2026


def table(name: str) -> Table:
    """A table that ships."""
    return read_table(TABLES[name])


def cases(path: Path) -> Iterator[tuple[Table, dict[str, Answer], dict[str, Any]]]:
    """Every case that a file tells, with the answers to every question of its table."""
    told = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    found = table(told["table"])
    for case in told["case"]:
        given = {one.id: "unknown" for one in found.inputs} | told["normal"] | case["answers"]
        yield found, {name: Decimal(v) if isinstance(v, int) else v for name, v in given.items()}, case


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_proved_and_waits_for_the_health_authority(name: str) -> None:
    found = table(name)
    assert [one.say("en") for one in check(found)] == []
    assert found.approval is None
    assert all(row.source.chart for row in found.rows)
    assert found.rows[0].urgency == "emergency"


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
def test_told_cases_come_out_as_the_guideline_says(path: Path) -> None:
    reached = set()
    for found, answers, case in cases(path):
        decision = decide(found, answers)
        assert (decision.urgency, decision.outcome) == (case["urgency"], case["outcome"]), case["told"]
        reached.add(decision.row)
    assert reached == {row.id for row in found.rows}, "a row that no case tells"


def test_there_are_enough_told_cases_in_both_languages_for_every_table() -> None:
    told = [case for path in TOLD for _, _, case in cases(path)]
    assert len(told) >= 150
    assert {path.stem for path in TOLD} == set(TABLES)
    assert min(sum(case["lang"] == lang for case in told) for lang in ("es", "pt")) >= 50


LOOKED_AT_LATER = {
    ("child-cough", "oxygen"),  # no oximeter is the rule at a post
    ("child-diarrhoea", "sunken_eyes"),  # one sign of dehydration alone is none
    ("child-diarrhoea", "restless"),
    ("child-diarrhoea", "pinch"),
    ("young-infant-diarrhoea", "sunken_eyes"),
    ("young-infant-diarrhoea", "restless"),
    ("young-infant-diarrhoea", "pinch"),
    ("young-infant-infection", "hot_or_cold"),  # there is a thermometer
    ("young-infant-jaundice", "first_day"),  # there is no jaundice
    ("child-malnutrition", "indrawing"),  # these two matter in severe malnutrition only
    ("child-malnutrition", "fails_appetite"),
    ("child-malnutrition", "wfh"),  # the arm was measured
    ("snake-bite", "tourniquet"),
}
"""Danger signs that may stay unknown in somebody who is otherwise well, and why."""


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
def test_nobody_goes_home_while_a_danger_sign_was_not_looked_at(path: Path) -> None:
    found, well, _ = next(cases(path))
    normal = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)["normal"]
    well |= {name: Decimal(v) if isinstance(v, int) else v for name, v in normal.items()}
    well |= {"bite": "no"} if path.stem == "snake-bite" else {}
    signs = [one for one in found.inputs if one.danger and one.may_be_unknown]
    assert signs
    for one in signs:
        away = row_for(found, well | {one.id: "unknown"}).urgency
        assert (away == row_for(found, well).urgency) == ((path.stem, one.id) in LOOKED_AT_LATER), one.id


def any_answer(one: Input, chance: random.Random) -> Answer:
    """Some possible answer; numbers from their whole range."""
    if one.may_be_unknown and chance.random() < 0.15:
        return "unknown"
    if one.kind in ("number", "age"):
        return one.least + chance.randrange(int((one.most - one.least) / one.step) + 1) * one.step
    return chance.choice(one.codes or ("yes", "no"))


@pytest.mark.parametrize(
    ("name", "judge"),
    [("child-cough", cough.judge), ("child-diarrhoea", dehydration.judge)],
    ids=["cough", "diarrhoea"],
)
def test_a_second_writing_of_the_chart_agrees_on_every_random_case(
    name: str, judge: Callable[[Mapping[str, Answer]], tuple[str, str]]
) -> None:
    found, chance = table(name), random.Random(SEED)
    met = set()
    for _ in range(RANDOM_CASES):
        # Mostly well children too, or no case would reach the rows of the mildly ill.
        well = chance.random() < 0.5
        answers = {one.id: any_answer(one, chance) for one in found.inputs}
        if well:
            answers |= {one.id: "no" for one in found.inputs if one.kind == "sign" and chance.random() < 0.8}
        row = row_for(found, answers)
        assert (row.urgency, row.outcome) == judge(answers), answers
        met.add(row.id)
    assert met == {row.id for row in found.rows}


@pytest.mark.parametrize("name", ["child-cough", "child-diarrhoea", "child-fever", "child-measles"])
def test_a_general_danger_sign_is_an_emergency_whatever_else_is_found(name: str) -> None:
    found, chance = table(name), random.Random(SEED)
    signs = ["vomits_everything", "convulsions", "lethargic", "not_able_to_drink"]
    for number in range(2000):
        answers = {one.id: any_answer(one, chance) for one in found.inputs}
        sign = signs[number % 4]
        answers |= {"drinking": "unable"} if sign not in answers else {sign: "yes"}
        assert row_for(found, answers).urgency == "emergency", answers


@pytest.mark.parametrize(
    ("name", "dose", "by", "printed"),
    [
        # Typed a second time from the booklet: page 12, 13, 19, 20, 16.
        ("child-cough", "amoxicillin", "weight", {"3.9": "", "4": "1 tablet, or 5 ml", "9.9": "1 tablet, or 5 ml",
            "10": "2 tablets, or 10 ml", "13.9": "2 tablets, or 10 ml", "14": "3 tablets, or 15 ml",
            "19": "3 tablets, or 15 ml", "19.1": ""}),
        ("child-cough", "amoxicillin", "age", {"2": "1 tablet, or 5 ml", "11": "1 tablet, or 5 ml",
            "12": "2 tablets, or 10 ml", "35": "2 tablets, or 10 ml", "36": "3 tablets, or 15 ml", "59": "3 tablets, or 15 ml"}),
        ("child-fever", "paracetamol", "weight", {"3.9": "", "4": "one 100 mg tablet, or a quarter of a 500 mg tablet",
            "13.9": "one 100 mg tablet, or a quarter of a 500 mg tablet",
            "14": "one and a half 100 mg tablets, or half a 500 mg tablet", "19": ""}),
        ("child-diarrhoea", "ciprofloxacin", "age", {"5": "half a 250 mg tablet, or a quarter of a 500 mg tablet",
            "6": "one 250 mg tablet, or half a 500 mg tablet"}),
        ("child-diarrhoea", "zinc", "age", {"2": "half a tablet", "5": "half a tablet", "6": "1 tablet", "59": "1 tablet"}),
        ("child-diarrhoea", "plan-b", "weight", {"5.9": "200 to 450 ml", "6": "450 to 800 ml", "9.9": "450 to 800 ml",
            "10": "800 to 960 ml", "11.9": "800 to 960 ml", "12": "960 to 1600 ml", "19": "960 to 1600 ml", "19.1": ""}),
        ("child-diarrhoea", "plan-b", "age", {"3": "200 to 450 ml", "4": "450 to 800 ml", "12": "800 to 960 ml",
            "24": "960 to 1600 ml"}),
        ("child-diarrhoea", "plan-a-fluid", "age", {"23": "50 to 100 ml", "24": "100 to 200 ml"}),
        ("rehydration", "plan-c-vein", "age", {"11": "30 ml per kg in 1 hour, then 70 ml per kg in 5 hours",
            "12": "30 ml per kg in 30 minutes, then 70 ml per kg in 2 and a half hours"}),
        ("rehydration", "plan-c-mouth", "age", {"2": "20 ml per kg per hour for 6 hours (120 ml per kg in total)"}),
        ("child-measles", "vitamin-a", "age", {"5": "", "6": "100 000 IU", "11": "100 000 IU", "12": "200 000 IU"}),
    ],
)  # fmt: skip
def test_doses_are_those_of_the_booklet_and_none_outside_its_bands(
    name: str, dose: str, by: str, printed: dict[str, str]
) -> None:
    (found,) = [one for one in table(name).doses if one.id == dose]
    for measured, amount in printed.items():
        assert in_language(look_up(found, {by: Decimal(measured)}).amount, "en") == amount, measured


def test_the_same_dose_is_the_same_in_every_table_and_language() -> None:
    seen: dict[str, object] = {}
    for name in TABLES:
        for dose in table(name).doses:
            assert seen.setdefault(dose.id, (dose.by, dose.bands, dose.source, dose.title)) == (
                dose.by, dose.bands, dose.source, dose.title)  # fmt: skip
            for band in dose.bands:
                amounts = [re.findall(r"\d+", text.replace(" 000", "000")) for _, text in band.amount]
                assert amounts[0] == amounts[1] == amounts[2] or dose.id in ("zinc", "ciprofloxacin", "paracetamol")


def test_no_amount_of_a_medicine_hides_in_the_steps() -> None:
    for name in TABLES:
        for outcome in table(name).outcomes:
            for _, steps in outcome.do:
                assert not [step for step in steps if re.search(r"\d\s*(mg|ml|mcg|g|UI|IU|gotas|drops)\b", step)]


def schedule(country: str) -> Schedule:
    """A vaccination schedule that ships."""
    return read_schedule(SCHEDULES / f"{country}.toml")


@pytest.mark.parametrize(
    ("country", "months", "due", "coming"),
    [
        ("mx", 0, {"bcg", "hepb"}, {"hexa", "rota", "pneumo"}),
        ("mx", 13, {"mmr", "pneumo", "varicella"}, {"hexa", "mmr", "hepa"}),
        ("br", 3, {"menc"}, {"penta", "polio", "pneumo", "rota"}),
        ("br", 15, {"dpt", "polio", "mmrv", "hepa"}, {"dpt", "yellow", "varicella"}),
        ("pe", 2, {"penta", "polio", "pneumo", "rota"}, {"penta", "polio", "pneumo", "rota"}),
        ("pe", 59, {"polio", "dpt", "flu"}, set()),
    ],
)
def test_a_schedule_says_what_stands_at_an_age_and_what_comes_next(
    country: str, months: int, due: set[str], coming: set[str]
) -> None:
    found = schedule(country)
    assert {dose.vaccine for dose in found.at(months)} == due
    assert {dose.vaccine for dose in found.next(months)} == coming
    assert {(dose.vaccine, dose.which) for dose in found.at(months)} <= {
        (d.vaccine, d.which) for d in found.until(months)
    }
    assert found.year >= 2023
    assert found.source
    assert found.checked


def test_a_countrys_own_schedule_stands_in_for_ours_and_a_broken_one_is_refused(home: Path) -> None:
    settings = Settings(home=home)
    own = home / "clinic" / "vaccines" / "pe.toml"
    own.parent.mkdir(parents=True)
    text = (SCHEDULES / "pe.toml").read_text(encoding="utf-8")
    own.write_text(text.replace("year = 2023", "year = 2027"), encoding="utf-8")
    assert schedule_of("pe", settings).year == 2027
    own.write_text(text.replace('vaccine = "yellow"', 'vaccine = "yelow"'), encoding="utf-8")
    with pytest.raises(TriageError, match="yelow"):
        schedule_of("pe", settings)
    with pytest.raises(TriageError, match="br, mx, pe"):
        schedule_of("zz", settings)


def test_the_verb_shows_what_a_schedule_gives_at_an_age(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clinic", "vaccines", "PE", "--age", "13", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["schedules"]
    assert [one["vaccine"] for one in shown["now"]] == ["mmr", "varicella", "pneumo", "flu"]
    assert {one["months"] for one in shown["next"]} == {15}
    assert shown["approved"] is False
    assert main(["clinic", "vaccines", "mx", "--age", "2"]) == 0
    said = capsys.readouterr().out
    assert "FALTA LA APROBACIÓN" in said
    assert "Rotavirus, dosis 1" in said
    assert main(["clinic", "vaccines", "zz"]) == 1
    assert "br, mx, pe" in capsys.readouterr().err

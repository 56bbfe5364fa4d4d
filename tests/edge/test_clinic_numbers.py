"""Which emergency numbers are in use, where each comes from, and that a wrong file is told before it is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.settings import Settings
from edge.tutor.numbers import as_toml, numbers_of, parse, shipped, shipped_countries

OWN = """format = 1
country = "PE"
[[number]]
number = "999 111 222"
name = "Posta de prueba"
for = ["health"]
source = "Rosa, enfermera"
year = 2026
"""


def listed(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    code = main(["clinic", "numbers", "--json", *more])
    facts: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == (1 if facts["trouble"] else 0)
    return facts


def doctor(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["doctor", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    (found,) = [check for check in checks if check["check"] == "numbers"]
    return dict(found)


def put(home: Path, text: str) -> Path:
    path = home / "emergency.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def at(home: Path, country: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "provisioned.json").write_text(json.dumps({"country": country}), encoding="utf-8")


def test_each_number_is_listed_with_what_it_is_for_its_source_and_year(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at(home, "PE")
    facts = listed(capsys)
    assert (facts["country"], facts["overridden"], facts["replaced"]) == ("PE", False, [])
    assert {"106", "113", "100"} <= {one["number"] for one in facts["numbers"]}
    assert all(one["source"] and one["year"] > 2015 and one["for"] for one in facts["numbers"])
    assert main(["clinic", "numbers"]) == 0
    out = capsys.readouterr().out
    assert "SAMU 106 · salud · visto en 2026: Ministerio de Salud" in out
    assert "PE: " in doctor(capsys)["say"]


def test_another_country_can_be_looked_at_and_one_without_numbers_is_told_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert listed(capsys, "--country", "br")["numbers"][0]["number"] == "192"
    assert listed(capsys, "--country", "ve")["numbers"] == []
    assert main(["clinic", "numbers", "--country", "ve"]) == 0
    assert "AR, BR, CL" in capsys.readouterr().err


def test_a_technicians_file_stands_in_their_place_and_what_it_replaced_is_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(home, OWN)
    facts = listed(capsys)
    assert (facts["overridden"], facts["file"]) == (True, str(path))
    assert [one["number"] for one in facts["numbers"]] == ["999 111 222"]
    assert "106" in {one["number"] for one in facts["replaced"]}
    assert main(["clinic", "numbers"]) == 0
    assert "lo reemplaza el archivo propio: SAMU 106" in capsys.readouterr().out
    found = doctor(capsys)
    assert found["good"]
    assert str(path) in found["say"]


@pytest.mark.parametrize("wrong", ["x = [", OWN.replace('"health"', '"luck"'), OWN.replace("999", "abc"), "format = 2"])
def test_a_file_that_cannot_be_used_is_told_by_the_verb_and_by_doctor_and_costs_nobody_a_number(
    wrong: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at(home, "PE")
    path = put(home, wrong)
    facts = listed(capsys)
    assert "106" in {one["number"] for one in facts["numbers"]}
    assert str(path) in facts["trouble"]
    found = doctor(capsys)
    assert not found["good"]
    assert str(path) in found["say"]


def test_a_clinic_of_which_nobody_said_the_country_is_not_well(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor(capsys)["good"]
    monkeypatch.setenv("AMAUTA_PLACE", "clinic")
    assert not doctor(capsys)["good"]


def test_the_template_holds_the_numbers_in_use_and_never_covers_a_file_that_is_there(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / "emergency.toml"
    assert main(["clinic", "numbers", "--country", "MX", "--template", str(path)]) == 0
    used = numbers_of(Settings(home))
    assert (used.country, used.trouble, used.own) == ("MX", None, path)
    assert [one.number for one in used.known] == [one.number for one in shipped("MX")]
    before = path.read_bytes()
    assert main(["clinic", "numbers", "--template", str(path)]) == 1
    assert "ya existe" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_every_countrys_numbers_come_back_from_their_template() -> None:
    for country in shipped_countries():
        read, numbers = parse(as_toml(country, shipped(country)).encode())
        assert read == country
        assert [(n.number, n.name, n.purposes, n.source, n.year) for n in numbers] == [
            (n.number, n.name, n.purposes, n.source, n.year) for n in shipped(country)
        ]

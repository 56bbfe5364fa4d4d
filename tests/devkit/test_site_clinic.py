"""A site file that says clinic makes sticks from which a computer opens as a health post, in its own country."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devkit.cli import main
from devkit.depot import Depot
from devkit.site.file import read_site
from devkit.site.saved import load
from devkit.stick import DataStick
from edge import __version__, site
from edge.library.library import folders_of
from edge.provision import RECEIPT, provision
from edge.settings import Settings
from edge.settings import load as load_settings
from edge.site import SiteFacts, as_bytes, parse
from edge.tutor.numbers import as_toml, numbers_of, shipped

CLINIC = 'school = "Puesto de Ollantaytambo"\nplace = "clinic"\ncountry = "PE"\nlanguages = ["es"]\nvoices = []\nmodel = "none"\n'
OLD = SiteFacts("Escuela", "EC", "pt", ("pt",), (3,), "basico", ("primaria",), (), ())


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    """A depot with an app and a guideline to quote."""
    filled = Depot(tmp_path / "depot")
    program = tmp_path / "amauta"
    program.write_bytes(b"program")
    filled.put(
        "app", f"amauta-{__version__}-linux-x86_64", __version__, "linux-x86_64", {"app/linux-x86_64/amauta": program}
    )
    head = tmp_path / "pack.toml"
    head.write_text('id = "guia"\nlang = "es"\nversion = 1\nquote = "strict"\n', encoding="utf-8")
    filled.put("pack", "guia", "1", "", {"packs/guia/pack.toml": head})
    return filled


def written(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def planned(depot: Depot, path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    main(["plan", str(path), "--depot", str(depot.folder), "--json", "--check"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def stick_of(depot: Depot, path: Path, folder: Path) -> Path:
    """The AMAUTA folder of the first stick, as its files would lie there."""
    assert main(["plan", str(path), "--depot", str(depot.folder), "--out", str(folder / "p.json")]) == 0
    stick = load(folder / "p.json").sticks[0]
    assert isinstance(stick, DataStick)
    for file in stick.files:
        target = folder / "stick" / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.source.read_bytes())
    return folder / "stick" / "AMAUTA"


def test_a_computer_opens_as_a_health_post_with_its_packs_and_numbers(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "telefonos.toml"
    own.write_text(as_toml("PE", shipped("PE")[:1]).replace("106", "999 111 222"), encoding="utf-8")
    path = written(tmp_path, CLINIC + 'numbers = "telefonos.toml"\n')
    stick = stick_of(depot, path, tmp_path)
    said = capsys.readouterr().err
    assert "Puesto de salud" in said
    assert "palabra por palabra: guia" in said
    assert "telefonos.toml" in said
    home = tmp_path / "home"
    made = provision(Settings(home, shelves=(stick,)))
    assert made.trouble is None
    assert (made.settings.place, load_settings({"AMAUTA_HOME": str(home)}).place) == ("clinic", "clinic")
    names = {folder.name for folder in folders_of(made.settings)}
    assert {"ensenanza", "guia"} <= names
    numbers = numbers_of(made.settings)
    assert (numbers.country, [one.number for one in numbers.known]) == ("PE", ["999 111 222"])


def test_numbers_from_a_newer_stick_replace_those_of_the_last_one_but_never_somebodys_own(tmp_path: Path) -> None:
    stick, home = tmp_path / "AMAUTA", tmp_path / "home"
    stick.mkdir()
    settings = Settings(home, lang="es", shelves=(stick,))
    kept = home / "emergency.toml"

    def give(number: str, school: str) -> None:
        (stick / "emergency.toml").write_text(
            as_toml("PE", shipped("PE")[:1]).replace('"106"', f'"{number}"'), encoding="utf-8"
        )
        facts = replace(OLD, school=school, place="clinic", country="PE", numbers="emergency.toml")
        (stick / site.NAME).write_bytes(as_bytes(facts))
        assert provision(settings).trouble is None

    give("111", "A")
    assert '"111"' in kept.read_text(encoding="utf-8")
    give("222", "B")
    assert '"222"' in kept.read_text(encoding="utf-8")
    kept.write_text(kept.read_text(encoding="utf-8").replace("222", "333"), encoding="utf-8")
    give("444", "C")
    assert '"333"' in kept.read_text(encoding="utf-8")
    (stick / "emergency.toml").write_text("x = [", encoding="utf-8")
    (stick / site.NAME).write_bytes(as_bytes(replace(OLD, school="D", numbers="emergency.toml")))
    trouble = provision(settings).trouble
    assert trouble is not None
    assert "emergency.toml" in trouble.say("es")
    assert '"333"' in kept.read_text(encoding="utf-8")
    assert json.loads((home / RECEIPT).read_bytes())["school"] == "C"


def test_a_school_stays_a_school_and_what_is_written_for_it_is_what_older_releases_read(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written_before = json.loads(as_bytes(OLD))
    assert "place" not in written_before
    assert "numbers" not in written_before
    assert parse(json.dumps(written_before).encode()) == OLD
    school = CLINIC.replace('place = "clinic"\n', "")
    found = planned(depot, written(tmp_path, school), capsys)
    assert "primaria" in found["packs"]
    assert not {"ensenanza", "guia"} & set(found["packs"]), "guidelines and teaching for patients go to clinics"
    (tmp_path / "AMAUTA").mkdir()
    (tmp_path / "AMAUTA" / site.NAME).write_bytes(as_bytes(OLD))
    chosen = Settings(tmp_path / "home", lang="es", place="clinic", shelves=(tmp_path / "AMAUTA",))
    assert provision(chosen).settings.place == "clinic", "what somebody chose on the device stands"
    assert provision(Settings(tmp_path / "other", shelves=chosen.shelves)).settings.place == "school"


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        (CLINIC.replace('country = "PE"\n', ""), 2, "clinic-country"),
        (CLINIC + '[sticks]\nkind = "image"\n', 2, "clinic-image"),
        (CLINIC.replace("clinic", "hospital"), 2, "choice"),
        (CLINIC + 'numbers = "none.toml"\n', 7, "no-file"),
        (CLINIC + 'numbers = "bad.toml"\n', 7, "said"),
    ],
)
def test_what_a_clinics_file_lacks_is_said_with_its_line(text: str, line: int, key: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('format = 1\n[[number]]\nnumber = "abc"\n', encoding="utf-8")
    _, section = read_site(written(tmp_path, text))
    assert [(problem.line, problem.key) for problem in section.problems] == [(line, key)]


def test_teaching_for_patients_is_refused_by_name_in_a_school(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CLINIC.replace('place = "clinic"\n', "") + 'packs = ["primaria", "ensenanza"]\n'
    assert planned(depot, written(tmp_path, text), capsys)["problems"][0]["key"] == "pack-clinic"


def test_a_country_without_numbers_or_vaccines_is_told_in_the_plan(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, CLINIC.replace('"PE"', '"VE"'))
    main(["plan", str(path), "--depot", str(depot.folder), "--check"])
    said = capsys.readouterr().err
    assert "no trae números de urgencia para VE" in said
    assert "calendario de vacunas de VE" in said

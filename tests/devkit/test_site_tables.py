"""A health post's approved tables and its words in another language travel on the stick, from the site file to the computer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from devkit.cli import main
from devkit.compose.image import list_of
from devkit.compose.layout import needed_bytes
from devkit.depot import Depot
from devkit.paper.facts import stick_facts
from devkit.site.saved import load
from devkit.stick import DataStick
from devkit.write.job import contents
from devkit.write.receipt import Receipt
from devkit.write.verify import verify_folder
from edge import __version__, site
from edge.cli import main as amauta
from edge.provision import RECEIPT, Provisioned, provision
from edge.settings import Settings
from edge.triage.overlay_shelf import chosen, dressed, originals_of
from edge.triage.overlay_template import template
from edge.triage.parts import in_language
from edge.triage.shelf import EMBEDDED, find_table
from surviving import killed, kills

ROOT = Path(__file__).parents[2]
COUGH = ROOT / "tests" / "data" / "clinic" / "cough.toml"
CLINIC = 'school = "Puesto"\nplace = "clinic"\ncountry = "PE"\nlanguages = ["es"]\nvoices = []\nmodel = "none"\n'
CARRIED = CLINIC + '[clinic]\ntables = ["tablas/cough.toml"]\noverlays = ["zub.toml"]\n'
APPROVED = 'approval = { by = "DIRESA Cusco", on = 2026-11-20 }'


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    filled = Depot(tmp_path / "depot")
    program = tmp_path / "amauta"
    program.write_bytes(b"program")
    filled.put(
        "app", f"amauta-{__version__}-linux-x86_64", __version__, "linux-x86_64", {"app/linux-x86_64/amauta": program}
    )
    return filled


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a technician has: a site file, an approved table, a community's words for it."""
    place = tmp_path / "puesto"
    table(place, "2026-11-26.2")
    words(place / "zub.toml", place / "tablas")
    (place / "site.toml").write_text(CARRIED, encoding="utf-8")
    return place


def table(place: Path, version: str, name: str = "cough", **changed: str) -> Path:
    """The small table of the tests, approved, with some of its text changed."""
    text = COUGH.read_text(encoding="utf-8").replace('approval = "pending"', APPROVED)
    for before, after in {'"2026-11-26.1"': f'"{version}"', **changed}.items():
        assert before in text
        text = text.replace(before, after)
    path = place / "tablas" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def words(path: Path, tables: Path, title: str = "Zub zub") -> None:
    """Made-up words for the title of the small table."""
    home = path.parent / "scratch"
    shutil.copytree(tables, home / "clinic" / "tables", dirs_exist_ok=True)
    text = template([("cough", *originals_of("cough", "es", Settings(home)))], "es")
    for field, told in {
        "id": "zub", "version": "1", "lang": "qaa", "name": "Zubzub", "author": "Zub A.", "licence": "CC0-1.0",
        "title": title,
    }.items():  # fmt: skip
        text = text.replace(f'\n{field} = ""', f'\n{field} = "{told}"', 1)
    path.write_text(text, encoding="utf-8")


def plan(depot: Depot, folder: Path, *argv: str) -> int:
    out = ("--out", str(folder / "p.json"))
    return main(["plan", str(folder / "site.toml"), "--depot", str(depot.folder), *out, *argv])


def stick_of(depot: Depot, folder: Path, name: str = "stick") -> Path:
    """The AMAUTA folder of the planned stick, as its files would lie there, with the list that writing adds."""
    assert plan(depot, folder) == 0
    stick = planned(folder)
    for file in stick.files:
        target = folder / name / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.source.read_bytes())
    (folder / name / "AMAUTA" / "files.json").write_bytes(list_of(stick))
    return folder / name / "AMAUTA"


def planned(folder: Path) -> DataStick:
    stick = load(folder / "p.json").sticks[0]
    assert isinstance(stick, DataStick)
    return stick


def first_start(home: Path, stick: Path) -> Provisioned:
    return provision(Settings(home, lang="es", shelves=(stick,)))


def listed(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What `amauta clinic tables` shows: version and approval by name."""
    monkeypatch.setenv("AMAUTA_HOME", str(home))
    capsys.readouterr()
    assert amauta(["clinic", "tables", "--json"]) == 0
    return {one["id"]: f"{one['version']} {one['approval']}" for one in json.loads(capsys.readouterr().out)["tables"]}


def test_from_the_site_file_to_the_list_of_tables_of_the_computer(
    depot: Depot, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stick, home = stick_of(depot, folder), tmp_path / "home"
    said = capsys.readouterr().err
    assert "Tabla cough, versión 2026-11-26.2: la aprobó DIRESA Cusco el 2026-11-20." in said
    assert "Palabras en Zubzub (zub, versión 1), de Zub A.: NADIE LAS REVISÓ" in said
    assert verify_folder(stick.parent, lambda _done, _of: None) == []
    done = first_start(home, stick)
    assert done.trouble is None
    assert (done.clinic.put, done.clinic.left) == ({"tables": ["cough"], "overlays": ["zub"]}, [])
    shown = listed(home, capsys, monkeypatch)
    assert "2026-11-26.2" in shown["cough"]
    assert "DIRESA Cusco" in shown["cough"]
    assert set(shown) == {"cough", *(path.stem for path in EMBEDDED.glob("*.toml"))}
    settings = Settings(home, lang="es")
    assert chosen(settings) == "zub"
    assert in_language(dressed(find_table("cough", settings), settings).title, "es") == "Zub zub"
    assert first_start(home, stick).school == "", "the second start has nothing to do"


def test_the_delivery_note_names_them(depot: Depot, folder: Path) -> None:
    assert plan(depot, folder) == 0
    stick = planned(folder)
    assert needed_bytes(stick) > 0
    facts = {
        "stick": stick.name, "disk": {"serial": "1", "size": 8_000_000_000}, "blocks": "", "result": "verified",
        "contents": contents(stick), "versions": dict(stick.versions),
    }  # fmt: skip
    note = stick_facts(Receipt(folder / "r.json", facts))
    assert dict(note.contents)["tables"] == "cough.toml"
    assert dict(note.contents)["overlays"] == "zub.toml"
    assert "table cough 2026-11-26.2, overlay zub 1" in note.versions


def lowered(place: Path) -> None:
    """Unknown convulsions become graver than convulsions."""
    table(place, "2026-11-26.2", **{'when = "convulsions or stridor"': 'when = "stridor or (convulsions unknown)"'})


def with_a_gap(place: Path) -> None:
    text = (place / "tablas" / "cough.toml").read_text(encoding="utf-8")
    cut = text[: text.rindex("[rows.")] + text[text.index("[outcomes.") :]
    (place / "tablas" / "cough.toml").write_text(cut, encoding="utf-8")


def cut_short(place: Path) -> None:
    content = (place / "tablas" / "cough.toml").read_bytes()
    (place / "tablas" / "cough.toml").write_bytes(content[: len(content) // 2])


def other_amount(place: Path) -> None:
    words(place / "zub.toml", place / "tablas", title="Zub 5 mg")


def other_version(place: Path) -> None:
    table(place, "2026-11-26.3")


@pytest.mark.parametrize(
    ("spoil", "site_line", "said"),
    [
        (lowered, 8, "cough.toml:"),
        (with_a_gap, 8, "cough.toml:"),
        (cut_short, 8, "cough.toml:"),
        (other_amount, 9, "zub.toml:"),
        (other_version, 9, "zub.toml:"),
    ],
)
def test_what_is_not_whole_is_refused_in_the_plan_with_its_file_and_line(
    depot: Depot, folder: Path, capsys: pytest.CaptureFixture[str], spoil: object, site_line: int, said: str
) -> None:
    assert callable(spoil)
    spoil(folder)
    assert plan(depot, folder) == 1
    told = capsys.readouterr().err.splitlines()[0]
    assert told.startswith(f"{folder / 'site.toml'}:{site_line}: ")
    at = told.partition(said)[2].partition(":")[0]
    assert at.isdecimal()
    assert not (folder / "p.json").exists()
    path = folder / ("tablas/cough.toml" if site_line == 8 else "zub.toml")
    if site_line == 8:
        assert amauta(["clinic", "check", str(path)]) == 1
        assert told.partition(f"{path}:")[2] in capsys.readouterr().out, "the same words as the check's own"


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        (CARRIED.replace('place = "clinic"\n', ""), 6, "clinic-only"),
        (CLINIC + '[clinic]\ntables = ["none.toml"]\n', 8, "no-file"),
        (CLINIC + '[clinic]\ntable = "cough.toml"\n', 8, "unknown"),
        (CLINIC + '[clinic]\ntables = ["tablas/cough.toml", "otra/cough.toml"]\n', 8, "twice"),
        (CLINIC.replace("[clinic]", "") + 'clinic = "cough.toml"\n', 7, "table"),
    ],
)
def test_a_site_file_that_names_them_wrongly_is_told_the_line(
    depot: Depot, folder: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, key: str
) -> None:
    shutil.copytree(folder / "tablas", folder / "otra")
    (folder / "site.toml").write_text(text, encoding="utf-8")
    assert plan(depot, folder, "--json", "--check") == 1
    assert [(one["line"], one["key"]) for one in json.loads(capsys.readouterr().out)["problems"]] == [(line, key)]


def test_a_file_that_changed_on_the_stick_is_named_and_changes_nothing(
    depot: Depot, folder: Path, tmp_path: Path
) -> None:
    stick, home = stick_of(depot, folder), tmp_path / "home"
    path = stick / "tables" / "cough.toml"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"breaths >= 50", b"breaths >= 90"))
    assert [one.where for one in verify_folder(stick.parent, lambda _d, _o: None)] == ["AMAUTA/tables/cough.toml"]
    trouble = first_start(home, stick).trouble
    assert trouble is not None
    assert "cough.toml» no es el archivo que se puso" in trouble.say("es")
    assert not (home / "clinic").exists()
    assert not (home / RECEIPT).exists()
    path.write_bytes(whole)
    assert first_start(home, stick).clinic.put["tables"] == ["cough"], "a stick that was mended is taken"


def test_a_table_with_its_own_hash_still_has_to_be_whole(depot: Depot, folder: Path, tmp_path: Path) -> None:
    stick, home = stick_of(depot, folder), tmp_path / "home"
    lowered(folder)
    bad = (folder / "tablas" / "cough.toml").read_bytes()
    (stick / "tables" / "cough.toml").write_bytes(bad)
    facts = site.parse((stick / site.NAME).read_bytes())
    (stick / site.NAME).write_bytes(site.as_bytes(replace(facts, tables=(("cough", sha256(bad).hexdigest()),))))
    trouble = first_start(home, stick).trouble
    assert trouble is not None
    assert "no se puede usar" in trouble.say("es")
    assert not (home / "clinic").exists()


def test_a_newer_stick_replaces_what_the_last_one_brought_but_nothing_of_somebody_here(
    depot: Depot, folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    first = stick_of(depot, folder, "first")
    first_start(home, first)
    table(folder, "2026-12-01.1")
    words(folder / "zub.toml", folder / "tablas")
    second = stick_of(depot, folder, "second")
    assert first_start(home, second).clinic.put["tables"] == ["cough"]
    settings = Settings(home, lang="es")
    assert find_table("cough", settings).version == "2026-12-01.1"
    assert list(first_start(home, first).clinic.left) == ["cough"], "an older stick brings no older table back"
    assert find_table("cough", settings).version == "2026-12-01.1"
    table(folder, "2026-12-02.1")
    words(folder / "zub.toml", folder / "tablas")
    third = stick_of(depot, folder, "third")
    assert list(first_start(home, third).clinic.left) == []
    own = home / "clinic" / "tables" / "cough.toml"
    own.write_text(own.read_text(encoding="utf-8").replace("DIRESA Cusco", "Nosotros"), encoding="utf-8")
    (home / "clinic" / "overlays" / "shown").write_bytes(b"")
    table(folder, "2026-12-03.1")
    words(folder / "zub.toml", folder / "tablas")
    last = first_start(home, stick_of(depot, folder, "fourth"))
    assert (list(last.clinic.left), last.trouble) == (["cough"], None)
    assert "Nosotros" in own.read_text(encoding="utf-8")
    assert chosen(settings) == "", "who wants only the originals keeps them"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork")
def test_killed_at_any_instant_every_table_here_is_whole_and_the_next_start_has_all(
    depot: Depot, folder: Path, tmp_path: Path
) -> None:
    names = [f"cough-{n}" for n in range(8)]
    (folder / "tablas" / "cough.toml").unlink()
    for name in names:
        table(folder, "2026-11-26.2", name, **{'id = "cough"': f'id = "{name}"'})
    named = ", ".join(f'"tablas/{name}.toml"' for name in names)
    (folder / "site.toml").write_text(f"{CLINIC}[clinic]\ntables = [{named}]\n", encoding="utf-8")
    stick, chance, stopped = stick_of(depot, folder), Random(7), 0
    whole = {name: (folder / "tablas" / f"{name}.toml").read_bytes() for name in names}
    for number in range(kills(4)):
        home = tmp_path / f"home{number}"
        stopped += killed(lambda home=home: first_start(home, stick), chance.uniform(0, 0.15))
        here = {path.stem: path.read_bytes() for path in (home / "clinic" / "tables").glob("*.toml")}
        assert here.items() <= whole.items()
        if (home / RECEIPT).exists():
            assert here == whole, "the receipt comes last"
        assert first_start(home, stick).trouble is None
        assert {p.stem: p.read_bytes() for p in (home / "clinic" / "tables").glob("*.toml")} == whole
        assert json.loads((home / RECEIPT).read_bytes())["clinic"]["tables"].keys() == whole.keys()
    assert stopped


def test_the_tutor_says_what_it_was_given(depot: Depot, folder: Path, tmp_path: Path) -> None:
    stick = stick_of(depot, folder)
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from tui.cli import main; sys.exit(main(['--plain']))"],
        input="", capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "AMAUTA_HOME": str(tmp_path / "home"), "AMAUTA_STICK": str(stick)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Tablas de decisión de la memoria, puestas en este equipo: cough." in done.stderr
    assert "Palabras en otros idiomas, puestas en este equipo: zub." in done.stderr

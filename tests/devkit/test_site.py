"""A site file becomes the exact files of every stick, with reasons; or every one of its problems at once."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from devkit.cli import main
from devkit.depot import Depot
from devkit.errors import KitError
from devkit.site import choose
from devkit.site.estimate import cost
from devkit.site.file import read_site
from devkit.site.names import clash, is_label, is_safe, label
from devkit.site.pace import Pace
from devkit.site.planning import plan_site
from devkit.site.saved import Plan, load, save
from devkit.site.tiers import tier_for, tiers
from devkit.stick import DataStick, ImageStick, PlannedFile
from devkit.write.receipt import keep
from edge import __version__
from edge.diagnostic_code import Diagnosis, encode
from edge.files import sha256_of
from edge.identity import device_id
from edge.provision import ENROLMENT, provision
from edge.release.installed import installed_models
from edge.release.manifest import embedded_release
from edge.settings import Settings
from edge.site import parse
from edge.sync.enrolment import Enrolment, as_bytes
from edge.words import LANGUAGES, words_for

ROOT = Path(__file__).parents[2]
SITES = sorted((ROOT / "packaging" / "sites").glob("*.toml"))
MINI = ROOT / "edge" / "models" / "mini" / "mini.gguf"
VOICE = ROOT / "tests" / "data" / "voices" / "es_tiny.onnx"
PACE = Pace(5.0, 20.0, 4)
MINIMAL = 'school = "Escuela 24 de Mayo"\nlanguages = ["es"]\nmodel = "none"\nvoices = []\n'


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    """A depot with an app for Linux, a model and a voice of its own."""
    filled = Depot(tmp_path / "depot")
    app = tmp_path / "app"
    app.mkdir()
    (app / "amauta").write_bytes(b"program")
    files = {"app/linux-x86_64/amauta": app / "amauta"}
    filled.put("app", f"amauta-{__version__}-linux-x86_64", __version__, "linux-x86_64", files)
    shutil.copy(MINI, tmp_path / "propio.gguf")
    assert main(["depot", "add", str(tmp_path / "propio.gguf"), str(VOICE), "--depot", str(filled.folder)]) == 0
    return filled


def written(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def kit(depot: Depot, path: Path, *argv: str) -> int:
    return main(["plan", str(path), "--depot", str(depot.folder), *argv])


def facts(depot: Depot, path: Path, capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    capsys.readouterr()
    kit(depot, path, "--json", "--check", *argv)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def enrolment() -> bytes:
    import pyrage

    hub = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    return as_bytes(Enrolment(device_id(hub), recipient, hub, "escuela-24", os.urandom(16), os.urandom(32)))


def code(ram_mb: int, system: str = "Linux", cpu_tier: int = 3) -> str:
    return encode(Diagnosis((0, 1, 0), system, cpu_tier, 2, ram_mb, 64_000, True, ()))


# What a plan is


def test_a_planned_stick_makes_a_device_the_schools(
    depot: Depot, tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lista.csv").write_text("nombre\nInti\nÑusta\n", encoding="utf-8")
    (tmp_path / "hub.json").write_bytes(enrolment())
    text = (
        'school = "Escuela Ñandú"\ncountry = "PY"\nlanguages = ["es", "gn"]\ngrades = [4, 3]\nmodel = "propio"\n'
        'voices = ["es_tiny"]\nroster = "lista.csv"\nenrolment = "hub.json"\n[sticks]\ncount = 2\nsize_gb = 1\n'
    )
    assert kit(depot, written(tmp_path, text)) == 0
    plan = load(tmp_path / "site.plan.json")
    assert [stick.name for stick in plan.sticks] == ["Escuela Ñandú 1", "Escuela Ñandú 2"]
    stick = plan.sticks[0]
    assert isinstance(stick, DataStick)
    assert stick.filesystem == "fat32"
    for file in stick.files:
        assert (file.size, file.sha256) == (file.source.stat().st_size, sha256_of(file.source))
        target = tmp_path / "stick" / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.source, target)
    amauta = tmp_path / "stick" / "AMAUTA"
    assert {"app", "models", "voices", "site.json", "LEEME.txt"} <= {path.name for path in amauta.iterdir()}
    readme = (amauta / "LEEME.txt").read_text(encoding="utf-8-sig")
    assert "Escuela Ñandú" in readme
    assert {"Amauta-Linux.sh" in readme, (amauta.parent / "Amauta-Linux.sh").exists()} == {True}
    assert {"Windows" in readme, (amauta.parent / "Amauta-Windows.bat").exists()} == {False}
    at = Settings(settings.home, shelves=(amauta,))
    done = provision(at)
    assert (done.school, done.learners_added, done.enrolled, done.trouble) == ("Escuela Ñandú", 2, True, None)
    assert not (amauta / ENROLMENT).exists()
    (model,) = [model for model in installed_models(at, embedded_release()) if model.id == "propio"]
    assert model.sha256 == sha256_of(MINI)


def test_the_same_site_gives_the_same_plan_and_secrets_are_copied_nowhere(depot: Depot, tmp_path: Path) -> None:
    (tmp_path / "hub.json").write_bytes(enrolment())
    site = written(tmp_path, f'{MINIMAL}enrolment = "hub.json"\n')
    assert kit(depot, site) == 0
    first = (tmp_path / "site.plan.json").read_bytes()
    assert kit(depot, site) == 0
    assert (tmp_path / "site.plan.json").read_bytes() == first
    secret = (tmp_path / "hub.json").read_bytes()
    assert all(secret not in path.read_bytes() for path in (tmp_path / "site.plan.files").iterdir())


def test_check_writes_nothing(depot: Depot, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    assert kit(depot, written(tmp_path, MINIMAL), "--check") == 0
    assert set(tmp_path.iterdir()) - before == {tmp_path / "site.toml"}


def test_bytes_are_exact_and_minutes_follow_the_rate(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = written(tmp_path, MINIMAL.replace('"none"', '"propio"') + "[sticks]\ncount = 5\n")
    slow, fast = facts(depot, site, capsys), facts(depot, site, capsys, "--rate", "50,0")
    assert kit(depot, site) == 0
    stick = load(tmp_path / "site.plan.json").sticks[0]
    assert isinstance(stick, DataStick)
    assert slow["stick_bytes"] == stick.size
    assert slow["needed_bytes"] > stick.size
    assert fast["total_minutes"] < slow["total_minutes"]
    spent = cost(600_000_000, 700_000_000, 5, PACE)
    assert (spent.stick_minutes, spent.total_minutes) == (2.5, 5.0)


def test_receipts_beside_the_plan_say_how_fast_sticks_are(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = written(tmp_path, MINIMAL.replace('"none"', '"propio"'))
    for number, seconds in enumerate((10.0, 20.0, 400.0)):
        amounts = {"bytes_written": 400_000_000, "write_s": seconds, "bytes_verified": 400_000_000, "check_s": 4.0}
        disk = {"serial": str(number), "size": 1}
        receipts = tmp_path / "receipts"
        keep(receipts, receipts / f"{number}.json", {"stick": str(number), "disk": disk, **amounts}, "blocks")
    (tmp_path / "receipts" / "other.json").write_text("{")
    assert kit(depot, site) == 0
    assert "3 memorias ya escritas: 20 MB/s al escribir y 100 MB/s" in capsys.readouterr().err
    assert kit(depot, site, "--rate", "7") == 0
    assert "Cuento con 7 MB/s al escribir y 20 MB/s" in capsys.readouterr().err


@pytest.mark.parametrize("rate", ["0", "-1", "rápido", "nan", "inf", "1e9"])
def test_a_speed_that_cannot_be_is_refused(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str], rate: str
) -> None:
    assert kit(depot, written(tmp_path, MINIMAL), f"--rate={rate}") == 1
    assert f"{rate} no es una velocidad" in capsys.readouterr().err


def test_an_image_goes_as_it_is(depot: Depot, tmp_path: Path) -> None:
    image = tmp_path / "amauta-0.2.0-live-amd64.img"
    image.write_bytes(b"i" * 5000)
    image.with_suffix(".json").write_text(json.dumps({"version": "0.2.0", "sha256": sha256_of(image)}))
    image.with_suffix(".bmap").write_text("<bmap/>")
    assert main(["depot", "add", str(image), "--depot", str(depot.folder)]) == 0
    assert kit(depot, written(tmp_path, MINIMAL + '[sticks]\nkind = "image"\ncount = 3\n')) == 0
    plan = load(tmp_path / "site.plan.json")
    assert len(plan.sticks) == 3
    stick = plan.sticks[2]
    assert isinstance(stick, ImageStick)
    assert stick.image.source.read_bytes() == image.read_bytes()
    assert stick.bmap is not None
    assert stick.bmap.read_text() == "<bmap/>"


def test_what_is_missing_is_named_with_the_command_that_brings_it(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'school = "X"\nlanguages = ["es"]\n[[devices]]\ncode = "{code(3900, "Windows")}"\n'
    found = facts(depot, written(tmp_path, text), capsys)
    commands = {row["kind"]: row["command"] for row in found["missing"]}
    assert commands["app"] == f"amauta-kit depot add amauta-{__version__}-windows-x86_64.zip --depot {depot.folder}"
    assert commands["lm"].startswith("amauta-kit depot sync --catalogue ")
    assert commands["voice"] == f"amauta-kit depot sync --catalogue es_mx-ald-medium --depot {depot.folder}"
    assert found["sticks"] == []
    assert kit(depot, tmp_path / "site.toml") == 1
    assert not (tmp_path / "site.plan.json").exists()


# What it chooses


def tiers_and_models(depot: Depot, folder: Path, ram_mb: int, capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    text = f'school = "X"\nlanguages = ["es"]\n[[devices]]\nram_mb = {ram_mb}\n'
    found = facts(depot, written(folder, text), capsys)
    sizes = [artifact.size or 0 for artifact in embedded_release().artifacts if artifact.id in found["models"]]
    return found["tier"], sum(sizes)


def test_more_memory_never_gives_a_lower_tier_or_a_smaller_model(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [tiers_and_models(depot, tmp_path, ram, capsys) for ram in (600, 1600, 1900, 3000, 3800, 7900)]
    names = [tier.name for tier in tiers()]
    assert [names.index(tier) for tier, _ in steps] == sorted(names.index(tier) for tier, _ in steps)
    assert [size for _, size in steps] == sorted(size for _, size in steps)
    assert steps[0] == ("minimo", 0)
    assert steps[-1][1] > steps[2][1] > 0


def test_the_weakest_computer_decides(depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strong = f'school = "X"\nlanguages = ["es"]\n[[devices]]\ncode = "{code(7900)}"\n'
    weak = f'{strong}[[devices]]\nname = "vieja"\ncode = "{code(1900)}"\n'
    assert facts(depot, written(tmp_path, strong), capsys)["tier"] == "completo"
    assert facts(depot, written(tmp_path, weak), capsys)["tier"] == "basico"
    kit(depot, tmp_path / "site.toml", "--check")
    assert "«vieja»" in capsys.readouterr().err


def test_a_processor_too_old_gets_no_model_and_no_neural_voice(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'school = "X"\nlanguages = ["es"]\n[[devices]]\ncode = "{code(3900, cpu_tier=1)}"\n'
    found = facts(depot, written(tmp_path, text), capsys)
    assert found["models"] == found["voices"] == found["missing"] == []


def test_what_doctor_says_is_read(depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.json").write_text(json.dumps({"profile": {"ram_mb": 1234}, "code": code(7900)}))
    text = 'school = "X"\nlanguages = ["es"]\n[[devices]]\ndoctor = "d.json"\n'
    assert facts(depot, written(tmp_path, text), capsys)["tier"] == "minimo"


def test_a_model_with_a_report_card_is_worth_more_than_a_larger_one() -> None:
    small, large = choose.Model("a", 10, 1000, ("es",), carded=True), choose.Model("b", 20, 1000, ("es",))
    assert choose.model([small, large], ["es"], 2000, 100) == small
    assert choose.model([large], ["pt"], 2000, 100) is None
    assert choose.model([large], ["es"], 999, 100) is None


@given(st.integers(0, 1 << 20))
def test_every_computer_has_a_tier(ram_mb: int) -> None:
    tier = tier_for(ram_mb)
    assert tier.least_ram_mb <= ram_mb or tier.name == "minimo"


# FAT


def huge(depot: Depot, kind: str, name: str, path: str, size: int) -> None:
    """Pretend that the depot has a large file: a hole of that size."""
    digest = f"{size:064x}"
    depot.path(digest).parent.mkdir(parents=True, exist_ok=True)
    with depot.path(digest).open("wb") as file:
        file.truncate(size)
    row = {
        "kind": kind,
        "id": name,
        "version": "1",
        "platform": "",
        "files": [{"path": path, "size": size, "sha256": digest}],
    }
    receipt = depot.folder / "entries" / kind / f"{name}.json"
    receipt.parent.mkdir(exist_ok=True)
    receipt.write_text(json.dumps(row))


def test_a_file_of_4_gib_goes_to_exfat_or_is_refused(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = MINIMAL.replace('"none"', '"huge"') + "[[devices]]\nram_mb = 16000\n[sticks]\nsize_gb = 8\n"
    huge(depot, "lm", "huge", "models/huge.gguf", (1 << 32) - 1)
    assert facts(depot, written(tmp_path, text), capsys)["filesystem"] == "fat32"
    huge(depot, "lm", "huge", "models/huge.gguf", 1 << 32)
    assert facts(depot, written(tmp_path, text), capsys)["filesystem"] == "exfat"
    found = facts(depot, written(tmp_path, f'{text}filesystem = "fat32"\n'), capsys)
    assert [(problem["key"], problem["line"]) for problem in found["problems"]] == [("fat32-large", 9)]


def test_a_stick_that_is_too_small_is_refused_with_the_size_it_takes(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    huge(depot, "release", "release-1", "release/parts/00/x", 1_000_000_000)
    found = facts(depot, written(tmp_path, MINIMAL + "[sticks]\nsize_gb = 1\n"), capsys)
    assert [(p["key"], p["need"]) for p in found["problems"]] == [("stick-small", "1.1")]
    assert facts(depot, written(tmp_path, MINIMAL + "[sticks]\nsize_gb = 2\n"), capsys)["problems"] == []
    without = facts(depot, written(tmp_path, MINIMAL + "[sticks]\nsize_gb = 1\nrelease = false\n"), capsys)
    assert without["problems"] == []


@pytest.mark.parametrize("path", ["a", "AMAUTA/app/linux-x86_64/_internal/libx.so.1", "a b/c+d", ".hash"])
def test_names_that_fat_can_hold(path: str) -> None:
    assert is_safe(path)


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/.", "a.", "a ", "ñ", "a:b", "a\\b", "CON", "aux.txt", "a" * 201, "a\nb", "a*"])  # fmt: skip
def test_names_that_fat_cannot_hold(path: str) -> None:
    assert not is_safe(path)


def test_names_that_differ_only_in_capitals_clash() -> None:
    assert clash(["a/B", "a/b"]) == "a/b"
    assert clash(["a", "A/b"]) == "A/b"
    assert clash(["a/b", "A"]) == "A"
    assert clash(["a/b", "a/c"]) is None


@given(st.text(max_size=40))
def test_any_school_has_a_volume_label(name: str) -> None:
    assert is_label(label(name))


# What is wrong


def problems(folder: Path, text: str) -> list[tuple[int, str]]:
    _, section = read_site(written(folder, text))
    return sorted((problem.line, problem.key) for problem in section.problems)


def test_every_problem_is_found_at_once_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "lista.csv").write_text("nombre\nInti\nInti\n")
    text = (
        'country = "ecu"\nlanguages = ["xx"]\ngrades = "all"\ntier = "enorme"\nroster = "lista.csv"\ncolour = 1\n'
        'enrolment = "nada.json"\n[sticks]\ncount = 0\nfilesystem = "ntfs"\nlabel = "minúscula"\nrelease = "si"\n'
        '[[devices]]\ncode = "ABCD"\n[[devices]]\ncount = 2\nram_mb = 5\nsystem = "beos"\n'
    )
    assert problems(tmp_path, text) == [
        (1, "country"), (1, "missing"), (2, "choice"), (3, "grades"), (4, "choice"), (5, "said"), (6, "unknown"),
        (7, "no-file"), (9, "number"), (10, "choice"), (11, "label"), (12, "yes-no"), (14, "said"), (17, "number"),
        (18, "choice"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('tier = "completo"\n[[devices]]\nram_mb = 1900', "3400"),
        ('model = "no-hay"', "no-hay"),
        ('model = "qwen2.5-3b-instruct-q5_k_m"\n[[devices]]\nram_mb = 1900', "3584"),
        ('voices = ["no-hay"]', "no-hay"),
        ("devices = 0", "devices"),
        ("devices = [1]", "[[devices]]"),
        ("sticks = 3", "[sticks]"),
        ('languages = ["qu"]', "es, pt, en"),
    ],
)
def test_what_cannot_be_is_said_with_its_value(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    languages = "" if "languages" in text else 'languages = ["es"]\n'
    assert kit(depot, written(tmp_path, f'school = "X"\n{languages}{text}\n'), "--check") == 1
    found = capsys.readouterr().err
    assert said in found
    assert "site.toml:" in found


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"a = ", b"school = 3", b"[" * 5000, b"\xef\xbb\xbfschool = 'X'"], ids=range(6)
)
def test_what_is_no_site_file_is_said(depot: Depot, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(content)
    assert kit(depot, path, "--check") == 1
    assert kit(depot, tmp_path / "nothing.toml") == 1


VALUES = st.recursive(
    st.booleans() | st.integers(-5, 5000) | st.floats() | st.text(max_size=6) | st.sampled_from(["es", "auto", "PE"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [
        "school",
        "country",
        "languages",
        "grades",
        "tier",
        "devices",
        "packs",
        "voices",
        "model",
        "roster",
        "enrolment",
        "count",
        "kind",
        "size_gb",
        "filesystem",
        "label",
        "release",
        "name",
        "code",
        "doctor",
        "ram_mb",
        "system",
        "sticks",
    ]
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=6)


def as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = "".join(f"\\U{ord(c):08X}" for c in value if not 0xD800 <= ord(c) < 0xE000)
        return f'"{escaped}"'
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    return repr(value)


def table(facts: dict[str, Any]) -> str:
    return "".join(f"{name} = {as_toml(value)}\n" for name, value in facts.items())


EXAMPLES = trying(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@EXAMPLES
@given(TABLES, st.none() | TABLES, st.lists(TABLES, max_size=2), st.sampled_from(LANGUAGES))
def test_any_toml_gives_a_plan_or_clear_problems(
    tmp_path: Path, top: dict[str, Any], sticks: dict[str, Any] | None, devices: list[dict[str, Any]], lang: str
) -> None:
    top = {
        name: value
        for name, value in top.items()
        if not (name == "sticks" and sticks) and not (name == "devices" and devices)
    }
    text = (
        table(top)
        + (f"[sticks]\n{table(sticks)}" if sticks else "")
        + "".join(f"[[devices]]\n{table(d)}" for d in devices)
    )
    depot = Depot(tmp_path / "none")
    out = tmp_path / "plan.json"
    found = plan_site(written(tmp_path, text), depot, embedded_release(), __version__, out, PACE, write=False)
    words = words_for("devkit", lang)
    for problem in found.problems:
        assert problem.say(words).startswith(f"{tmp_path / 'site.toml'}:{problem.line}: ")
        assert 1 <= problem.line <= max(1, len(text.splitlines()))
    assert found.problems or found.needs or found.plan


@EXAMPLES
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_give_problems_and_never_a_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(content)
    found = plan_site(path, Depot(tmp_path / "none"), embedded_release(), __version__, path, PACE, write=False)
    assert found.problems


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_the_examples_have_no_problems(path: Path, tmp_path: Path) -> None:
    found = plan_site(path, Depot(tmp_path), embedded_release(), __version__, tmp_path / "p.json", PACE, write=False)
    assert found.problems == ()


# A plan on disk

PARTS = st.text(st.sampled_from("abcXYZ019-_+"), min_size=1, max_size=8).filter(is_safe)
SHA = st.text(st.sampled_from("0123456789abcdef"), min_size=64, max_size=64)
PLACES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
FILES = st.builds(PlannedFile, PLACES, st.integers(0, 1 << 40), SHA, PARTS.map(lambda name: Path("/depot") / name))
LINES = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=20).filter(str.isprintable)
DATA = st.builds(
    DataStick, LINES, st.text(max_size=20).map(label), st.sampled_from(["fat32", "exfat"]),
    st.lists(FILES, max_size=4).filter(lambda files: clash(f.path for f in files) is None).map(tuple),
)  # fmt: skip
STICKS = DATA | st.builds(ImageStick, LINES, FILES, st.none() | PARTS.map(lambda name: Path("/depot") / name))
PLANS = st.builds(Plan, LINES, LINES, st.lists(STICKS, max_size=3, unique_by=lambda stick: stick.name).map(tuple))


@EXAMPLES
@given(PLANS)
def test_a_plan_comes_back_as_it_was(tmp_path: Path, plan: Plan) -> None:
    save(plan, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == plan


def test_a_plan_for_many_sticks_stays_small(depot: Depot, tmp_path: Path) -> None:
    sizes = []
    for count in (1, 900):
        assert kit(depot, written(tmp_path, f"{MINIMAL}[sticks]\ncount = {count}\n")) == 0
        assert len(load(tmp_path / "site.plan.json").sticks) == count
        sizes.append((tmp_path / "site.plan.json").stat().st_size)
    assert sizes[1] - sizes[0] < 900 * 200


def test_a_plan_moves_together_with_what_it_made(depot: Depot, tmp_path: Path) -> None:
    assert kit(depot, written(tmp_path, MINIMAL)) == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("site.plan.json", "site.plan.files", "depot"):
        shutil.move(tmp_path / name, elsewhere / name)
    (stick,) = load(elsewhere / "site.plan.json").sticks
    assert isinstance(stick, DataStick)
    assert all(file.source.is_file() for file in stick.files)


CHANGES = st.tuples(st.sampled_from(["site", "lang", "sticks", "format"]), VALUES)


@EXAMPLES
@given(CHANGES, st.sampled_from(["top", "stick", "file"]))
def test_a_plan_changed_by_hand_is_read_exactly_or_refused(tmp_path: Path, change: tuple[str, Any], where: str) -> None:
    file = PlannedFile("a/b", 1, "0" * 64, Path("/x"))
    path = tmp_path / "plan.json"
    save(Plan("X", "es", (DataStick("1", "A", "fat32", (file,)),)), path)
    whole = json.loads(path.read_text())
    row = {"top": whole, "stick": whole["sticks"][0], "file": whole["contents"][0][0]}[where]
    row[
        change[0]
        if where == "top"
        else {"site": "name", "lang": "path", "sticks": "files", "format": "size"}[change[0]]
    ] = change[1]
    path.write_text(json.dumps(whole))
    try:
        found = load(path)
    except KitError as error:
        if error.key != "plan-broken":
            raise
        return
    save(found, path)
    assert load(path) == found


@pytest.mark.parametrize("path", ["../a", "/etc/a", "a\\b", "ñ"])
def test_a_plan_never_leads_out_of_the_stick(tmp_path: Path, path: str) -> None:
    plan = tmp_path / "plan.json"
    save(Plan("X", "es", (DataStick("1", "A", "fat32", (PlannedFile("ok", 1, "0" * 64, Path("/x")),)),)), plan)
    plan.write_text(plan.read_text().replace('"ok"', json.dumps(path)))
    with pytest.raises(KitError, match="cannot be used"):
        load(plan)


def test_the_facts_on_the_stick_are_those_of_the_site_file(depot: Depot, tmp_path: Path) -> None:
    assert kit(depot, written(tmp_path, MINIMAL.replace("[]", "[]\ngrades = [2, 1]"))) == 0
    (stick,) = load(tmp_path / "site.plan.json").sticks
    assert isinstance(stick, DataStick)
    found = parse(next(f for f in stick.files if f.path == "AMAUTA/site.json").source.read_bytes())
    assert (found.school, found.grades, found.packs, found.models) == ("Escuela 24 de Mayo", (1, 2), ("primaria",), ())


def test_the_plan_the_receipt_and_the_delivery_note_name_the_version_of_the_app(depot: Depot, tmp_path: Path) -> None:
    assert kit(depot, written(tmp_path, MINIMAL)) == 0
    (stick,) = load(tmp_path / "site.plan.json").sticks
    assert ("app linux-x86_64", __version__) in stick.versions
    image = ImageStick("1", PlannedFile("a.img", 1, "0" * 64, Path("/x")), None, stick.versions)
    save(Plan("X", "es", (image,)), tmp_path / "again.json")
    assert load(tmp_path / "again.json").sticks == (image,)

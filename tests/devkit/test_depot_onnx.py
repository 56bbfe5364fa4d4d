"""A language model as ONNX goes through depot and plan to a device, and is never taken for a voice."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from devkit.cli import main
from devkit.depot import Depot
from devkit.depot.mending import command
from devkit.site import choose
from devkit.site.saved import load
from devkit.stick import DataStick
from edge import __version__
from edge.release.installed import installed_models
from edge.release.manifest import embedded_release, parse
from edge.settings import Settings
from onnx_forms import MINI, onnx_of

VOICE = Path(__file__).parents[1] / "data" / "voices" / "es_tiny.onnx"
SITE = 'school = "Escuela 24"\nlanguages = ["es"]\nmodel = "{}"\nvoices = []\n'


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return onnx_of(MINI, tmp_path_factory.mktemp("onnx"))


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    """A depot with an app."""
    filled = Depot(tmp_path / "depot")
    (tmp_path / "amauta").write_bytes(b"program")
    files = {"app/linux-x86_64/amauta": tmp_path / "amauta"}
    filled.put("app", f"amauta-{__version__}-linux-x86_64", __version__, "linux-x86_64", files)
    return filled


def kit(depot: Depot, *argv: str | Path) -> int:
    return main([*map(str, argv), "--depot", str(depot.folder)])


def known(depot: Depot) -> set[tuple[str, str]]:
    return {(entry.kind, entry.id) for entry in depot.entries() if entry.kind != "app"}


def planned(depot: Depot, folder: Path, model: str) -> dict[str, Path]:
    """Plan a site; return the models on its stick."""
    (folder / "site.toml").write_text(SITE.format(model), encoding="utf-8")
    assert kit(depot, "plan", folder / "site.toml") == 0
    stick = load(folder / "site.plan.json").sticks[0]
    assert isinstance(stick, DataStick)
    return {file.path: file.source for file in stick.files if file.path.startswith("AMAUTA/models/")}


def test_what_writes_is_a_model_and_what_speaks_a_voice(
    depot: Depot, onnx: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit(depot, "depot", "add", onnx, VOICE) == 0
    assert known(depot) == {("lm-onnx", "mini-onnx"), ("voice", "es_tiny")}
    entry = depot.find("lm-onnx", "mini-onnx")
    assert entry is not None
    assert [file.path for file in entry.files] == ["models/mini-onnx.onnx"]
    assert kit(depot, "depot", "list") == 0
    assert "modelo ONNX" in capsys.readouterr().out
    assert kit(depot, "depot", "verify") == 0
    (tmp_path / "cut.onnx").write_bytes(onnx.read_bytes()[:-1000])
    assert kit(depot, "depot", "add", tmp_path / "cut.onnx") == 1
    assert "incompleto" in capsys.readouterr().err
    assert command("lm-onnx", "otro-onnx", embedded_release()) == "amauta-kit depot add otro-onnx.onnx"


def test_a_plan_carries_it_beside_its_gguf_or_alone(depot: Depot, onnx: Path, tmp_path: Path) -> None:
    own = Path(shutil.copy(MINI, tmp_path / "propio.gguf"))
    other = Path(shutil.copy(onnx, tmp_path / "propio.onnx"))
    assert kit(depot, "depot", "add", own) == 0
    assert set(planned(depot, tmp_path, "propio")) == {"AMAUTA/models/propio.gguf", "AMAUTA/models/propio.json"}
    assert kit(depot, "depot", "add", other) == 0
    both = planned(depot, tmp_path, "propio")
    assert {Path(path).name for path in both} == {"propio.gguf", "propio.json", "propio-onnx.onnx", "propio-onnx.json"}
    alone = planned(depot, tmp_path, "propio-onnx")
    assert {Path(path).name for path in alone} == {"propio-onnx.onnx", "propio-onnx.json"}
    for path, source in alone.items():
        target = tmp_path / "stick" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    here = installed_models(Settings(tmp_path / "home", shelves=(tmp_path / "stick" / "AMAUTA",)), embedded_release())
    (model,) = [model for model in here if model.id == "propio-onnx"]
    assert (model.kind, model.sha256) == ("lm-onnx", hashlib.sha256(onnx.read_bytes()).hexdigest())


def test_the_catalogue_brings_it(depot: Depot, onnx: Path, tmp_path: Path) -> None:
    content = onnx.read_bytes()
    row = {
        "id": "escuela-onnx", "kind": "lm-onnx", "file": "mini.onnx", "embedded": False, "verified": False,
        "languages": ["es"], "url": "https://example.org/mini.onnx", "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(), "licence": "mit", "min_ram_mb": 512, "card": None,
    }  # fmt: skip
    catalogue = tmp_path / "catalogue.json"
    catalogue.write_text(json.dumps({"release": 1, "artifacts": [row]}))
    argv = ("depot", "sync", "--manifest", catalogue, "--from", onnx.parent, "--catalogue", "escuela-onnx")
    assert kit(depot, *argv) == 0
    assert known(depot) == {("lm-onnx", "escuela-onnx")}
    release = parse(catalogue.read_bytes())
    assert command("lm-onnx", "escuela-onnx", release) == "amauta-kit depot sync --catalogue escuela-onnx"
    (model,) = choose.from_catalogue(release)
    assert model.kind == "lm-onnx"


def test_a_gguf_comes_before_an_onnx_that_no_card_makes_better() -> None:
    gguf, form = choose.Model("a", 10, 1000), choose.Model("a-onnx", 20, 1000, kind="lm-onnx")
    assert choose.model([gguf, form], ["es"], 2000, 100) == gguf
    assert choose.model([form], ["es"], 2000, 100) == form
    carded = choose.Model("a-onnx", 20, 1000, carded=True, kind="lm-onnx")
    assert choose.model([gguf, carded], ["es"], 2000, 100) == carded

"""A model that is here as ONNX alone: it comes from the catalogue like any other, answers one person, and no class."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from edge.cli import main
from edge.onnx.decoder import OnnxEngine
from edge.onnx.session import runtime_version
from edge.release.installed import installed_models, model_for
from edge.release.manifest import ManifestError, Release, embedded_release, parse
from edge.settings import Settings, load
from edge.tutor import workshop
from edge.tutor.prompt import grounded
from edge.tutor.tuning import remembered
from edge.update.install import install
from edge.verbs import models as models_verb
from edge.verbs import pull as pull_verb
from onnx_forms import MINI, onnx_of
from shop import Shop
from tui.classroom.engine import ClassEngine

GGUF = MINI.read_bytes()
MAY = "grounded_answer"


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return onnx_of(MINI, tmp_path_factory.mktemp("onnx")).read_bytes()


def card_of(model: bytes, *, least: float = 0.5) -> bytes:
    """A report card about this very file that lets it answer from passages, unless more than 1 is asked."""
    found = json.loads((MINI.parent / "card.json").read_text(encoding="utf-8"))
    found["sha256"] = hashlib.sha256(model).hexdigest()
    found["capabilities"][MAY] = {"conditions": [{"figure": "made-up", "value": 1.0, "least": least}]}
    return json.dumps(found).encode()


def device(home: Path, files: dict[str, bytes]) -> Settings:
    """A device whose release brings these files."""
    shop = Shop()
    install(home, shop.release(1, files), shop.fetch, lambda _done, _total: None, lambda _: None)
    return load({"AMAUTA_HOME": str(home), "AMAUTA_LANG": "es"})


@pytest.fixture
def alone(home: Path, onnx: bytes) -> Settings:
    """A device with the ONNX file and its card, and no GGUF file that may answer."""
    return device(home, {"models/escuela-onnx.onnx": onnx, "models/escuela-onnx.json": card_of(onnx)})


def answering(settings: Settings) -> str:
    found = model_for(settings, embedded_release(), MAY)
    return found.id if found else ""


def test_it_answers_and_lessons_can_be_read_ahead_for_it(alone: Settings) -> None:
    engine = workshop.allowed_model(alone)
    assert isinstance(engine, OnnxEngine)
    with engine:
        messages = grounded("¿Qué vende Rosa?", ["Rosa vende huevos."], "es")
        assert "".join(engine.stream(messages, max_tokens=4))
        assert engine.beginnings is not None
    assert workshop.model_to_prepare(alone).id == "escuela-onnx"


def test_its_own_card_opens_it_or_nothing_does(home: Path, onnx: bytes) -> None:
    files = {"models/escuela-onnx.onnx": onnx, "models/escuela-onnx.json": card_of(GGUF)}
    assert answering(device(home / "another", files)) == ""
    files["models/escuela-onnx.json"] = card_of(onnx, least=2)
    assert answering(device(home / "closed", files)) == ""
    files["models/escuela.gguf"] = GGUF
    files["models/escuela.json"] = card_of(GGUF, least=2)
    files["models/escuela-onnx.json"] = card_of(onnx)
    assert answering(device(home / "closed twin", files)) == "escuela-onnx", "the GGUF file may not answer"
    files["models/escuela.json"] = card_of(GGUF)
    assert answering(device(home / "both", files)) == "escuela", "doctor --measure chooses the form"
    files["models/escuela-onnx.onnx"] = onnx[:5000]
    files["models/escuela-onnx.json"] = card_of(onnx[:5000])
    del files["models/escuela.gguf"], files["models/escuela.json"]
    assert answering(device(home / "cut", files)) == ""


def test_a_class_is_told_that_it_writes_for_one_person_only(
    alone: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert workshop.model_that_may_answer(alone, a_class=True) is None
    assert ClassEngine(alone, None, lambda: None, lambda: None).standing.name == "form"
    for argv in (["engine"], ["engine", "--model", "escuela-onnx"]):
        assert main(argv) == 1
        assert "«escuela-onnx» no puede escribir para una clase" in capsys.readouterr().err


def test_doctor_measures_it_by_itself(alone: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--measure", "--seconds", "1", "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)["measured"]
    assert (found["model"], found["llama"]) == ("escuela-onnx", runtime_version())
    assert 0 < found["percent"] <= 100
    assert "ONNX, 1 hilos" in said.err
    assert remembered(alone.home, found["sha256"], found["processor"], runtime_version()) is not None
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["measured"] == found
    with workshop.open_model(alone, workshop.model_to_prepare(alone)) as engine:
        assert isinstance(engine, OnnxEngine)


def catalogue(content: bytes, **change: object) -> Release:
    row = {
        "id": "escuela-onnx", "kind": "lm-onnx", "file": "Escuela-Q8.onnx", "embedded": False, "verified": False,
        "languages": ["es"], "url": "https://example.org/Escuela-Q8.onnx", "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(), "licence": "mit", "min_ram_mb": 512, "card": None,
    }  # fmt: skip
    return parse(json.dumps({"release": 1, "artifacts": [{**row, **change}]}).encode())


def test_it_is_listed_pulled_verified_and_removed(
    tmp_path: Path, settings: Settings, onnx: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in (pull_verb, models_verb):
        monkeypatch.setattr(verb, "embedded_release", lambda: catalogue(onnx))
    assert main(["models", "list"]) == 0
    assert "escuela-onnx" in capsys.readouterr().out.partition("En el catálogo")[2]
    (tmp_path / "Escuela-Q8.onnx").write_bytes(onnx)
    assert main(["models", "pull", "escuela-onnx", "--mirror", str(tmp_path)]) == 0
    assert sorted(path.name for path in settings.models_folder.iterdir()) == ["escuela-onnx.json", "escuela-onnx.onnx"]
    (model,) = installed_models(settings, catalogue(onnx))
    assert (model.id, model.kind, model.artifact is not None) == ("escuela-onnx", "lm-onnx", True)
    assert main(["models", "verify"]) == 0
    assert main(["models", "try", "hola", "--model", "escuela-onnx", "--max-tokens", "2"]) == 0
    assert answering(settings) == "", "a pulled file has no card"
    assert main(["voices", "pull", "escuela-onnx"]) == 1
    assert "amauta models pull escuela-onnx" in capsys.readouterr().err
    assert main(["models", "rm", "escuela-onnx"]) == 0
    assert not list(settings.models_folder.iterdir())


def test_the_catalogue_names_the_form_so_that_both_can_be_on_a_device(onnx: bytes) -> None:
    with pytest.raises(ManifestError, match="escuela"):
        catalogue(onnx, id="escuela")

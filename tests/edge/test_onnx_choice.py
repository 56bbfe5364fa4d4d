"""A model that is here in two forms answers in the one that was measured faster here, if that form's own card lets it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli import main
from edge.onnx.choice import is_faster, onnx_form
from edge.onnx.decoder import OnnxEngine
from edge.onnx.session import runtime_version
from edge.processor import read_processor
from edge.release.installed import find_model, model_for
from edge.release.manifest import embedded_release
from edge.settings import Settings, load
from edge.tutor.llama import LlamaEngine
from edge.tutor.tuning import Measured, Tuning, llama_version, remember
from edge.tutor.workshop import allowed_model
from edge.update.install import install
from onnx_forms import MINI, onnx_of
from shop import Shop

GGUF = MINI.read_bytes()
HERE = read_processor(os.environ).name
MEASURED = Measured("escuela", "", HERE, "", Tuning(1, 1, flash=False), 10.0, 100.0, 0.5, 4.0, "now")


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return onnx_of(MINI, tmp_path_factory.mktemp("onnx")).read_bytes()


def card_of(model: bytes) -> bytes:
    """A report card that lets this very file answer from passages."""
    found = json.loads((MINI.parent / "card.json").read_text(encoding="utf-8"))
    found["sha256"] = sha(model)
    found["capabilities"]["grounded_answer"] = {"conditions": [{"figure": "made-up", "value": 1.0, "least": 0.5}]}
    return json.dumps(found).encode()


def device(home: Path, onnx: bytes, onnx_card: bytes) -> Settings:
    """A device whose release brings both forms, each with its card."""
    shop = Shop()
    files = {
        "models/escuela.gguf": GGUF,
        "models/escuela.json": card_of(GGUF),
        "models/escuela-onnx.onnx": onnx,
        "models/escuela-onnx.json": onnx_card,
    }
    install(home, shop.release(1, files), shop.fetch, lambda _done, _total: None, lambda _: None)
    return load({"AMAUTA_HOME": str(home)})


def know(home: Path, onnx: bytes, *, times: float, version: str = "", processor: str = HERE) -> None:
    """Remember figures of both forms; ONNX is so many times as fast."""
    remember(home, replace(MEASURED, sha256=sha(GGUF), llama=llama_version()))
    fast = {"read_tokens_per_s": 100 * times, "write_tokens_per_s": 10 * times}
    found = replace(MEASURED, sha256=sha(onnx), llama=version or runtime_version(), processor=processor, **fast)
    remember(home, found)


def opened(settings: Settings) -> type:
    engine = allowed_model(settings)
    assert isinstance(engine, LlamaEngine | OnnxEngine)
    engine.close()
    return type(engine)


def test_the_faster_form_answers(home: Path, onnx: bytes) -> None:
    settings = device(home, onnx, card_of(onnx))
    assert opened(settings) is LlamaEngine, "nothing was measured"
    know(home, onnx, times=1.2)
    assert opened(settings) is OnnxEngine
    know(home, onnx, times=0.9)
    assert opened(settings) is LlamaEngine
    know(home, onnx, times=1.2, version="0.0.1")
    assert opened(settings) is LlamaEngine, "measured with another onnxruntime"
    know(home, onnx, times=1.2, processor="another")
    assert opened(settings) is LlamaEngine, "measured on another machine"


def test_a_faster_form_without_a_card_of_its_own_stays_closed(home: Path, onnx: bytes) -> None:
    settings = device(home, onnx, card_of(GGUF))
    know(home, onnx, times=2)
    assert opened(settings) is LlamaEngine


def test_the_onnx_file_of_another_model_is_no_form_of_this_one(home: Path, onnx: bytes) -> None:
    settings = device(home, onnx, card_of(onnx))
    model = model_for(settings, embedded_release(), "grounded_answer")
    assert model is not None
    form = onnx_form(settings, model.sha256)
    assert form is not None
    assert (form.id, form.kind) == ("escuela-onnx", "lm-onnx")
    assert onnx_form(settings, "ab" * 32) is None
    form.path.write_bytes(onnx[:5000])
    assert onnx_form(settings, model.sha256) is None


def test_reading_and_writing_are_weighed_together() -> None:
    reads_better = replace(MEASURED, read_tokens_per_s=1000.0, write_tokens_per_s=9.0)
    assert is_faster(reads_better, MEASURED)
    assert not is_faster(MEASURED, reads_better)
    assert not is_faster(replace(MEASURED, read_tokens_per_s=101.0), MEASURED), "not worth it"
    assert not is_faster(None, MEASURED)
    assert not is_faster(MEASURED, None)


def test_both_forms_of_a_model_are_added_tried_measured_and_removed(
    tmp_path: Path, home: Path, settings: Settings, onnx: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mini.onnx"
    file.write_bytes(onnx)
    assert main(["models", "add", str(file)]) == 0
    assert find_model(settings, embedded_release(), "mini-onnx").kind == "lm-onnx"
    assert main(["models", "verify"]) == 0
    assert main(["models", "try", "hola", "--model", "mini-onnx", "--max-tokens", "4"]) == 0
    capsys.readouterr()
    assert main(["doctor", "--measure", "--model", "mini", "--seconds", "1"]) == 0
    said = capsys.readouterr()
    assert "ONNX, 1 hilos" in said.err
    assert "forma que se usa" in said.out
    assert main(["doctor", "--json", "--model", "mini"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["measured"]["model"] == "mini"
    assert found["measured_onnx"]["llama"] == runtime_version()
    assert main(["models", "rm", "mini-onnx"]) == 0
    assert not list(settings.models_folder.iterdir())


@pytest.mark.parametrize("length", [0, 100, -1000])
def test_what_is_no_whole_model_is_not_added(
    tmp_path: Path, settings: Settings, onnx: bytes, length: int, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "medio.onnx"
    file.write_bytes(onnx[:length])
    assert main(["models", "add", str(file)]) == 1
    assert "incompleto" in capsys.readouterr().err
    assert not settings.models_folder.exists()

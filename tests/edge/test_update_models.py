"""What a release brings is found beside what was added by hand: models with their cards, and adapters on their base."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from edge.cli import main
from edge.errors import ModelError
from edge.library.library import Library
from edge.release.installed import find_model, installed_models, model_for, remove_model
from edge.release.manifest import embedded_release, manifest_path
from edge.settings import Settings, load
from edge.speech.voice import installed_voices
from edge.tutor.adapter import adapter_for
from edge.tutor.llama import LlamaEngine
from edge.update.install import install
from shop import Shop

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini"
PACK = Path(__file__).parents[1] / "data" / "packs" / "mini"
MODEL = (MINI / "mini.gguf").read_bytes()
BASE = hashlib.sha256(MODEL).hexdigest()
HINT = "Un adaptador sirve solo para el modelo exacto con que se hizo. Actualiza los dos juntos."
TEXT = "El agua de la lluvia"


def card_of(model: bytes) -> bytes:
    """A report card that lets this very file tell stories."""
    found = json.loads((MINI / "card.json").read_text(encoding="utf-8"))
    found["sha256"] = hashlib.sha256(model).hexdigest()
    found["capabilities"]["story"] = {"conditions": [{"figure": "made-up", "value": 1.0, "least": 0.5}]}
    return json.dumps(found).encode()


def device_with(home: Path, files: dict[str, bytes]) -> Settings:
    shop = Shop()
    install(home, shop.release(1, files), shop.fetch, lambda _done, _total: None, lambda _: None)
    return load({"AMAUTA_HOME": str(home)})


def lora(path: Path, seed: int = 1, architecture: str = "llama") -> bytes:
    """Write an adapter that changes how the first layer of the mini looks for what it has read."""
    gguf = pytest.importorskip("gguf")
    import numpy as np

    chance = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 8.0)
    for name, rows in (("attn_q", 256), ("attn_v", 128)):
        writer.add_tensor(f"blk.0.{name}.weight.lora_a", chance.normal(size=(4, 256)).astype(np.float32))
        writer.add_tensor(f"blk.0.{name}.weight.lora_b", chance.normal(size=(rows, 4)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def test_a_model_of_the_release_is_here_with_its_own_card(home: Path) -> None:
    other = MODEL[:-8] + b"\1" * 8
    settings = device_with(
        home,
        {
            "models/escuela.gguf": other,
            "models/escuela.json": card_of(other),
            "manifest/models_manifest.json": manifest_path().read_bytes(),
        },
    )
    model = find_model(settings, embedded_release(), "escuela")
    assert model.path == home / "releases/1/models/escuela.gguf"
    assert model_for(settings, embedded_release(), "story") == model
    assert model_for(settings, embedded_release(), "free_chat") is None
    with pytest.raises(ModelError, match="comes with Amauta"):
        remove_model(model, dry_run=True)


def test_a_newer_mini_hides_the_one_inside_the_app_and_a_file_added_by_hand_stays(home: Path) -> None:
    added = home / "models" / "mia.gguf"
    added.parent.mkdir(parents=True)
    added.write_bytes(MODEL)
    settings = device_with(home, {"models/mini.gguf": MODEL + b"\0" * 32})
    here = {model.id: model.path for model in installed_models(settings, embedded_release()) if model.kind == "lm"}
    assert here == {"mia": added, "mini": home / "releases/1/models/mini.gguf"}


def test_the_same_file_pulled_by_hand_does_not_hide_its_card(home: Path) -> None:
    added = home / "models" / "escuela.gguf"
    added.parent.mkdir(parents=True)
    added.write_bytes(MODEL)
    added.with_suffix(".json").write_text(json.dumps({"sha256": BASE}))
    settings = device_with(home, {"models/escuela.gguf": MODEL, "models/escuela.json": card_of(MODEL)})
    assert find_model(settings, embedded_release(), "escuela").card is not None


def test_voices_and_packs_of_the_release_are_looked_at_after_those_added_here(home: Path) -> None:
    about = json.dumps({"espeak": {"voice": "es-419"}, "audio": {"sample_rate": 16000}, "num_speakers": 1}).encode()
    settings = device_with(home, {"voices/uno.onnx": b"\0", "voices/uno.onnx.json": about})
    assert settings.folders("voices") == [home / "voices", home / "releases/1/voices"]
    assert [voice.name for folder in settings.folders("voices") for voice in installed_voices(folder)] == ["uno"]


def test_packs_that_did_not_change_keep_their_index(home: Path) -> None:
    files = {f"packs/mini/{p.relative_to(PACK).as_posix()}": p.read_bytes() for p in PACK.rglob("*") if p.is_file()}
    shop, made = Shop(), []
    for number in (1, 2, 3):
        voice = {"voices/uno.onnx": bytes([number])}
        changed = {"packs/mini/pack.toml": files["packs/mini/pack.toml"] + b"\n"} if number == 3 else {}
        contents = shop.release(number, files | voice | changed)
        install(home, contents, shop.fetch, lambda _done, _total: None, lambda _: None)
        library = Library.of_folders([home / f"releases/{number}/packs/mini"], home / "index")
        assert [row.folder for row in library.packs()] == [home / f"releases/{number}/packs/mini"]
        library.close()
        made.append({path.name for path in (home / "index").iterdir()})
    assert made[0] == made[1] != made[2]


def test_an_adapter_of_the_release_changes_how_its_base_answers(home: Path, tmp_path: Path) -> None:
    name = f"adapters/cuentos.{BASE[:16]}.gguf"
    settings = device_with(home, {name: lora(tmp_path / "lora.gguf")})
    path = adapter_for(settings.shelves, BASE)
    assert path == home / "releases/1" / name
    assert adapter_for(settings.shelves, hashlib.sha256(b"other").hexdigest()) is None
    with LlamaEngine.open(MINI / "mini.gguf") as plain, LlamaEngine.open(MINI / "mini.gguf", adapter=path) as taught:
        tokens = plain.tokens_of(TEXT)
        before, after = (list(engine.logits_of(tokens))[-1] for engine in (plain, taught))
    assert abs(before - after).max() > 0.1


def test_an_adapter_is_tried_on_its_base_and_refused_on_another(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, other, nameless = (tmp_path / f"{name}.gguf" for name in (f"uno.{BASE[:16]}", f"uno.{'0' * 16}", "uno"))
    for path in (good, other, nameless):
        lora(path)
    said = {}
    for path in (good, other, nameless):
        code = main(["models", "try", "Hola", "--max-tokens", "4", "--adapter", str(path)], {"AMAUTA_HOME": str(home)})
        said[path] = (code, capsys.readouterr().err)
    assert said[good][0] == 0
    assert said[other] == (1, f"El adaptador {other.stem} no es para el modelo mini.\n{HINT}\n")
    assert said[nameless][0] == 1


def test_a_damaged_adapter_and_a_model_in_its_place_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is damaged or is no LoRA adapter"):
        LlamaEngine.open(MINI / "mini.gguf", adapter=MINI / "mini.gguf")
    path = tmp_path / "lora.gguf"
    content = lora(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError):
        LlamaEngine.open(MINI / "mini.gguf", adapter=path)
    lora(path, architecture="qwen2")
    with pytest.raises(ModelError, match="cannot be applied"):
        LlamaEngine.open(MINI / "mini.gguf", adapter=path)

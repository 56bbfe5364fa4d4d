"""The ONNX path on tiny models of every family: exported, made small, and the same as torch within what is accepted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "optimum", "onnx")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

from onnx import TensorProto, helper, numpy_helper

from edge.words import LANGUAGES
from quantize.onnx import parity as proving
from quantize.onnx.blocks import Bits, quantize_weights
from quantize.onnx.export import export
from quantize.onnx.folder import CARRIED, MODEL, read_onnx_facts
from quantize.onnx.parity import LIMITS, Parity, check, cosine, parity
from quantize.onnx.runner import Runner
from quantize.onnx.shrink import quantize
from quantize.recipe import RecipeError
from tiny_networks import DECODERS, ENCODERS, TEXTS, make_decoder, make_encoder


class Made:
    """A tiny checkpoint and its three ONNX folders."""

    def __init__(self, folder: Path, source: Path, task: str) -> None:
        self.source, self.task, self.folder = source, task, folder
        export(source, task, self.fp32)
        quantize(self.fp32, "int8", folder / "int8")
        quantize(self.fp32, "int4", folder / "int4")

    @property
    def fp32(self) -> Path:
        return self.folder / "fp32"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """BERT's family, to which MiniLM belongs, as a maker of embeddings."""
    folder = tmp_path_factory.mktemp("bert")
    return Made(folder, make_encoder(folder / "checkpoint", "bert"), "feature-extraction")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """XLM-R's family, as a finder of answers."""
    folder = tmp_path_factory.mktemp("xlmr")
    source = make_encoder(folder / "checkpoint", "xlm-roberta", "ForQuestionAnswering")
    return Made(folder, source, "question-answering")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("llama")
    return Made(folder, make_decoder(folder / "checkpoint", "llama"), "text-generation-with-past")


@pytest.fixture(scope="module")
def qwen2(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """With tied embeddings."""
    folder = tmp_path_factory.mktemp("qwen2")
    return Made(folder, make_decoder(folder / "checkpoint", "qwen2"), "text-generation")


@pytest.mark.parametrize("name", ["encoder", "reader", "llama", "qwen2"])
def test_onnx_computes_what_torch_computes(name: str, request: pytest.FixtureRequest) -> None:
    made: Made = request.getfixturevalue(name)
    for kind in ("fp32", "int8", "int4"):
        found = parity(made.source, made.folder / kind, TEXTS)
        check(found, found.kind)
        assert found.kind == kind
        assert found.texts == len(TEXTS)
        assert found.tokens > 40
        if kind == "fp32":
            assert found.agreement == 1.0
        else:
            assert found.difference > 1e-3, "a rounded model is not the same"


@pytest.mark.parametrize("name", ["encoder", "reader", "llama", "qwen2"])
def test_a_folder_says_what_it_is_and_carries_what_it_needs(name: str, request: pytest.FixtureRequest) -> None:
    made: Made = request.getfixturevalue(name)
    facts = {kind: read_onnx_facts(made.folder / kind) for kind in ("fp32", "int8", "int4")}
    assert {f.task for f in facts.values()} == {made.task}
    assert facts["fp32"].bytes > facts["int8"].bytes > facts["int4"].bytes * 0.8
    assert facts["int8"].made_from == facts["int4"].made_from == facts["fp32"].sha256
    for kind in facts:
        here = {path.name for path in (made.folder / kind).iterdir()}
        assert {"config.json", "tokenizer.json", MODEL, "onnx.json"} <= here
        assert here <= {MODEL, "onnx.json", *CARRIED}


def _sizes(folder: Path) -> dict[str, int]:
    return {kind: (folder / kind / MODEL).stat().st_size for kind in ("fp32", "int8", "int4")}


def test_int8_is_a_quarter_and_int4_smaller_still(tmp_path: Path) -> None:
    wide = {"hidden_size": 256, "intermediate_size": 1024}
    made = Made(tmp_path, make_encoder(tmp_path / "checkpoint", "bert", **wide), "feature-extraction")
    size = _sizes(tmp_path)
    assert size["int8"] < 0.3 * size["fp32"]
    assert size["int4"] < 0.72 * size["int8"]
    assert parity(made.source, tmp_path / "int4", TEXTS).cosine > 0.95


def test_embeddings_have_length_one_and_tell_texts_apart(encoder: Made) -> None:
    vectors = Runner(encoder.fp32).embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 64)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert (vectors @ vectors.T).min() < 0.999
    rounded = Runner(encoder.folder / "int8").embed(TEXTS)
    assert (vectors * rounded).sum(axis=1).min() > 0.98


def test_a_long_text_is_cut_to_what_the_model_takes(encoder: Made, reader: Made, llama: Made) -> None:
    for made, most in ((encoder, 130), (reader, 128), (llama, 130)):
        runner = Runner(made.fp32)
        assert len(runner.encode(["palabra " * 500])[0]) == most
        assert len(runner.outputs(runner.encode(["palabra " * 500]))[0]) == most


def test_the_card_keeps_what_was_measured_and_what_was_asked(encoder: Made) -> None:
    facts = parity(encoder.source, encoder.folder / "int8", TEXTS).facts()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["accepted"] == {"cosine": 0.98}
    assert 0.98 <= facts["cosine"] <= 1.0


def test_a_model_that_drifted_is_refused() -> None:
    good = Parity("feature-extraction", "int8", 4, 60, 0.1, 0.981, 0.9, 1000)
    check(good, "int8")
    with pytest.raises(RecipeError) as caught:
        check(good, "fp32")
    assert "0.981" in str(caught.value)
    drifted = Parity("text-generation", "fp32", 4, 60, 0.01, 1.0, 1.0, 1000)
    with pytest.raises(RecipeError):
        check(drifted, "fp32")
    assert cosine(np.array([np.nan, 1.0], np.float32), np.array([1.0, 1.0], np.float32)) == 0.0


def test_another_checkpoint_is_not_the_one_exported(encoder: Made, tmp_path: Path) -> None:
    other = make_encoder(tmp_path / "other", "bert", num_hidden_layers=1)
    found = parity(other, encoder.fp32, TEXTS)
    with pytest.raises(RecipeError):
        check(found, "fp32")


def _refused(key: str, action: Callable[[], object]) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        action()
    assert caught.value.key == key, str(caught.value)
    for lang in LANGUAGES:
        assert len(caught.value.say(lang).splitlines()) == 2
    return caught.value


def test_what_cannot_be_exported_is_said_in_words(encoder: Made, llama: Made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _refused("onnx-task", lambda: export(encoder.source, "translation", out))
    _refused("onnx-family", lambda: export(llama.source, "feature-extraction", out))
    _refused("onnx-family", lambda: export(encoder.source, "text-generation", out))
    _refused("onnx-lacks", lambda: export(tmp_path, "feature-extraction", out))
    error = _refused("onnx-head", lambda: export(encoder.source, "question-answering", out))
    assert "qa_outputs" in str(error)
    assert not out.exists()


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
def test_a_checkpoint_without_a_part_is_refused(encoder: Made, tmp_path: Path, name: str) -> None:
    source = Path(shutil.copytree(encoder.source, tmp_path / "checkpoint"))
    (source / name).unlink()
    _refused("onnx-lacks", lambda: export(source, "feature-extraction", tmp_path / "out"))


def test_broken_weights_are_refused(encoder: Made, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    source = Path(shutil.copytree(encoder.source, tmp_path / "checkpoint"))
    weights = load_file(source / "model.safetensors")
    name = "encoder.layer.1.output.dense.weight"
    weights[name][0, 0] = torch.nan
    save_file(weights, source / "model.safetensors", metadata={"format": "pt"})
    assert name in str(_refused("onnx-nan", lambda: export(source, "feature-extraction", tmp_path / "out")))
    whole = (encoder.source / "model.safetensors").read_bytes()
    (source / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    _refused("onnx-failed", lambda: export(source, "feature-extraction", tmp_path / "out"))


def test_what_cannot_be_made_small_is_said_in_words(encoder: Made, tmp_path: Path) -> None:
    _refused("onnx-kind", lambda: quantize(encoder.fp32, "int3", tmp_path / "out"))
    _refused("onnx-kind", lambda: quantize(encoder.fp32, "fp32", tmp_path / "out"))
    _refused("onnx-twice", lambda: quantize(encoder.folder / "int8", "int4", tmp_path / "out"))
    _refused("onnx-folder", lambda: quantize(tmp_path, "int8", tmp_path / "out"))
    _refused("onnx-texts", lambda: parity(encoder.source, encoder.fp32, ["", ""]))


def test_a_folder_that_changed_is_not_trusted(encoder: Made, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(encoder.folder / "int8", tmp_path / "int8"))
    content = bytearray((folder / MODEL).read_bytes())
    content[-1] ^= 1
    (folder / MODEL).write_bytes(content)
    _refused("onnx-folder", lambda: Runner(folder))


def test_making_again_gives_the_same_bytes_and_clears_what_a_kill_left(encoder: Made, tmp_path: Path) -> None:
    output = tmp_path / "int4"
    (tmp_path / "int4.making").mkdir()
    (tmp_path / "int4.making" / "rest").write_bytes(b"half")
    quantize(encoder.fp32, "int4", output)
    quantize(encoder.fp32, "int4", output)
    assert [p.name for p in tmp_path.iterdir()] == ["int4"]
    assert (output / MODEL).read_bytes() == (encoder.folder / "int4" / MODEL).read_bytes()
    quantize(encoder.fp32, "int8", tmp_path / "int8")
    assert (tmp_path / "int8" / MODEL).read_bytes() == (encoder.folder / "int8" / MODEL).read_bytes()


def test_a_full_disk_leaves_nothing(encoder: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quantize.onnx import shrink

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shrink, "_to_int4", full)
    _refused("onnx-failed", lambda: quantize(encoder.fp32, "int4", tmp_path / "int4"))
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_is_wrong_is_noticed(llama: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second half of a text must see the first: without that the comparison fails."""
    real = proving.Runner._given

    def forgetful(self: Runner, ids: np.ndarray, before: int) -> object:
        given = real(self, ids, before)
        given["attention_mask"][:, :before] = 0
        return given

    monkeypatch.setattr(proving.Runner, "_given", forgetful)
    with pytest.raises(RecipeError):
        check(parity(llama.source, llama.fp32, TEXTS), "fp32")


@pytest.mark.parametrize(("bits", "worst"), [(4, 0.12), (8, 0.008)])
@pytest.mark.parametrize("rows", [64, 70])
def test_blocks_of_weights_give_nearly_the_same_products(bits: Bits, worst: float, rows: int, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    table = random.standard_normal((50, 64)).astype(np.float32)
    weights = random.standard_normal((rows, 48)).astype(np.float32)
    numbers = helper.make_tensor_value_info("numbers", TensorProto.INT64, ["n"])
    given = helper.make_tensor_value_info("given", TensorProto.FLOAT, ["n", rows])
    out = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("found", "product")]
    nodes = [
        helper.make_node("Gather", ["table", "numbers"], ["found"]),
        helper.make_node("MatMul", ["given", "weights"], ["product"]),
    ]
    kept = [numpy_helper.from_array(array, name) for name, array in (("table", table), ("weights", weights))]
    model = helper.make_model(
        helper.make_graph(nodes, "g", [numbers, given], out, kept), opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 9
    assert quantize_weights(model, bits=bits, table_bits=bits) == 2
    assert not {"table", "weights"} & {tensor.name for tensor in model.graph.initializer}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    rows_in = random.standard_normal((3, rows)).astype(np.float32)
    found, product = session.run(None, {"numbers": np.array([0, 7, 49]), "given": rows_in})
    for mine, right in ((found, table[[0, 7, 49]]), (product, rows_in @ weights)):
        assert np.linalg.norm(mine - right) / np.linalg.norm(right) < worst


@pytest.mark.slow
@pytest.mark.parametrize("family", [name for name in DECODERS if name not in ("llama", "qwen2")])
def test_every_other_decoder_goes_the_same_way(family: str, tmp_path: Path) -> None:
    made = Made(tmp_path, make_decoder(tmp_path / "checkpoint", family), "text-generation-with-past")
    for kind in LIMITS:
        check(parity(made.source, tmp_path / kind, TEXTS), kind)


@pytest.mark.slow
@pytest.mark.parametrize("family", [name for name in ENCODERS if name not in ("bert", "xlm-roberta")])
def test_every_other_encoder_goes_the_same_way(family: str, tmp_path: Path) -> None:
    source = make_encoder(tmp_path / "checkpoint", family, "ForTokenClassification")
    made = Made(tmp_path, source, "token-classification")
    for kind in LIMITS:
        check(parity(made.source, tmp_path / kind, TEXTS), kind)

"""From a GGUF file to the ONNX file that devices run: exact where it can be, refused where it cannot, with its own card."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from edge.files import sha256_of
from edge.onnx.head import read_decoder_head
from edge.release.card import load
from onnx_forms import MINI, in_bits, onnx_of, random_gguf

gguf = pytest.importorskip("gguf", reason="needs the extra quantize")
pytest.importorskip("onnx", reason="needs the extra quantize")

import numpy as np  # noqa: E402

from quantize import recipe  # noqa: E402
from quantize.measure.evaluate import evaluate  # noqa: E402
from quantize.measure.settings import MeasureSettings  # noqa: E402
from quantize.onnx.blocks import Bits  # noqa: E402
from quantize.onnx.decoder import main, write_decoder  # noqa: E402
from quantize.onnx.matrices import Matrix, matrix, numbers, rounded, stacked  # noqa: E402
from quantize.recipe import ROOT, RecipeError  # noqa: E402
from quantize.release.pipeline import steps  # noqa: E402


def spelled_out(found: Matrix) -> np.ndarray:
    """Return the numbers that the blocks stand for, computed in the plainest way."""
    rows, blocks, _ = found.levels.shape
    levels = found.levels.astype(np.int32)
    if found.bits == 4:
        levels = np.stack([levels & 15, levels >> 4], axis=-1).reshape(rows, blocks, 32)
    middle = np.full((rows, blocks), 8 if found.bits == 4 else 128)
    if found.zeros is not None:
        zeros = found.zeros.astype(np.int32)
        middle = np.stack([zeros & 15, zeros >> 4], axis=-1).reshape(rows, -1)[:, :blocks]
    return ((levels - middle[..., None]) * found.scales[..., None]).reshape(rows, -1).astype(np.float32)


@pytest.mark.parametrize(("kind", "bits"), [("Q8_0", 8), ("Q4_0", 4), ("Q4_0", 8)])
def test_blocks_are_laid_out_anew_to_the_bit(tmp_path: Path, kind: str, bits: Bits) -> None:
    reader = gguf.GGUFReader(MINI if kind == "Q8_0" else in_bits("Q4_0", tmp_path))
    tensors = [t for t in reader.tensors if t.tensor_type.name == kind][:6]
    assert tensors
    for tensor in tensors:
        assert (spelled_out(matrix(tensor, bits)) == numbers(tensor)).all(), tensor.name


@pytest.mark.parametrize(("bits", "most"), [(8, 0.005), (4, 0.08)])
def test_other_numbers_are_rounded_and_stay_near(bits: Bits, most: float) -> None:
    weights = np.random.default_rng(1).standard_normal((48, 96)).astype(np.float32)
    weights[3] = 0
    found = spelled_out(rounded(weights, bits))
    assert np.abs(found - weights).max() / np.abs(weights).max() < most
    both = spelled_out(stacked([rounded(weights, bits), rounded(-weights, bits)]))
    assert (both[:48] == found).all()


def test_exact_and_rounded_blocks_share_one_product(tmp_path: Path) -> None:
    tensors = gguf.GGUFReader(in_bits("Q4_0", tmp_path)).tensors
    exact = matrix(next(tensor for tensor in tensors if tensor.tensor_type.name == "Q4_0"), 4)
    rows = rounded(np.random.default_rng(2).standard_normal((16, exact.shape[1])).astype(np.float32), 4)
    assert exact.zeros is None
    assert rows.zeros is not None
    assert (spelled_out(stacked([exact, rows]))[: exact.shape[0]] == spelled_out(exact)).all()


def test_the_file_names_the_gguf_that_devices_have(tmp_path: Path) -> None:
    small = in_bits("Q4_0", tmp_path)
    write_decoder(MINI, tmp_path / "mini.onnx", "int4", twin=small)
    head = read_decoder_head(tmp_path / "mini.onnx")
    assert head.gguf == sha256_of(small)
    assert head.parameters > 8_000_000
    assert head.kind == "int4"
    assert main([str(MINI), str(tmp_path / "again.onnx"), "int8"]) == 0
    assert read_decoder_head(tmp_path / "again.onnx").gguf == sha256_of(MINI)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["Q4_0.gguf", "again.onnx", "mini.onnx"]


def test_what_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    other = random_gguf(tmp_path / "gemma.gguf", "gemma")
    with pytest.raises(RecipeError) as caught:
        write_decoder(other, tmp_path / "x.onnx", "int8")
    assert "gemma" in caught.value.say("es")
    with pytest.raises(RecipeError) as caught:
        write_decoder(MINI, tmp_path / "x.onnx", "int3")
    assert "int3" in caught.value.say("es")
    half = random_gguf(tmp_path / "half.gguf", "qwen2", bias=True, forget="blk.1.attn_k.bias")
    with pytest.raises(RecipeError):
        write_decoder(half, tmp_path / "x.onnx", "int8")
    lame = random_gguf(tmp_path / "lame.gguf", "llama", forget="blk.1.ffn_up.weight")
    with pytest.raises(RecipeError) as caught:
        write_decoder(lame, tmp_path / "x.onnx", "int8")
    assert "blk.1.ffn_up.weight" in caught.value.say("pt")
    assert not (tmp_path / "x.onnx").exists()


def test_it_is_measured_like_a_gguf_and_gets_a_card_of_its_own(tmp_path: Path) -> None:
    texts = ("Las plantas fabrican su alimento con la luz del sol, el agua y el aire. ", "La niña bebió agua del río. ")
    held = tmp_path / "held.jsonl"
    rows = [{"lang": "es", "kind": "text", "text": text * 8, "source": "test", "licence": "CC0-1.0"} for text in texts]
    held.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    settings = MeasureSettings("Mini", "CC0-1.0", ("es",), tokens=200, speed=False)
    model, card = onnx_of(MINI, tmp_path), tmp_path / "card.json"
    evaluate(MINI, model, held, settings, card, tmp_path / "reference.npz")
    found = json.loads(card.read_bytes())
    assert load(card).sha256 == sha256_of(model)
    assert found["size"] == model.stat().st_size
    assert found["parameters"] == read_decoder_head(model).parameters
    assert 0 < found["measured"]["chances"]["es"]["kld"][0] < 0.01, "only activations are rounded in another way"


@pytest.mark.parametrize(("said", "wanted"), [("", False), ('device_onnx = "int4"', True)])
def test_a_recipe_asks_for_it(tmp_path: Path, said: str, wanted: bool) -> None:
    text = (ROOT / "quantize" / "recipes" / "release-tiny.toml").read_text(encoding="utf-8")
    path = tmp_path / "recipe.toml"
    path.write_text(text.replace('onnx = ["int8"]', f"onnx = []\n{said}"), encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))
    named = [step.name for step in steps(recipe.load_recipe(path), tmp_path)]
    assert (named[-3:] == ["device-onnx", "device-onnx-evaluate", "device-onnx-publish"]) is wanted

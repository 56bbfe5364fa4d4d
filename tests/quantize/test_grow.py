"""A deeper network answers as before; a GGUF file comes back as the model it was."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "gguf", "tokenizers")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

import torch

from edge.tutor.llama import LlamaEngine
from quantize.convert.battery import BATTERY
from quantize.convert.verify import verify
from quantize.lm.convert import convert, gguf_name
from quantize.lm.export import save_network
from quantize.lm.grow import load_grown, origins
from quantize.lm.history import add_history, read_history, tokens_seen
from quantize.lm.muon import orthogonal
from quantize.lm.network import Llama
from quantize.lm.revive import hugging_face_name, revive
from quantize.lm.settings import Shape
from quantize.lm.squeeze import quantize
from quantize.lm.tokenizer import load_tokenizer, train_tokenizer
from quantize.recipe import ROOT, RecipeError

SHAPE = Shape(vocabulary=320, context=64, hidden=32, layers=2, heads=2, key_heads=1, feed_forward=64)
SHIPPED = ROOT / "edge" / "models" / "mini" / "mini.gguf"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network by chance, as a Hugging Face folder."""
    made = tmp_path_factory.mktemp("grow") / "hf"
    torch.manual_seed(5)
    network = Llama(SHAPE)
    for name, weight in network.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(weight, 0.5, 1.5)
    save_network(network, made)
    train_tokenizer(["el agua del río " * 20, *BATTERY], SHAPE.vocabulary, made)
    return made


@pytest.mark.parametrize("layers", [2, 3, 4, 7])
def test_a_deeper_network_gives_the_same_scores_to_the_last_bit(folder: Path, layers: int) -> None:
    shallow, deep = Llama(SHAPE), Llama(replace(SHAPE, layers=layers))
    shallow.load_state_dict(load_grown(folder, shallow.shape))
    deep.load_state_dict(load_grown(folder, deep.shape))
    tokens = torch.randint(0, SHAPE.vocabulary, (2, 40))
    with torch.no_grad():
        assert torch.equal(shallow(tokens), deep(tokens))


def test_what_was_added_can_learn(folder: Path) -> None:
    deep = Llama(replace(SHAPE, layers=4))
    deep.load_state_dict(load_grown(folder, deep.shape))
    tokens = torch.randint(0, SHAPE.vocabulary, (2, 40))
    deep.loss(tokens, tokens, torch.ones(2, 40)).backward()
    for number, (_, fresh) in enumerate(origins(2, 4)):
        moved = deep.model.layers[number].self_attn.o_proj.weight.grad.abs().max()
        assert fresh == (number in (1, 3))
        assert float(moved) > 0


def test_new_layers_stand_evenly_between_the_old() -> None:
    assert [source for source, _ in origins(6, 8)] == [0, 0, 1, 2, 3, 3, 4, 5]
    assert sum(fresh for _, fresh in origins(6, 12)) == 6


def test_a_network_cannot_grow_into_another_shape(folder: Path, tmp_path: Path) -> None:
    for wrong in (replace(SHAPE, layers=1), replace(SHAPE, vocabulary=321), replace(SHAPE, hidden=64)):
        with pytest.raises(RecipeError, match="cannot grow"):
            load_grown(folder, wrong)
    with pytest.raises(RecipeError, match="missing"):
        load_grown(tmp_path, SHAPE)


def test_a_gguf_file_comes_back_as_the_model_it_was(folder: Path, tmp_path: Path) -> None:
    convert(folder, "tiny", "CC0-1.0", tmp_path / "tiny.gguf")
    revive(tmp_path / "tiny.gguf", tmp_path / "back")
    before, after = load_grown(folder, SHAPE), load_grown(tmp_path / "back", SHAPE)
    for name, weight in before.items():
        kept = weight.half().float() if weight.dim() == 2 else weight
        assert torch.equal(after[name], kept), name
    old, new = load_tokenizer(folder), load_tokenizer(tmp_path / "back")
    assert all(old.encode(text).ids == new.encode(text).ids for text in BATTERY)
    template = "chat_template.jinja"
    assert (tmp_path / "back" / template).read_text() == (folder / template).read_text()


def test_llama_cpp_agrees_with_the_revived_folder(folder: Path, tmp_path: Path) -> None:
    convert(folder, "tiny", "CC0-1.0", tmp_path / "tiny.gguf")
    quantize(tmp_path / "tiny.gguf", "Q8_0", tmp_path / "tiny-q8.gguf")
    revive(tmp_path / "tiny-q8.gguf", tmp_path / "back")
    verify(tmp_path / "back", tmp_path / "tiny-q8.gguf", tmp_path / "proof.json")
    assert (tmp_path / "proof.json").is_file()


def test_the_shipped_model_can_be_revived(tmp_path: Path) -> None:
    revive(SHIPPED, tmp_path / "mini")
    coder = load_tokenizer(tmp_path / "mini")
    assert tokens_seen(tmp_path / "mini") > 1_000_000
    with LlamaEngine.open(SHIPPED) as engine:
        assert all(coder.encode(text).ids == engine.tokens_of(text) for text in BATTERY)


def test_every_tensor_finds_its_name_again() -> None:
    for name in ("model.embed_tokens.weight", "model.norm.weight", "model.layers.11.self_attn.k_proj.weight"):
        assert hugging_face_name(gguf_name(name)) == name


def test_a_foreign_file_is_refused(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quantize.lm import convert as converting

    monkeypatch.setattr(converting, "LLAMA_CPP_SPLIT", "llama-bpe")
    convert(folder, "tiny", "CC0-1.0", tmp_path / "tiny.gguf")
    with pytest.raises(RecipeError, match="llama-bpe"):
        revive(tmp_path / "tiny.gguf", tmp_path / "back")


def test_a_step_of_muon_is_orthogonal_whatever_the_gradient() -> None:
    torch.manual_seed(2)
    for shape in ((3, 32, 32), (2, 64, 16), (2, 16, 64)):
        sizes = torch.linalg.svdvals(orthogonal(torch.randn(shape) * 1e-3))
        assert 0.2 < float(sizes.min()) <= float(sizes.max()) < 1.4


def test_a_model_remembers_its_trainings(tmp_path: Path) -> None:
    add_history(None, "base", 100, tmp_path)
    (tmp_path / "next").mkdir()
    add_history(tmp_path, "teacher", 50, tmp_path / "next")
    assert [row["name"] for row in read_history(tmp_path / "next")] == ["base", "teacher"]
    assert tokens_seen(tmp_path / "next") == 150

"""Trimming a vocabulary leaves every score of the tokens kept as it was, and texts are read as before."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "tokenizers")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, Qwen2Config

from quantize.lm.tokenizer import CONTROL, train_tokenizer
from quantize.recipe import RecipeError
from quantize.shrink.settings import TrimSettings
from quantize.shrink.trim import trim
from quantize.shrink.vocabulary import most_used, pieces_of

SPANISH = [
    "El niño bebió agua del río; la cigüeña, no. La maestra lee un cuento a la niña.",
    "Las plantas hacen su alimento con la luz del sol, agua y aire. Eso es la fotosíntesis.",
    "El río nace en la montaña y baja hasta el mar. En el camino riega las chacras.",
]
QUECHUA = ["Wayraqa phukuchkanmi, paraqa chayamuchkan.", "Ñuqaykuqa llaqtaykupi tiyayku, allin kawsayta munayku."]
ENGLISH = [
    "The quick brown fox jumps over the lazy dog while the weather is extraordinarily changeable.",
    "Throughout the neighbourhood, shopkeepers whispered thoughtfully about straightforward bookkeeping.",
]
VOCABULARY = 700
SETTINGS = TrimSettings(coverage=1.0)


@pytest.fixture(scope="module", params=["llama, tied", "qwen2, separate head, in shards"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model whose vocabulary was learned from three languages."""
    made = tmp_path_factory.mktemp("whole")
    train_tokenizer([*SPANISH, *QUECHUA, *ENGLISH] * 3, VOCABULARY, made)
    sizes = {
        "vocab_size": len(AutoTokenizer.from_pretrained(made)),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "eos_token_id": CONTROL.index("<|im_end|>"),
        "bos_token_id": 0,
    }
    torch.manual_seed(3)
    tied = request.param.startswith("llama")
    config = LlamaConfig(**sizes, tie_word_embeddings=True) if tied else Qwen2Config(**sizes, tie_word_embeddings=False)
    model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(made, safe_serialization=True, max_shard_size="5GB" if tied else "100KB")
    return made


def test_the_scores_of_kept_tokens_are_the_same_bits(folder: Path, tmp_path: Path) -> None:
    report = trim(folder, {"es": SPANISH, "quy": QUECHUA}, SETTINGS, tmp_path / "small")
    assert report.tokens_after < report.tokens_before
    whole, small = (AutoModelForCausalLM.from_pretrained(path) for path in (folder, tmp_path / "small"))
    assert small.config.vocab_size == report.rows == small.get_input_embeddings().weight.shape[0]
    kept = torch.from_numpy(np.load(tmp_path / "small" / "kept_tokens.npy").astype("int64"))
    old = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(SPANISH[0]).ids
    new = Tokenizer.from_file(str(tmp_path / "small" / "tokenizer.json")).encode(SPANISH[0]).ids
    assert [int(kept[number]) for number in new] == old
    with torch.no_grad():
        before = whole(input_ids=torch.tensor([old])).logits[..., kept]
        after = small(input_ids=torch.tensor([new])).logits
    assert torch.equal(before, after)


def test_every_language_given_is_covered_and_the_rest_is_gone(folder: Path, tmp_path: Path) -> None:
    report = trim(folder, {"es": SPANISH, "quy": QUECHUA}, SETTINGS, tmp_path / "small")
    assert report.coverage == {"es": 1.0, "quy": 1.0}
    assert report.longer == {"es": 1.0, "quy": 1.0}
    assert report.weight_bytes_after < report.weight_bytes_before
    names = json.loads((tmp_path / "small" / "tokenizer.json").read_bytes())["model"]["vocab"]
    assert "Ġniña" in names or "niña" in names or "ĠniÃ±a" in names
    assert "Ġthe" not in names


def test_bytes_and_special_tokens_stay_so_that_anything_can_be_written(folder: Path, tmp_path: Path) -> None:
    trim(folder, ["agua"], SETTINGS, tmp_path / "small")
    coder = AutoTokenizer.from_pretrained(tmp_path / "small")
    for text in (*ENGLISH, "Ωμέγα 数 😀\u0000", "K'iche' g̃"):
        assert coder.decode(coder.encode(text)) == text
    assert coder.eos_token == "<|im_end|>"
    assert coder.convert_tokens_to_ids(list(CONTROL)) == [0, 1, 2]
    config = json.loads((tmp_path / "small" / "config.json").read_bytes())
    assert config["eos_token_id"] == coder.eos_token_id
    assert coder.apply_chat_template([{"role": "user", "content": "hola"}], tokenize=False).startswith(
        "<|im_start|>user"
    )


def test_a_limit_lowers_the_coverage_of_all_languages_alike(folder: Path, tmp_path: Path) -> None:
    free = trim(folder, {"es": SPANISH, "quy": QUECHUA}, SETTINGS, tmp_path / "free")
    most = free.tokens_after - 60
    tight = trim(folder, {"es": SPANISH, "quy": QUECHUA}, replace(SETTINGS, most=most, multiple=64), tmp_path / "tight")
    assert most - 40 < tight.tokens_after <= most
    assert tight.rows % 64 == 0
    assert all(0.4 < share < 1.0 for share in tight.coverage.values())
    assert all(1.0 < ratio < 2.0 for ratio in tight.longer.values())


SPAN = st.sampled_from([word for text in (*SPANISH, *QUECHUA) for word in text.split()])


@pytest.fixture(scope="module")
def both(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tokenizer, Tokenizer, set[int], list[int]]:
    """The whole tokenizer, the trimmed one, and what was kept."""
    small = tmp_path_factory.mktemp("small")
    trim(folder, {"es": SPANISH, "quy": QUECHUA}, replace(SETTINGS, coverage=0.9), small / "x")
    kept = [int(number) for number in np.load(small / "x" / "kept_tokens.npy")]
    coders = (Tokenizer.from_file(str(path / "tokenizer.json")) for path in (folder, small / "x"))
    return (*coders, set(kept), kept)  # type: ignore[return-value]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(SPAN, max_size=6).map(" ".join), st.text(max_size=30)))
def test_a_text_of_kept_tokens_is_read_as_before_and_any_text_comes_back(
    both: tuple[Tokenizer, Tokenizer, set[int], list[int]], text: str
) -> None:
    whole, small, kept, order = both
    before, after = whole.encode(text).ids, small.encode(text).ids
    if set(before) <= kept:
        assert [order[number] for number in after] == before
    assert small.decode(after, skip_special_tokens=False) == whole.decode(before, skip_special_tokens=False)


def test_what_surrounds_a_text_is_renumbered(folder: Path, tmp_path: Path) -> None:
    changed = tmp_path / "with-start"
    shutil.copytree(folder, changed)
    spelled = json.loads((changed / "tokenizer.json").read_bytes())
    last = spelled["model"]["vocab"]
    number = max(last.values()) + 1
    spelled["added_tokens"].append(spelled["added_tokens"][0] | {"id": number, "content": "<|start|>"})
    spelled["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<|start|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"<|start|>": {"id": "<|start|>", "ids": [number], "tokens": ["<|start|>"]}},
    }
    (changed / "tokenizer.json").write_text(json.dumps(spelled), encoding="utf-8")
    from quantize.shrink.tokens import remap_tokenizer

    kept = [*range(300), number]
    small = Tokenizer.from_str(json.dumps(remap_tokenizer(spelled, kept)))
    assert small.encode("agua").tokens[0] == "<|start|>"
    assert small.encode("agua").ids[0] == 300 == small.token_to_id("<|start|>")


def test_a_token_is_built_of_its_own_merges() -> None:
    ranks = {("a", "b"): 0, ("ab", "c"): 1, ("b", "c"): 2}
    assert pieces_of("abc", ranks) == {"a", "b", "c", "ab", "abc"}
    assert pieces_of("bcx", ranks) == {"b", "c", "x", "bc"}
    assert most_used({1: 90, 2: 9, 3: 1}, 0.95) == [1, 2]


def test_what_cannot_be_trimmed_is_said_in_words(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="at least 2"):
        trim(folder, SPANISH, replace(SETTINGS, most=10), tmp_path / "small")
    with pytest.raises(RecipeError, match="no text"):
        trim(folder, [], SETTINGS, tmp_path / "small")
    with pytest.raises(RecipeError, match="missing"):
        trim(tmp_path, SPANISH, SETTINGS, tmp_path / "small")
    (tmp_path / "tokenizer.json").write_text('{"model": {"type": "Unigram"}}', encoding="utf-8")
    with pytest.raises(RecipeError, match="Unigram"):
        trim(tmp_path, SPANISH, SETTINGS, tmp_path / "small")

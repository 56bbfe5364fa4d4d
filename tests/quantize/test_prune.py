"""What pruning leaves out is what was missed least, and what it keeps is unchanged."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if not all(find_spec(name) for name in ("torch", "transformers")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from quantize.recipe import RecipeError
from quantize.shrink.prune import Sizes, all_of, keep_layers, measure, prune_folder
from quantize.shrink.settings import DistilSettings
from quantize.shrink.student import sizes_wanted

SIZES = Sizes(layers=4, hidden=32, heads=4, key_heads=2, feed_forward=48)
NUMBERS: dict[str, Any] = {
    "vocab_size": 100,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 64,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
WINDOWS = torch.randint(0, 100, (3, 21), generator=torch.Generator().manual_seed(4))


@pytest.fixture(params=["llama", "qwen3", "gemma3"])
def model(request: pytest.FixtureRequest) -> Any:
    """A network by chance whose layers all do something."""
    torch.manual_seed(6)
    kinds: dict[str, Any] = {
        "llama": lambda: LlamaForCausalLM(LlamaConfig(**NUMBERS)),
        "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**NUMBERS)),
        "gemma3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**NUMBERS)),
    }
    made = kinds[request.param]().eval()
    for name, weight in made.named_parameters():
        if weight.dim() == 2 and ".layers." in name:
            torch.nn.init.normal_(weight, std=0.2)
    return made


def scores(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=WINDOWS[:, :-1]).logits
    return found


def test_keeping_everything_changes_nothing(model: Any, tmp_path: Path) -> None:
    prune_folder(model, all_of(SIZES), tmp_path / "same")
    assert torch.allclose(scores(AutoModelForCausalLM.from_pretrained(tmp_path / "same")), scores(model), atol=1e-5)


def silence(model: Any, layer: int) -> None:
    """Let a layer add nothing."""
    block = model.model.layers[layer]
    for part in (block.self_attn.o_proj, block.mlp.down_proj):
        torch.nn.init.zeros_(part.weight)


@pytest.mark.parametrize("importance", ["skip", "cosine"])
def test_layers_that_do_nothing_go_first_and_nothing_is_lost(model: Any, tmp_path: Path, importance: str) -> None:
    silence(model, 1)
    silence(model, 2)
    own = model.generate(WINDOWS[:, :4], max_new_tokens=30, do_sample=False, eos_token_id=None)
    plan = measure(model, own, replace(SIZES, layers=2), importance)
    assert plan.layers == (0, 3)
    prune_folder(model, plan, tmp_path / "small")
    small = AutoModelForCausalLM.from_pretrained(tmp_path / "small")
    assert small.config.num_hidden_layers == 2
    assert torch.allclose(scores(small), scores(model), atol=1e-5)


def test_neurons_and_heads_that_do_nothing_go_first_and_nothing_is_lost(model: Any, tmp_path: Path) -> None:
    for block in model.model.layers:
        torch.nn.init.zeros_(block.mlp.up_proj.weight[10:26])
        torch.nn.init.zeros_(block.self_attn.v_proj.weight[:8])  # the first key head, and so its two heads
    plan = measure(model, WINDOWS, replace(SIZES, heads=2, key_heads=1, feed_forward=32), "skip")
    assert plan.key_heads == ((1,),) * 4
    assert plan.neurons[0] == (*range(10), *range(26, 48))
    prune_folder(model, plan, tmp_path / "small")
    small = AutoModelForCausalLM.from_pretrained(tmp_path / "small")
    assert small.config.num_attention_heads == 2
    assert torch.allclose(scores(small), scores(model), atol=1e-5)


def test_a_narrower_network_runs_and_keeps_its_strongest_channels(model: Any, tmp_path: Path) -> None:
    plan = measure(model, WINDOWS, replace(SIZES, hidden=24), "cosine")
    assert len(plan.channels) == 24
    prune_folder(model, plan, tmp_path / "small")
    small = AutoModelForCausalLM.from_pretrained(tmp_path / "small")
    kept = model.get_input_embeddings().weight[:, list(plan.channels)]
    assert torch.equal(small.get_input_embeddings().weight, kept)
    assert torch.isfinite(scores(small)).all()


def test_layers_are_chosen_one_after_another(model: Any) -> None:
    three = keep_layers(model, WINDOWS, 3, "skip")
    two = keep_layers(model, WINDOWS, 2, "skip")
    assert set(two) < set(three)
    assert len(model.model.layers) == 4  # the model is as it was


def test_a_student_larger_than_its_teacher_is_refused(tmp_path: Path) -> None:
    LlamaForCausalLM(LlamaConfig(**NUMBERS)).save_pretrained(tmp_path)
    with pytest.raises(RecipeError, match="layers = 9"):
        sizes_wanted(tmp_path, DistilSettings(context=8, tokens=8, layers=9))
    with pytest.raises(RecipeError, match="proportion"):
        sizes_wanted(tmp_path, DistilSettings(context=8, tokens=8, heads=2))
    assert sizes_wanted(tmp_path, DistilSettings(context=8, tokens=8, layers=3)) == replace(SIZES, layers=3)

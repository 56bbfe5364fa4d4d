"""Write the trained network as a Hugging Face folder that every converter reads."""

from __future__ import annotations

import shutil
from pathlib import Path

from quantize.lm.network import Llama
from quantize.lm.settings import Shape
from quantize.lm.tokenizer import CONTROL, END_OF_TEXT, TURN_END
from quantize.lm.train import load_trained


def export(trained: Path, shape: Shape, tokenizer: Path, output: Path) -> None:
    """Write config, weights (safetensors) and tokenizer of a `LlamaForCausalLM` into `output`."""
    model, _ = load_trained(trained, shape)
    shutil.rmtree(output, ignore_errors=True)
    save_network(model, output)
    for path in tokenizer.iterdir():
        shutil.copy(path, output / path.name)


def save_network(model: Llama, output: Path) -> None:
    """Write config and weights (safetensors, 32 bits) into `output`."""
    to_transformers(model).save_pretrained(output, safe_serialization=True)


def to_transformers(model: Llama) -> "LlamaForCausalLM":  # type: ignore[name-defined]  # noqa: F821, UP037
    """Return the same network as `transformers` has it; the parameters' names are already alike."""
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = model.shape
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=shape.epsilon,
        rope_theta=shape.rope_theta,
        tie_word_embeddings=True,
        bos_token_id=CONTROL.index(END_OF_TEXT),
        eos_token_id=CONTROL.index(TURN_END),
        pad_token_id=CONTROL.index(END_OF_TEXT),
        dtype="float32",
    )
    twin = LlamaForCausalLM(config)
    twin.load_state_dict(model.state_dict(), strict=False)
    twin.tie_weights()
    return twin.eval()

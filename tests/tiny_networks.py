"""Tiny checkpoints of every family the ONNX path takes, with random weights and a real tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEXTS = (
    "Las plantas toman agua y luz para vivir.",
    "A água ferve a cem graus.",
    "¿Cuánto es 3 + 4? Son siete.",
    "Un cuento corto: el zorro vio la luna en el pozo y quiso bajar a buscarla.",
)
SMALL = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "max_position_embeddings": 130,
}
DECODERS = {
    "llama": ("LlamaConfig", "LlamaForCausalLM", {}),
    "mistral": ("MistralConfig", "MistralForCausalLM", {}),
    "qwen2": ("Qwen2Config", "Qwen2ForCausalLM", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3Config", "Qwen3ForCausalLM", {"head_dim": 16}),
    "gemma3": ("Gemma3TextConfig", "Gemma3ForCausalLM", {"head_dim": 16}),
    "smollm3": ("SmolLM3Config", "SmolLM3ForCausalLM", {"pad_token_id": 0}),
}
ENCODERS = {
    "bert": ("BertConfig", "Bert"),
    "xlm-roberta": ("XLMRobertaConfig", "XLMRoberta"),
    "roberta": ("RobertaConfig", "Roberta"),
    "camembert": ("CamembertConfig", "Camembert"),
}


def make_tokenizer(folder: Path) -> int:
    """Write a byte-level tokenizer into `folder`; return how many tokens it knows."""
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(TEXTS * 3, vocab_size=320, special_tokens=["<s>", "<pad>", "</s>"])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return int(tokenizer.get_vocab_size())


def make_decoder(folder: Path, family: str, **changes: Any) -> Path:
    """Save a tiny model that writes text."""
    config, network, extra = DECODERS[family]
    return _save(folder, config, network, {"num_key_value_heads": 2, "use_cache": True, **extra, **changes})


def make_encoder(folder: Path, family: str, head: str = "Model", **changes: Any) -> Path:
    """Save a tiny model that reads text, with a head such as ForQuestionAnswering."""
    config, name = ENCODERS[family]
    return _save(folder, config, f"{name}{head}", {"type_vocab_size": 2 if family == "bert" else 1, **changes})


def _save(folder: Path, config: str, network: str, settings: dict[str, Any]) -> Path:
    import torch
    import transformers

    torch.manual_seed(5)
    size = make_tokenizer(folder)
    made = getattr(transformers, config)(vocab_size=size, **{**SMALL, **settings})
    # Random weights of the usual size hardly move anything: larger ones make every layer count.
    made.initializer_range = 0.1
    getattr(transformers, network)(made).save_pretrained(folder, safe_serialization=True)
    return folder

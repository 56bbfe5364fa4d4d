"""Which architectures the pipeline takes, and by which path each one goes.

Pure. A decoder writes text and ends as GGUF; an encoder reads text and ends as ONNX.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from quantize.recipe import RecipeError

Kind = Literal["decoder", "encoder"]


@dataclass(frozen=True, slots=True)
class Family:
    """A group of architectures that are handled alike."""

    name: str
    kind: Kind


_DECODERS = {
    "LlamaForCausalLM": "llama",
    "MistralForCausalLM": "mistral",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
    "Gemma3ForCausalLM": "gemma3",
    "SmolLM3ForCausalLM": "smollm3",
}
_HEADS = ("Model", "ForMaskedLM", "ForSequenceClassification", "ForQuestionAnswering", "ForTokenClassification")
FAMILIES: Mapping[str, Family] = {
    **{architecture: Family(name, "decoder") for architecture, name in _DECODERS.items()},
    **{f"Bert{head}": Family("bert", "encoder") for head in _HEADS},
    **{f"XLMRoberta{head}": Family("xlm-roberta", "encoder") for head in _HEADS},
}
"""What `config.json` calls an architecture, and its family. MiniLM's encoders call themselves Bert."""


def family_of(architecture: str) -> Family:
    """Return the family of an architecture; raise RecipeError when it is none of ours."""
    family = FAMILIES.get(architecture)
    if family is None:
        known = ", ".join(name for name in FAMILIES if not name.endswith("TokenClassification"))
        raise RecipeError("checkpoint-architecture", architecture=architecture or "-", known=known)
    return family


def architecture_of(config: Mapping[str, Any]) -> str:
    """Return the architecture that a `config.json` names first, or nothing."""
    named = config.get("architectures")
    return str(named[0]) if isinstance(named, list) and named else ""

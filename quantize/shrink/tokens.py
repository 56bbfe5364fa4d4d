"""Renumber the tokens in a model's JSON files after some were left out. Pure functions on parsed JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def remap_tokenizer(spelled: Mapping[str, Any], kept: Sequence[int]) -> dict[str, Any]:
    """Return a tokenizer.json with the tokens `kept` alone, numbered in their old order."""
    new = {old: number for number, old in enumerate(kept)}
    model = dict(spelled["model"])
    model["vocab"] = {name: new[old] for name, old in spelled["model"]["vocab"].items() if old in new}
    model["merges"] = [pair for pair in spelled["model"]["merges"] if _is_kept(pair, model["vocab"])]
    added = [token | {"id": new[token["id"]]} for token in spelled["added_tokens"]]
    processor = _processor(spelled.get("post_processor"), new)
    return dict(spelled) | {"model": model, "added_tokens": added, "post_processor": processor}


def remapped_numbers(facts: Mapping[str, Any], kept: Sequence[int]) -> dict[str, Any]:
    """Return a configuration whose numbers of tokens (eos_token_id and the like) are the new ones."""
    new = {old: number for number, old in enumerate(kept)}
    made: dict[str, Any] = {}
    for name, value in facts.items():
        if name == "added_tokens_decoder":
            made[name] = {str(new[int(old)]): token for old, token in value.items() if int(old) in new}
        elif name.endswith("token_id") and isinstance(value, int):
            made[name] = new.get(value)
        elif name.endswith("token_id") and isinstance(value, list):
            made[name] = [new[old] for old in value if old in new]
        elif isinstance(value, dict):
            made[name] = remapped_numbers(value, kept)
        else:
            made[name] = value
    return made


def _is_kept(pair: str | Sequence[str], vocabulary: Mapping[str, int]) -> bool:
    left, right = pair.split(" ") if isinstance(pair, str) else pair
    return left in vocabulary and right in vocabulary and left + right in vocabulary


def _processor(found: Any, new: Mapping[int, int]) -> Any:
    """Renumber the tokens that are put around a text."""
    if not isinstance(found, dict):
        return found
    made = dict(found)
    if isinstance(found.get("processors"), list):
        made["processors"] = [_processor(part, new) for part in found["processors"]]
    if isinstance(found.get("special_tokens"), dict):
        made["special_tokens"] = {
            name: token | {"ids": [new[old] for old in token["ids"]]} for name, token in found["special_tokens"].items()
        }
    for name in ("sep", "cls"):
        if isinstance(found.get(name), list):
            made[name] = [found[name][0], new[found[name][1]]]
    return made

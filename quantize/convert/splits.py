"""Say which of llama.cpp's split rules a tokenizer.json follows.

Pure. llama.cpp's converter knows tokenizers by a hash of what they make of one text, so it
refuses any vocabulary that it has not met. The rule by which text is split before the
merges is written in the file; where llama.cpp has the same rule, its name is returned,
and `verify` then compares the tokens of both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

LETTERS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
MIXED = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
BEFORE = r"[^\r\n\p{L}\p{N}]?"
SLASHES = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
RULES = {
    rf"{LETTERS}\p{{N}}{REST}": "qwen2",
    rf"{LETTERS}\p{{N}}{{1,3}}{REST}": "llama-bpe",
    rf"{BEFORE}{MIXED}|{BEFORE}{UPPER}|\p{{N}}{SLASHES}": "tekken",
    rf"{BEFORE}{MIXED}{ENDING}|{BEFORE}{UPPER}{ENDING}|\p{{N}}{{1,3}}{SLASHES}": "gpt-4o",
}
"""Regular expressions of tokenizer.json, and what llama.cpp calls them."""

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def split_rule(tokenizer: Mapping[str, Any]) -> str:
    """Return llama.cpp's name for the split rule of a tokenizer.json; nothing when it has none."""
    if tokenizer.get("model", {}).get("type") != "BPE":
        return ""
    steps = list(_steps(tokenizer.get("pre_tokenizer") or {}))
    kinds = [step.get("type") for step in steps]
    patterns = [_plain(_pattern(step)) for step in steps if step.get("type") == "Split"]
    if kinds == ["Split", "ByteLevel"]:
        if patterns == [_plain(GPT2)]:
            return "gpt-2"
        return {_plain(rule): name for rule, name in RULES.items()}.get(patterns[0], "")
    if kinds == ["ByteLevel"] and steps[0].get("use_regex", True):
        return "gpt-2"
    if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits") and steps[1].get("use_regex", True):
        return "smollm"
    return ""


def _steps(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if found.get("type") == "Sequence":
        for step in found.get("pretokenizers", []):
            yield from _steps(step)
    elif found:
        yield found


def _pattern(step: Mapping[str, Any]) -> str:
    pattern = step.get("pattern", {})
    return str(pattern.get("Regex") or pattern.get("String") or "")


def _plain(rule: str) -> str:
    """Write a rule in one of the ways that mean the same: `(?:a)` like `a`, line ends as `\\r\\n`."""
    rule = rule.replace("\r", r"\r").replace("\n", r"\n").replace("++", "+").replace("?+", "?")
    return re.sub(r"\\p\{N\}\{1\}", r"\\p{N}", rule)

"""What the tutor hands to a person instead of answering.

The rules are data (guard.toml); this module only matches them. It errs towards silence:
a child in trouble gets a person's name, not a lesson.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from edge.library.terms import fold


def refusal(question: str, lang: str) -> str:
    """Return the name of the rule that the question meets, or nothing."""
    plain = " ".join(re.sub(r"[^\w\s]", " ", fold(question).replace("ñ", "n")).split())
    for name, patterns in _rules().items():
        if (pattern := patterns.get(lang)) and pattern.search(plain):
            return name
    return ""


@cache
def _rules() -> dict[str, dict[str, re.Pattern[str]]]:
    table = tomllib.loads(files("edge.tutor").joinpath("guard.toml").read_text(encoding="utf-8"))
    return {name: {lang: re.compile(rf"\b(?:{p})\b") for lang, p in rule.items()} for name, rule in table.items()}

"""What a checkpoint's licence asks of everything made from it.

Pure. Meta's Llama licences ask that a derived model's name begins with "Llama" and
that "Built with Llama" is shown wherever it is given away.
"""

from __future__ import annotations

import re

from quantize.recipe import RecipeError

NOTICE = "Built with Llama"
UNKNOWN = "unknown"
FRONT = re.compile(r"\A---\s*\n(.*?)\n---", re.DOTALL)
NAMED = re.compile(r"^license(?:_name)?:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
LLAMA_NAME = re.compile(r"(^|[^a-z])(meta-)?llama", re.IGNORECASE)


def licence_in(card: str) -> str:
    """Return the licence that a model card (README.md) names, the particular before "other"; else "unknown"."""
    front = FRONT.match(card)
    named = [name for name in NAMED.findall(front[1]) if name != "other"] if front else []
    return str(named[0]) if named else UNKNOWN


def is_llama(licence: str, source: str) -> bool:
    """Tell whether Llama's duties hold: the licence says so, or nobody says which and the name is Llama's."""
    if licence.lower() in ("", "other", UNKNOWN):
        return LLAMA_NAME.search(source.rsplit("/", 1)[-1]) is not None
    return "llama" in licence.lower()


def notice_for(licence: str, source: str) -> str:
    """Return the words that must go with everything made from this checkpoint, or none."""
    return NOTICE if is_llama(licence, source) else ""


def check_name(name: str, licence: str, source: str) -> None:
    """Raise RecipeError when `name` may not be given to a model made from this checkpoint."""
    if is_llama(licence, source) and not name.startswith("Llama"):
        raise RecipeError("checkpoint-llama-name", name=name, licence=licence)

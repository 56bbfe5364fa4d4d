"""From a JSON schema to the grammar of the JSON that fits it, by llama-cpp-python's own converter.

Schemas are kept small before it sees them: it writes repetitions out one by one, and never returns from some patterns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from edge.errors import ModelError

MOST_PARTS, MOST_NUMBER = 400, 250
REFUSED = frozenset(["pattern", "$ref", "additionalProperties"])
"""What may have no end."""


def grammar_of(schema: Mapping[str, Any]) -> str:
    """Return the grammar; raise ModelError when the schema is too large or none that the converter knows."""
    for count, part in enumerate(_parts(schema)):
        number = part if isinstance(part, int) else 0
        if count > MOST_PARTS or number > MOST_NUMBER:
            raise ModelError("grammar-large", size=max(count, number), most=MOST_NUMBER if number else MOST_PARTS)
        if isinstance(part, Mapping) and (found := REFUSED & set(part)):
            raise ModelError("grammar-wrong", near=min(found))
    text = json.dumps(schema)
    try:
        return str(_converter().json_schema_to_gbnf(text))
    except (AssertionError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError("grammar-wrong", near=text[:20]) from error


@cache
def _converter() -> ModuleType:
    """Load the converter's file alone: its package would take llama.cpp's log to itself."""
    package = find_spec("llama_cpp")
    if package is None or package.origin is None:
        raise ModelError("model-no-library", reason="llama_cpp")
    spec = spec_from_file_location("llama_grammar", Path(package.origin).parent / "llama_grammar.py")
    if spec is None or spec.loader is None:
        raise ModelError("model-no-library", reason="llama_grammar")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _parts(whole: object) -> Iterator[object]:
    """Yield everything that stands in a schema, itself first."""
    left = [whole]
    while left:
        part = left.pop()
        yield part
        if isinstance(part, Mapping):
            left += part.values()
        elif isinstance(part, (list, tuple)):
            left += part

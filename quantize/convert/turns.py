"""Prove that a model is asked as it learned, and that it stops when its turn is over.

A known fault: the template ends a turn with one mark, the files name another one as the
end. The model then writes its mark, nobody stops it, and it goes on with the next header:
it loops on the word "assistant". Both the engine that ships and the checkpoint's own
files must know the mark that ends a turn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.tutor.engine import Message
from edge.tutor.llama import LlamaEngine
from quantize.convert.battery import CONVERSATIONS
from quantize.recipe import RecipeError
from quantize.text.template import Template

ANSWER = "Cincuenta y seis"
ASKED: tuple[Message, ...] = ({"role": "user", "content": "7 × 8"}, {"role": "assistant", "content": ANSWER})


def check_turns(folder: Path, engine: LlamaEngine) -> dict[str, Any]:
    """Compare the chat template of a folder with what the engine writes, and check the stop; return what was found."""
    template = Template(folder)
    if not template.there:
        return {"template": "none"}
    same = [_check_prompt(template, engine, messages) for messages in CONVERSATIONS]
    mark = turn_end(template)
    _check_stop(folder, template, engine, mark)
    return {
        "template": "identical" if all(same) else "preamble",
        "turn_end": str(template.tokenizer.convert_ids_to_tokens(mark)),
        "conversations": len(CONVERSATIONS),
    }


def turn_end(template: Template) -> int:
    """Return the token with which the template ends an answer; raise RecipeError when it has none."""
    text = template.render(ASKED, ask=False)
    _, found, after = text.rpartition(ANSWER)
    special = _special(template)
    for token in _tokens(template, after) if found else ():
        if token in special:
            return token
    raise RecipeError("turn-end-missing", after=after[:40])


def declared_ends(folder: Path, template: Template) -> set[int]:
    """Return the tokens that the folder's own files name as the end of what is written."""
    named: Any = None
    for name in ("generation_config.json", "config.json"):
        path = folder / name
        if named is None and path.is_file():
            named = json.loads(path.read_bytes()).get("eos_token_id")
    ends = {token for token in (named if isinstance(named, list) else [named]) if isinstance(token, int)}
    own = template.tokenizer.eos_token_id
    return ends | ({own} if isinstance(own, int) else set())


def _check_stop(folder: Path, template: Template, engine: LlamaEngine, mark: int) -> None:
    known = declared_ends(folder, template)
    name = template.tokenizer.convert_ids_to_tokens
    told = ", ".join(str(name(token)) for token in sorted(known)) or "-"
    if not engine.ends(mark) or mark not in known:
        raise RecipeError("turn-end-ignored", mark=str(name(mark)), known=told, path=folder)
    for token in known:
        if not engine.ends(token):
            raise RecipeError("turn-end-ignored", mark=str(name(token)), known=told, path=folder)


def _check_prompt(template: Template, engine: LlamaEngine, messages: Sequence[Message]) -> bool:
    """Tell whether the engine writes exactly what the template says; raise RecipeError when the turns differ."""
    text = template.render(messages, ask=True)
    theirs = _tokens(template, text)
    written = engine.prompt_of(messages)
    ours = engine.tokens_of(written, special=True)
    if theirs == ours:
        return True
    special = _special(template)
    turns = [token for token in theirs if token in special] == [token for token in ours if token in special]
    said = all(message["content"] in text and message["content"] in written for message in messages)
    asked = text.rpartition(messages[-1]["content"])[2] == written.rpartition(messages[-1]["content"])[2]
    if turns and said and asked:  # the template adds words of its own to the first turn, a date for example
        return False
    raise RecipeError("template-differs", theirs=_shown(text), ours=_shown(written))


def _tokens(template: Template, text: str) -> list[int]:
    return list(template.tokenizer(text, add_special_tokens=False)["input_ids"])


def _special(template: Template) -> set[int]:
    return {*template.tokenizer.all_special_ids, *template.tokenizer.get_added_vocab().values()}


def _shown(text: str) -> str:
    return repr(text[:160])

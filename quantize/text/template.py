"""Write exchanges the way a model learned them: its own chat template, or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.tutor.engine import Message
from quantize.recipe import RecipeError


class Template:
    """The chat template of one checkpoint folder."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer

        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, ImportError, KeyError) as error:
            reason = str(error).strip().splitlines()[0][:160]
            raise RecipeError("checkpoint-tokenizer-broken", path=folder, reason=reason) from error

    @property
    def there(self) -> bool:
        """Tell whether the model has a template: a base model has none."""
        return bool(self.tokenizer.chat_template)

    def render(self, messages: Sequence[Message], *, ask: bool) -> str:
        """Write an exchange; with `ask`, up to where the model's answer begins.

        Models whose template knows no system message get its words before the first question.
        """
        from jinja2.exceptions import TemplateError

        try:
            return self._render(messages, ask)
        except TemplateError as error:
            if messages and messages[0]["role"] == "system":
                return self.render(without_system(messages), ask=ask)
            raise RecipeError("template-broken", reason=str(error)[:160]) from error

    def _render(self, messages: Sequence[Message], ask: bool) -> str:
        text = self.tokenizer.apply_chat_template(
            [dict(message) for message in messages], tokenize=False, add_generation_prompt=ask
        )
        return str(text)


def without_system(messages: Sequence[Message]) -> list[Message]:
    """Return the same conversation with the system's words at the head of the first question."""
    system, first, *rest = messages
    return [{"role": first["role"], "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def has_template(folder: Path) -> bool:
    """Tell whether a checkpoint folder brings a chat template, without loading its tokenizer."""
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    path = folder / "tokenizer_config.json"
    return path.is_file() and bool(json.loads(path.read_bytes()).get("chat_template"))

"""Text to tokens and back, and a conversation as one model learned to read it.

What people write is made harmless: the marks by which a model tells who speaks are taken out of it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from edge.errors import ModelError
from edge.llama.grammar import Grammar
from edge.tutor.engine import Message, Shape

PIECE_BYTES = 256


class Vocabulary:
    """The vocabulary of one loaded model."""

    def __init__(self, api: Any, model: Any, name: str) -> None:
        self._api, self._model, self._name = api, model, name
        self._vocabulary = api.llama_model_get_vocab(model)
        self.size = int(api.llama_vocab_n_tokens(self._vocabulary))

    def prompt_of(self, messages: Sequence[Message]) -> str:
        """Write the conversation as the model learned it, up to where its answer begins."""
        api = self._api
        chat = (api.llama_chat_message * len(messages))()
        for place, message in zip(chat, messages, strict=True):
            place.role = message["role"].encode()
            place.content = self._harmless(message["content"]).encode("utf-8", "replace")
        template = api.llama_model_chat_template(self._model, None) or b"chatml"
        for known in (template, b"chatml"):
            need = api.llama_chat_apply_template(known, chat, len(messages), True, None, 0)
            if need > 0:
                buffer = ctypes.create_string_buffer(need + 1)
                api.llama_chat_apply_template(known, chat, len(messages), True, buffer, need + 1)
                return buffer.raw[:need].decode("utf-8", "replace")
        raise ModelError("model-broken", path=self._name)

    def conversation(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of the conversation, up to where its answer begins."""
        return self.tokens_of(self.prompt_of(messages), special=True)

    def tokens_of(self, text: str, *, special: bool = False) -> list[int]:
        """Return the tokens of `text`; with `special`, control marks in it count as such."""
        content = text.encode("utf-8", "replace")
        size = len(content) + 8
        buffer = (self._api.llama_token * size)()
        count = self._api.llama_tokenize(self._vocabulary, content, len(content), buffer, size, special, special)
        return list(buffer[: max(0, count)])

    def grammar(self, shape: Shape) -> Grammar:
        """Return what holds one answer to a shape; raise ModelError when that cannot be."""
        return Grammar(self._api, self._vocabulary, shape)

    def ends(self, token: int) -> bool:
        """Tell whether this token ends an answer."""
        return bool(self._api.llama_vocab_is_eog(self._vocabulary, token))

    def piece(self, token: int, *, marks: bool = False) -> bytes:
        """Return what `token` writes; control marks write nothing unless `marks` are asked for."""
        buffer = ctypes.create_string_buffer(PIECE_BYTES)
        count = self._api.llama_token_to_piece(self._vocabulary, token, buffer, PIECE_BYTES, 0, marks)
        return buffer.raw[: max(0, count)]

    def _harmless(self, text: str) -> str:
        """Take the model's own control marks out of what a person wrote."""
        clean = text.replace("\0", "")
        while marks := [token for token in self.tokens_of(clean, special=True) if self._is_control(token)]:
            shorter = clean
            for token in marks:
                shorter = shorter.replace(self.piece(token, marks=True).decode("utf-8", "replace"), "")
            if shorter == clean:  # only the begin and end marks that every text gets
                break
            clean = shorter
        return clean

    def _is_control(self, token: int) -> bool:
        return bool(self._api.llama_vocab_is_control(self._vocabulary, token))

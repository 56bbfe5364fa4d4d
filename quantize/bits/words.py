"""Calibration text as windows of tokens, read by the very file that will be shipped."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tutor.llama_library import load_library
from quantize.bits.ggml import BitsError

Windows = NDArray[np.int64]
"""Tokens [windows, window]."""


class Vocabulary:
    """Turns text into a model's tokens without loading its weights."""

    def __init__(self, api: Any, model: Any) -> None:
        self._api = api
        self._vocabulary = api.llama_model_get_vocab(model)
        self.size = int(api.llama_vocab_n_tokens(self._vocabulary))
        self.first = int(api.llama_vocab_bos(self._vocabulary)) if api.llama_vocab_get_add_bos(self._vocabulary) else -1
        """The token that every text begins with, or -1."""

    def tokens(self, text: str, *, chat: bool) -> list[int]:
        """Return the tokens of a text; in a chat, control marks count as such."""
        content = text.encode("utf-8", "replace")
        room = len(content) + 8
        buffer = (self._api.llama_token * room)()
        count = self._api.llama_tokenize(self._vocabulary, content, len(content), buffer, room, False, chat)
        found = list(buffer[: max(0, count)])
        return found if self.first < 0 or found[:1] == [self.first] else [self.first, *found]


@contextmanager
def vocabulary(gguf: Path) -> Iterator[Vocabulary]:
    """Open only the vocabulary of a GGUF file."""
    library = load_library()
    params = library.api.llama_model_default_params()
    params.vocab_only = True
    model = library.api.llama_model_load_from_file(os.fsencode(gguf), params)
    if not model:
        raise BitsError("bits-vocabulary", path=gguf, reason="; ".join(library.complaints) or "-")
    try:
        yield Vocabulary(library.api, model)
    finally:
        library.api.llama_model_free(model)


def read_texts(calibration: Path) -> list[tuple[str, bool]]:
    """Return each text of a .jsonl file and whether it is a chat."""
    texts = []
    try:
        lines = calibration.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BitsError("bits-text", path=calibration, reason=str(error)) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            texts.append((str(row["text"]), row.get("kind") == "chat"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BitsError("bits-text", path=calibration, reason=f"line {number}: {error!r}") from error
    return texts


def cut(gguf: Path, calibration: Path, window: int, seed: int) -> Windows:
    """Return every whole window of the calibration text, in an order that only `seed` decides."""
    texts = read_texts(calibration)
    random.Random(seed).shuffle(texts)
    with vocabulary(gguf) as known:
        stream = [token for text, chat in texts for token in known.tokens(text, chat=chat)]
    count = len(stream) // window
    if count == 0:
        raise BitsError("bits-text-short", path=calibration, tokens=len(stream), window=window)
    windows = np.array(stream[: count * window], dtype=np.int64).reshape(count, window)
    order = np.random.default_rng(seed).permutation(count)
    return windows[order]

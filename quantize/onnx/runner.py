"""Run an ONNX folder with onnxruntime and tokenizers alone, as a device would: no torch, no transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.onnx.folder import MODEL, TOKENIZER, OnnxFacts, config_of, read_onnx_facts

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Runner:
    """An open ONNX folder."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.facts: OnnxFacts = read_onnx_facts(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])
        self._inputs = {entry.name: entry for entry in self._session.get_inputs()}
        self._outputs = [entry.name for entry in self._session.get_outputs()]
        self._longest = longest_input(folder)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text, cut to what the model takes."""
        return [self._tokenizer.encode(text).ids[: self._longest] for text in texts]

    def outputs(self, tokens: Sequence[Sequence[int]]) -> list[Floats]:
        """Return for each text what the model's head says of every token: [tokens, width] or [tokens, vocabulary].

        An answer's begin and end (question-answering) come as two columns.
        """
        return [self._one(np.array([row], dtype=np.int64)) for row in tokens]

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 a text, the mean over its tokens: [texts, width]."""
        means = np.stack([rows.mean(axis=0) for rows in self.outputs(self.encode(texts))])
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32)

    def _one(self, ids: Ints) -> Floats:
        past = self._empty_past()
        if not past:
            return _joined(self._session.run(None, self._given(ids, 0)))
        # In two halves, so that what the first leaves behind for the second is proved as well.
        half = (ids.shape[1] + 1) // 2
        rows = []
        for first, piece in ((0, ids[:, :half]), (half, ids[:, half:])):
            if piece.shape[1]:
                said, *present = self._session.run(None, {**self._given(piece, first), **past})
                past = dict(zip(past, present, strict=True))
                rows.append(said[0])
        return np.concatenate(rows)

    def _given(self, ids: Ints, before: int) -> dict[str, NDArray[Any]]:
        length = ids.shape[1]
        every = {
            "input_ids": ids,
            "attention_mask": np.ones((1, before + length), dtype=np.int64),
            "token_type_ids": np.zeros_like(ids),
            "position_ids": np.arange(before, before + length, dtype=np.int64)[None],
        }
        return {name: value for name, value in every.items() if name in self._inputs}

    def _empty_past(self) -> dict[str, Floats]:
        """Return the keys and values of nothing read yet: [1, heads, 0, width] each."""
        return {
            name: np.zeros((1, entry.shape[1], 0, entry.shape[3]), dtype=np.float32)
            for name, entry in self._inputs.items()
            if name.startswith("past_key_values.")
        }


def longest_input(folder: Path) -> int:
    """Return how many tokens a model of this config takes."""
    config = config_of(folder)
    most = config.get("max_position_embeddings", 512)
    # The RoBERTa families count positions from the padding's number on.
    spare = 2 if config.get("model_type") in ("roberta", "xlm-roberta", "camembert") else 0
    return int(str(most)) - spare


def _joined(outputs: Sequence[NDArray[Any]]) -> Floats:
    """Return one table of a row a token from what the head gives: one array [1, tokens, width], or two [1, tokens]."""
    columns = [array[0] if array.ndim == 3 else array[0][:, None] for array in outputs]
    return np.concatenate(columns, axis=1)

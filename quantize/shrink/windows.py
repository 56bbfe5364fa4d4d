"""Cut a corpus into windows of tokens: what teacher and students read, the same and in the same order.

A window holds `context` + 1 tokens: inputs and targets overlap by one. `windows.npy` is [windows, context + 1]; beside
it `weights.npy` may say how much each target counts (in tenths, [windows, context]); without it all count the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.files import write_atomic
from quantize.recipe import RecipeError
from quantize.steps import Input, run_step

WINDOWS, WEIGHTS, TEXTS = "windows.npy", "weights.npy", "distil.jsonl"
Tokens = NDArray[np.uint32] | NDArray[np.uint16]


def windows_of(corpus: Path, tokenizer: Path, context: int, work: Path) -> Path:
    """Return the folder with the corpus as windows: the corpus itself, or `work`/windows made from its texts."""
    if (corpus / WINDOWS).is_file():
        found = load_windows(corpus)[0].shape[1] - 1
        if found != context:
            raise RecipeError("distil-windows", path=corpus / WINDOWS, found=found, wanted=context)
        return corpus
    texts = corpus / TEXTS
    if not texts.is_file():
        raise RecipeError("distil-texts", path=texts)
    output = work / "windows"
    inputs: dict[str, Input] = {"texts": texts, "tokenizer": tokenizer / "tokenizer.json", "context": context}
    run_step(output, inputs, lambda: _encode(texts, tokenizer, context, output))
    return output


def load_windows(folder: Path) -> tuple[Tokens, NDArray[np.uint8] | None]:
    """Return windows [n, context + 1] and the weights of their targets [n, context], read from disk as needed."""
    weights = np.load(folder / WEIGHTS, mmap_mode="r") if (folder / WEIGHTS).is_file() else None
    return np.load(folder / WINDOWS, mmap_mode="r"), weights


def save_windows(folder: Path, windows: Tokens, weights: NDArray[np.uint8] | None = None) -> None:
    """Write windows, and how much their targets count, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    if weights is not None:
        np.save(folder / WEIGHTS, weights)
    np.save(folder / WINDOWS, windows)


def _encode(texts: Path, tokenizer: Path, context: int, output: Path) -> None:
    from transformers import AutoTokenizer

    coder: Any = AutoTokenizer.from_pretrained(tokenizer)
    end = coder.eos_token_id if coder.eos_token_id is not None else 0
    kept: list[NDArray[np.uint32]] = []
    for text in _texts(texts):
        kept.append(np.array([*coder(text, add_special_tokens=False)["input_ids"], end], dtype=np.uint32))
    stream = np.concatenate(kept) if kept else np.zeros(0, np.uint32)
    count = (len(stream) - 1) // context
    if count < 1:
        raise RecipeError("distil-short", path=texts, tokens=len(stream), wanted=context + 1)
    starts = np.arange(count) * context
    windows = stream[starts[:, None] + np.arange(context + 1)]
    save_windows(output, windows.astype(np.uint16) if len(coder) <= 1 << 16 else windows)
    write_atomic(output / "facts.json", json.dumps({"windows": count, "tokens": count * context}).encode())


def _texts(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield json.loads(line)["text"]
            except (ValueError, KeyError, TypeError) as error:
                raise RecipeError("distil-line", path=path, number=number, reason=str(error)) from error

"""Turn the corpus into numbers: a stream of tokens a source, and how much each token counts.

The question of an exchange counts a little, its answer fully: the model should
learn to answer, and still learn language from what was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.lm.corpus import read_chats, read_texts
from quantize.lm.prompts import Example
from quantize.lm.sources import Document
from quantize.lm.tokenizer import CONTROL, END_OF_TEXT, TURN_END, chat_prompt, load_tokenizer

PROMPT_WEIGHT, ANSWER_WEIGHT = 2, 20
TEXT_WEIGHT = 10
SAMPLE_CHARS = 4_000_000
"""How much of each source the vocabulary is learned from."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The tokens of one source."""

    tokens: NDArray[np.uint16]
    weights: NDArray[np.uint8]
    starts: NDArray[np.int64]
    """Where exchanges begin; empty for plain text, which may be cut anywhere."""


def vocabulary_sample(folder: Path) -> Iterator[str]:
    """Yield the texts that the vocabulary is learned from."""
    left: dict[str, int] = {}
    for document in read_texts(folder, held=False):
        room = left.setdefault(document.source, SAMPLE_CHARS)
        if room > 0:
            left[document.source] = room - len(document.text)
            yield document.text[:room]
    for chat in read_chats(folder, held=False):
        if chat.kind != "copy":
            yield f"{chat.user}\n{chat.answer}"


def encode_corpus(corpus: Path, tokenizer: Path, output: Path, seed: int, echoes: int, context: int) -> None:
    """Write one .npz of tokens for each source of text and each kind of exchange."""
    coder = load_tokenizer(tokenizer)
    output.mkdir(parents=True, exist_ok=True)
    by_source: dict[str, list[Document]] = {}
    for document in read_texts(corpus, held=False):
        by_source.setdefault(document.source, []).append(document)
    for source, documents in by_source.items():
        Random(seed).shuffle(documents)
        _save(output / f"{source}.npz", _text_stream(coder, documents))
    by_kind: dict[str, list[Example]] = {}
    for chat in read_chats(corpus, held=False):
        by_kind.setdefault(chat.kind, []).append(chat)
    for kind, chats in by_kind.items():
        _save(output / f"{kind}.npz", _chat_stream(coder, chats))
    if echoes:
        _save(output / "echo.npz", echo_stream(coder.get_vocab_size(), echoes, context, seed))


def load_streams(folder: Path) -> dict[str, Stream]:
    """Return the streams by source."""
    streams = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as found:
            streams[path.stem] = Stream(found["tokens"], found["weights"], found["starts"])
    return streams


def chat_tokens(coder: Any, chat: Example) -> tuple[list[int], int]:
    """Return the tokens of an exchange, and how many of them are the prompt."""
    prompt: list[int] = coder.encode(chat_prompt(chat.messages())).ids
    answer: list[int] = coder.encode(chat.answer).ids
    return [*prompt, *answer, coder.token_to_id(TURN_END)], len(prompt)


def echo_stream(vocabulary: int, count: int, context: int, seed: int) -> Stream:
    """Return `count` windows of a few chance tokens over and over; the first round cannot be guessed."""
    random = np.random.default_rng(seed)
    length = context + 1
    tokens = np.empty(count * length, dtype=np.uint16)
    weights = np.full(count * length, TEXT_WEIGHT, dtype=np.uint8)
    for at in range(0, count * length, length):
        round_length = int(random.integers(8, max(9, context // 3)))
        few = random.integers(len(CONTROL), vocabulary, size=int(random.integers(8, vocabulary)))
        once = random.choice(few, size=round_length)
        tokens[at : at + length] = np.resize(once, length)
        weights[at : at + round_length] = 0
    return Stream(tokens, weights, np.arange(0, count * length, length, dtype=np.int64))


def _text_stream(coder: Any, documents: list[Document]) -> Stream:
    end = np.array([coder.token_to_id(END_OF_TEXT)], dtype=np.uint16)
    parts: list[NDArray[np.uint16]] = []
    for document in documents:
        for at in range(0, len(document.text), 20_000):
            parts.append(np.array(coder.encode(document.text[at : at + 20_000]).ids, dtype=np.uint16))
        parts.append(end)
    tokens = np.concatenate(parts)
    return Stream(tokens, np.full(len(tokens), TEXT_WEIGHT, dtype=np.uint8), np.zeros(0, dtype=np.int64))


def _chat_stream(coder: Any, chats: list[Example]) -> Stream:
    parts: list[NDArray[np.uint16]] = []
    weights: list[NDArray[np.uint8]] = []
    for chat in chats:
        tokens, asked = chat_tokens(coder, chat)
        parts.append(np.array(tokens, dtype=np.uint16))
        weights.append(np.full(len(tokens), ANSWER_WEIGHT, dtype=np.uint8))
        weights[-1][:asked] = PROMPT_WEIGHT
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    return Stream(np.concatenate(parts), np.concatenate(weights), starts.astype(np.int64))


def _save(path: Path, stream: Stream) -> None:
    np.savez(path, tokens=stream.tokens, weights=stream.weights, starts=stream.starts)

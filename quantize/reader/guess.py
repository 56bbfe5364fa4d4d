"""Fit the first guess: which sentence of a paragraph answers, by its words alone (`edge.tutor.guess`).

Listwise softmax over the sentences of a paragraph, small tanh networks with dropout,
several of them averaged into one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from edge.tutor.clues import CLUES, ask, look
from edge.tutor.encoding import Vocabulary
from edge.tutor.features import sentence_spans, words_of
from quantize.reader.corpus import Corpus
from quantize.reader.examples import select

UNITS, BAG = 16, 3
PASSES, BATCH, RATE, DECAY, DROPOUT = 40, 128, 0.003, 0.1, 0.1


def fit_guess(corpus: Corpus, vocabulary: Vocabulary, seed: int) -> dict[str, Any]:
    """Return the guess as `edge.tutor.guess.parse_guess` reads it, fitted on the training questions."""
    lists = list(_lists(corpus, vocabulary))
    rows = torch.cat([row for row, _ in lists]) if lists else torch.zeros(1, len(CLUES))
    middle, spread = rows.mean(0), rows.std(0, correction=0).clamp(min=0.05)
    table, right, there = _side_by_side([((row - middle) / spread, mark) for row, mark in lists])
    hidden: list[list[float]] = []
    biases: list[float] = []
    out: list[float] = []
    for number in range(BAG):
        first, last = _fit_one(table, right, there, seed + number)
        weights = first.weight / spread
        bias = first.bias - weights @ middle
        hidden += [[round(float(v), 5) for v in row] for row in weights]
        biases += [round(float(v), 5) for v in bias]
        out += [round(float(v) / BAG, 5) for v in last.weight[0]]
    return {"clues": list(CLUES), "hidden": hidden, "bias": biases, "out": out}


def _lists(corpus: Corpus, vocabulary: Vocabulary) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield for each answered training question the clues of its passage's sentences, and which one answers."""
    for question in select(corpus, "train", ["squad", "lessons"]):
        text = corpus.passages[question.passage].text
        spans = sentence_spans(text)
        right = torch.tensor([float(start <= question.start < end) for start, end in spans])
        if question.start >= 0 and 0 < right.sum() < len(spans):
            asked = ask(words_of(question.text), vocabulary.weight)
            yield torch.tensor(look(asked, [words_of(text[start:end]) for start, end in spans])), right


def _side_by_side(lists: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    longest = max((len(right) for _, right in lists), default=1)
    table = torch.zeros(len(lists), longest, len(CLUES))
    right = torch.zeros(len(lists), longest)
    there = torch.zeros(len(lists), longest, dtype=torch.bool)
    for number, (rows, mark) in enumerate(lists):
        table[number, : len(rows)], right[number, : len(rows)], there[number, : len(rows)] = rows, mark, True
    return table, right, there


def _fit_one(table: Tensor, right: Tensor, there: Tensor, seed: int) -> tuple[Any, Any]:
    torch.manual_seed(seed)
    first, last = torch.nn.Linear(len(CLUES), UNITS), torch.nn.Linear(UNITS, 1, bias=False)
    weights = [*first.parameters(), *last.parameters()]
    steps = max(1, PASSES * len(table) // BATCH) if len(table) else 0
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps + 1)
    for _ in range(steps):
        some = torch.randint(0, len(table), (min(BATCH, len(table)),))
        units = torch.dropout(torch.tanh(first(table[some])), DROPOUT, train=True)
        scores = torch.log_softmax(last(units).squeeze(-1).masked_fill(~there[some], -1e4), 1)
        loss = -(scores * right[some]).sum() / len(some)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return first.requires_grad_(False), last.requires_grad_(False)

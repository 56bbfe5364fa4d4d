"""The network and what it is told to get right. An unchanged BERT, so that optimum exports it.

Four numbers a piece: how well it begins the answer, how well it ends it, at a
sentence's marker whether that sentence answers, at the first piece whether any does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  the name everyone knows

from edge.tutor.encoding import KINDS, MAX_PIECES, PAD
from quantize.reader.examples import NOBODY, Example

BEGINS, ENDS, ANSWERS, ANY = range(4)
HIDDEN = -1e4
SOFT = 0.05
"""Of the packs' lessons several sentences may answer; the others are not told to be quite wrong."""


def make_network(pieces: int, width: int, layers: int, dropout: float) -> Any:
    """Return a new BERT with four numbers a piece."""
    from transformers import BertConfig, BertForTokenClassification

    config = BertConfig(
        vocab_size=pieces,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 48,
        intermediate_size=4 * width,
        max_position_embeddings=MAX_PIECES,
        type_vocab_size=KINDS,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        classifier_dropout=dropout,
        num_labels=4,
        pad_token_id=PAD,
    )
    return BertForTokenClassification(config)


def batch_of(examples: Sequence[Example]) -> dict[str, Tensor]:
    """Put examples side by side, padded to the longest."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.full((len(examples), longest), PAD)
    kinds = torch.zeros_like(ids)
    markers = torch.zeros((len(examples), longest), dtype=torch.bool)
    right = torch.full((len(examples),), NOBODY)
    spans = torch.full((len(examples), 2), NOBODY)
    soft = torch.zeros(len(examples))
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        kinds[row, : len(example.kinds)] = torch.tensor(example.kinds)
        markers[row, example.markers] = True
        if example.line != NOBODY:
            right[row] = example.markers[example.line]
        spans[row, 0], spans[row, 1] = example.first, example.last
        soft[row] = SOFT if example.source in ("lessons", "bank") else 0.0
    return {"ids": ids, "kinds": kinds, "markers": markers, "right": right, "spans": spans, "soft": soft}


def forward(network: Any, batch: dict[str, Tensor]) -> Tensor:
    """Return the four numbers of every piece."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = network(
            input_ids=batch["ids"], token_type_ids=batch["kinds"], attention_mask=(batch["ids"] != PAD).long()
        )
    logits: Tensor = out.logits
    return logits.float()


def losses(logits: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what is wrong with the numbers: which sentence, whether at all, which words."""
    answered = batch["right"] != NOBODY
    rows = torch.arange(len(logits))
    scores = logits[:, :, ANSWERS].masked_fill(~batch["markers"], HIDDEN)
    target = batch["soft"].unsqueeze(1).expand_as(scores).clone()
    target[rows[answered], batch["right"][answered]] = 1.0
    each = F.binary_cross_entropy_with_logits(
        logits[:, :, ANSWERS], target, reduction="none", pos_weight=torch.tensor(2.0)
    )
    found = {
        "sure": (each * batch["markers"]).sum() / batch["markers"].sum(),
        "any": F.binary_cross_entropy_with_logits(logits[:, 0, ANY], answered.float()),
        "which": _mean(F.cross_entropy(scores[answered], batch["right"][answered], reduction="none")),
    }
    short = batch["spans"][:, 0] != NOBODY
    inside = (batch["kinds"] >= 14) & short.unsqueeze(1)
    parts = [
        F.cross_entropy(
            logits[:, :, side].masked_fill(~inside, HIDDEN)[short],
            batch["spans"][short, side],
            reduction="none",
        )
        for side in (BEGINS, ENDS)
    ]
    found["words"] = _mean(torch.cat(parts)) * 0.5
    return found


def _mean(values: Tensor) -> Tensor:
    return values.mean() if len(values) else values.sum()

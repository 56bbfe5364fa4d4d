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

from edge.tutor.encoding import MAX_PIECES, PAD
from edge.tutor.kinds import FACTS, KINDS, PASSAGE, facts_of
from quantize.reader.examples import NOBODY, Example

BEGINS, ENDS, ANSWERS, ANY = range(4)
HIDDEN = -1e4
SOFT = 0.05
"""Of the packs' lessons several sentences may answer; the others are not told to be quite wrong."""


class SumOfFacts(torch.nn.Module):  # type: ignore[misc]
    """Makes the vector of a kind from the vectors of its facts; gone once training is over."""

    def __init__(self) -> None:
        super().__init__()
        table = torch.zeros(KINDS, FACTS)
        for kind in range(KINDS):
            table[kind, list(facts_of(kind))] = 1.0
        self.register_buffer("table", table, persistent=False)

    def forward(self, facts: Tensor) -> Tensor:
        """Return one row a kind, shape (KINDS, width), from one a fact, shape (FACTS, width)."""
        table: Tensor = self.table
        return table @ facts

    def right_inverse(self, kinds: Tensor) -> Tensor:
        """Return first vectors for the facts."""
        return kinds.new_empty(FACTS, kinds.shape[1]).normal_(std=0.02)


def make_network(pieces: int, width: int, layers: int, dropout: float, wide: int) -> Any:
    """Return a new BERT with four numbers a piece; `wide` is the width inside its layers."""
    from transformers import BertConfig, BertForTokenClassification

    config = BertConfig(
        vocab_size=pieces,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 48),
        intermediate_size=wide,
        max_position_embeddings=MAX_PIECES,
        type_vocab_size=KINDS,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        classifier_dropout=dropout,
        num_labels=4,
        pad_token_id=PAD,
    )
    return BertForTokenClassification(config)


def share_facts(network: Any) -> None:
    """Let the vectors of the kinds be sums from now on."""
    embedding = network.bert.embeddings.token_type_embeddings
    torch.nn.utils.parametrize.register_parametrization(embedding, "weight", SumOfFacts())


def unshare_facts(network: Any) -> None:
    """Write the sums down, so that the network is a plain BERT again."""
    embedding = network.bert.embeddings.token_type_embeddings
    torch.nn.utils.parametrize.remove_parametrizations(embedding, "weight", leave_parametrized=True)


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
    """Return the four numbers of every piece; in 16 bits where the processor is quick at that."""
    quick = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=quick):
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
    parts = [
        F.cross_entropy(hidden_outside(logits, batch)[short, :, side], batch["spans"][short, side], reduction="none")
        for side in (BEGINS, ENDS)
    ]
    found["words"] = _mean(torch.cat(parts))
    return found


def hidden_outside(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Return the numbers with those of pieces outside the passage made impossible."""
    return logits.masked_fill((batch["kinds"] < PASSAGE).unsqueeze(2), HIDDEN)


def _mean(values: Tensor) -> Tensor:
    return values.mean() if len(values) else values.sum()

"""Prove that the GGUF file is the model of the checkpoint: same tokens, same scores, same words, same stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from edge.files import write_atomic
from edge.tutor.llama import LlamaEngine
from quantize.convert.battery import BATTERY, SCORED
from quantize.convert.turns import check_turns
from quantize.recipe import RecipeError

MOST_DIFFERENCE = 0.05
"""Largest difference of a score between 32 and 16 bits, in standard deviations of the scores."""

LEAST_SAME = 0.95
"""Of the greedy next tokens, so many must agree: near ties may fall the other way."""

GREEDY_TOKENS = 24


def verify(folder: Path, model: Path, output: Path, scores: bool = True) -> None:
    """Compare the Hugging Face folder with the GGUF file; raise RecipeError when they differ.

    Without `scores` only tokens, template and stop are compared: for a model that does not fit in memory.
    """
    facts: dict[str, Any] = {"texts": len(BATTERY)}
    with LlamaEngine.open(model) as engine:
        check_tokens(folder, engine)
        facts |= check_turns(folder, engine)
        if scores:
            facts |= compare_scores(folder, engine)
    write_atomic(output, json.dumps(facts, indent=2, ensure_ascii=False).encode())


def check_tokens(folder: Path, engine: LlamaEngine) -> None:
    """Raise RecipeError for the first text of the battery that both read differently."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    for text in BATTERY:
        theirs = list(tokenizer(text, add_special_tokens=False)["input_ids"])
        ours = engine.tokens_of(text)
        if theirs != ours:
            raise RecipeError("verify-tokens", text=text, theirs=str(theirs[:12]), ours=str(ours[:12]))


def compare_scores(folder: Path, engine: LlamaEngine) -> dict[str, float]:
    """Return the largest difference of scores and how many greedy next tokens agree; raise when too different."""
    import torch
    from transformers import AutoModelForCausalLM

    twin = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    difference, spread, same, count = 0.0, 0.0, 0, 0
    for text in BATTERY[:SCORED]:
        tokens = engine.tokens_of(text)
        with torch.no_grad():
            grown = twin.generate(
                torch.tensor([tokens]), max_new_tokens=GREEDY_TOKENS, do_sample=False, eos_token_id=None
            )[0].tolist()
            theirs = twin(torch.tensor([grown])).logits[0].numpy()
        ours = np.stack(list(engine.logits_of(grown)))
        theirs = theirs[:, : ours.shape[1]]
        difference = max(difference, float(np.abs(theirs - ours).max()))
        spread = max(spread, float(theirs.std()))
        same += int((theirs.argmax(1) == ours.argmax(1)).sum())
        count += len(grown)
    if difference > MOST_DIFFERENCE * spread or same < LEAST_SAME * count:
        raise RecipeError(
            "verify-scores",
            difference=round(difference, 4),
            most=round(MOST_DIFFERENCE * spread, 4),
            same=round(same / count, 3),
        )
    return {
        "score_difference": round(difference, 5),
        "score_spread": round(spread, 4),
        "greedy_same": round(same / count, 4),
    }

"""Prove that the GGUF file is the model that was trained: same tokens, same scores, same words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from edge.files import write_atomic
from edge.tutor.llama import LlamaEngine
from quantize.lm.tokenizer import load_tokenizer
from quantize.recipe import RecipeError

BATTERY = (
    "El niño bebió agua del río Ñuble; la cigüeña, no.",
    "«¿Cuánto es 2 + 3,5?» —preguntó la maestra’s… 1.234,56 y 1/2",
    "A menina não comeu pão às 7h30: ‘que pena’, disse vovó.",
    "  espacios   dobles\n\ny líneas\r\nnuevas\tcon tabulador  ",
    "Mbaʼéichapa, ñandúpe g̃uarã; ẽ ĩ ũ ỹ — kʼicheʼ 😀🇵🇪",
    "km² ≥ 10⁻³ → ½ °C № 5º ª x_1^2 = (a+b)/c; don't I'll",
    "ÁÉÍÓÚÜÑ áéíóúüñ ãõâêôàç ÃÕÂÊÔÀÇ",
    "",
    " ",
    "1 22 333 4444 55555 año2026 2026año",
)
MOST_DIFFERENCE = 0.1
"""Between scores in 32 and in 16 bits; scores differ by about two from one another."""

GREEDY_TOKENS = 24


def verify(folder: Path, model: Path, output: Path) -> None:
    """Compare the Hugging Face folder with the GGUF file; raise RecipeError when they differ."""
    tokenizer = load_tokenizer(folder)
    with LlamaEngine.open(model) as engine:
        for text in BATTERY:
            theirs, ours = tokenizer.encode(text).ids, engine.tokens_of(text)
            if theirs != ours:
                raise RecipeError("verify-tokens", text=text, theirs=str(theirs[:12]), ours=str(ours[:12]))
        difference, same = _compare(folder, engine)
    if difference > MOST_DIFFERENCE:
        raise RecipeError("verify-scores", difference=round(difference, 4), most=MOST_DIFFERENCE)
    facts = {"texts": len(BATTERY), "score_difference": round(difference, 5), "greedy_same": round(same, 4)}
    write_atomic(output, json.dumps(facts, indent=2).encode())


def _compare(folder: Path, engine: LlamaEngine) -> tuple[float, float]:
    """Return the largest difference of scores, and how many greedy next tokens agree."""
    import torch
    from transformers import LlamaForCausalLM

    twin = LlamaForCausalLM.from_pretrained(folder).eval()
    difference, same, count = 0.0, 0, 0
    for text in BATTERY[:6]:
        tokens = engine.tokens_of(text)
        with torch.no_grad():
            grown = twin.generate(
                torch.tensor([tokens]), max_new_tokens=GREEDY_TOKENS, do_sample=False, eos_token_id=None
            )[0].tolist()
            theirs = twin(torch.tensor([grown])).logits[0].numpy()
        ours = np.stack(list(engine.logits_of(grown)))
        difference = max(difference, float(np.abs(theirs - ours).max()))
        same += int((theirs.argmax(1) == ours.argmax(1)).sum())
        count += len(grown)
    return difference, same / count

"""Windows that the student writes itself: there the teacher can correct what the student really does.

On-policy distillation (Agarwal et al. 2023, GKD, 2306.13649), one round: every window begins with some tokens of a real
one, the student goes on by chance, and the windows then pass through the teacher's cache like any others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from quantize.shrink.settings import DistilSettings
from quantize.shrink.windows import load_windows, save_windows

ROWS = 8
OWN_WEIGHT = 10


def write_windows(student: Any, windows: Path, settings: DistilSettings, output: Path) -> None:
    """Write `policy_windows` windows of the student's own into `output`; only what it wrote itself counts."""
    real, _ = load_windows(windows)
    random = np.random.default_rng(settings.seed)
    chosen = random.choice(len(real), size=settings.policy_windows, replace=settings.policy_windows > len(real))
    prompts = torch.from_numpy(np.asarray(real[np.sort(chosen), : settings.policy_prompt], dtype=np.int64))
    torch.manual_seed(settings.seed)
    said = [_go_on(student, prompts[at : at + ROWS], settings.context + 1) for at in range(0, len(prompts), ROWS)]
    weights = np.full((len(prompts), settings.context), OWN_WEIGHT, dtype=np.uint8)
    weights[:, : settings.policy_prompt - 1] = 0
    save_windows(output, torch.cat(said).numpy().astype(real.dtype), weights)


@torch.no_grad()  # type: ignore[untyped-decorator]
def _go_on(student: Any, prompts: torch.Tensor, length: int) -> torch.Tensor:
    """Return `prompts` continued by chance to `length` tokens; end tokens do not end a window."""
    student = student.eval()
    device = next(student.parameters()).device
    written, new, past = prompts.to(device), prompts.to(device), None
    while written.shape[1] < length:
        answer = student(input_ids=new, past_key_values=past, use_cache=True)
        past = answer.past_key_values
        new = torch.multinomial(torch.softmax(answer.logits[:, -1].float(), -1), 1)
        written = torch.cat((written, new), 1)
    return written.cpu()

"""Text that a model writes itself, so that it can be its own teacher without any other data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from quantize.bits.ledger import Clock, resume, save
from quantize.bits.settings import QadSettings
from quantize.bits.words import Windows

if TYPE_CHECKING:
    import torch

AT_ONCE = 64


def selftext(model: torch.nn.Module, windows: Windows, settings: QadSettings, checkpoint: Path, device: str) -> Windows:
    """Return texts [texts, window]: each begins like a window of calibration text and goes on as the model would."""
    import torch

    found, done = resume(checkpoint)
    texts = [found["texts"]] if done else []
    clock = Clock("own text", settings.texts)
    while done < settings.texts:
        count = min(AT_ONCE, settings.texts - done)
        begin = windows[(done + np.arange(count)) % len(windows), : settings.prompt]
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + done)
        texts.append(_continue(model, torch.from_numpy(begin).to(device), settings.window, generator))
        done += count
        clock.tick(done)
        save(checkpoint, {"texts": np.concatenate(texts), "done": np.array(done)})
    return np.concatenate(texts)


def _continue(model: torch.nn.Module, begin: torch.Tensor, window: int, generator: torch.Generator) -> Windows:
    """Draw every next token from what the model says, at temperature 1."""
    import torch

    pieces, past, given = [begin], None, begin
    with torch.no_grad():
        for _ in range(window - begin.shape[1]):
            said = model(input_ids=given, past_key_values=past, use_cache=True)
            past = said.past_key_values
            chances = said.logits[:, -1].float().softmax(-1).cpu()
            given = torch.multinomial(chances, 1, generator=generator).to(begin.device)
            pieces.append(given)
    tokens: Windows = torch.cat(pieces, 1).cpu().numpy()
    return tokens

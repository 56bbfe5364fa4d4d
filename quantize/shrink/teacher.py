"""One pass of the teacher over the windows, on as many devices as `accelerate` finds, into the cache."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge.files import sha256_of
from quantize.recipe import RecipeError
from quantize.shrink.cache import TopLogits, missing_shards, save_shard, shard_path, top_of
from quantize.shrink.settings import DistilSettings
from quantize.shrink.windows import WINDOWS, load_windows


def cache_teacher(teacher: Path, windows: Path, settings: DistilSettings, accelerator: Any, folder: Path) -> None:
    """Fill `folder` with the shards that are missing; the devices share them out."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens, _ = load_windows(windows)
    size = settings.shard_windows
    count = -(-len(tokens) // size)
    facts = {"teacher": weights_hash(teacher), "windows": sha256_of(windows / WINDOWS), "top": str(settings.top)}
    missing = _agreed(accelerator, missing_shards(folder, count, facts | {"shard": str(size)}))
    if not missing:
        return
    model = _shared_out(load_model(teacher, settings.teacher_precision), accelerator).eval()
    mine, ranks = accelerator.process_index, accelerator.num_processes
    # With FSDP every device must take part in every pass: one without a shard left repeats the last.
    for turn in range(-(-len(missing) // ranks)):
        at = turn * ranks + mine
        number = missing[min(at, len(missing) - 1)]
        began = time.monotonic()
        part = np.asarray(tokens[number * size : (number + 1) * size], dtype=np.int64)
        found = _think(model, part, settings, accelerator.device)
        if not bool(torch.isfinite(found.scores).all()):
            raise RecipeError("distil-nan", path=teacher, number=number)
        if at < len(missing):
            save_shard(shard_path(folder, number), found, facts | {"shard": str(size)})
        speed = part.size / max(1e-9, time.monotonic() - began)
        if accelerator.is_main_process:
            print(f"  teacher: shard {number + 1} of {count}, {speed:.0f} tokens/s", file=sys.stderr, flush=True)
    accelerator.wait_for_everyone()
    accelerator.free_memory(model)  # or every checkpoint of the student would hold the teacher too


def _shared_out(model: Any, accelerator: Any) -> Any:
    """Let `accelerate` lay the teacher out over the devices; its second FSDP wants an optimizer beside every model."""
    if getattr(accelerator, "is_fsdp2", False):
        return accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.0))[0]
    return accelerator.prepare(model)


def _think(
    model: Any, windows: np.ndarray[Any, np.dtype[np.int64]], settings: DistilSettings, device: Any
) -> TopLogits:
    parts = []
    for at in range(0, len(windows), settings.teacher_rows):
        inputs = torch.from_numpy(windows[at : at + settings.teacher_rows, :-1]).to(device)
        with torch.no_grad():
            found = top_of(model(input_ids=inputs, use_cache=False).logits, settings.top)
        parts.append((found.tokens.cpu(), found.scores.cpu(), found.tails.cpu()))
    return TopLogits(*(torch.cat(piece) for piece in zip(*parts, strict=True)))


def load_model(folder: Path, precision: str = "float32") -> Any:
    """Return the causal language model of a Hugging Face folder; raise RecipeError when it is not one, or damaged."""
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    require_model(folder)
    try:
        return AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, precision), use_safetensors=True)
    except (SafetensorError, OSError, ValueError) as error:
        raise RecipeError("distil-broken", path=folder, reason=str(error).splitlines()[0]) from error


def require_model(folder: Path) -> None:
    """Raise RecipeError when a folder lacks what a model needs; reads no weights."""
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise RecipeError("distil-model", path=folder)


def weights_hash(folder: Path) -> str:
    """Return one hash for all weight files of a folder."""
    return ",".join(sha256_of(path) for path in sorted(folder.glob("*.safetensors")))


def _agreed(accelerator: Any, numbers: list[int]) -> list[int]:
    """Return what the main process found missing: every device must do the same."""
    from accelerate.utils import broadcast_object_list

    found: list[list[int]] = [numbers]
    if accelerator.num_processes > 1:
        broadcast_object_list(found)
    return found[0]


def quiet_threads(threads: int) -> None:
    """Let torch use so many threads, which wait without spinning."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch.set_num_threads(threads)

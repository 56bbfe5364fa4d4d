"""Distil a teacher into a student with the same vocabulary: windows, one teacher pass, training, one round on-policy.

Everything goes through `accelerate`: the same call runs on one CPU, one GPU, or under `accelerate launch` on many (with
FSDP for a teacher that no single device holds). Each part is kept under `work` with its receipt; students that differ
only in how they learn share the windows and the teacher's pass.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from edge.files import write_atomic
from quantize.recipe import RecipeError
from quantize.shrink.settings import TEMPERATURES, DistilSettings
from quantize.steps import Input, run_step

DONE = "done.json"
SHARED = ("teacher_rows", "teacher_precision", "threads", "checkpoint_seconds")
"""Settings that change nothing in what a student becomes."""


def distil(teacher: Path, corpus: Path, settings: DistilSettings, output: Path, work: Path) -> None:
    """Write the student as a Hugging Face folder into `output`; go on from what `work` holds."""
    check(settings)
    from accelerate import Accelerator

    from quantize.shrink.student import copy_tokenizer, make_student
    from quantize.shrink.teacher import cache_teacher, quiet_threads, require_model
    from quantize.shrink.windows import windows_of

    quiet_threads(settings.threads)
    require_model(teacher)
    accelerator = Accelerator(mixed_precision=settings.precision if settings.precision != "no" else None)
    own = work / f"student-{name_of(settings)}"
    if accelerator.is_main_process:
        own.mkdir(parents=True, exist_ok=True)
        windows_of(corpus, teacher, settings.context, work)
    accelerator.wait_for_everyone()
    windows = windows_of(corpus, teacher, settings.context, work)
    cache = work / "teacher" if settings.alpha < 1.0 else None
    if cache:
        cache_teacher(teacher, windows, settings, accelerator, cache)
    if accelerator.is_main_process:
        inputs: dict[str, Input] = {"teacher": teacher, "windows": windows, "settings": name_of(settings)}
        run_step(own / "start", inputs, lambda: make_student(teacher, windows, settings, own / "start"))
    accelerator.wait_for_everyone()
    learned = _learn(own / "start", windows, cache, settings, accelerator, own)
    if settings.policy_windows:
        learned = _on_policy(learned, teacher, windows, settings, accelerator, own)
    if accelerator.is_main_process:
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(learned, output, ignore=shutil.ignore_patterns(DONE))
        copy_tokenizer(teacher, output)
        write_atomic(output / "distil.json", json.dumps(asdict(settings), indent=1).encode())
    accelerator.wait_for_everyone()


def check(settings: DistilSettings) -> None:
    """Raise RecipeError for settings that cannot be meant."""
    if settings.temperature not in TEMPERATURES:
        shown = ", ".join(map(str, TEMPERATURES))
        raise RecipeError("distil-temperature", value=settings.temperature, values=shown)
    if not 0.0 <= settings.alpha <= 1.0:
        raise RecipeError("distil-alpha", value=settings.alpha)
    if settings.importance not in ("skip", "cosine") or settings.optimizer not in ("adamw", "muon"):
        value = f"{settings.importance}, {settings.optimizer}"
        raise RecipeError("distil-choice", value=value, values="skip, cosine; adamw, muon")
    if settings.policy_windows and settings.policy_prompt >= settings.context:
        raise RecipeError("distil-prompt", value=settings.policy_prompt, most=settings.context - 1)


def name_of(settings: DistilSettings) -> str:
    """Return a short name for all that decides what the student becomes."""
    deciding = {name: value for name, value in asdict(settings).items() if name not in SHARED}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:8]


def _learn(
    start: Path, windows: Path, cache: Path | None, settings: DistilSettings, accelerator: Any, own: Path
) -> Path:
    """Train, unless that is done; return the folder of the finished network."""
    from quantize.shrink.learn import learn

    folder = own / "learned"
    if not (folder / DONE).is_file():
        model = learn(start, windows, cache, settings, accelerator, own)
        state = accelerator.get_state_dict(model)  # whole, from however many devices hold it
        if accelerator.is_main_process:
            shutil.rmtree(folder, ignore_errors=True)
            accelerator.unwrap_model(model).save_pretrained(folder, state_dict=state, safe_serialization=True)
            write_atomic(folder / DONE, b"{}")
            shutil.rmtree(own / "checkpoint", ignore_errors=True)
    accelerator.wait_for_everyone()
    return folder


def _on_policy(
    learned: Path, teacher: Path, windows: Path, settings: DistilSettings, accelerator: Any, own: Path
) -> Path:
    """Let the student write, the teacher judge, and the student learn from that alone; return its folder."""
    from quantize.shrink.policy import write_windows
    from quantize.shrink.teacher import cache_teacher, load_model

    again, said = own / "policy", own / "policy" / "windows"
    if accelerator.is_main_process:
        again.mkdir(parents=True, exist_ok=True)
        inputs: dict[str, Input] = {
            "student": learned,
            "windows": settings.policy_windows,
            "prompt": settings.policy_prompt,
        }
        student = load_model(learned).to(accelerator.device)
        run_step(said, inputs, lambda: write_windows(student, windows, settings, said))
    accelerator.wait_for_everyone()
    cache_teacher(teacher, said, settings, accelerator, again / "teacher")
    tokens = settings.policy_windows * settings.context
    rate, embedding_rate = settings.rate / 10, settings.embedding_rate / 10
    once = replace(settings, alpha=0.0, tokens=tokens, rate=rate, embedding_rate=embedding_rate)
    return _learn(learned, said, again / "teacher", once, accelerator, again)

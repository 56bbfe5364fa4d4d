"""Run a recipe and kill it a moment into one step after another, then let it finish. A program of its own: it forks.

    python release_kills.py RECIPE WORK STEP...

Prints as JSON how often each step was made. What takes seconds to load is loaded once, before the first fork.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections import Counter

MOMENT_S = 0.4
"""Into a step, until its process is killed."""

MADE = re.compile(r"\] (\w+): made in")


def main() -> None:
    recipe, work, *steps = sys.argv[1:]
    _load()
    made: Counter[str] = Counter()
    for step in steps:
        made.update(_run(recipe, work, step)[1])
    code, finished = _run(recipe, work, "")
    if code:
        sys.exit(code)
    made.update(finished)
    sys.stdout.write(f"{json.dumps(made)}\n")


def _load() -> None:
    import gguf  # noqa: F401
    import llama_cpp  # noqa: F401
    import torch
    from transformers import AutoTokenizer, PreTrainedTokenizerFast, Qwen2ForCausalLM  # noqa: F401

    import quantize.bits.importance
    import quantize.bits.qad
    import quantize.convert.verify
    import quantize.measure.evaluate
    import quantize.release.job  # noqa: F401

    torch.set_num_threads(1)


def _run(recipe: str, work: str, step: str) -> tuple[int, list[str]]:
    """Run until a moment into `step`, then `kill -9`; return the exit code and the steps that were finished."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.dup2(writing, 2)
        os.close(writing)
        os.close(reading)
        code = 1
        try:
            from quantize.cli import main as quantize

            code = quantize(["run", recipe, "--work", work])
        finally:
            os._exit(code)
    os.close(writing)
    said = ""
    with os.fdopen(reading) as lines:
        for line in lines:
            said += line
            if step and line.rstrip().endswith(f"] {step}"):
                time.sleep(MOMENT_S)
                os.kill(child, signal.SIGKILL)
                said += lines.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not step:
        sys.stderr.write(said)
    return code, MADE.findall(said)


if __name__ == "__main__":
    main()

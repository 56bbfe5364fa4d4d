"""Turn a checkpoint folder into a GGUF file with llama.cpp's own converter.

The converter is of exactly the revision that the runtime was built from; setting up
leaves it beside the wheel. The file appears whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from edge.cache import LLAMA_VERSION, converter_folder
from edge.files import write_atomic
from quantize.convert.splits import split_rule
from quantize.recipe import RecipeError

Numbers = Literal["f16", "f32", "bf16"]
RUNNER = Path(__file__).with_name("runner.py")
UNKNOWN_TOKENIZER = "BPE pre-tokenizer was not recognized"
NO_SPACE = ("No space left on device", "Errno 28")


def convert(
    folder: Path,
    name: str,
    licence: str,
    output: Path,
    numbers: Numbers = "f16",
    languages: Sequence[str] = ("es", "pt"),
    converter: Path | None = None,
) -> None:
    """Write `output`, a GGUF file with weights, vocabulary and chat template; raise RecipeError when it cannot be."""
    tool = converter or ready_converter()
    tokenizer = folder / "tokenizer.json"
    split = split_rule(json.loads(tokenizer.read_bytes())) if tokenizer.is_file() else ""
    output.parent.mkdir(parents=True, exist_ok=True)
    for left in output.parent.glob(f".{output.name}.*"):
        # A killed run's converter may live on: without its folder it cannot write into what this one makes.
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as place:
        partial, about = Path(place) / "partial", Path(place) / "about.json"
        facts = {"general.name": name, "general.license": licence, "general.languages": list(languages)}
        write_atomic(about, json.dumps(facts).encode())
        command = [sys.executable, "-P", str(RUNNER), str(tool), split, str(folder.resolve())]
        command += ["--outfile", str(partial), "--outtype", numbers, "--model-name", name, "--metadata", str(about)]
        done = subprocess.run(command, env=_surroundings(tool), check=False, capture_output=True, text=True)
        if done.returncode or not partial.is_file():
            raise _reason(folder, done.stderr)
        partial.replace(output)


def ready_converter() -> Path:
    """Return the folder of the converter; raise RecipeError when it is absent or of another version."""
    folder = converter_folder()
    if not (folder / "complete").is_file():
        raise RecipeError("converter-missing", path=folder)
    try:
        installed = version("llama-cpp-python")
    except PackageNotFoundError:
        installed = "-"
    if installed != LLAMA_VERSION:
        raise RecipeError("converter-version", converter=LLAMA_VERSION, installed=installed)
    return folder


def _surroundings(tool: Path) -> dict[str, str]:
    """Return the environment of the converter: its own gguf first, and no network."""
    paths = [str(tool), str(tool / "gguf-py"), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _reason(folder: Path, said: str) -> RecipeError | OSError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else "-"
    if any(mark in said for mark in NO_SPACE):
        return OSError(28, "No space left on device")
    if UNKNOWN_TOKENIZER in said:
        return RecipeError("converter-tokenizer", path=folder / "tokenizer.json")
    if "No module named" in last:
        return RecipeError("converter-module", module=last.rpartition(" ")[2].strip("'\""))
    return RecipeError("converter-failed", path=folder, reason=last[:200])

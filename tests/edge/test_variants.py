"""llama.cpp picks its code by the processor before it loads a model: tried with processors of other years."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from edge.tutor.llama_library import CRASHES_ON_AMX, find_variants

SAY = """
from pathlib import Path
from edge.tutor.llama_library import load_library
load_library()
print({Path(line.split()[-1]).stem for line in open("/proc/self/maps") if "ggml-cpu-" in line})
"""
X86 = platform.machine() == "x86_64" and sys.platform == "linux"


def variants() -> list[Path]:
    spec = find_spec("llama_cpp")
    return find_variants(Path(spec.origin).parent) if spec and spec.origin else []


portable = pytest.mark.skipif(not (X86 and variants()), reason="needs the portable build for Linux on x86_64 (make)")


@portable
def test_the_build_has_code_for_every_processor_since_sse42_and_none_that_crashes() -> None:
    names = {path.stem.removeprefix("libggml-cpu-") for path in variants()}
    assert {"x64", "sse42", "sandybridge", "ivybridge", "haswell", "skylakex", "icelake", "zen4"} <= names
    assert CRASHES_ON_AMX not in names


@portable
@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="needs qemu-user")
@pytest.mark.parametrize(("processor", "picked"), [("Nehalem", "sse42"), ("SandyBridge", "sandybridge")])
def test_an_older_processor_gets_its_own_code(processor: str, picked: str) -> None:
    command = ["qemu-x86_64", "-cpu", processor, sys.executable, "-c", SAY]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{{'libggml-cpu-{picked}'}}"

"""llama.cpp picks its code by the processor before it loads a model: tried with processors of other years and kinds.

The ones for ARM need a small Debian for ARM and the wheel for it; docs/engine.md says how both are made.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from edge.cache import cache_folder, llama_folder
from edge.tutor.llama_library import CRASHES_ON_AMX, find_variants

ROOT = Path(__file__).parents[2]
SAY = """
from pathlib import Path
from edge.tutor.llama_library import load_library
load_library()
print({Path(line.split()[-1]).stem for line in open("/proc/self/maps") if "ggml-cpu-" in line})
"""
X86 = platform.machine() == "x86_64" and sys.platform == "linux"
ARM_ROOT = cache_folder() / "bare-arm64"
ARM_WHEELS = sorted(llama_folder("aarch64").glob("*.whl")) if sys.platform == "linux" else []


def variants() -> list[Path]:
    spec = find_spec("llama_cpp")
    return find_variants(Path(spec.origin).parent) if spec and spec.origin else []


portable = pytest.mark.skipif(not (X86 and variants()), reason="needs the portable build for Linux on x86_64 (make)")
for_arm = pytest.mark.skipif(not ARM_WHEELS, reason="needs the wheel for ARM (environment.py --llama-for aarch64)")


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
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{{'libggml-cpu-{picked}'}}"


@for_arm
def test_the_build_for_arm_has_code_with_and_without_dotprod_and_is_for_arm() -> None:
    with zipfile.ZipFile(ARM_WHEELS[0]) as wheel:
        places = [name for name in wheel.namelist() if "libggml-cpu-" in name]
        heads = {wheel.read(name)[18:20] for name in wheel.namelist() if name.endswith(".so")}
    names = {Path(place).stem.removeprefix("libggml-cpu-") for place in places}
    assert {"armv8.0_1", "armv8.2_1", "armv8.2_2", "armv8.2_3"} <= names
    assert heads == {b"\xb7\0"}, "the number that a file for 64-bit ARM begins with"


@pytest.fixture(scope="session")
def arm_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arm")
    with zipfile.ZipFile(ARM_WHEELS[0]) as wheel:
        wheel.extractall(folder)
    return folder


@for_arm
@pytest.mark.skipif(not shutil.which("qemu-aarch64"), reason="needs qemu-user")
@pytest.mark.skipif(not (ARM_ROOT / "usr/bin/python3").exists(), reason="needs a Debian for ARM with Python")
@pytest.mark.parametrize(
    ("processor", "picked"),
    [
        ("cortex-a72", "armv8.0_1"),
        ("neoverse-n1", "armv8.2_2"),
    ],
)
def test_a_processor_for_arm_gets_its_own_code(arm_packages: Path, processor: str, picked: str) -> None:
    command = ["qemu-aarch64", "-cpu", processor, "-L", str(ARM_ROOT), str(ARM_ROOT / "usr/bin/python3"), "-c", SAY]
    environment = {"PYTHONPATH": f"{ROOT}:{arm_packages}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{{'libggml-cpu-{picked}'}}"

"""Compile llama-cpp-python once, portable, and keep the wheel.

Portable: every CPU variant is built and chosen at run time, so that one wheel runs on a
laptop of 2009 and at full speed on a new one. Left out: the AMX variant, which compilers
before GCC 13.2 build wrongly, so that it crashes on quantized models; those for ARM with i8mm
by GCC before 12, which write nonsense; and any variant for which the compiler lacks a flag.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from devkit.setup_words import SetupError, say
from devkit.wheel_file import rewrite
from edge.cache import LLAMA_VERSION, llama_folder

FLAGS = (
    "-DGGML_NATIVE=OFF",
    "-DGGML_BACKEND_DL=ON",
    "-DGGML_CPU_ALL_VARIANTS=ON",
    "-DLLAVA_BUILD=OFF",
)
CRASHES = "sapphirerapids"
I8MM = {"armv8.6_1", "armv8.6_2", "armv9.2_1", "armv9.2_2"}
I8MM_SINCE = 12
"""The first GCC whose code for i8mm was seen to be right; that of 10 is wrong, 11 was not tried."""

CROSS = {"aarch64": "aarch64-linux-gnu-"}
"""Linux on other machines that a wheel can be compiled for here, and how that compiler's names begin."""

COMPILERS = {"CC": ("cc", "gcc", "clang"), "CXX": ("c++", "g++", "clang++", "cl")}
WRAPPER = Path(__file__).resolve().parent.parent / "pyinstaller" / "compiler.sh"
NEWS_EVERY_SECONDS = 60


def ensure_wheel(python: Path, machine: str = "") -> Path:
    """Return the portable wheel for this machine, or for a Linux on another, from the cache or compiled now."""
    folder = llama_folder(machine)
    kept = sorted(folder.glob("*.whl"))
    if kept:
        return kept[0]
    if not has_compiler(machine):
        raise SetupError("setup-no-cross-compiler" if machine else "setup-no-compiler", machine=machine)
    say("setup-compiling", folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        work = Path(place)
        record, ready = work / "degraded", work / "ready"
        ready.mkdir()
        built = _compile(python, work, {**os.environ, **settings(machine), **in_front(work, record, machine)})
        spoilt = set(record.read_text(encoding="ascii").split()) if record.is_file() else set()
        if spoilt:
            say("setup-left-out", variants=", ".join(sorted(spoilt)))
        whole = rewrite(built, ready, left_out(_compiler_version(machine)) | spoilt, machine)
        return whole.replace(folder / whole.name)


def left_out(version: int) -> set[str]:
    """Return the variants that a compiler of this version builds wrongly; 0 when that is not known."""
    return {CRASHES} | (I8MM if version < I8MM_SINCE else set())


def has_compiler(machine: str = "") -> bool:
    """Tell whether a C++ compiler is at hand; on Windows Visual Studio hides outside the PATH."""
    if _find("CXX", machine):
        return True
    installer = Path(os.environ.get("PROGRAMFILES(X86)", "C:/")) / "Microsoft Visual Studio/Installer/vswhere.exe"
    return not machine and os.name == "nt" and installer.exists()


def settings(machine: str) -> dict[str, str]:
    """Return what llama.cpp's build is told, by environment variable."""
    target = (f"-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR={machine}",) if machine else ()
    return {
        "CMAKE_ARGS": " ".join((os.environ.get("CMAKE_ARGS", ""), *FLAGS, *target)).strip(),
        "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1),
    }


def in_front(work: Path, record: Path, machine: str) -> dict[str, str]:
    """Put `compiler.sh` in front of a Linux's compilers: a variant for which a flag is unknown lands in `record`."""
    found = {variable: _find(variable, machine) for variable in COMPILERS}
    if platform.system() != "Linux":
        return {}
    told = {"AMAUTA_DEGRADED": str(record)}
    for variable, compiler in found.items():
        if compiler:
            link = work / Path(compiler).name  # CMake reads from the name which assembler goes with it
            link.symlink_to(WRAPPER)
            told |= {variable: str(link), f"AMAUTA_{variable}": compiler}
    return told


def _find(variable: str, machine: str) -> str | None:
    names = COMPILERS[variable]
    wanted = (CROSS[machine] + names[1],) if machine else (os.environ.get(variable, ""), *names)
    return next((found for name in wanted if name and (found := shutil.which(name))), None)


def _compiler_version(machine: str) -> int:
    """Ask the compiler for the first part of its version, 0 when it does not tell."""
    if not (compiler := _find("CXX", machine)):
        return 0
    done = subprocess.run([compiler, "-dumpversion"], check=False, capture_output=True, text=True)
    first = done.stdout.strip().split(".")[0]
    return int(first) if first.isdigit() else 0


def _compile(python: Path, work: Path, environment: dict[str, str]) -> Path:
    """Run pip wheel, with a line a minute so that nobody thinks it hangs."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    command += [
        "--no-binary",
        "llama-cpp-python",
        "--no-cache-dir",
        "-w",
        str(work),
        f"llama-cpp-python=={LLAMA_VERSION}",
    ]
    finished = threading.Event()
    threading.Thread(target=_tell_time, args=(finished,), daemon=True).start()
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    finished.set()
    wheels = list(work.glob("*.whl"))
    if done.returncode or not wheels:
        raise SetupError("setup-compile-failed", tail="\n".join(done.stderr.splitlines()[-15:]))
    return wheels[0]


def _tell_time(finished: threading.Event) -> None:
    start = time.monotonic()
    while not finished.wait(NEWS_EVERY_SECONDS):
        say("setup-still-compiling", minutes=round((time.monotonic() - start) / 60))

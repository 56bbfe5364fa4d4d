"""Compile llama-cpp-python once, portable, and keep the wheel.

Portable: every CPU variant is built and chosen at run time, so that one wheel runs on a
laptop of 2009 and at full speed on a new one. The AMX variant is left out: compilers
before GCC 13.2 build it wrongly, and it crashes on quantized models.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from pathlib import Path

from devkit.setup_words import SetupError, say
from edge.cache import LLAMA_VERSION, llama_folder

FLAGS = (
    "-DGGML_NATIVE=OFF",
    "-DGGML_BACKEND_DL=ON",
    "-DGGML_CPU_ALL_VARIANTS=ON",
    "-DLLAVA_BUILD=OFF",
)
LEFT_OUT = re.compile(r"ggml-cpu-sapphirerapids\.|libggml-cpu-sapphirerapids\.")
COMPILERS = ("c++", "g++", "clang++", "cl")
NEWS_EVERY_SECONDS = 60


def ensure_wheel(python: Path) -> Path:
    """Return the portable wheel, from the cache or compiled now."""
    folder = llama_folder()
    kept = sorted(folder.glob("*.whl"))
    if kept:
        return kept[0]
    if not has_compiler():
        raise SetupError("setup-no-compiler")
    say("setup-compiling", folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        built = _compile(python, Path(work))
        ready = folder / built.name
        without_amx(built, Path(work) / "ready.whl").replace(ready)
    return ready


def has_compiler() -> bool:
    """Tell whether a C++ compiler is at hand; on Windows Visual Studio hides outside the PATH."""
    if any(shutil.which(name) for name in (os.environ.get("CXX", ""), *COMPILERS) if name):
        return True
    installer = Path(os.environ.get("PROGRAMFILES(X86)", "C:/")) / "Microsoft Visual Studio/Installer/vswhere.exe"
    return os.name == "nt" and installer.exists()


def _compile(python: Path, work: Path) -> Path:
    """Run pip wheel, with a line a minute so that nobody thinks it hangs."""
    environment = {
        **os.environ,
        "CMAKE_ARGS": " ".join((os.environ.get("CMAKE_ARGS", ""), *FLAGS)).strip(),
        "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1),
    }
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


def without_amx(wheel: Path, target: Path) -> Path:
    """Copy a wheel without the AMX variant, in its list of files too."""
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in source.infolist():
            if LEFT_OUT.search(entry.filename):
                continue
            content = source.read(entry)
            if entry.filename.endswith(".dist-info/RECORD"):
                lines = content.decode("utf-8").splitlines(keepends=True)
                content = "".join(line for line in lines if not LEFT_OUT.search(line)).encode("utf-8")
            copy.writestr(entry, content)
    return target

"""llama.cpp's own llama-bench and llama-batched-bench, compiled from the very sources our wheel was made from.

They link the wheel's own libraries, so the kernels are the same to the byte and a ratio speaks of our loop alone.

    python -m benchmarks.llama_programs        compiles them (about a minute each), prints where they are
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

from devkit.llama_converter import _download

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "llama"
NAMES = ("llama-bench", "llama-batched-bench")


def ensure() -> dict[str, Path]:
    """Return the programs, compiled if they are not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if missing := [name for name in NAMES if not (FOLDER / name).is_file()]:
        source = _source()
        for name in missing:
            _compile(source, name)
    return {name: FOLDER / name for name in NAMES}


def libraries() -> Path:
    """Return the folder with the wheel's own libraries."""
    return _package().parent / "lib"


def backends() -> Path:
    """Return the folder with the wheel's processor code."""
    from edge.tutor.llama_library import find_variants

    return find_variants(_package())[0].parent


def _package() -> Path:
    found = find_spec("llama_cpp")
    if found is None or found.origin is None:
        raise SystemExit("llama-cpp-python is needed")
    return Path(found.origin).parent


def _source() -> Path:
    kept = [*FOLDER.glob("*.tar.gz")] or [_download(Path(sys.executable), FOLDER)]
    whole = FOLDER / kept[0].name.removesuffix(".tar.gz") / "vendor" / "llama.cpp"
    if not (whole / "LICENSE").is_file():
        with tarfile.open(kept[0]) as archive:
            archive.extractall(FOLDER, filter="data")
    return whole


def _compile(source: Path, name: str) -> None:
    compiler = shutil.which("c++")
    if compiler is None:
        raise SystemExit("a C++ compiler is needed")
    tool = source / "tools" / name.removeprefix("llama-") if name != "llama-bench" else source / "tools" / name
    command = [compiler, "-O2", "-std=c++17", "-o", str(FOLDER / name), *map(str, sorted(tool.glob("*.cpp")))]
    command += [f"-I{source / place}" for place in ("include", "ggml/include", "common", "vendor")]
    command += [f"-L{libraries()}"]
    command += [f"-l:lib{each}.so.0" for each in ("llama-common", "llama", "ggml", "ggml-base")]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    for program in ensure().values():
        print(program)

"""llama.cpp's own llama-bench and llama-server, compiled from the sources our wheel was made from.

They link the wheel's own libraries, so the kernels are the same to the byte and a ratio speaks of our loop alone.

    python -m benchmarks.llama_programs        compiles them (the server takes ten minutes), prints where they are
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from devkit.llama_converter import _download

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "llama"
NAMES = ("llama-bench", "llama-server")
LIBRARIES = ("llama-common", "llama", "ggml", "ggml-base")
NOT_ITS_OWN = ("mtmd-cli.cpp", "deprecation-warning.cpp")


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
    objects = FOLDER / f"{name}.objects"
    objects.mkdir(exist_ok=True)
    places = [
        source / each for each in ("", "include", "ggml/include", "common", "vendor", "vendor/hash", "tools/mtmd")
    ]
    options = ["-w", f"-I{objects}", *(f"-I{place}" for place in places)]

    def one(file: Path) -> Path:
        made = objects / f"{file.parent.name}-{file.stem}.o"
        if not made.is_file():
            # Pictures and sound are linked and never run.
            level = "-O0" if "mtmd" in file.parts else "-O2"
            language = ["-x", "c"] if file.suffix == ".c" else ["-std=c++17"]
            subprocess.run([compiler, level, *language, *options, "-c", "-o", f"{made}.part", str(file)], check=True)
            Path(f"{made}.part").replace(made)
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(one, _files(source, name, objects)))
    linked = [f"-L{libraries()}", *(f"-l:lib{each}.so.0" for each in LIBRARIES), "-lpthread"]
    part = FOLDER / f"{name}.part"
    subprocess.run([compiler, "-o", str(part), *map(str, made), *linked], check=True)
    part.replace(FOLDER / name)


def _files(source: Path, name: str, objects: Path) -> list[Path]:
    """Return what a program is compiled from; the server comes without its web page."""
    tools = source / "tools"
    if name != "llama-server":
        return sorted((tools / name).glob("*.cpp"))
    for end in ("h", "cpp"):
        text = (tools / "ui" / f"ui.{end}.in").read_text()
        text = text.replace("#cmakedefine LLAMA_UI_HAS_ASSETS 1", "").replace("@N_ASSETS@", "0")
        text = text.replace("@USE_GZIP@", "false").replace("@ASSET_ARRAYS@", "").replace("@ASSET_TABLE@", "")
        (objects / f"ui.{end}").write_text(text)
    pictures = [*(tools / "mtmd").glob("*.cpp"), *(tools / "mtmd" / "models").glob("*.cpp")]
    vendor = source / "vendor"
    others = [
        vendor / "cpp-httplib" / "httplib.cpp",
        *(vendor / "hash").glob("*.cpp"),
        *(vendor / "hash").glob("*/sha256.c"),
        objects / "ui.cpp",
    ]
    own = [*(tools / "server").glob("*.cpp"), *others]
    return own + sorted(each for each in pictures if each.name not in NOT_ITS_OWN)


if __name__ == "__main__":
    for program in ensure().values():
        print(program)

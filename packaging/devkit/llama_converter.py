"""Keep llama.cpp's own converter beside the wheel, of exactly the revision the wheel is made from.

It lies in the source distribution of llama-cpp-python. Only the converter and the
package that it writes with are kept (2 MB of 75); nothing is compiled.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from devkit.setup_words import SetupError, say
from edge.cache import CONVERTER, LLAMA_VERSION, converter_folder

WANTED = re.compile(r"[^/]+/vendor/llama\.cpp/(convert_hf_to_gguf\.py|LICENSE|(?:conversion|gguf-py/gguf)/.+\.py)")
COMPLETE = "complete"
"""Written last: its presence means that everything is there."""


def ensure_converter(python: Path) -> Path:
    """Return the folder with the converter, from the cache or unpacked now."""
    folder = converter_folder()
    if (folder / COMPLETE).is_file():
        return folder
    say("setup-converter", folder=folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        fresh = Path(work) / CONVERTER
        unpack(_download(python, Path(work)), fresh)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    return folder


def unpack(source: Path, folder: Path) -> None:
    """Take the converter out of a source distribution."""
    with tarfile.open(source) as archive:
        for member in archive:
            found = WANTED.fullmatch(member.name)
            content = archive.extractfile(member) if found and member.isfile() else None
            if found and content and ".." not in member.name:
                target = folder / found[1]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    if not (folder / "convert_hf_to_gguf.py").is_file():
        raise SetupError("setup-converter-failed", tail=source.name)
    (folder / COMPLETE).write_text(f"{LLAMA_VERSION}\n", encoding="ascii")


def _download(python: Path, work: Path) -> Path:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", "llama-cpp-python", "--dest", str(work), f"llama-cpp-python=={LLAMA_VERSION}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    found = list(work.glob("*.tar.gz"))
    if done.returncode or not found:
        raise SetupError("setup-converter-failed", tail="\n".join(done.stderr.splitlines()[-5:]))
    return found[0]

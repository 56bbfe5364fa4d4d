"""Renew the pinned requirements from pyproject.toml. Needs `uv` at hand; run by developers only."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPILED_HERE = "llama-cpp-python"
LLAMA_NEEDS = ("typing-extensions>=4.5", "jinja2>=2.11.3", "diskcache>=5.6.1")
"""What llama-cpp-python itself asks for; its wheel is installed without looking at them."""

TORCH_PARTS = ("nvidia-", "cuda-", "triton")
"""What a CUDA build of PyTorch brings along by itself, and a CPU build does not need."""


def main() -> None:
    """Write one file a group; later groups are held to the versions of the first."""
    project = tomllib.loads((HERE.parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    device = [d for d in project["dependencies"] if not d.startswith(COMPILED_HERE)]
    extras = project["optional-dependencies"]
    _renew("device", [*device, *LLAMA_NEEDS], hashed=True)
    _renew("dev", extras["dev"], hashed=True)
    _renew("quantize", extras["quantize"], hashed=False)
    _renew("kit", extras["kit"], hashed=False)
    _renew("hub", extras["hub"], hashed=True)


def _renew(group: str, requirements: list[str], *, hashed: bool) -> None:
    target = HERE / f"{group}.txt"
    command = ["uv", "pip", "compile", "-", "--universal", "--python-version", "3.11", "--no-header"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--quiet"]
    command += ["--generate-hashes"] if hashed else []
    if group != "device":
        command += ["--constraint", str(HERE / "device.txt")]
    text = "\n".join(requirements)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines(keepends=True) if hashed or not line.startswith(TORCH_PARTS)]
    text = f"# Made by renew.py from pyproject.toml.\n{''.join(lines)}"
    target.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

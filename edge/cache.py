"""Where things are kept that took long to make: compiled wheels, and what lies beside them.

Standard library only: setting up asks before anything is installed.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

LLAMA_VERSION = "0.3.36"
"""The llama-cpp-python that everything here is built with and measured on."""

CONVERTER = "converter"
"""Beside the wheel: llama.cpp's own converter, of exactly the revision the wheel was made from."""


def cache_folder() -> Path:
    """Return where wheels are kept: AMAUTA_CACHE, or the system's place for caches."""
    if chosen := os.environ.get("AMAUTA_CACHE"):
        return Path(chosen)
    if local := os.environ.get("LOCALAPPDATA"):
        return Path(local) / "Amauta" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "amauta"


def llama_folder(machine: str = "") -> Path:
    """Return the folder of what was made from this version of llama-cpp-python for this machine, or another of its system."""
    return cache_folder() / f"llama-{LLAMA_VERSION}-{platform.system()}-{machine or platform.machine()}".lower()


def converter_folder() -> Path:
    """Return where llama.cpp's converter lies once setting up with `--with quantize` has put it there."""
    return llama_folder() / CONVERTER

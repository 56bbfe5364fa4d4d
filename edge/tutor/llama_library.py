"""Load llama.cpp so that it runs on this processor, and keep it quiet.

A portable build finds its processor code in separate files, which must be given
to the very copy of libggml that libllama uses. A build made for one machine only
has it inside, and then its special memory layouts stay off: compiled by an older
GCC they crash on processors with AMX.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from edge.device import refuse_unfit_processor
from edge.errors import ModelError
from edge.lean import bare
from edge.llama.company import Company, find_company
from edge.llama.noise import note

VARIANTS = ("libggml-cpu-*.so", "ggml-cpu-*.dll", "libggml-cpu-*.dylib")
CRASHES_ON_AMX = "sapphirerapids"
WARNING, ERROR, MORE = 3, 4, 5
"""Levels of what llama.cpp says; the last goes on with what was said before."""


@dataclass(frozen=True, slots=True)
class Library:
    """llama.cpp, ready to load models."""

    api: Any
    """The module of C functions."""

    extra_layouts: bool
    """Whether weights may be laid out anew for speed."""

    complaints: deque[str]
    """The last things llama.cpp complained about."""

    company: Company | None
    """Who else works on this machine, where threads can wait in two ways."""

    keep: Any
    """What C holds on to and Python must not throw away."""


@cache
def load_library() -> Library:
    """Import llama.cpp once and give it its processor code; raise ModelError when it has none."""
    refuse_unfit_processor()
    if sys.platform != "linux":
        # Threads that wait for each other awake may nearly stand still when other programs are busy; on Linux `Company` looks.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        api, package = _import_functions()
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError("model-no-library", reason=str(error)) from error
    complaints: deque[str] = deque(maxlen=8)

    before = 0

    @api.llama_log_callback  # type: ignore[untyped-decorator]
    def listen(level: int, text: bytes, _: object) -> None:
        nonlocal before
        before = before if level == MORE else level
        said = text.decode("utf-8", "replace")
        if before >= WARNING:
            note(said)
        if before == ERROR and said.strip():
            complaints.append(said.strip())

    api.llama_log_set(listen, ctypes.c_void_p(0))
    variants = find_variants(package)
    if variants:
        _give_backends(api, variants[0].parent)
    api.llama_backend_init()
    if _device_count(api) == 0:
        raise ModelError("model-no-backend", reason="; ".join(complaints) or "-")
    return Library(api, may_lay_out_anew(variants), complaints, find_company(), listen)


def _import_functions() -> tuple[Any, Path]:
    """Return the module of C functions and its folder, without the rest of its package, which takes five times as long."""
    with bare("llama_cpp") as folder:
        from llama_cpp import llama_cpp as api
    return api, folder


def may_lay_out_anew(variants: Sequence[Path]) -> bool:
    """Tell whether weights may be laid out anew for speed: not where AMX code may be among it."""
    return bool(variants) and not any(CRASHES_ON_AMX in path.name for path in variants)


def find_variants(package: Path) -> list[Path]:
    """Return the processor files of a portable build, from the first folder that has any."""
    for folder in (package / "lib", package.parent / "bin"):
        found = [path for pattern in VARIANTS for path in sorted(folder.glob(pattern))]
        if found:
            return found
    return []


def _give_backends(api: Any, folder: Path) -> None:
    # Through libllama's own handle: a wheel has several copies of libggml, each with its own list.
    load = api._lib.ggml_backend_load_all_from_path
    load.argtypes, load.restype = [ctypes.c_char_p], None
    load(os.fsencode(folder))


def _device_count(api: Any) -> int:
    count = api._lib.ggml_backend_dev_count
    count.argtypes, count.restype = [], ctypes.c_size_t
    return int(count())

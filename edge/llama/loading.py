"""Load the weights of a GGUF model, after its file was checked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.tutor.gguf import GgufHead, read_head
from edge.tutor.llama_library import Library, load_library
from edge.tutor.tuning import Tuning

SMALL_PARAMETERS, FEW_THREADS, THREADS = 150_000_000, 1, 2
"""A small model is slower on two threads than on one: they wait for each other more than they work."""


def load_model(path: Path) -> tuple[Library, Any, GgufHead]:
    """Return llama.cpp, the model at `path` and what its file says; raise ModelError when it cannot run here."""
    head = read_head(path)
    library = load_library()
    library.complaints.clear()
    params = library.api.llama_model_default_params()
    params.n_gpu_layers = 0
    params.use_extra_bufts = library.extra_layouts
    model = library.api.llama_model_load_from_file(os.fsencode(path), params)
    if not model:
        raise ModelError("model-refused", path=path, reason="; ".join(library.complaints) or "-")
    if library.extra_layouts and sys.platform == "linux":
        _let_go(path)
    return library, model, head


def _let_go(path: Path) -> None:
    """Give back the memory of a file that is mapped: most of its weights were laid out anew and stand there twice.

    What is needed of it all the same comes back by itself, page by page.
    """
    import ctypes
    import mmap

    advise = ctypes.CDLL(None, use_errno=True).madvise
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    whole = os.path.realpath(path)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        place, _, name = line.partition(" ")
        if name.endswith(f" {whole}"):
            start, end = (int(number, 16) for number in place.split("-"))
            advise(start, end - start, mmap.MADV_DONTNEED)


def open_context(
    library: Library, model: Any, path: Path, settings: Any, head: GgufHead, tuning: Tuning | None, threads: int = 0
) -> Any:
    """Give a model its memory; when that cannot be, let go of the model and raise ModelError.

    Threads are as measured, else as asked for, else the usual ones.
    """
    settings.n_threads = settings.n_threads_batch = threads or usual_threads(head)
    if tuning is not None:
        settings.n_threads, settings.n_threads_batch = tuning.write_threads, tuning.read_threads
    settings.no_perf = True
    context = library.api.llama_init_from_model(model, settings)
    if not context:
        library.api.llama_model_free(model)
        raise ModelError("model-refused", path=path, reason="; ".join(library.complaints) or "-")
    return context


def usual_threads(head: GgufHead) -> int:
    """Return how many threads a model gets where nobody measured."""
    return FEW_THREADS if head.parameters < SMALL_PARAMETERS else THREADS

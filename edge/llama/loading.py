"""Load the weights of a GGUF model, after its file was checked."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.tutor.gguf import GgufHead, read_head
from edge.tutor.llama_library import Library, load_library
from edge.tutor.tuning import Tuning, llama_version

SMALL_PARAMETERS, FEW_THREADS, THREADS = 150_000_000, 1, 2
"""A small model is slower on two threads than on one: they wait for each other more than they work."""

STEP = 0.1
"""How often, in shares of a file, its memory is given back while it is read."""


def load_model(path: Path) -> tuple[Library, Any, GgufHead]:
    """Return llama.cpp, the model at `path` and what its file says; raise ModelError when it cannot run here."""
    head = read_head(path)
    library = load_library()
    library.complaints.clear()
    params = library.api.llama_model_default_params()
    params.n_gpu_layers = 0
    params.use_extra_bufts = library.extra_layouts
    if library.extra_layouts and sys.platform == "linux":
        file = Mapped(path)
        progress = library.api.llama_progress_callback(lambda share, _: file.let_go(share))
        params.progress_callback = progress
    threading.Thread(target=_meanwhile).start()
    model = library.api.llama_model_load_from_file(os.fsencode(path), params)
    if not model:
        raise ModelError("model-refused", path=path, reason="; ".join(library.complaints) or "-")
    return library, model, head


def _meanwhile() -> None:
    """Import and look up what the first answer needs, while llama.cpp lays the weights out on another core."""
    import numpy  # noqa: F401

    llama_version()


class Mapped:
    """A model's file that is mapped into memory, given back while its weights are laid out anew: they would stand there twice.

    What is needed of it all the same comes back by itself, page by page.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._next = os.path.realpath(path), STEP
        self._advise = ctypes.CDLL(None, use_errno=True).madvise

    def let_go(self, share: float) -> bool:
        """Give back what was read so far, now and then; llama.cpp may always go on."""
        if share >= self._next:
            self._next = min(1.0, share + STEP)
            with suppress(OSError):  # without /proc it only takes more memory
                for start, size in self._places():
                    length = int(size * share) // mmap.PAGESIZE * mmap.PAGESIZE
                    self._advise(ctypes.c_void_p(start), ctypes.c_size_t(length), mmap.MADV_DONTNEED)
        return True

    def _places(self) -> Iterator[tuple[int, int]]:
        for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            place, _, name = line.partition(" ")
            if name.endswith(f" {self._path}"):
                start, end = (int(number, 16) for number in place.split("-"))
                yield start, end - start


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

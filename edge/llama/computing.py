"""The computations of one llama.cpp context: each can be stopped, and its threads wait as is best just now."""

from __future__ import annotations

from typing import Any

from edge.llama.brake import Brake, Stop
from edge.tutor.llama_library import Library


class Computing:
    """What one context computes; close it before the context."""

    def __init__(self, library: Library, context: Any) -> None:
        self._api, self._context, self._company = library.api, context, library.company
        self._brake = Brake(library.api, context)
        self._threads = max(self._api.llama_n_threads(context), self._api.llama_n_threads_batch(context))

    def decode(self, batch: Any, stop: Stop) -> int:
        """Compute a batch; return what llama.cpp says: 0 when it is done, 2 when it was stopped."""
        if self._company is not None:
            self._company.look(self._threads)
        with self._brake.ready(stop):
            return int(self._api.llama_decode(self._context, batch))

    def rest(self) -> None:
        """Give back what only computing needs; called by the thread that computed."""
        if self._company is not None and self._threads > 1:
            self._company.rest()

    def close(self) -> None:
        """End the thread that listens for a stop."""
        self._brake.close()

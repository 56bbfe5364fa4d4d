"""How soon something happens, on a machine that may be busy with other things."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TASKS = Path("/proc/self/task")


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    """Fail when the block takes longer. Time in which its threads could have worked but got no processor does not count."""
    began, before = time.monotonic(), _kept_waiting_s()
    yield
    taken = time.monotonic() - began
    waited = sum(max(0.0, now - before.get(thread, 0.0)) for thread, now in _kept_waiting_s().items())
    assert taken - waited < limit_s, f"it took {taken:.2f} s, {waited:.2f} of them waiting for a processor"


def _kept_waiting_s() -> dict[str, float]:
    """Return how long each thread of this process has waited for a processor; nothing where the system does not tell."""
    found = {}
    for path in TASKS.glob("*/schedstat"):
        with suppress(OSError):  # a thread that has just ended
            found[path.parent.name] = int(path.read_text(encoding="ascii").split()[1]) / 1e9
    return found

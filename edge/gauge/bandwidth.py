"""How fast the processor reads its memory: the ceiling of every language model here.

Writing one token reads every weight once, so a model of one gigabyte never writes more tokens a second than this
figure in gigabytes.
"""

from __future__ import annotations

import threading
import time

BYTES = 1 << 28
"""Much more than any cache of such a machine."""

PASSES = 4


def memory_bandwidth(cores: int) -> float:
    """Return the gigabytes a second that this machine's memory gives at most, to one core or to all."""
    return max(read_bandwidth(threads) for threads in {1, cores})


def read_bandwidth(threads: int) -> float:
    """Return the gigabytes (10^9 bytes) a second that `threads` threads read from memory together, at their best."""
    import numpy as np

    parts = np.array_split(np.ones(BYTES // 8, dtype=np.uint64), threads)
    # Which of the two runs with wide instructions depends on the processor.
    ways = (np.max, np.bitwise_or.reduce)
    best = 0.0
    for number in range(2 * PASSES):
        workers = [threading.Thread(target=ways[number % 2], args=(part,)) for part in parts]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = max(best, BYTES / 1e9 / (time.perf_counter() - began))
    return best

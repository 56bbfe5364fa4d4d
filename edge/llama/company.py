"""Let threads that compute together wait for each other awake on an idle machine, and asleep beside other programs.

Waiting awake, two threads write up to a tenth faster; but where another program needs their processor too, each waits
whole milliseconds for one that is not running. GNU's OpenMP knows both ways and takes the second as soon as it is in charge
of more threads than there are processors. So beside other programs it gets a few more, which do nothing but sleep.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.processor import core_count

LIBRARY = "libgomp.so.1"
GIVE_BACK = 2
"""OpenMP's omp_pause_hard."""

WINDOW_S = 0.25
"""The system counts in hundredths of a second: less than this tells too little."""

BUSY, FREE = 0.3, 0.15
"""So many processors' work of others, beyond those that we leave free, count as company; so few as none."""

STAT = Path("/proc/stat")
USER, NICE, SYSTEM, INTERRUPTS, SOFT = 0, 1, 2, 5, 6
"""Places in the first line of /proc/stat; the others are not work of this machine."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment."""

    at_s: float
    machine_s: float
    """Processor time of all programs so far."""

    mine_s: float
    """That of the thread which computes; its fellows work as long as it does."""

    thread: int


def crowded(before: Look, now: Look, threads: int, cores: int) -> bool | None:
    """Tell whether others need the processors that `threads` of us compute on; None when that cannot be told.

    >>> crowded(Look(0, 0, 0, 1), Look(1, 2.0, 1.0, 1), threads=2, cores=2)
    False
    >>> crowded(Look(0, 0, 0, 1), Look(1, 2.0, 0.6, 1), threads=2, cores=2)
    True
    """
    past = now.at_s - before.at_s
    if now.thread != before.thread or past < WINDOW_S:
        return None
    others = (now.machine_s - before.machine_s - threads * (now.mine_s - before.mine_s)) / past
    beyond = others - max(0, cores - threads)
    return True if beyond > BUSY else False if beyond < FREE else None


class Company:
    """Who else works on this machine, and how the threads of this process wait because of it."""

    def __init__(self, openmp: Any, cores: int) -> None:
        self._openmp, self._cores = openmp, cores
        self._nothing = ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p)  # of nothing, it does nothing
        self._lock = threading.Lock()
        self._last: Look | None = None
        self._leave: threading.Event | None = None
        self._set(asleep=True)

    @property
    def asleep(self) -> bool:
        """Tell whether threads sleep while they wait."""
        return self._leave is not None

    def look(self, threads: int) -> None:
        """Choose how `threads` wait for each other; called now and then by the one that computes with them."""
        if threads < 2:
            return
        with self._lock:
            if (
                self._last
                and time.monotonic() - self._last.at_s < WINDOW_S
                and self._last.thread == threading.get_ident()
            ):
                return
            now = look()
            found = crowded(self._last, now, threads, self._cores) if self._last else None
            self._last = now
            if found is not None:
                self._set(asleep=found)

    def rest(self) -> None:
        """Give back the threads that compute with the calling one: it will not compute for a while.

        While it keeps them, those of another count as too many.
        """
        self._openmp.omp_pause_resource_all(GIVE_BACK)

    def _set(self, *, asleep: bool) -> None:
        if asleep and self._leave is None:
            there, leave = threading.Event(), threading.Event()
            threading.Thread(target=self._stand, args=(there, leave), name="company", daemon=True).start()
            there.wait()
            self._leave = leave
        elif not asleep and self._leave is not None:
            self._leave.set()
            self._leave = None

    def _stand(self, there: threading.Event, leave: threading.Event) -> None:
        """Have as many threads as there are processors; they end with this one."""
        self._openmp.GOMP_parallel(self._nothing, None, self._cores, 0)
        there.set()
        leave.wait()


def look() -> Look:
    """Return what is to be seen now; raise OSError where the system does not tell."""
    counted = [int(number) for number in STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    machine = sum(counted[place] for place in (USER, NICE, SYSTEM, INTERRUPTS, SOFT)) / os.sysconf("SC_CLK_TCK")
    return Look(time.monotonic(), machine, time.thread_time(), threading.get_ident())


def find_company() -> Company | None:
    """Return the company of this process, once llama.cpp is loaded; None where its threads wait in another way."""
    if sys.platform != "linux":
        return None
    try:
        openmp = ctypes.CDLL(LIBRARY, mode=os.RTLD_NOLOAD)
        openmp.GOMP_parallel, openmp.omp_pause_resource_all  # noqa: B018  an older one has not all of it
        look()
    except (OSError, AttributeError, ValueError, IndexError):
        return None
    return Company(openmp, core_count())

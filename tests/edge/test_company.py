"""Threads that compute together wait for each other awake when nobody else wants the processor, and asleep beside others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llama import company
from edge.llama.company import Look, crowded
from edge.tutor.llama import LlamaEngine
from edge.tutor.llama_library import load_library

ROOT = Path(__file__).parents[2]
MINI = ROOT / "edge" / "models" / "mini" / "mini.gguf"
linux = pytest.mark.skipif(sys.platform != "linux", reason="OpenMP of GNU, and /proc")
shares = st.floats(0, 1)

WAIT = """
import ctypes, sys, threading, time
from pathlib import Path
from edge.llama import company

openmp = ctypes.CDLL(company.LIBRARY)
here = company.find_company()

def meet():
    openmp.GOMP_parallel(here._nothing, None, 2, 0)

def wake():
    tasks = Path("/proc/self/task")
    before = len(list(tasks.iterdir()))
    here._set(asleep=False)
    while len(list(tasks.iterdir())) > before - company.core_count():
        time.sleep(0.01)

def worked():
    '''Return the milliseconds that two threads work for each second in which they have nothing to do.'''
    meet()
    began = time.process_time()
    for _ in range(20):
        meet()
        time.sleep(0.02)
    return round(1000 * (time.process_time() - began) / 0.4)

def elsewhere(then):
    done, leave = threading.Event(), threading.Event()
    def compute():
        meet()
        then()
        done.set()
        leave.wait()
    threading.Thread(target=compute, daemon=True).start()
    done.wait()
"""


def tasks() -> int:
    """Return how many threads this process has, C's too."""
    return len(list(Path("/proc/self/task").iterdir()))


def working(script: str) -> list[int]:
    """Return the numbers that a script prints, run where two processors are free of OpenMP's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    environment["PYTHONPATH"] = str(ROOT)
    run = [sys.executable, "-c", WAIT + script]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


@linux
@pytest.mark.skipif(company.core_count() < 2, reason="one processor")
def test_asleep_they_leave_the_processor_to_others_and_awake_they_do_not() -> None:
    asleep, awake, again = working("print(worked()); wake(); print(worked()); here._set(asleep=True); print(worked())")
    assert asleep < awake / 3
    assert again < awake / 3


@linux
@pytest.mark.skipif(company.core_count() != 2, reason="with more processors more threads may be awake")
def test_threads_that_compute_no_more_do_not_count() -> None:
    script = "wake(); elsewhere({then}); print(worked())"
    (kept,) = working(script.format(then="lambda: None"))
    (given_back,) = working(script.format(then="here.rest"))
    assert kept < given_back / 3


@given(shares, shares, st.integers(2, 8), st.integers(1, 8))
def test_only_what_others_do_beyond_the_processors_we_leave_free_is_company(
    mine: float, others: float, threads: int, cores: int
) -> None:
    load = others * cores
    found = crowded(Look(0, 5, 3, 1), Look(1, 5 + threads * mine + load, 3 + mine, 1), threads, cores)
    beyond = load - max(0, cores - threads)
    assert found is not False or beyond < 0.2
    assert found is not True or beyond > 0.2


def test_nothing_is_told_from_a_moment_or_from_another_thread() -> None:
    assert crowded(Look(0, 0, 0, 1), Look(0.1, 2, 0, 1), 2, 2) is None
    assert crowded(Look(0, 0, 0, 1), Look(5, 10, 0, 2), 2, 2) is None


@linux
def test_a_busy_program_sends_them_to_sleep_and_its_end_wakes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_library()
    stat = tmp_path / "stat"
    monkeypatch.setattr(company, "STAT", stat)
    stat.write_text("cpu 100 0 0 900 0 0 0 0 0 0\n")
    here, now = company.find_company(), 0.0
    assert here is not None
    assert here.asleep, "until it is known who else is there"
    monkeypatch.setattr(company.time, "monotonic", lambda: now)
    monkeypatch.setattr(company.time, "thread_time", lambda: now)  # we work all the time
    seen, ticks = [], 100
    for others in (0, 0, 1, 1, 0):
        now += 1
        ticks += (2 + others) * os.sysconf("SC_CLK_TCK")
        stat.write_text(f"cpu {ticks} 0 0 900 0 0 0 0 0 0\n")
        here.look(company.core_count())
        seen.append(here.asleep)
    assert company.core_count() != 2 or seen == [True, False, True, True, False]
    here._set(asleep=False)


@linux
def test_after_an_answer_a_model_keeps_no_thread_that_would_compute() -> None:
    with LlamaEngine.open(MINI, threads=2) as engine:
        "".join(engine.stream([{"role": "user", "content": "hola"}], max_tokens=2))
        before = tasks()
        for _ in engine.stream([{"role": "user", "content": "hola"}], max_tokens=4):
            assert tasks() > before
        assert tasks() == before


@linux
def test_where_the_system_does_not_tell_nothing_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_library()
    monkeypatch.setattr(company, "STAT", tmp_path / "none")
    assert company.find_company() is None

"""What takes too long fails; what a busy machine holds up does not."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from promptness import TASKS, within

BUSY = "import os\nos.sched_setaffinity(0, {int(__import__('sys').argv[1])})\nprint(flush=True)\nwhile True: pass"


def test_who_sleeps_too_long_fails() -> None:
    with within(5):
        pass
    with pytest.raises(AssertionError, match="it took 0"), within(0.05):
        time.sleep(0.2)


@pytest.mark.skipif(not TASKS.exists(), reason="only Linux tells how long a thread waited for a processor")
def test_who_shares_the_processor_with_others_gets_the_time_back() -> None:
    allowed = os.sched_getaffinity(0)
    one = min(allowed)
    command = [sys.executable, "-c", BUSY, str(one)]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    try:
        for other in others:
            assert other.stdout is not None
            other.stdout.readline()
        os.sched_setaffinity(0, {one})
        began = time.monotonic()
        with within(0.6):
            until = time.thread_time() + 0.2
            while time.thread_time() < until:
                pass
        assert time.monotonic() - began > 0.4
    finally:
        os.sched_setaffinity(0, allowed)
        for other in others:
            other.kill()
            other.communicate()

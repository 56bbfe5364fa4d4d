"""Two processes that would spoil each other's work take turns; a killed one stands in nobody's way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.locks import take

HOLD = """
import os, sys
from edge.locks import take
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
print(take(handle, together=sys.argv[2] == "together"), flush=True)
sys.stdin.read()
"""


def holder(path: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(path), how]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "True\n"
    return other


@pytest.mark.parametrize(("theirs", "ours", "free"), [
    ("alone", "alone", False),
    ("alone", "together", False),
    ("together", "alone", False),
    ("together", "together", True),
])  # fmt: skip
def test_whoever_works_alone_keeps_all_others_out_until_it_is_killed(
    tmp_path: Path, theirs: str, ours: str, free: bool
) -> None:
    if sys.platform == "win32" and "together" in (theirs, ours):
        pytest.skip("Windows has no lock that several share")
    path = tmp_path / "lock"
    with holder(path, theirs) as other:
        handle = os.open(path, os.O_RDWR)
        try:
            assert take(handle, together=ours == "together") is free
            other.kill()
            other.wait()
            assert take(handle, together=ours == "together")
        finally:
            os.close(handle)

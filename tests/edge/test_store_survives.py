"""Nothing that was confirmed is lost: not by kill -9, not on a full disk."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.learning.store import Store

CHILD = Path(__file__).with_name("practising.py")
ROOT = Path(__file__).parents[2]
ANSWERS = 200
ROUNDS = 8


def practise_until_killed(path: Path, answers: int, wait_seconds: float, seed: int) -> list[list[str]]:
    """Run the child, let it confirm so many answers and a moment more, kill it; return what it confirmed."""
    command = [sys.executable, str(CHILD), str(path), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}) as child:
        assert child.stdout
        lines = [child.stdout.readline() for _ in range(answers)]
        time.sleep(wait_seconds)
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    return [line.split() for line in lines if line.endswith("\n")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_kill_9_loses_no_confirmed_answer(tmp_path: Path) -> None:
    path = tmp_path / "amauta.db"
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    confirmed: list[list[str]] = []
    for turn in range(ROUNDS):
        # The first rounds may also be killed while the file is being made.
        answers = 0 if turn < 3 else chance.randint(ANSWERS // 5, ANSWERS // 3)
        wait = chance.uniform(0.05, 0.5) if turn < 3 else chance.uniform(0, 0.01)
        confirmed += practise_until_killed(path, answers, wait, chance.randrange(10**6))
        with Store.open(path) as store:
            kept = {str(attempt.seq): attempt for attempt in store.attempts()}
        for seq, item, given in confirmed:
            assert (kept[seq].item, kept[seq].given) == (item, given), f"seed {seed}"
        assert sorted(map(int, kept)) == list(range(1, len(kept) + 1)), f"seed {seed}"
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
    assert len(confirmed) >= ANSWERS


FILL = """
import resource, signal, sys
from pathlib import Path
from edge.errors import StoreError
from edge.learning.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.open(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
try:
    while True:
        turn = store.append_turn(learner="", question="q" * 3000, mode="none", text="", lesson="", at="2026")
        print(turn.seq, flush=True)
except StoreError as error:
    print(error.key, len(store.turns("", 10_000)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")
def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "amauta.db"
    done = subprocess.run([sys.executable, "-c", FILL, str(path)], capture_output=True, text=True, cwd=ROOT, check=True)
    *confirmed, last = done.stdout.splitlines()
    assert last == f"store-full {len(confirmed)}"
    assert len(confirmed) > 10
    with Store.open(path) as store:
        assert [turn.seq for turn in store.turns("", 10_000)] == [int(seq) for seq in reversed(confirmed)]
        store.append_turn(learner="", question="q", mode="none", text="", lesson="", at="2026")

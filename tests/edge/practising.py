"""A child process that practises for ever and prints the number of every confirmed answer.

Started by test_store_survives.py, which kills it: not a test itself.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from edge.learning.exercise import generate, lesson_id
from edge.learning.grade import mark
from edge.learning.store import Store


def practise(path: Path, seed: int) -> None:
    """Answer generated items until somebody pulls the plug."""
    random = Random(seed)
    with Store.open(path) as store:
        while True:
            item = generate("add", 2, "es", random)
            given = random.choice("abcd")
            attempt = store.append_attempt(
                learner="ana",
                lesson=lesson_id("add", 2),
                item=item.id,
                given=given,
                right=mark(item, given).right,
                hints=0,
                seconds=1.5,
                at="2026-01-01T00:00:00.000Z",
            )
            print(attempt.seq, attempt.item, attempt.given, flush=True)


if __name__ == "__main__":
    practise(Path(sys.argv[1]), int(sys.argv[2]))

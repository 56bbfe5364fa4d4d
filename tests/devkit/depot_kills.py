"""Fill a depot, be killed at random instants, look at what is left. A program of its own: it forks.

    python depot_kills.py DEPOT COUNT LONGEST_S add FILE...
    python depot_kills.py DEPOT COUNT LONGEST_S sync MANIFEST URL ID...

Prints how often it killed in time and how many objects it looked at.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import sys
import time
from pathlib import Path

from devkit.depot import Depot
from devkit.depot.board import Board
from devkit.depot.bring import bring
from devkit.depot.catalogue import missing, order
from edge.release.fetch import Patience
from edge.release.manifest import parse
from edge.words import words_for


def fill(depot: Depot, how: str, arguments: list[str]) -> None:
    with depot.open():
        if how == "add":
            for file in arguments:
                depot.put("lm", Path(file).stem, "", "", {f"models/{Path(file).name}": Path(file)})
            return
        manifest, url, *names = arguments
        release = parse(Path(manifest).read_bytes())
        orders = [order(release, name, url, depot) for name in names]
        board = Board(words_for("devkit", "en"), io.StringIO(), 0, live=False)
        assert not bring(depot, missing(orders, depot), board, at_once=3, patience=Patience(first_wait_s=0.01))
        for made in orders:
            depot.keep(made.entry(depot))


def check(depot: Depot) -> int:
    """Nothing half stands under a hash, and no entry names what is not there; return how many objects were whole."""
    objects = list((depot.folder / "objects").glob("??/*"))
    for path in objects:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name, f"half a file stands under {path.name}"
    for entry in depot.entries():
        for file in entry.files:
            assert depot.has(file.sha256, file.size), f"{entry.id} names what is not there"
    return len(objects)


def clear(depot: Depot) -> None:
    """Begin again from nothing now and then, so that kills fall everywhere; unfinished downloads stay."""
    for path in [*(depot.folder / "objects").glob("??/*"), *depot.receipts()]:
        path.unlink()


def main() -> None:
    folder, count, longest, how, *arguments = sys.argv[1:]
    depot, chance, killed, looked = Depot(Path(folder)), random.Random(11), 0, 0
    for number in range(int(count)):
        child = os.fork()
        if child == 0:
            fill(depot, how, arguments)
            os._exit(0)
        time.sleep(chance.uniform(0, float(longest)))
        os.kill(child, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        looked += check(depot)
        if number % 5 == 4:
            clear(depot)
    fill(depot, how, arguments)
    check(depot)
    sys.stdout.write(f"{killed} {looked}\n")


if __name__ == "__main__":
    main()

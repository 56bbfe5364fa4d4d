"""Writing four sticks at once and reading them back, against four `dd` with the same flags, in the same run.

Loop devices over files on this disk pose as sticks, so it needs root. Runs are interleaved and medians given.
Peak memory is that of the whole process, for an image of 256 MiB and of 1 GiB.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from devkit.disks.attached import attached_disks
from devkit.disks.choice import Rules
from devkit.stick import ImageStick, PlannedFile
from devkit.write.crew import Gauge, write_all
from devkit.write.job import Job, Means
from devkit.write.source import image_source

MEGA = 1 << 20
STICKS, SIZE, ROUNDS = 4, 256 * MEGA, 3
MEMORY_SIZES = (256 * MEGA, 1024 * MEGA)


def run() -> str:
    """Return both tables."""
    if os.geteuid() != 0:
        return "needs root: loop devices pose as sticks"
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        work = Path(folder)
        return f"{speed(work)}\n\n{memory(work)}"


def speed(work: Path) -> str:
    """Compare dd, our writing alone, and our writing with the reading back."""
    picture = image(work, SIZE)
    found: dict[str, list[float]] = {"dd": [], "write": [], "whole": []}
    with sticks(work, STICKS, SIZE + 16 * MEGA) as paths:
        dd(picture, paths)  # the files behind the disks are allocated once, for everybody
        for _ in range(ROUNDS):
            found["dd"].append(timed(lambda: dd(picture, paths)))
            began = time.monotonic()
            write_s = write(picture, paths, work / "receipts")
            found["whole"].append(time.monotonic() - began)
            found["write"].append(write_s)
    base = median(found["dd"])
    total = STICKS * SIZE / 1e6
    rows = [
        ("`dd oflag=direct bs=4M conv=fsync`", base),
        ("`amauta-kit write`: writing alone, until all is on the medium", median(found["write"])),
        ("the whole: counterfeit probes, writing, reading back, receipts", median(found["whole"])),
    ]
    lines = [
        f"| {what} | {seconds:.1f} s | {total / seconds:.0f} MB/s | {base / seconds:.2f} |" for what, seconds in rows
    ]
    head = f"| {STICKS} sticks at once, {SIZE // MEGA} MiB each, median of {ROUNDS} | time | together | of dd |"
    return "\n".join([head, "|---|---|---|---|", *lines])


def memory(work: Path) -> str:
    """Measure peak memory of a process that writes and verifies four sticks, for two sizes of image."""
    lines = ["| image | sticks | peak memory |", "|---|---|---|"]
    for size in MEMORY_SIZES:
        picture = image(work, size)
        with sticks(work, STICKS, size + 16 * MEGA) as paths:
            command = [sys.executable, "-m", "benchmarks.stick_write", str(picture), str(work / "r"), *paths]
            peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        lines.append(f"| {size // MEGA} MiB | {STICKS} | {peak / 1024:.0f} MB |")
    return "\n".join(lines)


def image(work: Path, size: int) -> Path:
    """Make an image that nothing can compress."""
    path = work / "image.img"
    with path.open("wb") as file:
        for _ in range(size // (16 * MEGA)):
            file.write(os.urandom(16 * MEGA))
    return path


@contextmanager
def sticks(work: Path, count: int, size: int) -> Iterator[list[str]]:
    """Attach files as disks."""
    with ExitStack() as stack:
        paths = []
        for at in range(count):
            file = work / f"stick{at}.img"
            with file.open("wb") as target:
                target.truncate(size)
            command = ["losetup", "--find", "--show", "--direct-io=on", str(file)]
            paths.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
            stack.callback(subprocess.run, ["losetup", "--detach", paths[-1]], check=True)
        yield paths


def dd(picture: Path, paths: Sequence[str]) -> None:
    """Write the image to every disk at once, as technicians do today."""
    flags = ["bs=4M", "oflag=direct", "conv=fsync,notrunc", "status=none"]
    running = [subprocess.Popen(["dd", f"if={picture}", f"of={path}", *flags]) for path in paths]
    if any(process.wait() for process in running):
        raise SystemExit("dd failed")


def write(picture: Path, paths: Sequence[str], receipts: Path) -> float:
    """Write and verify; return the seconds until the last block of the slowest stick was on the medium."""
    source = image_source(picture, None)
    planned = PlannedFile(picture.name, source.size, "", picture)
    disks = {disk.path: disk for disk in attached_disks()}
    jobs = [
        Job(ImageStick(Path(path).name, planned), disks[path], source, "", "es", Rules(allow_loop=True))
        for path in paths
    ]
    means = Means(receipts, threading.Event(), os.urandom(16), lambda: datetime.now(UTC))
    outcomes = write_all(jobs, means, quiet)
    return max(float(outcome.receipt.facts["write_s"]) for outcome in outcomes if outcome.receipt)


def quiet(_gauges: Sequence[Gauge]) -> None:
    """Nobody watches."""


def timed(work: Callable[[], None]) -> float:
    """Return the seconds something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[3:], Path(sys.argv[2]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

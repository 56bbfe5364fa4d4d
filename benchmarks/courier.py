"""A teacher's laptop on the school's network: thirty devices at once, one large delivery, and being found.

All on one machine, over loopback, devices as threads of one process: they share its cores with the courier.
"""

from __future__ import annotations

import hashlib
import os
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.sync_scale import NOW, practised
from edge.hub.database import open_database
from edge.hub.enrolling import enrol
from edge.hub.place import create
from edge.settings import Settings
from edge.sync import papers
from edge.sync.enrolment import as_bytes
from edge.sync.lan.find import find
from edge.sync.lan.interfaces import Address, lan_addresses
from edge.sync.lan.near import Near
from edge.sync.lan.receiving import Receiving, open_receiving
from edge.sync.lan.sender import parse_address, send_near
from edge.sync.ledger import Ledger

DEVICES = 30
ATTEMPTS = 500
LARGE_BYTES = 32 << 20
LOOP = [Address("127.0.0.1")]


@dataclass(frozen=True, slots=True)
class School:
    """A hub and thirty homes of devices that have something to deliver."""

    homes: list[Path]


def school(folder: Path) -> School:
    """Make thirty devices, each with what a class does in an hour."""
    place = create(folder / "hub", "distrito")
    with open_database(place) as database:
        content = as_bytes(enrol(place, database, "escuela-1", os.urandom(16), NOW, renew=False))
    homes = [folder / f"device-{number}" for number in range(DEVICES)]
    for number, home in enumerate(homes):
        home.mkdir()
        practised(home / "amauta.db", ATTEMPTS, random.Random(number))
        with Ledger(home / "amauta.db") as ledger:
            papers.enrol(home, content, ledger, random.SystemRandom())
    return School(homes)


def deliver(home: Path, to: Receiving) -> float:
    """Return the seconds from the typed code to the confirmed delivery."""
    begun = time.perf_counter()
    sent = send_near(Settings(home), to.code, to.addresses[0])
    if sent.facts != ATTEMPTS:
        raise SystemExit(f"{sent.facts} of {ATTEMPTS} were delivered")
    return time.perf_counter() - begun


def together(homes: list[Path], teacher: Path) -> tuple[float, list[float]]:
    """Return the seconds until all are done, and those of each."""
    with (
        open_receiving(Settings(teacher), lambda _: None, addresses=LOOP, announce=False) as open_,
        ThreadPoolExecutor(len(homes)) as pool,
    ):
        begun = time.perf_counter()
        each = list(pool.map(lambda home: deliver(home, open_), homes))
        return time.perf_counter() - begun, each


def large(teacher: Path) -> float:
    """Return the seconds one large bundle takes from the first byte to the confirmation."""
    sealed = b"age-encryption.org/v1\n" + random.Random(1).randbytes(LARGE_BYTES)
    with open_receiving(Settings(teacher), lambda _: None, addresses=LOOP, announce=False) as open_:
        found = parse_address(open_.addresses[0])
        with Near(found.hosts, found.port, lambda: False) as near:
            near.pair(open_.code)
            begun = time.perf_counter()
            near.send(sealed, "0" * 64, lambda _: None)
            return time.perf_counter() - begun


def bare(folder: Path) -> float:
    """Return the seconds the same bytes take through a bare socket into a file, hashed and safe on the disk."""
    content = random.Random(1).randbytes(LARGE_BYTES)
    begun = time.perf_counter()
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = threading.Thread(target=_pour, args=(server.getsockname()[1], content))
        sender.start()
        line, _ = server.accept()
        digest = hashlib.sha256()
        with line, (folder / "bare").open("wb") as file:
            while block := line.recv(1 << 17):
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        sender.join()
    return time.perf_counter() - begun


def _pour(port: int, content: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(content)


def found_after(teacher: Path) -> str:
    """Return how long an open laptop takes to be found on this machine's network."""
    if not lan_addresses():
        return "no network here"
    with open_receiving(Settings(teacher), lambda _: None) as open_:
        begun = time.perf_counter()
        labels = [each.label for each in find()]
        seconds = time.perf_counter() - begun
    return f"{seconds:.1f} s" if open_.label in labels else "not found: no multicast here"


def run() -> str:
    """Deliver, measure, and return the table."""
    with TemporaryDirectory(dir=os.environ.get("AMAUTA_BENCH_DIR")) as name:
        folder = Path(name)
        homes = school(folder).homes
        alone, _ = together(homes[:1], folder / "alone")
        all_s, each = together(homes, folder / "teacher")
        pairs = [(large(folder / f"large-{number}"), bare(folder)) for number in range(3)]
        found = found_after(folder / "found")
    ratio = median(ours / plain for ours, plain in pairs)
    megabytes = LARGE_BYTES / 1e6 / median(ours for ours, _ in pairs)
    return "\n".join(
        [
            "| | |",
            "|---|---|",
            f"| {DEVICES} devices at once, {ATTEMPTS} attempts each, from code to confirmation | {all_s:.1f} s for all, "
            f"median {median(each):.1f} s, longest {max(each):.1f} s |",
            f"| one device alone | {alone:.2f} s |",
            f"| one delivery of {LARGE_BYTES >> 20} MiB | {megabytes:.0f} MB/s, {ratio:.1f} times as long as a bare socket into a file |",
            f"| found by mDNS, with a second of waiting for others | {found} |",
        ]
    )

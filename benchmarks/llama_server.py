"""llama.cpp's own server, started and asked as its users do."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import llama_programs

HOST, START_S, ANSWER_S = "127.0.0.1", 120, 600


@contextmanager
def running(model: Path, seats: int, context: int) -> Iterator[int]:
    """Start it with two threads and so many slots; yield its port once it answers."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [str(llama_programs.ensure()["llama-server"]), "-m", str(model), "-t", "2", "-np", str(seats)]
    command += ["-c", str(context), "--host", HOST, "--port", str(port), "-kvu", "--offline"]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(llama_programs.libraries())}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, cwd=llama_programs.backends(), stdout=quiet, stderr=quiet)
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def first_piece(port: int, tokens: Sequence[int]) -> float:
    """Return the seconds until the first word of an answer to these tokens."""
    began = time.perf_counter()
    ask(port, tokens, 1)
    return time.perf_counter() - began


def ask(port: int, tokens: Sequence[int], most: int) -> int:
    """Ask for `most` tokens after these; return how many came."""
    asked = {
        "prompt": list(tokens),
        "n_predict": most,
        "temperature": 0,
        "top_k": 1,
        "cache_prompt": True,
        "ignore_eos": True,
    }
    link = http.client.HTTPConnection(HOST, port, timeout=ANSWER_S)
    link.request("POST", "/completion", json.dumps({**asked, "stream": True}), {"Content-Type": "application/json"})
    count = 0
    for line in link.getresponse():
        if line.startswith(b"data: "):
            count = int(json.loads(line[6:]).get("tokens_predicted", count))
    link.close()
    return count


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            link = http.client.HTTPConnection(HOST, port, timeout=1)
            link.request("GET", "/health")
            if link.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.02)
            continue
        time.sleep(0.02)
    raise SystemExit("llama-server did not start")

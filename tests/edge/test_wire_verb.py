"""`amauta sync send` as a school uses it: from the command line to a real hub, and from a teacher's laptop for others."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from badline import Line, before
from certificates import Authority
from edge.cli import main
from edge.sync.lan.courier import Courier
from handing import Device
from nearby import deliver, opened
from served import District, secure

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses signals")

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tui"]
LISTEN = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
"""Ctrl+C ends it, though a run in the background ignores that."""


@pytest.fixture
def district(tmp_path: Path) -> District:
    return District.made(tmp_path, readers=False)


@contextmanager
def hub_served(folder: Path) -> Iterator[str]:
    """`amauta hub serve` in a process of its own; yield its address."""
    command = [*COMMAND, "hub", "serve", "--hub", str(folder), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout
            facts = json.loads(process.stdout.readline())
            yield f"http://{facts['host']}:{facts['port']}"
        finally:
            process.terminate()


def told(home: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run `amauta sync` of one device; return the exit code, what it answered and what it said."""
    environ = {**os.environ, "AMAUTA_HOME": str(home), "AMAUTA_LANG": "es"}
    done = subprocess.run(
        [*COMMAND, "sync", *words], capture_output=True, text=True, env=environ, cwd=ROOT, timeout=60, check=False
    )
    return done.returncode, json.loads(done.stdout) if "--json" in words else {"out": done.stdout}, done.stderr


def is_ack(piece: bytes) -> bool:
    return piece.startswith(b"HTTP/1.1 200") and b"application/octet-stream" in piece


def test_what_is_sent_from_the_command_line_is_delivered_and_then_acknowledged(
    district: District, tmp_path: Path
) -> None:
    device, place = district.device, district.hub.place
    device.practise(12)
    with hub_served(place.folder) as url, before(url, partial(Line, per_s=1e9, lost=is_ack)) as (there, _):
        paper = tmp_path / "escuela.json"
        assert main(["hub", "enrol", "escuela-1", "--url", url, "--out", str(paper), "--hub", str(place.folder)]) == 0
        device.enrol(paper.read_bytes())
        environ = {**os.environ, "AMAUTA_HOME": str(device.home)}
        with subprocess.Popen(
            [*COMMAND, "sync", "send", "--to", there], env=environ, cwd=ROOT, stderr=subprocess.PIPE, preexec_fn=LISTEN
        ) as cut:
            # The hub has it; its acknowledgement never comes over this line, until somebody presses Ctrl+C.
            until = time.monotonic() + 30
            while device.states().delivered < 12 and time.monotonic() < until:
                time.sleep(0.05)
            cut.send_signal(signal.SIGINT)
            assert cut.wait(60) == 130
        assert district.hub.rows("SELECT count(*) FROM attempts") == [(12,)]
        _, status, _ = told(device.home, "status")
        assert re.search(r"entregado +12  salió entero de aquí; falta el acuse del centro", status["out"])
        code, handed, said = told(device.home, "send", "--json")
        assert (code, handed["files"], handed["acknowledged"], handed["refused"]) == (0, 0, 12, [])
        assert "Datos que el centro acusó ahora: 12." in said
        _, status, _ = told(device.home, "status", "--json")
        assert (status["delivered"], status["acknowledged"]) == (0, 12)
        device.practise(3)
        code, handed, said = told(device.home, "send", "--json")
        assert (code, handed["facts"], handed["files"], handed["acknowledged"]) == (0, 3, 1, 3)
        assert re.search(r"Entregado al centro\. Datos: 3; entregas: 1 \(\d+ kB\)\.", said)
    assert district.outcomes("import") == ["imported", "imported"]


def test_a_teachers_laptop_carries_what_it_got_to_the_hub_and_brings_the_acknowledgements_back(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pupils = [Device(tmp_path / name, random.Random(name)) for name in ("one", "two")]
    stranger = Device(tmp_path / "stranger", random.Random(3))
    teacher, ministry = district.device, Authority(tmp_path / "ministry")
    for pupil in pupils:
        pupil.enrol(district.hub.enrolment())
        pupil.practise(20)
    stranger.enrol(District.made(tmp_path / "elsewhere", readers=False).hub.enrolment())
    stranger.practise(1)
    with opened(teacher.home) as receiving:
        for device in (*pupils, stranger):
            assert deliver(device, receiving).facts > 0
    assert [pupil.states().delivered for pupil in pupils] == [20, 20]
    monkeypatch.setenv("AMAUTA_HOME", str(teacher.home))

    def send(url: str) -> tuple[int, dict[str, Any]]:
        code = main(["sync", "send", "--to", url, "--ca", str(ministry.file), "--json"])
        found = capsys.readouterr()
        handed = json.loads(found.out)
        # "The hub has everything" is not said of what it refused.
        assert ("No hay nada nuevo que entregar" in found.err) is not bool(handed["refused"])
        return code, handed

    with secure(district.site, ministry.server()) as url:
        code, handed = send(url)
        assert (handed["carried"], handed["for_others"], handed["facts"]) == (2, 2, 0)
        assert [(code, each["reason"]) for each in handed["refused"]] == [(1, "sealed-not-ours")]
        again = send(url)
        assert again[0] == 0, "what the hub does not take is not offered to it again"
        assert (again[1]["carried"], again[1]["for_others"]) == (0, 0), "an acknowledgement is fetched once"
        with opened(teacher.home) as receiving:
            assert [deliver(pupil, receiving).acknowledged for pupil in pupils] == [20, 20]
            pupils[0].practise(5)
            assert deliver(pupils[0], receiving).facts == 5
        assert len(Courier(teacher.home).held()) == 2, "what is acknowledged left; the stranger's waits for its own hub"
        code, handed = send(url)
        assert (code, handed["carried"], handed["for_others"]) == (0, 1, 1)
        with opened(teacher.home) as receiving:
            assert deliver(pupils[0], receiving).acknowledged == 5
    assert [pupil.states().acknowledged for pupil in pupils] == [25, 20]
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(45,)]
    assert sorted(map(str, district.outcomes("import"))) == ["imported", "imported", "imported", "refused"]


def test_ctrl_c_ends_the_hub_in_order_and_it_says_so(district: District) -> None:
    command = [*COMMAND, "hub", "serve", "--hub", str(district.hub.place.folder), "--port", "0", "--json"]
    environ = {**os.environ, "AMAUTA_LANG": "es"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=environ, preexec_fn=LISTEN
    ) as hub:
        assert hub.stdout is not None
        assert hub.stdout.readline()
        time.sleep(1)
        hub.send_signal(signal.SIGINT)
        said = hub.communicate(timeout=30)[1]
    assert (hub.returncode, "El centro dejó de escuchar." in said) == (0, True)

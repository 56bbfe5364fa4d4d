"""Steps are skipped when nothing changed, and never trusted when they were cut short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantize.steps import fingerprint, is_done, receipt_of, run_step


def test_a_step_is_done_once_and_then_skipped(tmp_path: Path) -> None:
    output, made = tmp_path / "out.txt", []

    def make() -> None:
        made.append(1)
        output.write_text("result")

    assert run_step(output, {"size": 3}, make)
    assert not run_step(output, {"size": 3}, make)
    assert len(made) == 1


def test_another_input_makes_the_step_run_again(tmp_path: Path) -> None:
    source, output = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("one")
    inputs = {"text": source}
    assert run_step(output, inputs, lambda: output.write_text("1") and None)
    source.write_text("two")
    assert not is_done(output, inputs)
    assert run_step(output, inputs, lambda: output.write_text("2") and None)
    assert is_done(output, inputs)


def test_a_folder_counts_by_the_names_and_contents_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("same")
    before = fingerprint(tmp_path)
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert fingerprint(tmp_path) != before


def test_an_output_that_somebody_changed_is_made_again(tmp_path: Path) -> None:
    output = tmp_path / "out.txt"
    run_step(output, {}, lambda: output.write_text("right") and None)
    output.write_text("wrong")
    assert run_step(output, {}, lambda: output.write_text("right") and None)
    assert output.read_text() == "right"


def test_a_step_that_fails_leaves_no_receipt_even_where_one_was(tmp_path: Path) -> None:
    output = tmp_path / "out.txt"
    run_step(output, {"size": 1}, lambda: output.write_text("old") and None)

    def fail() -> None:
        output.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError):
        run_step(output, {"size": 2}, fail)
    assert not receipt_of(output).exists()
    assert not is_done(output, {"size": 1})


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"inputs": 3', b"\xff\xfe"])
def test_a_broken_receipt_is_no_receipt(tmp_path: Path, content: bytes) -> None:
    output = tmp_path / "out.txt"
    output.write_text("made")
    receipt_of(output).write_bytes(content)
    assert not is_done(output, {})


STEP = """
import sys, time
from pathlib import Path
from quantize.steps import run_step
folder = Path(sys.argv[1])
def work():
    with (folder / "out.txt").open("a") as file:
        for number in range(int(sys.argv[2])):
            file.write(f"{number}\\n"); file.flush(); time.sleep(0.005)
def first():
    (folder / "first.txt").write_text("1")
    (folder / "count").open("a").write("x")
print(run_step(folder / "first.txt", {"a": 1}, first), flush=True)
(folder / "out.txt").unlink(missing_ok=True) if not (folder / "out.txt.receipt.json").exists() else None
print(run_step(folder / "out.txt", {"a": 1}, work), flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_kill_9_in_the_middle_repeats_that_step_and_no_finished_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STEP, str(tmp_path)]
    process = subprocess.Popen([*command, "100000"], stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not (tmp_path / "out.txt").exists() and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "out.txt.receipt.json").exists()

    again = subprocess.run([*command, "5"], capture_output=True, text=True, timeout=60, check=True)
    assert again.stdout.split() == ["False", "True"]
    assert (tmp_path / "count").read_text() == "x"
    assert (tmp_path / "out.txt").read_text().split() == ["0", "1", "2", "3", "4"]

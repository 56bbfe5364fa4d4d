"""From lessons to a reader that a device can open, in one small run."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.tutor.reader import Reader
from quantize import cli
from quantize.recipe import RECIPES, ROOT

pytest.importorskip("torch", reason="torch is not installed (pip install 'amauta[quantize]')")
pytest.importorskip("optimum.onnxruntime", reason="optimum is not installed (pip install 'amauta[quantize]')")


def tiny(folder: Path) -> Path:
    """Write the tiny recipe so that it reads a pack of its own and publishes into `folder`."""
    pack = folder / "fundamental"
    if not pack.exists():
        shutil.copytree(ROOT / "edge" / "packs" / "fundamental", pack)
    text = (RECIPES / "recipes" / "reader-tiny.toml").read_text(encoding="utf-8")
    text = text.replace("build/reader-tiny", (folder / "reader").as_posix())
    recipe = folder / "tiny.toml"
    recipe.write_text(text.replace("edge/packs/fundamental", pack.as_posix()), encoding="utf-8")
    return recipe


def given(folder: Path) -> list[str]:
    return ["run", str(tiny(folder)), "--work", str(folder / "work")]


def run(folder: Path) -> tuple[int, str, str]:
    """Run the recipe here; return the exit code, what stdout and what stderr said."""
    answer, told = io.StringIO(), io.StringIO()
    with redirect_stdout(answer), redirect_stderr(told):
        code = cli.main(given(folder))
    return code, answer.getvalue(), told.getvalue()


def start_and_kill(folder: Path) -> None:
    """Start the recipe in a process of its own and kill it in the middle of training."""
    process = subprocess.Popen(
        [sys.executable, "-m", "quantize.cli", *given(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 200
    while not (folder / "work" / "trained" / "first" / "checkpoint.pt").exists() and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A reader from a run that was killed during training and then run again: folder, answer, narration."""
    folder = tmp_path_factory.mktemp("tiny")
    if hasattr(signal, "SIGKILL"):
        start_and_kill(folder)
        assert not (folder / "reader").exists()
    code, answer, told = run(folder)
    assert code == 0, told[-2000:]
    return folder, answer, told


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(made: tuple[Path, str, str]) -> None:
    folder, answer, told = made
    assert answer.strip() == str(folder / "reader")
    assert "corpus: already done" in told
    assert "publish: made" in told
    first = told.partition("first: made")[0]
    looks = [int(line.split()[1].split("/")[0]) for line in first.splitlines() if line.startswith("step ")]
    assert not looks or min(looks) > 1


@pytest.mark.slow
def test_a_second_run_finds_everything_done(made: tuple[Path, str, str]) -> None:
    folder = made[0]
    code, _, told = run(folder)
    assert code == 0
    assert told.count("already done") == 17


@pytest.mark.slow
def test_the_device_opens_what_was_made_and_points_at_whole_sentences(made: tuple[Path, str, str]) -> None:
    reader = Reader.open(made[0] / "reader")
    passage = "A água ferve com o calor. O gelo é água sólida."
    readings = reader.read("O que é o gelo?", [passage], "pt")
    assert {reading.sentence for reading in readings} == {
        "A água ferve com o calor.",
        "O gelo é água sólida.",
    }
    assert all(0.0 <= reading.confidence <= 1.0 for reading in readings)
    assert all(passage[r.start : r.end] == r.sentence and r.span in r.sentence for r in readings)


@pytest.mark.slow
def test_the_card_names_data_figures_and_limits(made: tuple[Path, str, str]) -> None:
    card = json.loads((made[0] / "reader" / "card.json").read_bytes())
    assert card["training"]["steps"] > 0
    assert card["held_out"]["packs"]["questions"] > 0
    assert all(part["licence"] for part in card["data"])
    assert card["cannot"]


@pytest.mark.slow
def test_one_changed_byte_is_refused(made: tuple[Path, str, str], tmp_path: Path) -> None:
    copy = tmp_path / "reader"
    copy.mkdir()
    for file in (made[0] / "reader").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    network = bytearray((copy / "reader.onnx").read_bytes())
    network[len(network) // 2] ^= 1
    (copy / "reader.onnx").write_bytes(network)
    with pytest.raises(ModelError, match="not the one that was tested"):
        Reader.open(copy)

"""Power fails in every step, and the disk fills up: nothing that was finished is done again, and one sentence says it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "llama_cpp", "gguf")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

from edge.cache import converter_folder
from edge.files import sha256_of
from quantize.cli import main
from quantize.recipe import ROOT
from quantize.release import job
from tests.quantize import tiny_models

STEPS = (
    "fetch",
    "corpus",
    "convert",
    "verify",
    "importance",
    "allocate",
    "quantize",
    "qad",
    "evaluate",
    "report",
    "publish",
)
GGUF_ONLY = {'onnx = ["int8"]': "onnx = []"}


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few lessons."""
    return tiny_models.packs(tmp_path_factory.mktemp("packs"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
@pytest.mark.skipif(not (converter_folder() / "complete").is_file(), reason="environment.py --with quantize")
def test_a_kill_in_every_step_costs_that_step_only(packs: list[Path], tmp_path: Path) -> None:
    recipe = tiny_models.recipe(tmp_path, tiny_models.make(tmp_path / "qwen2", "qwen2"), packs, **GGUF_ONLY)
    program, work = Path(__file__).with_name("release_kills.py"), tmp_path / "work"
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(program), str(recipe), str(work), *STEPS]
    done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout.splitlines()[-1])
    assert made.keys() <= set(STEPS)
    assert [name for name, times in made.items() if times > 1] == []
    whole = sha256_of(tmp_path / "out" / "release-tiny.gguf")
    assert main(["run", str(recipe), "--work", str(tmp_path / "again")]) == 0
    assert sha256_of(tmp_path / "out" / "release-tiny.gguf") == whole  # the kills left no trace


@pytest.mark.parametrize("lang", ["es", "pt", "en"])
def test_a_full_disk_is_one_sentence_and_the_same_command_goes_on(
    lang: str, packs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tiny_models.recipe(tmp_path, tiny_models.make(tmp_path / "qwen2", "qwen2"), packs, **GGUF_ONLY)
    real = job.write_facts if hasattr(job, "write_facts") else None
    assert real is not None
    monkeypatch.setenv("AMAUTA_LANG", lang)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("quantize.checkpoint.fetch.write_facts", full)
    assert main(["run", str(recipe), "--work", str(tmp_path / "work"), "--only", "fetch"]) == 1
    said = capsys.readouterr().err
    assert {"es": "disco está lleno", "pt": "disco está cheio", "en": "disk is full"}[lang] in said
    assert "Traceback" not in said
    monkeypatch.setattr("quantize.checkpoint.fetch.write_facts", real)
    assert main(["run", str(recipe), "--work", str(tmp_path / "work"), "--only", "fetch"]) == 0


@pytest.mark.parametrize("said", ["I/O error: No space left on device (os error 28)", "file write failed: os error 28"])
def test_what_a_library_says_of_a_full_disk_is_understood(
    said: str, packs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors import SafetensorError

    recipe = tiny_models.recipe(tmp_path, tiny_models.make(tmp_path / "qwen2", "qwen2"), packs, **GGUF_ONLY)
    monkeypatch.setenv("AMAUTA_LANG", "en")
    for kind in (RuntimeError, SafetensorError):

        def fail(*_: object, kind: type[Exception] = kind) -> None:
            raise kind(said)

        monkeypatch.setattr("quantize.checkpoint.fetch.write_facts", fail)
        assert main(["run", str(recipe), "--work", str(tmp_path / "work"), "--only", "fetch"]) == 1
        assert "disk is full" in capsys.readouterr().err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 kB, where somebody may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)]
    try:
        mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    except (AttributeError, FileNotFoundError):
        mounted = False
    if not mounted:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full(
    packs: list[Path], small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tiny_models.recipe(tmp_path, tiny_models.make(tmp_path / "qwen2", "qwen2"), packs, **GGUF_ONLY)
    assert main(["run", str(recipe), "--work", str(small_disk / "work"), "--only", "fetch"]) == 1
    said = capsys.readouterr().err
    assert "disco está lleno" in said
    assert "fetch" in said
    assert not (small_disk / "work" / "checkpoint" / "checkpoint.json").exists()

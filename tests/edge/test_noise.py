"""What C code says to itself never reaches the screen: it stands in a log that stays small."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.llama.noise import LOG, MOST_BYTES

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini" / "mini.gguf"
BEGIN = """
import pathlib, sys
from edge.llama.noise import divert, note
home = pathlib.Path(sys.argv[1])
divert(home)
"""
LOADS = f"{BEGIN}\nfrom edge.tutor.llama import LlamaEngine\nLlamaEngine.open(pathlib.Path({str(MINI)!r})).close()\n"
ABORTS = """
import ctypes
api = __import__("llama_cpp").llama_cpp
api._lib.ggml_abort.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p]
api._lib.ggml_abort(b"here.c", 7, b"nothing works any more")
"""


def chatty() -> dict[str, str]:
    """OpenMP, which llama.cpp computes with, writes a page to standard error when it is loaded."""
    return {**os.environ, "OMP_DISPLAY_ENV": "TRUE"}


def run(script: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, str(home)]
    return subprocess.run(command, env=chatty(), capture_output=True, text=True, check=False)


def test_c_code_writes_to_the_log_and_python_to_the_person(tmp_path: Path) -> None:
    done = run(f"{LOADS}\nsys.stderr.write('¡Hola, Ñuflo!\\n')", tmp_path)
    assert done.stderr == "¡Hola, Ñuflo!\n"
    assert "OPENMP DISPLAY ENVIRONMENT" in (tmp_path / LOG).read_text(encoding="utf-8")


def test_without_a_log_the_same_noise_would_be_seen(tmp_path: Path) -> None:
    done = run(LOADS.replace("divert(home)", ""), tmp_path)
    assert "OPENMP DISPLAY ENVIRONMENT" in done.stderr


def test_last_words_before_llama_cpp_ends_the_program_are_kept(tmp_path: Path) -> None:
    done = run(LOADS + ABORTS, tmp_path)
    assert done.returncode < 0 or os.name == "nt"
    assert done.stderr == ""
    assert "nothing works any more" in (tmp_path / LOG).read_text(encoding="utf-8")


def test_the_log_stays_small(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.write_bytes(b"x" * (MOST_BYTES + 1))
    done = run(
        f"{BEGIN}\nfor n in range(3 * {MOST_BYTES} // 1000):\n    note('y' * 1000)\nnote('the last line')", tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert log.stat().st_size <= MOST_BYTES + 2000
    assert log.read_text(encoding="utf-8").endswith("the last line")
    assert log.with_suffix(".old.log").stat().st_size == MOST_BYTES + 1


def test_a_folder_that_cannot_be_written_silences_all_the_same(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"")
    done = run(f"{LOADS}\nsys.stderr.write('seen')", place)
    assert done.stderr == "seen"


def test_what_llama_cpp_complains_of_is_in_the_log_and_in_the_sentence(tmp_path: Path) -> None:
    broken = bytearray(MINI.read_bytes())
    at = broken.index(b"llama.block_count") + len(b"llama.block_count") + 4
    broken[at : at + 4] = (77).to_bytes(4, "little")
    (tmp_path / "roto.gguf").write_bytes(broken)
    script = (
        f"{BEGIN}\nfrom edge.errors import EdgeError\nfrom edge.tutor.llama import LlamaEngine\n"
        "try: LlamaEngine.open(home / 'roto.gguf')\nexcept EdgeError as error: print(error.say('es'))"
    )
    done = run(script, tmp_path)
    assert "blk.8" in done.stdout
    assert "blk.8" in (tmp_path / LOG).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_class_engine_says_only_its_own_words(home: Path) -> None:
    command = [sys.executable, "-m", "tui", "engine", "--model", "mini", "--seats", "2", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=chatty()) as engine:
        assert engine.stdout is not None
        assert json.loads(engine.stdout.readline())["seats"] == 2
        engine.terminate()
        _, said = engine.communicate(timeout=20)
    assert said.count("\n") == 1
    assert "OPENMP" in (home / LOG).read_text(encoding="utf-8")

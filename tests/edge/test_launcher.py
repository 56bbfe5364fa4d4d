"""The launcher on a stick that a desktop mounted without any permission to execute."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[2] / "packaging" / "launch" / "Amauta-Linux.sh"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="the loader of a Linux"
)


def started(stick: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(stick / LAUNCHER.name), *arguments]
    environment = {**os.environ, "AMAUTA_HOME": str(home)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A stick with a real program that nobody may execute."""
    place = tmp_path / "stick"
    app = place / "AMAUTA" / "app" / f"linux-{platform.machine()}"
    (app / "_internal").mkdir(parents=True)
    shutil.copyfile("/bin/echo", app / "amauta")
    shutil.copyfile(LAUNCHER, place / LAUNCHER.name)
    return place


def test_a_program_without_its_permission_is_started_by_the_loader(stick: Path, tmp_path: Path) -> None:
    done = started(stick, tmp_path / "home", "ask", "¿qué es?")
    assert (done.returncode, done.stdout) == (0, "ask ¿qué es?\n")


def test_without_a_program_it_says_what_to_do_in_three_languages(stick: Path, tmp_path: Path) -> None:
    shutil.rmtree(stick / "AMAUTA")
    done = started(stick, tmp_path / "home")
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["No", "Não", "I"]

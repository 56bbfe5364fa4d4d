"""Nothing phones home: no library that we carry keeps or sends word of its use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

READER = Path(__file__).parents[2] / "edge" / "models" / "reader"

NETWORK = """
from edge.onnx.session import open_session, refusals
from pathlib import Path
import sys
refusals()
open_session(Path(sys.argv[1]), 1)
"""


def run(home: Path, code: str, *arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    environment = {**kept, "HOME": str(home), "USERPROFILE": str(home), "LOCALAPPDATA": str(home)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_opening_a_network_leaves_nothing_in_the_users_folder(tmp_path: Path) -> None:
    """onnxruntime wrote a number for the device and a list of what it did, for a server of its makers."""
    run(tmp_path, NETWORK, str(next(READER.glob("*.onnx"))))
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("program", ["edge.cli", "tui.cli", "devkit.cli", "quantize.cli"])
def test_every_program_forbids_it_before_anything_can_be_imported(program: str, tmp_path: Path) -> None:
    said = run(
        tmp_path, f"import os, sys, {program}; print(os.environ['ORT_DISABLE_TELEMETRY'], 'onnxruntime' in sys.modules)"
    )
    assert said.split() == ["1", "False"]

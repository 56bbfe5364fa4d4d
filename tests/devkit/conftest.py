"""What the tests of the kit share: the frozen app, where one was made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.update.install import platform_name

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def frozen() -> Path:
    """Return the folder of a frozen app: AMAUTA_FROZEN, or the newest in build/freeze."""
    built = sorted((ROOT / "build" / "freeze").glob(f"amauta-*-{platform_name()}/build.json"), key=os.path.getmtime)
    named = os.environ.get("AMAUTA_FROZEN")
    folder = Path(named).absolute() if named else (built[-1].parent if built else ROOT / "nothing")
    if not (folder / "build.json").is_file():
        pytest.skip("no frozen app: make one with amauta-kit freeze")
    return folder

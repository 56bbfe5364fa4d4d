"""`amauta ask | head`: whoever reads may go away, and the turn is kept nevertheless."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.learning.store import Store
from edge.settings import Settings

ROOT = Path(__file__).parent.parent.parent
ASK = "import sys; from edge.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is another error on Windows")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_turn_is_kept_when_nobody_reads_the_answer_any_more(settings: Settings, more: list[str]) -> None:
    gone, out = os.pipe()
    os.close(gone)
    command = [sys.executable, "-c", ASK, "ask", "¿Qué es la fotosíntesis?", *more]
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(out)
    assert (done.returncode, done.stderr) == (0, "")
    with Store.open(settings.store_path) as store:
        (turn,) = store.turns("")
    assert turn.question == "¿Qué es la fotosíntesis?"
    assert "luz" in turn.text

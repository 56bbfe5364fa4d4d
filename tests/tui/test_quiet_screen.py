"""A model at work in the real app leaves no word of C code on the screen."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

from edge.llama.noise import LOG
from edge.release.manifest import manifest_path
from edge.update.install import install
from shop import Shop

if sys.platform == "win32":
    pytest.skip("pexpect needs a Unix terminal", allow_module_level=True)

from terminal import Terminal

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini"


def allow_answers(home: Path) -> None:
    """Install a release whose model, the mini with another hash, may answer: its card says so."""
    model = (MINI / "mini.gguf").read_bytes()[:-8] + b"\1" * 8
    card = json.loads((MINI / "card.json").read_text(encoding="utf-8"))
    card["sha256"] = hashlib.sha256(model).hexdigest()
    card["capabilities"]["grounded_answer"] = {"conditions": [{"figure": "made-up", "value": 1.0, "least": 0.5}]}
    files = {
        "models/escuela.gguf": model,
        "models/escuela.json": json.dumps(card).encode(),
        "manifest/models_manifest.json": manifest_path().read_bytes(),
    }
    shop = Shop()
    install(home, shop.release(1, files), shop.fetch, lambda _done, _total: None, lambda _: None)


@pytest.mark.slow
def test_the_screen_shows_the_answer_and_the_log_the_noise(
    home: Path, shared_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow_answers(home)
    (home / "index").symlink_to(shared_index)
    monkeypatch.setenv("OMP_DISPLAY_ENV", "TRUE")
    terminal = Terminal("xterm-256color", home)
    try:
        terminal.wait_for("Elige tu idioma")
        terminal.press("\r")
        terminal.wait_for("¿Cómo te llamas?")
        terminal.press("Rosa", "\r")
        terminal.wait_for("Hola, Rosa")
        terminal.press("¿Qué parte de la planta toma el agua del suelo?", "\r")
        terminal.wait_for("Fuente:")
        assert "OPENMP" not in terminal.text()
        assert "OMP_" not in terminal.text()
        assert "OPENMP DISPLAY ENVIRONMENT" in (home / LOG).read_text(encoding="utf-8")
    finally:
        terminal.child.close(force=True)

"""The real app in a real terminal, from the first run to a graded answer."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.learning.store import Store
from edge.llama.noise import LOG
from edge.release.manifest import manifest_path
from edge.update.install import install
from shop import Shop

if sys.platform == "win32":
    pytest.skip("pexpect needs a Unix terminal", allow_module_level=True)

import pexpect

from terminal import PATIENCE_SECONDS, Terminal

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


@pytest.fixture(params=["xterm-256color", "linux"])
def terminal(
    request: pytest.FixtureRequest, home: Path, shared_index: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    allow_answers(home)
    (home / "index").symlink_to(shared_index)
    # What llama.cpp computes with writes a page to standard error when it is loaded.
    monkeypatch.setenv("OMP_DISPLAY_ENV", "TRUE")
    terminal = Terminal(request.param, home)
    yield terminal
    terminal.child.close(force=True)


@pytest.mark.slow
def test_a_teacher_gets_from_the_first_run_to_a_graded_answer(terminal: Terminal, home: Path) -> None:
    terminal.wait_for("Elige tu idioma")
    terminal.press("\r")
    terminal.wait_for("¿Cómo te llamas?")
    terminal.press("Rosa", "\r")
    terminal.wait_for("Hola, Rosa. ¿Qué quieres saber hoy?")
    terminal.press("¿Qué parte de la planta toma el agua del suelo?", "\r")
    terminal.wait_for("Fuente:")
    assert "OPENMP" in (home / LOG).read_text(encoding="utf-8"), "a model was asked, and what C code says is in the log"
    assert "OPENMP" not in terminal.text()
    assert "OMP_" not in terminal.text()
    terminal.press("F6")
    terminal.wait_for("Tablas de multiplicar")
    terminal.press("\r")
    terminal.wait_for("Ejercicio 1 de 8")
    terminal.press("F8")
    terminal.wait_for("Pista 1")
    terminal.press("a")
    terminal.wait_for("¡Muy bien!", "Todavía no.")
    with Store.open(home / "amauta.db") as store:
        assert [attempt.hints for attempt in store.attempts()] == [1]
    terminal.press("F10")
    terminal.child.expect(pexpect.EOF, timeout=PATIENCE_SECONDS)
    terminal.child.close()
    assert terminal.child.exitstatus == 0

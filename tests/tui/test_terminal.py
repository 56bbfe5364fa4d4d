"""The real app in a real terminal, from the first run to a graded answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.learning.store import Store

if sys.platform == "win32":
    pytest.skip("pexpect needs a Unix terminal", allow_module_level=True)

import pexpect

from terminal import PATIENCE_SECONDS, Terminal


@pytest.fixture(params=["xterm-256color", "linux"])
def terminal(request: pytest.FixtureRequest, home: Path) -> Iterator[Terminal]:
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
    terminal.press("¿Cómo se alimentan las plantas?", "\r")
    terminal.wait_for("Fuente:")
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

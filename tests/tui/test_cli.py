"""The command `amauta`: which front end opens, and how it says that it cannot."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from tui import cli

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("argv", [[], ["tutor"], ["--plain"], ["tutor", "--plain"]])
def test_without_a_terminal_the_tutor_talks_in_lines(
    argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\nRosa\n0\n"))
    assert cli.main(argv) == 0
    assert "Hola, Rosa." in capsys.readouterr().out


def test_a_broken_setting_is_two_lines_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["tutor"], {"AMAUTA_LANG": "xx", "AMAUTA_HOME": "nowhere"}) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert "«xx»" in said


def test_help_of_the_tutor_names_the_line_mode(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["tutor", "--help"])
    assert left.value.code == 0
    assert "--plain" in capsys.readouterr().out


def test_an_unknown_option_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["tutor", "--fancy"])
    assert left.value.code == 2
    assert "--fancy" in capsys.readouterr().err


def test_other_verbs_go_to_the_other_front_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["nonsense"]) == 1
    assert "«nonsense»" in capsys.readouterr().err


@pytest.mark.parametrize("environ", [{}, {"TERM": "dumb"}, {"TERM": "xterm-256color"}])
def test_a_pipe_is_no_place_for_screens(environ: dict[str, str]) -> None:
    assert not cli.shows_screens(environ)


def test_the_line_mode_works_in_a_real_pipe_with_latin_1_garbage(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from tui.cli import main; sys.exit(main(['--plain']))"],
        input=b"1\nRos\xe1\n0\n",
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "Hola, Ros" in done.stdout.decode()
    assert b"\x1b" not in done.stdout

"""`amauta speak` and `amauta voices`: reading aloud from the command line."""

from __future__ import annotations

import io
import json
import shutil
import sys
import wave
from pathlib import Path

import pytest

from edge.cli import main
from edge.settings import Settings
from edge.words import LANGUAGES

TINY = Path(__file__).parents[1] / "data" / "voices" / "es_tiny.onnx"


class Console:
    """`amauta` in one home, and what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self.capsys = capsys
        self.home = home

    def run(self, *argv: str, lang: str = "es") -> tuple[int, str, str]:
        code = main(argv, {"AMAUTA_HOME": str(self.home), "AMAUTA_LANG": lang})
        output = self.capsys.readouterr()
        return code, output.out, output.err


@pytest.fixture
def console(capsys: pytest.CaptureFixture[str], home: Path) -> Console:
    return Console(capsys, home)


def length(path: Path) -> float:
    with wave.open(str(path)) as file:
        return file.getnframes() / file.getframerate()


@pytest.mark.parametrize("lang", ["es", "pt", "en", "es-MX", "qu"])
def test_text_is_written_as_sound(console: Console, tmp_path: Path, lang: str) -> None:
    out = tmp_path / "hola.wav"
    code, said, err = console.run("speak", "Amauta 123.", "--lang", lang, "--out", str(out))
    assert (code, said) == (0, "")
    assert str(out) in err
    assert 0.5 < length(out) < 10
    assert ("Ningún hablante" in err) == (lang == "qu")


def test_text_is_taken_from_the_input(console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "hola.wav"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\ufeffUno. Dos. ¿Tres?\n".encode())))
    assert console.run("speak", "-", "--out", str(out))[0] == 0
    assert 0.8 < length(out) < 6
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00")))
    code, _, err = console.run("speak", "-", "--out", str(out))
    assert (code, len(err.splitlines())) == (1, 2)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["Hola.", "--lang", "klingon"], "klingon"),
        (["Hola.", "--lang", "es", "--out", "/no/such/folder/x.wav"], "x.wav"),
        (["¿? \x1b\x00", "--lang", "es"], ""),
        (["a" * 100_000, "--lang", "es", "--out", "x.wav"], "100000"),
    ],
)
def test_what_cannot_be_spoken_is_refused_in_two_lines(
    console: Console, argv: list[str], named: str, lang: str
) -> None:
    code, out, err = console.run("speak", *argv, lang=lang)
    assert (code, out) == (1, "")
    assert named in err
    assert len(err.splitlines()) == 2


def test_a_voice_comes_in_speaks_is_checked_and_goes(console: Console, tmp_path: Path) -> None:
    assert console.run("voices", "add", str(TINY), "--dry-run")[0] == 0
    assert not Settings(console.home).voices_folder.exists()
    assert console.run("voices", "add", str(TINY))[0] == 0
    code, _, err = console.run("voices", "add", str(TINY))
    assert code == 1
    assert "voices rm es_tiny" in err
    voices = json.loads(console.run("voices", "list", "--json")[1])["voices"]
    assert voices[0]["name"] == "es_tiny"
    assert "espeak-ng es-419" in {voice["name"] for voice in voices}
    assert "es_tiny" in console.run("voices", "list")[1]
    assert "es_tiny" in console.run("speak", "Hola.", "--out", str(tmp_path / "x.wav"))[2]
    assert console.run("voices", "verify")[:2] == (0, "bien      es_tiny\n")
    assert console.run("voices", "rm", "es_tiny", "--dry-run")[0] == 0
    assert console.run("voices", "rm", "es_tiny")[0] == 0
    assert list(Settings(console.home).voices_folder.iterdir()) == []
    assert console.run("voices", "rm", "es_tiny")[0] == 1
    assert console.run("voices", "verify")[0] == 0


def test_a_voice_that_changed_on_the_disk_is_found(console: Console) -> None:
    console.run("voices", "add", str(TINY))
    model = Settings(console.home).voices_folder / "es_tiny.onnx"
    content = bytearray(model.read_bytes())
    content[40_000] ^= 1
    model.write_bytes(content)
    code, out, _ = console.run("voices", "verify")
    assert code == 1
    assert "SHA-256" in out
    rows = json.loads(console.run("voices", "verify", "--json")[1])["voices"]
    assert [(row["name"], row["good"]) for row in rows] == [("es_tiny", False)]


def test_what_is_no_voice_does_not_come_in(console: Console, tmp_path: Path) -> None:
    alone = tmp_path / "alone.onnx"
    shutil.copy(TINY, alone)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(TINY.read_bytes()[:50_000])
    shutil.copy(TINY.with_name("es_tiny.onnx.json"), tmp_path / "broken.onnx.json")
    (tmp_path / "list.csv").write_text("x")
    for path in (alone, broken, tmp_path / "list.csv", tmp_path / "missing.onnx"):
        code, _, err = console.run("voices", "add", str(path))
        assert (code, len(err.splitlines())) == (1, 2)
        assert path.name.partition(".")[0] in err
    folder = Settings(console.home).voices_folder
    assert not folder.exists() or list(folder.iterdir()) == []

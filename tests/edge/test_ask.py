"""`amauta ask` and `amauta packs`, as a person types them."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path

import pytest

from edge.cli import VERBS, main
from edge.learning.store import Store
from edge.settings import Settings
from edge.words import LANGUAGES

MINI = Path(__file__).parent.parent / "data" / "packs" / "mini"
CONTRACT = {"answer", "mode", "sources", "lang", "first_piece_ms", "total_ms", "model"}


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(list(argv))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_json_of_an_answer_keeps_its_contract(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "ask", "como se alimentan las plantas", "--json")
    reply = json.loads(out)
    assert (code, err) == (0, "")
    assert reply.keys() == CONTRACT
    assert reply["mode"] == "bank"
    assert reply["sources"][0].keys() == {"pack", "lesson", "title", "passage", "page", "section"}


def test_an_answer_in_words_ends_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "ask", "como se alimentan las plantas")
    assert code == 0
    assert out.splitlines()[-1].startswith("Fuente: ")


def test_a_turn_is_kept(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    said(capsys, "ask", "¿Qué es la fotosíntesis?")
    store = Store.open(settings.store_path)
    assert [turn.question for turn in store.turns("")] == ["¿Qué es la fotosíntesis?"]
    store.close()


def test_an_answer_is_given_even_when_it_cannot_be_kept(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    settings.home.mkdir()
    settings.store_path.write_bytes(b"not a database, surely" * 400)
    code, out, err = said(capsys, "ask", "¿Qué es la fotosíntesis?")
    assert code == 0
    assert "Fuente" in out
    assert str(settings.store_path) in err


def test_an_answer_can_be_spoken_into_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "respuesta.wav"
    assert said(capsys, "ask", "¿Qué es la fotosíntesis?", "--out", str(out))[0] == 0
    with wave.open(str(out)) as sound:
        assert sound.getnchannels() == 1
        assert sound.getnframes() / sound.getframerate() > 3


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        (("ask", "hola", "--lang", "xx"), "No conozco el idioma «xx»."),
        (("ask", "a" * 100_000), "La pregunta tiene 100000 letras; son demasiadas."),
        (("ask", " \x00 "), "La pregunta está vacía"),
        (("ask", "hola", "--lesson", "primaria/nada"), "No hay ninguna lección «primaria/nada»."),
        (("ask", "¿Qué es la fotosíntesis?", "--out", "/proc/nada/x.wav"), "/proc/nada/x.wav"),
        (("packs", "check", "/no/hay"), "falta /no/hay/pack.toml"),
        (("packs", "export", "nada", "/tmp"), "No hay ningún paquete «nada»."),
        (("volar",), "No conozco la orden «volar»."),
    ],
)
def test_bad_input_gets_one_sentence_and_a_hint(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], what: str
) -> None:
    code, _, err = said(capsys, *argv)
    assert code == 1
    assert what in err
    assert len(err.strip().splitlines()) == 2
    assert "Traceback" not in err


@pytest.mark.parametrize("argv", [("ask",), ("ask", "a", "b"), ("ask", "a", "--loud"), ("packs",), ("packs", "fly")])
def test_wrong_usage_is_said_in_spanish_with_exit_code_2(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(list(argv))
    err = capsys.readouterr().err
    assert left.value.code == 2
    assert err.startswith("uso: amauta")
    assert "--help" in err.splitlines()[-1]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_in_every_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str, lang: str
) -> None:
    monkeypatch.setenv("AMAUTA_LANG", lang)
    with pytest.raises(SystemExit) as left:
        main([verb, "--help"])
    out = capsys.readouterr()
    assert left.value.code in (0, None)
    assert verb in (out.out + out.err)


def test_the_overview_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--help")
    assert code == 0
    assert all(verb in out for verb in VERBS)


def test_packs_are_listed_checked_added_and_exported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "primaria" in said(capsys, "packs", "list")[1]
    assert said(capsys, "packs", "check", str(MINI))[0] == 0
    assert said(capsys, "packs", "check", str(MINI), "--strict")[0] == 1
    assert said(capsys, "packs", "add", str(MINI), "--dry-run")[0] == 0
    assert "mini" not in said(capsys, "packs", "list")[1]
    assert said(capsys, "packs", "add", str(MINI))[0] == 0
    listed = json.loads(said(capsys, "packs", "list", "--lessons", "--json")[1])
    assert "mini/2-ciencias-agua" in [row["id"] for row in listed["lessons"]]
    code, _, err = said(capsys, "packs", "add", str(MINI))
    assert (code, "versión 1" in err) == (1, True)
    assert said(capsys, "packs", "add", str(MINI), "--replace")[0] == 0
    assert said(capsys, "packs", "export", "mini", str(tmp_path))[0] == 0
    assert said(capsys, "packs", "check", str(tmp_path / "mini"))[0] == 0


def test_a_broken_pack_is_not_added_and_its_faults_are_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, settings: Settings
) -> None:
    broken = tmp_path / "roto"
    shutil.copytree(MINI, broken)
    lesson = broken / "lessons" / "2-ciencias-agua.md"
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("[x]", "[ ]"), encoding="utf-8")
    assert said(capsys, "packs", "add", str(broken))[0] == 1
    assert not settings.packs_folder.exists()
    code, out, _ = said(capsys, "packs", "check", str(broken))
    assert code == 1
    assert f"{lesson}:14: el ejercicio 1 debe tener exactamente una opción" in out

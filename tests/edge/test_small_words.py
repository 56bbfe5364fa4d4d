"""A small word that is a thing after its article is looked for: the llama eats, and is not what something is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.library.library import Library
from edge.library.terms import content_words
from edge.settings import Settings
from edge.tutor.reply import Reply
from edge.tutor.workshop import open_tutor


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("¿Qué come la llama?", ["come", "llama"]),
        ("Unas LLAMAS flacas", ["LLAMAS", "flacas"]),
        ("¿Cómo se llama la capital?", ["capital"]),
        ("¿Cómo te llamas?", ["llamas"]),
        ("la cual llama", []),
    ],
)
def test_the_article_tells_the_animal_from_the_small_word(text: str, words: list[str]) -> None:
    assert content_words(text, "es") == words


def test_elsewhere_it_stays_as_it_was() -> None:
    assert content_words("a chama da vela", "pt") == ["vela"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, shared_index: Path) -> Settings:
    home = tmp_path_factory.mktemp("words") / "home"
    home.mkdir()
    (home / "index").symlink_to(shared_index)
    return Settings(home, lang="es")


def test_what_a_llama_eats_is_not_what_a_comma_is(settings: Settings) -> None:
    library = Library.open(settings)
    tutor = open_tutor(settings, library)

    def source(question: str) -> str:
        reply = next(event for event in tutor.answer(question, lang="es") if isinstance(event, Reply))
        return reply.sources[0].lesson if reply.sources else ""

    assert source("¿Qué come la llama?") == source("que comen las llamas") == ""
    assert source("¿Qué es la coma?") == "primaria/3-lenguaje-signos-de-puntuacion"
    assert source("¿Para qué usaban las llamas los incas?") == "primaria/5-sociales-los-incas"
    assert source("¿Cómo se llaman los mensajeros incas?") == "primaria/5-sociales-los-incas"
    library.close()

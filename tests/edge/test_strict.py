"""A guideline that is quoted: its own words with their page, or the plain word that it does not say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli import main
from edge.library.check import advise, check
from edge.library.folder import EMBEDDED, read_pack
from edge.library.library import Library
from edge.library.quoting import quotes_of
from edge.settings import Settings, save
from edge.tutor.engine import Engine, Message
from edge.tutor.reader import Reader
from edge.tutor.reply import Reply
from edge.tutor.turn import Tutor

HEAD = 'id = "{id}"\ntitle = "Guía de prueba"\nlang = "es"\nversion = 1\nlicence = "CC-BY-4.0"\nauthors = ["Prueba"]\ndescription = "Para una prueba."\n'
LESSON = '+++\ntitle = "Guía de prueba"\ngrade = 12\nsubject = "salud"\nminutes = 10\nkeywords = ["puesto de salud"]\nsources = ["Escrita para esta prueba"]\n+++\n\n'
TEXT = """[p. 7]

## Limpieza de las pinzas

Lave las pinzas con agua, jabón y un cepillo. Séquelas con un paño limpio antes de ponerlas en la olla. Hierva las
pinzas con la olla tapada, y anote la hora en que empiezan a hervir.

No haga nunca lo siguiente:

- guardar las pinzas mojadas
- usar arena

[p. 8]

- doblar las puntas

## Conservación de las vacunas

Revise el termómetro del refrigerador dos veces al día, al abrir y al cerrar el puesto. Anote cada lectura en la hoja
"""
TEXT += "\n[p. 9]\n\nde control y avise si pasa de ocho grados. **No** congele las vacunas.\n"


class Inventive:
    """An engine that would say something of its own."""

    name, context_tokens = "inventive", 2048

    def __init__(self) -> None:
        self.asked = 0

    def stream(self, messages: Sequence[Message], *, max_tokens: int, stop: Callable[[], bool]) -> Iterator[str]:
        self.asked += 1
        yield "[1] Lave las pinzas con arena."


@pytest.fixture(scope="module")
def guideline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_of(tmp_path_factory.mktemp("strict") / "guia", TEXT, 'quote = "strict"\n')


@pytest.fixture(scope="module")
def library(guideline: Path) -> Iterator[Library]:
    """The guideline beside the lessons that every device has."""
    library = Library.in_memory([read_pack(folder) for folder in (EMBEDDED / "primaria", guideline)])
    yield library
    library.close()


def pack_of(folder: Path, text: str, more: str = "") -> Path:
    (folder / "lessons").mkdir(parents=True)
    (folder / "pack.toml").write_text(HEAD.format(id=folder.name) + more, encoding="utf-8")
    (folder / "lessons" / "guia-de-prueba.md").write_text(LESSON + text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.open()


def ask(library: Library, reader: Reader, question: str, engine: Engine | None = None, **more: str) -> Reply:
    tutor = Tutor(library, lambda: reader, lambda: engine)
    *_, reply = tutor.answer(question, lang="es", **more)  # type: ignore[arg-type]
    assert isinstance(reply, Reply)
    return reply


def test_the_passage_is_shown_whole_and_word_for_word_with_its_page_and_section(
    library: Library, reader: Reader
) -> None:
    reply = ask(library, reader, "¿Cómo limpio las pinzas con agua y jabón?")
    assert reply.mode == "passage"
    assert reply.text in TEXT
    assert reply.text.startswith("Lave las pinzas")
    assert reply.text.endswith("empiezan a hervir.")
    (source,) = reply.sources
    assert (source.page, source.section, source.passage) == ("7", "Limpieza de las pinzas", reply.text)
    assert source.place == "Guía de prueba, Limpieza de las pinzas, p. 7"


def test_a_list_is_never_shown_without_the_line_that_forbids_what_it_lists(library: Library, reader: Reader) -> None:
    reply = ask(library, reader, "¿puedo guardar las pinzas mojadas o doblar las puntas?")
    assert (
        reply.text == "No haga nunca lo siguiente:\n\n- guardar las pinzas mojadas\n- usar arena\n\n- doblar las puntas"
    )
    assert reply.sources[0].page == "7-8"


def test_marks_stay_as_the_guideline_has_them_and_a_sentence_goes_on_over_the_page(
    library: Library, reader: Reader
) -> None:
    reply = ask(library, reader, "¿Cuántas veces al día reviso el termómetro del refrigerador de vacunas?")
    assert reply.text.endswith("hoja\n\nde control y avise si pasa de ocho grados. **No** congele las vacunas.")
    assert reply.sources[0].page == "8-9"


@pytest.mark.parametrize(
    "question", ["¿Cómo limpio las pinzas con agua y jabón?", "¿Quién ganó la carrera de bicicletas?"]
)
def test_a_model_is_never_asked_about_a_guideline(library: Library, reader: Reader, question: str) -> None:
    engine = Inventive()
    reply = ask(library, reader, question, engine)
    assert (engine.asked, reply.model) == (0, "")
    lesson = ask(library, reader, question, engine, lesson="guia/guia-de-prueba")
    assert (engine.asked, lesson.model) == (0, "")


def test_the_same_text_without_the_mark_does_reach_the_model(tmp_path: Path, reader: Reader) -> None:
    engine = Inventive()
    loose = Library.in_memory([read_pack(pack_of(tmp_path / "suelta", TEXT))])
    ask(loose, reader, "¿Cuántas veces al día reviso el termómetro del refrigerador de vacunas?", engine)
    loose.close()
    assert engine.asked == 1


@pytest.mark.parametrize(
    "question",
    ["¿Quién ganó la carrera de bicicletas?", "cuánta gasolina gasta una moto", "dosis de digoxina en el adulto mayor"],
)
def test_what_the_guideline_does_not_say_gets_no_other_answer(library: Library, reader: Reader, question: str) -> None:
    for more in ({}, {"lesson": "guia/guia-de-prueba"}):
        reply = ask(library, reader, question, **more)
        if reply.mode != "guard":
            assert (reply.text, reply.mode, reply.sources) == ("No está en la guía instalada.", "none", ())


def test_school_lessons_beside_it_are_found_as_before(library: Library, reader: Reader) -> None:
    assert ask(library, reader, "¿Por qué son verdes las hojas?").mode == "bank"
    assert ask(library, reader, "¿Cómo limpio las pinzas con agua y jabón?").mode == "passage"
    assert not any(source.page for source in ask(library, reader, "¿cuánto es 6 por 7?").sources)


@given(st.lists(st.sampled_from(["Uno.", "- dos", "tres:", "cuatro", "", "[p. 3]", "[p. 4]", "## Parte"]), max_size=30))
def test_no_word_is_lost_added_or_moved(lines: list[str]) -> None:
    kept = " ".join(quote.text for quote in quotes_of("\n".join(lines))).split()
    assert kept == [word for line in lines if not line.startswith(("[", "#")) for word in line.split()]


def test_a_guideline_with_own_words_or_without_pages_is_not_let_in(tmp_path: Path, guideline: Path) -> None:
    pack, complaints = read_pack(guideline)
    assert (pack.strict, complaints, check(pack), advise(pack)) == (True, [], [], [])
    unmarked = TEXT.replace("[p. 7]", "") + "\n# Preguntas\n\n## ¿Y las pinzas?\nSe hierven.\n"
    said = [c.say("es") for c in check(read_pack(pack_of(tmp_path / "mala", unmarked, 'quote = "strict"\n'))[0])]
    assert any("otras palabras" in line for line in said)
    assert any("falta su página" in line for line in said)


def test_only_strict_is_a_way_to_quote(tmp_path: Path) -> None:
    _, complaints = read_pack(pack_of(tmp_path / "rara", TEXT, 'quote = "loosely"\n'))
    assert "loosely" in complaints[0].say("es")


def test_ask_shows_and_tells_the_page(guideline: Path, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    save(settings)
    assert main(["packs", "add", str(guideline)]) == 0
    assert main(["ask", "¿Cómo limpio las pinzas con agua y jabón?"]) == 0
    assert "Limpieza de las pinzas, p. 7" in capsys.readouterr().out
    assert main(["ask", "¿Cómo limpio las pinzas con agua y jabón?", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"][0]["page"] == "7"

"""What the language model learns from, what is kept from it, and how its answers are marked."""

from __future__ import annotations

import json
import lzma
import tarfile
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.tutor import prompt
from edge.tutor.features import sentence_spans
from quantize.lm.copying import copying_examples
from quantize.lm.corpus import build_corpus, read_chats, read_texts
from quantize.lm.lessons import lesson_examples, paragraphs_of, read_lessons
from quantize.lm.prompts import NOT_SAID, Example
from quantize.lm.settings import LmSettings
from quantize.lm.sources import NOVELS, OPENSTAX, SQUAD, STORYBOOKS, Document, read_documents, read_questions
from quantize.measure import marks
from quantize.recipe import load_recipe, read_table

PACKS = [Path(__file__).parents[2] / "edge" / "packs" / name for name in ("primaria", "fundamental")]


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return list(lesson_examples(read_lessons(PACKS), Random(1)))


def test_every_answer_that_was_held_out_is_nowhere_in_the_training(examples: list[Example]) -> None:
    learned = {example.answer for example in examples if not example.held and example.kind == "free_chat"}
    held = {example.answer for example in examples if example.held and example.kind == "free_chat"}
    assert len(held) >= 20
    assert not held & learned


def test_no_wording_of_a_held_out_question_is_in_the_training(examples: list[Example]) -> None:
    def questions(held: bool) -> set[str]:
        """Return the questions asked of the packs."""
        return {e.user for e in examples if e.kind == "free_chat" and e.held == held}

    assert not questions(True) & questions(False)


def test_a_grounded_answer_is_a_sentence_of_its_passage(examples: list[Example]) -> None:
    grounded = [example for example in examples if example.kind == "lesson"]
    assert len(grounded) > 300
    assert all(example.answer in example.passage for example in grounded)
    assert all(example.passage in example.user for example in grounded)


def test_the_model_learns_the_very_prompt_of_the_tutor(examples: list[Example]) -> None:
    example = next(example for example in examples if example.kind == "lesson" and example.lang == "es")
    question = example.user.rsplit("Pregunta: ", 1)[1]
    assert example.messages() == prompt.grounded(question, [example.passage], "es")


def test_it_is_taught_to_say_that_a_text_does_not_say_it(examples: list[Example]) -> None:
    absent = [example for example in examples if example.kind == "absent"]
    assert {example.answer for example in absent} == set(NOT_SAID.values())


def test_markdown_does_not_reach_the_model() -> None:
    text = "\n".join(part for lesson in read_lessons(PACKS) for part in paragraphs_of(lesson))
    assert "**" not in text
    assert "\n#" not in text


PLANTS = (
    "Las plantas viven casi en todas partes. La raíz es una parte que toma agua del suelo. "
    "Las hojas hacen azúcar con la luz del sol. El tallo sostiene las ramas altas del árbol."
)
RIVERS = (
    "El río Paraná nace en el Brasil y cruza tres países. Sus aguas mueven la represa de Itaipú desde 1984. "
    "En sus islas crecen sauces y ceibos muy antiguos. Los pescadores sacan dorados, sábalos y surubíes."
)


@pytest.fixture(scope="module")
def exercises() -> list[Example]:
    """Many exercises from two texts; a third is held out."""
    documents = [
        Document("x", "es", False, f"{PLANTS}\n{RIVERS}"),
        Document("y", "es", True, "No se usa esta frase nunca jamás en ninguna parte. " * 4),
    ]
    return [example for seed in range(60) for example in copying_examples(documents, 10, Random(seed))]


def test_a_copying_exercise_asks_for_one_of_its_sentences(exercises: list[Example]) -> None:
    answered = [example for example in exercises if example.answer != NOT_SAID["es"]]
    assert len(answered) > 50
    for example in answered:
        sentences = [example.passage[start:end] for start, end in sentence_spans(example.passage)]
        assert sentences.count(example.answer) == 1
    assert not any("No se usa" in example.user for example in exercises)


def test_exercises_ask_in_every_way(exercises: list[Example]) -> None:
    questions = {example.user.rsplit("Pregunta: ", 1)[1] for example in exercises}
    for beginning in ("Copia la frase que empieza por «", "¿Qué dice después de «", "¿Qué es la raíz?", "Háblame de "):
        assert any(question.startswith(beginning) for question in questions), beginning
    assert any(question.startswith(("¿Dónde", "¿Cuál es", "¿Para qué", "¿Cuándo")) for question in questions)


def test_where_the_sentence_was_taken_away_the_answer_is_that_the_text_does_not_say_it(
    exercises: list[Example],
) -> None:
    declined = [example for example in exercises if example.answer == NOT_SAID["es"]]
    assert len(declined) > 5
    for example in declined:
        _, _, beginning = example.user.partition("empieza por «")
        assert not beginning or beginning.split("»")[0] not in example.passage
    shorter = [e for e in declined if e.passage not in (PLANTS, RIVERS)]
    assert shorter
    assert all(len(sentence_spans(example.passage)) == 3 for example in shorter)


def test_more_wordings_change_only_what_is_for_training() -> None:
    once, often = (list(lesson_examples(read_lessons(PACKS), Random(1), times)) for times in (1, 3))

    def count(examples: list[Example], kind: str, held: bool) -> int:
        """Count the exchanges of a kind."""
        return sum(example.kind == kind and example.held == held for example in examples)

    assert count(often, "lesson", held=False) == 3 * count(once, "lesson", held=False)
    assert [e.user for e in often if e.held and e.kind == "lesson"] == [
        e.user for e in once if e.held and e.kind == "lesson"
    ]
    lessons = [example for example in often if example.kind == "lesson"]
    assert all(example.answer in example.passage for example in lessons)
    assert any("\n" in example.passage for example in lessons)


def _tar(path: Path, members: dict[str, str]) -> None:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, BytesIO(text.encode()))
    path.write_bytes(lzma.compress(buffer.getvalue()))


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """A folder of corpora like the real one, very small."""
    line = "Línea {} de la novela, tan larga que sirve para saber si dos libros son el mismo libro o no.\n"
    novels = {f"txt/{n:02}.txt": "".join(line.format(n * 100 + i) for i in range(60)) for n in range(12)}
    novels["zz/otra_edicion.txt"] = novels["txt/00.txt"]
    for lang in NOVELS.values():
        _tar(tmp_path / lang, novels)
    _tar(
        tmp_path / STORYBOOKS,
        {"a/es/1.md": "# Un cuento\n\n##\nHabía una vez.\n\n##\n* License: [CC-BY]\n* Text: X\n"},
    )
    modules = [{"license": "Attribution 4.0 International", "text": f"Módulo {n}", "title": "t"} for n in range(40)]
    modules.append({"license": "Attribution-NonCommercial", "text": "No se puede usar", "title": "t"})
    content = "\n".join(json.dumps(module) for module in modules)
    (tmp_path / OPENSTAX).write_bytes(lzma.compress(content.encode()))
    asked = [
        {"question": "¿Qué?", "answers": [{"text": "agua", "answer_start": 3}]},
        {"question": "¿Mal?", "answers": [{"text": "agua", "answer_start": 0}]},
        {"question": "¿Nada?", "answers": [], "is_impossible": True},
    ]
    squad = [{"title": "A", "context": "El agua moja.", "qas": asked}]
    (tmp_path / SQUAD).write_bytes(lzma.compress(json.dumps(squad).encode()))
    return tmp_path


def test_a_tenth_of_the_novels_and_a_twentieth_of_the_modules_are_held_out(archives: Path) -> None:
    documents = list(read_documents(archives, 10**6))
    for source, whole in (("novels-es", 12), ("openstax", 40)):
        of_source = [document for document in documents if document.source == source]
        assert len(of_source) == whole
        assert sum(document.held for document in of_source) == 2


def test_another_edition_of_a_held_out_novel_is_not_learned(archives: Path) -> None:
    titles = {document.title for document in read_documents(archives, 10**6)}
    assert "otra_edicion" not in titles
    assert "00" in titles


def test_texts_that_may_not_be_used_and_credits_are_left_out(archives: Path) -> None:
    text = " ".join(document.text for document in read_documents(archives, 10**6))
    assert "No se puede usar" not in text
    assert "License" not in text
    assert "Había una vez." in text


def test_answers_that_are_not_where_they_say_are_left_out(archives: Path) -> None:
    found = {question: answers for _, _, question, answers, _ in read_questions(archives / SQUAD)}
    assert found == {"¿Qué?": ("agua",), "¿Nada?": ()}


def _corpus_of(archives: Path, folder: Path, held: str) -> tuple[list[Document], list[Example]]:
    """Build a corpus with one article held out; return all its texts and exchanges."""
    (folder / "r.toml").write_text(
        f'kind = "lm"\nname = "x"\noutput = "{folder}/out"\ncorpora = "{archives}"\n[lm]\nvocabulary = 300\n'
        "context = 64\nhidden = 32\nlayers = 1\nheads = 1\nkey_heads = 1\nfeed_forward = 32\nshares = []\n"
        f'tokens = 1\nminutes = 1.0\nrows = 1\nrate = 0.1\ncopies = 50\nwordings = 5\nheld_articles = ["{held}"]\n',
        encoding="utf-8",
    )
    recipe = load_recipe(str(folder / "r.toml"))
    build_corpus(recipe, read_table(recipe, LmSettings), folder)
    texts = [document for held in (False, True) for document in read_texts(folder, held)]
    return texts, [chat for held in (False, True) for chat in read_chats(folder, held)]


def test_nothing_of_a_held_out_article_is_learned_in_any_wording(archives: Path, tmp_path: Path) -> None:
    texts, chats = _corpus_of(archives, tmp_path, "A")
    assert [text.held for text in texts if text.source == "articles"] == [True]
    asked = [chat for chat in chats if "El agua moja" in chat.user]
    assert len(asked) == 2  # one question with its answer, one without; each once
    assert all(chat.held for chat in asked)


def test_an_article_for_training_is_asked_about_again_and_again(archives: Path, tmp_path: Path) -> None:
    texts, chats = _corpus_of(archives, tmp_path, "B")
    assert [text.held for text in texts if text.source == "articles"] == [False]
    assert sum(chat.kind == "squad" for chat in chats) == 5
    assert not any(chat.held for chat in chats if chat.kind == "squad")


@given(st.text(alphabet="abc ñá.,¿?", min_size=1))
def test_saying_exactly_the_answer_is_worth_everything(text: str) -> None:
    golds = [text]
    assert marks.exact(text, golds)
    if marks.tokens_of(text):
        assert marks.f1(text, golds) == 1.0
        assert marks.holds(f"pues {text} claro", golds)
        assert marks.verbatim(text, f"pues {text} claro")


def test_half_an_answer_is_worth_something() -> None:
    assert 0 < marks.f1("la raíz toma agua", ["la raíz"]) < 1
    assert marks.f1("nada que ver", ["la raíz"]) == 0
    assert not marks.verbatim("", "un texto")


def test_going_round_in_circles_is_noticed() -> None:
    assert marks.loops("el sol sale y " * 5)
    assert not marks.loops("El sol sale por el este y se pone por el oeste, como cada día del año.")


def test_other_words_about_other_things_are_not_supported() -> None:
    source = "Las plantas fabrican su alimento con la luz del sol."
    assert marks.supported("Con luz del sol, las plantas fabrican alimento.", source)
    assert not marks.supported("Las plantas comen hormigas.", source)
    assert not marks.supported(source, source)

"""The reader that ships points at the sentence that answers, and is unsure when none does."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.tutor.clues import CLUES
from edge.tutor.encoding import KEPT_PASSAGES, MAX_PIECES, _sentences, lay_out, parse_vocabulary, sequences, understand
from edge.tutor.features import fold, sentence_spans, stem
from edge.tutor.kinds import FACTS, KINDS, facts_of
from edge.tutor.reader import KEPT_ROWS, Reader
from edge.tutor.span import choose, overlap

SHIPPED = Path(__file__).parents[2] / "edge" / "models" / "reader"
PLANTS = (
    "La fotosíntesis es el proceso con el que las plantas fabrican su alimento. "
    "Ocurre en las células que tienen cloroplastos, sobre todo en las hojas. "
    "La planta toma agua y dióxido de carbono, y con la luz del sol produce azúcar y oxígeno. "
    "Jan Ingenhousz descubrió en 1779 que las plantas necesitan luz."
)
OTHERS = [
    "El Inca Garcilaso de la Vega nació en el Cusco en 1539. Escribió los Comentarios Reales.",
    "Una semana tiene siete días. El primer día es el lunes.",
]
VOCABULARY = parse_vocabulary((SHIPPED / "vocabulary.json").read_bytes())


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.open()


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("¿Qué es la fotosíntesis?", "fabrican su alimento"),
        ("¿Quién descubrió que las plantas necesitan luz?", "Ingenhousz"),
        ("¿En qué año descubrió Ingenhousz que las plantas necesitan luz?", "1779"),
        ("¿Qué produce la planta con la luz del sol?", "azúcar y oxígeno"),
        ("¿En qué células ocurre?", "cloroplastos"),
    ],
)
def test_it_finds_the_sentence_that_answers(reader: Reader, question: str, holds: str) -> None:
    best = reader.read(question, [*OTHERS, PLANTS], "es")[0]
    assert holds in best.sentence
    assert best.passage == 2
    assert PLANTS[best.start : best.end] == best.sentence


def test_the_span_is_a_short_part_of_the_sentence(reader: Reader) -> None:
    best = reader.read("¿En qué año descubrió Ingenhousz que las plantas necesitan luz?", [PLANTS], "es")[0]
    assert best.span == "1779"


@pytest.mark.parametrize(
    "question",
    [
        "¿Quién ganó el mundial de fútbol de 2010?",
        "¿Cuál es la capital de Francia?",
        "¿Cuánto cuesta un celular?",
    ],
)
def test_a_question_that_the_text_does_not_answer_gets_little_confidence(reader: Reader, question: str) -> None:
    asked = reader.read("¿Qué es la fotosíntesis?", [PLANTS, *OTHERS], "es")[0].confidence
    assert reader.read(question, [PLANTS, *OTHERS], "es")[0].confidence < min(0.3, asked / 2)


def test_there_is_one_reading_a_sentence_the_surest_first_and_five_at_most(reader: Reader) -> None:
    readings = reader.read("¿Qué necesitan las plantas?", [PLANTS, *OTHERS, PLANTS], "es")
    assert len(readings) == 5
    assert len({(r.passage, r.start) for r in readings}) == 5
    assert [r.confidence for r in readings] == sorted((r.confidence for r in readings), reverse=True)


@pytest.mark.parametrize("question", ["", "   ", "\x00\x1b[31m", "¿?" * 10])
@pytest.mark.parametrize("passages", [[], [""], ["..."], ["\x00\x07"]])
def test_nothing_in_gives_nothing_out(reader: Reader, question: str, passages: list[str]) -> None:
    assert reader.read(question, passages, "es") == []


def test_a_question_of_100_000_letters_is_read_in_time(reader: Reader) -> None:
    began = time.process_time()
    assert reader.read("¿Qué es la fotosíntesis? " * 4000, [PLANTS * 40] * 20, "es")
    assert time.process_time() - began < 5


def copy_of_shipped(folder: Path) -> Path:
    for file in SHIPPED.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.mark.parametrize("name", ["reader.onnx", "vocabulary.json"])
def test_a_truncated_file_is_refused_in_words(tmp_path: Path, name: str) -> None:
    folder = copy_of_shipped(tmp_path)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError) as caught:
        Reader.open(folder)
    for lang in ("es", "pt", "en"):
        assert str(len(content) // 2) in caught.value.say(lang)


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    (copy_of_shipped(tmp_path) / "reader.onnx").unlink()
    with pytest.raises(ModelError, match=r"reader\.onnx"):
        Reader.open(tmp_path)


@pytest.mark.parametrize("card", [b"", b"[]", b"{}", b'{"files": {"reader.onnx": 3}}', b"\xff"])
def test_a_card_that_says_nothing_sensible_is_refused(tmp_path: Path, card: bytes) -> None:
    (copy_of_shipped(tmp_path) / "card.json").write_bytes(card)
    with pytest.raises(ModelError):
        Reader.open(tmp_path)


def test_a_sound_name_over_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    import hashlib

    folder = copy_of_shipped(tmp_path)
    (folder / "reader.onnx").write_bytes(b"not a network")
    card = json.loads((folder / "card.json").read_bytes())
    card["files"]["reader.onnx"] = {"sha256": hashlib.sha256(b"not a network").hexdigest(), "size": 13}
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="damaged"):
        Reader.open(folder)


def test_the_card_says_what_it_was_made_of_and_cannot_do() -> None:
    card = json.loads((SHIPPED / "card.json").read_bytes())
    assert card["cannot"]
    assert all(part["licence"] and part["source"] for part in card["data"])
    paragraph = card["held_out"]["paragraph"]
    assert paragraph["right_sentence"] > paragraph["right_sentence_bm25"]
    assert card["held_out"]["random_paragraph"]["auc"] >= 0.8
    assert {"right_sentence", "right_sentence_bm25", "f1", "auc_unanswerable"} <= set(paragraph)
    assert len(card["held_out_of_each_seed"]) == 3
    assert sum(file["size"] for file in card["files"].values()) < 8_000_000


def test_importing_the_reader_loads_no_heavy_library() -> None:
    code = "import sys, edge.tutor.reader; print({'onnxruntime', 'numpy'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


@given(st.text(max_size=400))
def test_sentences_lie_in_order_inside_the_text_and_miss_only_signs_and_space(text: str) -> None:
    spans = sentence_spans(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))
    covered = "".join(text[start:end] for start, end in spans)
    assert [c for c in covered if c.isalnum()] == [c for c in text if c.isalnum()]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=1500))
def test_any_text_becomes_sequences_the_network_can_take(question: str, passage: str) -> None:
    laid = lay_out(understand(question, VOCABULARY), passage, VOCABULARY)
    assert not laid.lines or abs(sum(line.likely for line in laid.lines) - 1) < 1e-6
    assert all(len(line.clues) == len(CLUES) for line in laid.lines)
    for row in sequences(laid):
        assert len(row.ids) == len(row.kinds) <= MAX_PIECES
        assert all(0 <= number < len(VOCABULARY.pieces) for number in row.ids)
        assert all(0 <= kind < KINDS for kind in row.kinds)


def test_a_long_passage_is_cut_between_sentences_and_loses_none() -> None:
    laid = lay_out(understand("¿Qué produce la planta?", VOCABULARY), PLANTS * 5, VOCABULARY)
    rows = sequences(laid)
    assert len(rows) > 1
    assert [line for row in rows for line in row.lines] == list(laid.lines)


def test_each_kind_is_made_of_facts_of_its_own() -> None:
    made = [facts_of(kind) for kind in range(KINDS)]
    assert len(set(made)) == KINDS
    assert {fact for facts in made for fact in facts} == set(range(FACTS))


def test_the_words_alone_find_the_sentence_that_is_asked_for() -> None:
    laid = lay_out(understand("¿Quién descubrió que las plantas necesitan luz?", VOCABULARY), PLANTS, VOCABULARY)
    best = max(laid.lines, key=lambda line: line.likely)
    assert "Ingenhousz" in PLANTS[best.start : best.end]


def test_of_likely_spans_the_one_wins_that_most_of_the_others_overlap() -> None:
    spans = [(0, 0), (4, 6), (4, 5), (5, 6)]
    assert choose(spans, [1.0, 0.9, 0.8, 0.8]) == 1
    assert choose(spans, [9.0, 0.9, 0.8, 0.8]) == 0
    assert overlap((4, 6), (5, 6)) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("one", "other"),
    [("plantas", "planta"), ("alimentarse", "alimento"), ("respiración", "respirar"), ("raíces", "raíz")],
)
def test_forms_of_a_word_share_their_stem(one: str, other: str) -> None:
    assert stem(fold(one)) == stem(fold(other))


def test_accents_do_not_matter_but_ñ_does() -> None:
    assert fold("FOTOSÍNTESIS ação") == "fotosintesis acao"
    assert fold("año") != fold("ano")


def test_what_is_said_of_a_passage_does_not_depend_on_the_others(reader: Reader) -> None:
    question = "¿Qué produce la planta con la luz del sol?"
    together = [seen for seen in reader.look(question, [*OTHERS, PLANTS * 3]) if seen.passage == 0]
    reader._logits.cache_clear()
    alone = reader.look(question, OTHERS[:1])
    assert [seen.features for seen in alone] == [seen.features for seen in together]


def test_a_pair_that_was_read_is_not_read_again_and_says_the_same(reader: Reader) -> None:
    question = "¿Quién descubrió que las plantas necesitan luz?"
    reader._logits.cache_clear()
    first = reader.read(question, [PLANTS, *OTHERS], "es")
    read = reader._logits.cache_info().misses
    assert read == 3
    again = reader.read(question, [*OTHERS, PLANTS], "es")
    assert reader._logits.cache_info().misses == read
    assert {r.sentence for r in again} == {r.sentence for r in first}
    assert (again[0].sentence, again[0].span) == (first[0].sentence, first[0].span)


def test_what_is_kept_of_pairs_and_passages_has_a_bound(reader: Reader) -> None:
    for number in range(KEPT_ROWS + 8):
        reader.read(f"¿Qué es {number}?", [f"Número {number}."], "es")
    assert reader._logits.cache_info().currsize == KEPT_ROWS
    assert _sentences.cache_info().currsize <= KEPT_PASSAGES

"""Words have meanings and weights; a damaged file is refused in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.library.judge import read_judges
from edge.library.meaning import EMBEDDED, UNKNOWN_WEIGHT, Meaning, Side
from edge.library.terms import content_terms


def side(text: str, lang: str = "es") -> Side:
    return Meaning().side(content_terms(text, lang), lang)


def nearness(one: str, other: str, lang: str = "es") -> float:
    return float(side(one, lang).vectors[0] @ side(other, lang).vectors[0])


@pytest.mark.parametrize(
    ("word", "near", "far", "lang"),
    [
        ("volcán", "erupción", "fracción", "es"),
        ("planeta", "satélite", "sílaba", "es"),
        ("semilla", "planta", "decimal", "es"),
        ("chuva", "nuvem", "verbo", "pt"),
    ],
)
def test_words_of_one_topic_stand_near_each_other(word: str, near: str, far: str, lang: str) -> None:
    assert nearness(word, near, lang) > nearness(word, far, lang)


def test_the_same_words_are_found_exactly_and_near_ones_nearly() -> None:
    exact, near = side("volcanes").found_in(side("el volcán lanza lava"))
    assert (exact[0], near[0]) == (1.0, 1.0)
    exact, near = side("erupción").found_in(side("el volcán lanza lava"))
    assert exact[0] == 0.0
    assert 0.0 < near[0] < 1.0


def test_a_word_nobody_knows_weighs_much_and_stands_nowhere() -> None:
    unknown = side("xilofantástico")
    assert unknown.weights[0] == UNKNOWN_WEIGHT
    assert not unknown.vectors.any()
    assert unknown.weights[0] > side("agua").weights[0]


def test_no_words_are_a_side_too() -> None:
    empty = side("")
    assert empty.share(empty.found_in(side("agua"))[1]) == 0.0
    assert not empty.centre.any()


def test_a_language_without_vectors_still_compares_letters() -> None:
    exact, _ = side("volcano", "en").found_in(side("a volcano", "en"))
    assert exact[0] == 1.0


@pytest.mark.parametrize("length", [0, 10, 5000])
def test_a_truncated_file_is_refused_in_words(tmp_path: Path, length: int) -> None:
    shutil.copytree(EMBEDDED, tmp_path / "search")
    for name in ("es.npz", "judges.npz"):
        path = tmp_path / "search" / name
        path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ModelError, match=r"es\.npz"):
        Meaning(tmp_path / "search").side(content_terms("agua", "es"), "es")
    with pytest.raises(ModelError, match=r"judges\.npz"):
        read_judges(tmp_path / "search" / "judges.npz")


def test_every_judge_gives_probabilities() -> None:
    for judge in read_judges(EMBEDDED / "judges.npz").values():
        features = np.random.default_rng(1).normal(size=(50, int(judge.feature.max()) + 8)).astype(np.float32)
        found = judge.probabilities(features)
        assert ((found >= 0) & (found <= 1)).all()
        assert judge.of([]) == []

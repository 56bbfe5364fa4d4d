"""The search model: made from small packs in seconds, and followed on a device exactly as it was fitted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the quantize extra is not installed: QUANTIZE=1 make test")
sklearn = pytest.importorskip("sklearn", reason="the quantize extra is not installed: QUANTIZE=1 make test")

import numpy as np  # noqa: E402
from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: E402

from edge.library.judge import read_judges  # noqa: E402
from edge.library.meaning import Meaning  # noqa: E402
from edge.library.terms import content_terms  # noqa: E402
from quantize.cli import main  # noqa: E402
from quantize.search.fit import _judge_of, save_judges  # noqa: E402
from quantize.search.settings import read_questions  # noqa: E402

TINY = """
kind = "search"
name = "search-tiny"
output = "{output}"
packs = ["edge/packs/fundamental"]
seed = 3

[search]
vocabulary = 1500
least_count = 3
pack_copies = 1
align_steps = 20
trees = 20
folds = 2
questions = 300
"""


def test_the_trees_say_on_a_device_what_they_said_when_fitted(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(800, 5)).astype(np.float32)
    right = (features[:, 0] * features[:, 1] > 0).astype(np.float32)
    model = HistGradientBoostingRegressor(max_iter=30, random_state=1).fit(features, right)
    save_judges({"bank": _judge_of(model)}, {"bank": 0.4}, tmp_path / "judges.npz")
    judge = read_judges(tmp_path / "judges.npz")["bank"]
    asked = random.normal(size=(200, 5)).astype(np.float32)
    assert judge.threshold == 0.4
    assert np.allclose(judge.probabilities(asked), model.predict(asked).clip(0, 1), atol=1e-4)


def test_a_search_model_is_made_and_published_with_its_card(tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    output = tmp_path / "out"
    recipe.write_text(TINY.format(output=output.as_posix()), encoding="utf-8")
    assert main(["run", str(recipe), "--work", str(tmp_path / "work")]) == 0
    card = json.loads((output / "card.json").read_bytes())
    assert card["figures"]["cross_validated"]["together"]["auc"] > 0.6
    assert set(read_judges(output / "judges.npz")) == {"bank", "passage", "read", "verdict"}
    meaning = Meaning(output)
    for word in ("água", "planta", "número"):
        assert np.linalg.norm(meaning.side(content_terms(word, "pt"), "pt").vectors[0]) == pytest.approx(1.0, abs=1e-3)


def test_no_question_to_fit_on_is_nearly_one_of_the_tests() -> None:
    import tomllib

    data = Path(__file__).parent.parent / "data" / "pupil_questions.toml"
    table = tomllib.loads(data.read_text(encoding="utf-8"))
    tests = [words_of(row["question"], row["lang"]) for key in ("answered", "unanswered") for row in table[key]]
    fitted = [words_of(question.text, question.lang) for question in read_questions()]
    too_near = sum(any(len(one & two) >= 0.7 * len(one | two) for two in tests if len(two) > 1) for one in fitted)
    assert too_near == 0, "only the number is shown: whoever writes questions must not see the tests"


def words_of(text: str, lang: str) -> frozenset[frozenset[str]]:
    return frozenset(content_terms(text, lang))

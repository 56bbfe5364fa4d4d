"""The table `[search]` of a recipe, and the questions that judgements are fitted on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from quantize.recipe import RecipeError

QUESTIONS = Path(__file__).parent / "pupils.toml"


@dataclass(frozen=True, slots=True)
class SearchTable:
    """How to make a search model."""

    vocabulary: int = 24000
    """Words kept for each language, the most frequent first."""

    least_count: int = 8
    """Rarer words get no vector."""

    counted_width: int = 96
    """Numbers a word has after counting, before it is aligned."""

    novel_paragraphs: int = 200000
    pack_copies: int = 10
    align_steps: int = 600
    align_batch: int = 192
    bags: int = 4
    trees: int = 130
    leaves: int = 12
    least_in_leaf: int = 40
    restraint: float = 5.0
    rate: float = 0.05
    verdict_trees: int = 80
    verdict_leaves: int = 8
    """The last judge has five features only, and needs less."""

    false_answers: float = 0.10
    """The part of unanswerable questions that may get an answer; sets the threshold."""

    near_share: float = 0.4
    """How many of a classroom's unanswerable questions share words with the packs, for that threshold."""

    folds: int = 5
    questions: int = 1_000_000
    """At most so many of the pupils' questions are fitted on, for trials."""


@dataclass(frozen=True, slots=True)
class PupilQuestion:
    """A question as a pupil types it, written for fitting; `lesson` and `entry` say what answers it."""

    text: str
    lang: str
    kind: str
    """`answered`, `near` (shares words, has no answer) or `off`."""

    lesson: str
    entry: str


def read_questions(path: Path = QUESTIONS) -> list[PupilQuestion]:
    """Read the questions; RecipeError when the file is not whole."""
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["question"]
        return [PupilQuestion(**row) for row in rows]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RecipeError("corpus-broken", path=path, reason=str(error)) from error

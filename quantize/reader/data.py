"""The cases of each stage of training, laid out once and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from edge.tutor.encoding import Vocabulary
from quantize.reader.cloze import make_cloze
from quantize.reader.corpus import Corpus, Passage, Question
from quantize.reader.examples import NOBODY, Case, make_case, make_pairs, select
from quantize.reader.settings import ReaderTable

MADE_UP = {"near": 0.15}
SQUAD = {"near": 0.35, "far": 0.05, "library": 0.05}
LESSONS = {"near": 0.4, "far": 0.1, "library": 0.6}
BANK = {"library": 0.3}


def made_up_cases(corpus: Corpus, vocabulary: Vocabulary, table: ReaderTable, random: Random) -> list[Case]:
    """Return cases whose questions were made from sentences of the training texts."""
    usable = [p for p in corpus.passages if p.split == "train" and p.source != "bank"]
    own = [p for p in usable if p.source in ("lessons", "stories", "squad")]
    rest = [p for p in usable if p.source == "openstax"]
    rest += random.sample(novels := [p for p in usable if p.source == "novels"], len(novels) // 4)
    chosen = own + random.sample(rest, max(0, min(len(rest), table.made_up - len(own))))
    chosen = chosen[: table.made_up]
    chosen.sort(key=lambda passage: passage.group)
    return _cases(Corpus(tuple(chosen), ()), make_cloze(chosen, 1, random), MADE_UP, vocabulary, random)


def real_cases(corpus: Corpus, vocabulary: Vocabulary, random: Random) -> list[Case]:
    """Return the questions that people wrote, with negatives."""
    cases = []
    for source, shares in (("squad", SQUAD), ("lessons", LESSONS), ("bank", BANK)):
        cases += _cases(corpus, select(corpus, "train", [source]), shares, vocabulary, random)
    return cases


def dev_cases(corpus: Corpus, vocabulary: Vocabulary, most: int, random: Random) -> list[Case]:
    """Return the held-out questions that decide which weights are kept: short answers, their paragraph given."""
    squad = [q for q in select(corpus, "dev", ["squad"]) if q.start != NOBODY]
    some = random.sample(squad, min(most, len(squad))) or select(corpus, "dev", ["lessons"])[:most]
    return _cases(corpus, some, {}, vocabulary, random)


def _cases(
    corpus: Corpus,
    questions: Sequence[Question],
    shares: Mapping[str, float],
    vocabulary: Vocabulary,
    random: Random,
) -> list[Case]:
    passages: Sequence[Passage] = corpus.passages
    made = (
        make_case(pair, passages[pair.passage].text, vocabulary)
        for pair in make_pairs(corpus, questions, shares, random)
    )
    return [case for case in made if case]

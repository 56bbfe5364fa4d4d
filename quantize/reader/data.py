"""The examples of each stage of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from edge.tutor.encoding import Vocabulary
from quantize.reader.cloze import make_cloze
from quantize.reader.corpus import Corpus, Passage, Question
from quantize.reader.examples import Example, make_example, make_pairs, select
from quantize.reader.settings import ReaderTable

MADE_UP = {"near": 0.35, "far": 0.1}
SQUAD = {"near": 0.55, "far": 0.15, "library": 0.15}
LESSONS = {"near": 0.5, "far": 0.1, "library": 0.8}


def made_up_examples(corpus: Corpus, vocabulary: Vocabulary, table: ReaderTable, random: Random) -> list[Example]:
    """Return examples whose questions were made from sentences of the training texts."""
    usable = [p for p in corpus.passages if p.split == "train" and p.source != "bank"]
    own = [p for p in usable if p.source in ("lessons", "stories", "squad")]
    rest = [p for p in usable if p.source not in ("lessons", "stories", "squad")]
    chosen = own + random.sample(rest, max(0, min(len(rest), table.made_up - len(own))))
    chosen = chosen[: table.made_up]
    chosen.sort(key=lambda passage: passage.group)
    texts = Corpus(tuple(chosen), ())
    return _examples(texts, make_cloze(chosen, 1, random), MADE_UP, vocabulary, random)


def real_examples(corpus: Corpus, vocabulary: Vocabulary, table: ReaderTable, random: Random) -> list[Example]:
    """Return the questions that people wrote, with negatives drawn for this pass."""
    squad = select(corpus, "train", ["squad"])
    lessons = select(corpus, "train", ["lessons", "bank"])
    return _examples(corpus, squad, SQUAD, vocabulary, random) + _examples(corpus, lessons, LESSONS, vocabulary, random)


def dev_examples(corpus: Corpus, vocabulary: Vocabulary, random: Random) -> list[Example]:
    """Return the held-out questions that decide when training has gone on long enough."""
    squad = select(corpus, "dev", ["squad"])
    lessons = select(corpus, "dev", ["lessons", "bank"])
    chosen = random.sample(squad, min(500, len(squad)))
    return _examples(corpus, chosen, SQUAD, vocabulary, random) + _examples(
        corpus, lessons, LESSONS, vocabulary, random
    )


def _examples(
    corpus: Corpus,
    questions: Sequence[Question],
    shares: Mapping[str, float],
    vocabulary: Vocabulary,
    random: Random,
) -> list[Example]:
    passages: Sequence[Passage] = corpus.passages
    made = (
        make_example(pair, passages[pair.passage].text, vocabulary)
        for pair in make_pairs(corpus, questions, shares, random)
    )
    return [example for example in made if example]

"""What each step of the reader's pipeline makes, from files to files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from edge.files import write_atomic
from edge.tutor.encoding import Vocabulary, parse_vocabulary
from edge.tutor.guess import no_guess, parse_guess
from edge.tutor.reader import Reader
from quantize.reader.card import ABOUT, NEUTRAL, assemble
from quantize.reader.corpus import (
    NOVELS_ES,
    NOVELS_PT,
    OPENSTAX,
    SQUAD,
    STORYBOOKS,
    Corpus,
    Passage,
    Question,
    load_corpus,
    read_novels,
    read_openstax,
    read_squad,
    read_stories,
    save_corpus,
)
from quantize.reader.lessons import read_lessons
from quantize.reader.settings import ReaderTable
from quantize.recipe import Recipe

MEAN = "mean"
"""The candidate whose weights are the mean of all seeds'."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where each step leaves its output."""

    work: Path

    @property
    def corpus(self) -> Path:
        """Return where all passages and questions are."""
        return self.work / "corpus.json"

    @property
    def pieces(self) -> Path:
        """Return where the pieces of words are, still without the guess."""
        return self.work / "pieces.json"

    @property
    def vocabulary(self) -> Path:
        """Return where the vocabulary that ships is."""
        return self.work / "vocabulary.json"

    @property
    def meanings(self) -> Path:
        """Return where the first vector of each piece is."""
        return self.work / "meanings.pt"

    def trained(self, stage: str) -> Path:
        """Return the folder of a stage of training."""
        return self.work / "trained" / stage

    def of(self, candidate: str, name: str) -> Path:
        """Return a file about one candidate."""
        return self.work / candidate / name


def make_corpus(recipe: Recipe, table: ReaderTable, places: Places) -> None:
    """Read the packs and, where the recipe names them, the archives."""
    parts = [read_lessons(recipe.packs, table.held_out_percent)]
    if recipe.corpora:
        folder = recipe.corpora
        parts.append(read_squad(folder / SQUAD, table.dev_articles, table.test_articles))
        texts: list[Passage] = list(read_openstax(folder / OPENSTAX))
        texts += read_stories(folder / STORYBOOKS)
        texts += read_novels(folder / NOVELS_ES, "es", table.novel_paragraphs)
        texts += read_novels(folder / NOVELS_PT, "pt", table.novel_paragraphs)
        parts.append(Corpus(tuple(texts), ()))
    save_corpus(_joined(parts), places.corpus)


def _joined(parts: Sequence[Corpus]) -> Corpus:
    passages: list[Passage] = []
    questions: list[Question] = []
    for part in parts:
        shift = len(passages)
        passages.extend(part.passages)
        questions.extend(replace(q, passage=q.passage + shift) for q in part.questions)
    return Corpus(tuple(passages), tuple(questions))


def make_pieces(table: ReaderTable, places: Places) -> None:
    """Learn the pieces of words, and how much each stem tells."""
    from quantize.reader.vocabulary import make_vocabulary

    make_vocabulary(_seen_texts(load_corpus(places.corpus)), table.vocabulary, places.pieces)


def make_guess(recipe: Recipe, table: ReaderTable, places: Places) -> None:
    """Fit the first guess and write it beside the pieces: the vocabulary that ships."""
    import torch

    from quantize.reader.guess import fit_guess

    torch.set_num_threads(table.threads)
    found = _json(places.pieces)
    pieces = {piece: number for number, piece in enumerate(found["pieces"])}
    unguessed = Vocabulary(pieces, found["weights"], parse_guess(no_guess()))
    guess = fit_guess(load_corpus(places.corpus), unguessed, recipe.seed)
    content = json.dumps({**found, "guess": guess}, ensure_ascii=False, separators=(",", ":"))
    write_atomic(places.vocabulary, content.encode())


def make_meanings(recipe: Recipe, table: ReaderTable, places: Places) -> None:
    """Give each piece a first vector."""
    import torch

    from quantize.reader.embed import first_meanings

    torch.set_num_threads(table.threads)
    vocabulary = parse_vocabulary(places.vocabulary.read_bytes())
    texts = _seen_texts(load_corpus(places.corpus))
    torch.save(first_meanings(texts, vocabulary, table.width, recipe.seed), places.meanings)


def _seen_texts(corpus: Corpus) -> list[str]:
    """Return all texts that training may see: no held-out article, no held-out question."""
    texts = [p.text for p in corpus.passages if p.split == "train" or p.source == "lessons"]
    return texts + [q.text for q in corpus.questions if q.split == "train"]


def train_first(recipe: Recipe, table: ReaderTable, places: Places, mark: str) -> None:
    """Learn from made-up questions."""
    from quantize.reader.data import dev_cases, made_up_cases
    from quantize.reader.train import Plan, train

    corpus, vocabulary = load_corpus(places.corpus), parse_vocabulary(places.vocabulary.read_bytes())
    cases = made_up_cases(corpus, vocabulary, table, Random(recipe.seed))
    dev = dev_cases(corpus, vocabulary, table.dev_questions // 3, Random(recipe.seed))
    plan = Plan(
        table.made_up_rate,
        table.made_up_batch_pieces,
        table.made_up_pieces,
        table.made_up_passes,
        table.looks,
        recipe.seed,
        table.threads,
    )
    facts = train(_new(recipe.seed, table, places), cases, dev, plan, places.trained("first"), mark)
    _keep_facts(places.trained("first"), facts, len(cases))


def train_seed(seed: int, recipe: Recipe, table: ReaderTable, places: Places, mark: str) -> None:
    """Go on from the first stage with the questions that people wrote, in the order of one seed."""
    import torch

    from quantize.reader.data import dev_cases, real_cases
    from quantize.reader.train import Plan, train

    corpus, vocabulary = load_corpus(places.corpus), parse_vocabulary(places.vocabulary.read_bytes())
    cases = real_cases(corpus, vocabulary, Random(recipe.seed + 1))
    dev = dev_cases(corpus, vocabulary, table.dev_questions, Random(recipe.seed))
    network = _new(seed, table, places)
    network.load_state_dict(torch.load(places.trained("first") / "best.pt", weights_only=True))
    plan = Plan(table.rate, table.batch_pieces, table.most_pieces, table.passes, table.looks, seed, table.threads)
    folder = places.trained(str(seed))
    facts = train(network, cases, dev, plan, folder, f"{mark} {seed}")
    _keep_facts(folder, facts, len(cases))


def _new(seed: int, table: ReaderTable, places: Places) -> Any:
    import torch

    from quantize.reader.train import new_network

    return new_network(torch.load(places.meanings, weights_only=True), table.shape, table.dropout, seed)


def _keep_facts(folder: Path, facts: dict[str, float], cases: int) -> None:
    write_atomic(folder / "facts.json", json.dumps({"cases": cases, **facts}, indent=2).encode())


def export(candidate: str, stages: Sequence[str], recipe: Recipe, table: ReaderTable, places: Places) -> None:
    """Write the mean of some stages' weights as an int8 network."""
    from quantize.reader.export import export_network
    from quantize.reader.train import load_best

    network = load_best(_new(recipe.seed, table, places), [places.trained(stage) for stage in stages])
    difference = export_network(network, places.of(candidate, "reader.onnx"))
    print(f"{candidate}: torch and fp32 ONNX differ by at most {difference:.1e}", file=sys.stderr, flush=True)


def calibrate(candidate: str, recipe: Recipe, places: Places) -> None:
    """Fit how the network's numbers are weighed, on the held-out articles and lessons for choices."""
    from quantize.reader.calibrate import calibrate as fit
    from quantize.reader.scenes import article_scenes, lesson_scenes, off_topic_scenes, paragraph_scenes

    tried = places.of(candidate, "tried")
    assemble(tried, places.of(candidate, "reader.onnx"), places.vocabulary, NEUTRAL, {})
    corpus, random = load_corpus(places.corpus), Random(recipe.seed)
    scenes = article_scenes(corpus, "dev", 500, random) + lesson_scenes(corpus, "dev")
    scenes += off_topic_scenes(corpus, "dev", 300, random) + paragraph_scenes(corpus, "dev")
    found = fit(Reader.open(tried), scenes)
    write_atomic(places.of(candidate, "calibration.json"), json.dumps(found, indent=2).encode())


def evaluate(candidate: str, recipe: Recipe, places: Places) -> None:
    """Measure a candidate on the articles and lessons kept for the end."""
    from quantize.reader.evaluate import evaluate as measure

    tried = places.of(candidate, "tried")
    calibration = _json(places.of(candidate, "calibration.json"))
    assemble(tried, places.of(candidate, "reader.onnx"), places.vocabulary, calibration, {})
    corpus, reader = load_corpus(places.corpus), Reader.open(tried)
    figures = measure(reader, corpus, "test", recipe.seed, everything=candidate == MEAN)
    write_atomic(places.of(candidate, "figures.json"), json.dumps(figures, indent=2).encode())


def publish(seeds: Sequence[int], recipe: Recipe, table: ReaderTable, places: Places) -> None:
    """Put the files and the card where devices find them."""
    stages = ["first", *map(str, seeds)]
    trained = {stage: _json(places.trained(stage) / "facts.json") for stage in stages}
    held_out = _json(places.of(MEAN, "figures.json"))
    alone = {str(seed): _json(places.of(str(seed), "figures.json")) for seed in seeds}
    facts = {
        **ABOUT,
        "id": recipe.name,
        "training": {
            "seed": recipe.seed,
            "steps": sum(int(stage["steps"]) for stage in trained.values()),
            "stages": trained,
            "settings": asdict(table),
        },
        "held_out": held_out,
        "held_out_of_each_seed": alone,
    }
    calibration = _json(places.of(MEAN, "calibration.json"))
    assemble(recipe.output, places.of(MEAN, "reader.onnx"), places.vocabulary, calibration, facts)


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found

"""The steps from texts to a shipped reader.

corpus -> vocabulary -> train -> export -> calibrate -> evaluate -> publish. Each
step reads what the one before left in the work folder.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from edge.files import write_atomic
from edge.tutor.reader import Reader, parse_vocabulary
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
    require_archives,
    save_corpus,
)
from quantize.reader.lessons import read_lessons
from quantize.reader.settings import ReaderTable
from quantize.recipe import Recipe, read_table
from quantize.steps import Input, Step, fingerprint

VERSION = 2
"""Grows when the code would make something else from the same inputs."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where each step leaves its output."""

    corpus: Path
    vocabulary: Path
    meanings: Path
    """A first vector for each piece of the vocabulary."""

    trained: Path
    network: Path
    calibration: Path
    figures: Path
    tried: Path
    """A reader put together to be looked at, without its final card."""


def steps(recipe: Recipe, work: Path) -> list[Step]:
    """Return the steps that make the reader of `recipe`."""
    table = read_table(recipe, ReaderTable)
    places = Places(
        corpus=work / "corpus.json",
        vocabulary=work / "vocabulary.json",
        meanings=work / "meanings.pt",
        trained=work / "trained",
        network=work / "reader.onnx",
        calibration=work / "calibration.json",
        figures=work / "figures.json",
        tried=work / "tried",
    )
    common: dict[str, Input] = {"version": VERSION, "seed": recipe.seed}
    return [*_training_steps(recipe, table, places, common), *_shipping_steps(recipe, table, places, common)]


def _training_steps(recipe: Recipe, table: ReaderTable, places: Places, common: Mapping[str, Input]) -> list[Step]:
    texts: dict[str, Input] = {f"pack {pack.name}": pack for pack in recipe.packs}
    if recipe.corpora:
        texts |= {path.name: path for path in require_archives(recipe.corpora)}
    return [
        Step(
            "corpus",
            places.corpus,
            {**common, **texts, "settings": repr(table.of_corpus())},
            lambda: _make_corpus(recipe, table, places),
        ),
        Step(
            "vocabulary",
            places.vocabulary,
            {**common, "corpus": places.corpus, "size": table.vocabulary},
            lambda: _make_vocabulary(table, places),
        ),
        Step(
            "meanings",
            places.meanings,
            {**common, "corpus": places.corpus, "vocabulary": places.vocabulary, "width": table.width},
            lambda: _make_meanings(recipe, table, places),
        ),
        Step(
            "train",
            places.trained / "best.pt",
            {
                **common,
                "settings": repr(table),
                "corpus": places.corpus,
                "vocabulary": places.vocabulary,
                "meanings": places.meanings,
            },
            lambda: _train(recipe, table, places),
        ),
    ]


def _shipping_steps(recipe: Recipe, table: ReaderTable, places: Places, common: Mapping[str, Input]) -> list[Step]:
    best = places.trained / "best.pt"
    made: dict[str, Input] = {**common, "network": places.network, "vocabulary": places.vocabulary}
    return [
        Step("export", places.network, {**common, "weights": best}, lambda: _export(table, places)),
        Step(
            "calibrate",
            places.calibration,
            {**made, "corpus": places.corpus},
            lambda: _calibrate(recipe, places),
        ),
        Step(
            "evaluate",
            places.figures,
            {**made, "corpus": places.corpus, "calibration": places.calibration},
            lambda: _evaluate(recipe, places),
        ),
        Step(
            "publish",
            recipe.output,
            {**made, "calibration": places.calibration, "figures": places.figures},
            lambda: _publish(recipe, table, places),
        ),
    ]


def _make_corpus(recipe: Recipe, table: ReaderTable, places: Places) -> None:
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


def _make_vocabulary(table: ReaderTable, places: Places) -> None:
    from quantize.reader.vocabulary import make_vocabulary

    make_vocabulary(_seen_texts(load_corpus(places.corpus)), table.vocabulary, places.vocabulary)


def _make_meanings(recipe: Recipe, table: ReaderTable, places: Places) -> None:
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


def _train(recipe: Recipe, table: ReaderTable, places: Places) -> None:
    from quantize.reader.data import dev_examples, made_up_examples, real_examples
    from quantize.reader.train import Data, plan_of, train

    corpus = load_corpus(places.corpus)
    vocabulary = parse_vocabulary(places.vocabulary.read_bytes())
    random = Random(recipe.seed)
    made_up = made_up_examples(corpus, vocabulary, table, random)
    data = Data(
        made_up=made_up,
        real=lambda number: real_examples(corpus, vocabulary, table, Random(recipe.seed + 1 + number)),
        dev=dev_examples(corpus, vocabulary, Random(recipe.seed)),
    )
    print(
        f"made-up {len(made_up)}, dev {dict(Counter(e.source for e in data.dev))}",
        file=sys.stderr,
        flush=True,
    )
    mark = f"{VERSION} {table!r} {fingerprint(places.corpus)} {fingerprint(places.meanings)}"
    facts = train(data, plan_of(recipe, table), places.meanings, places.trained, mark)
    write_atomic(places.trained / "facts.json", json.dumps(facts, indent=2).encode())


def _export(table: ReaderTable, places: Places) -> None:
    from quantize.reader.export import export_network
    from quantize.reader.train import load_best

    pieces = len(parse_vocabulary(places.vocabulary.read_bytes()).pieces)
    network = load_best(places.trained, pieces, table.width, table.layers)
    difference = export_network(network, places.network)
    print(f"largest difference between torch and fp32 ONNX: {difference:.1e}", file=sys.stderr, flush=True)


def _calibrate(recipe: Recipe, places: Places) -> None:
    from quantize.reader.calibrate import calibrate
    from quantize.reader.scenes import article_scenes, lesson_scenes, off_topic_scenes, paragraph_scenes

    assemble(places.tried, places.network, places.vocabulary, NEUTRAL, {})
    corpus, random = load_corpus(places.corpus), Random(recipe.seed)
    scenes = article_scenes(corpus, "dev", 700, random) + lesson_scenes(corpus, "dev")
    scenes += off_topic_scenes(corpus, "dev", 300, random) + paragraph_scenes(corpus, "dev")
    found = calibrate(Reader.open(places.tried), scenes)
    write_atomic(places.calibration, json.dumps(found, indent=2).encode())


def _evaluate(recipe: Recipe, places: Places) -> None:
    from quantize.reader.evaluate import evaluate

    assemble(places.tried, places.network, places.vocabulary, _json(places.calibration), {})
    figures = evaluate(Reader.open(places.tried), load_corpus(places.corpus), "test", recipe.seed)
    write_atomic(places.figures, json.dumps(figures, indent=2).encode())


def _publish(recipe: Recipe, table: ReaderTable, places: Places) -> None:
    training = _json(places.trained / "facts.json") if (places.trained / "facts.json").exists() else {}
    facts = {
        **ABOUT,
        "id": recipe.name,
        "training": {**training, "seed": recipe.seed, "settings": asdict(table)},
        "held_out": _json(places.figures),
    }
    assemble(recipe.output, places.network, places.vocabulary, _json(places.calibration), facts)


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found

"""The steps from texts to a shipped reader.

corpus -> pieces -> guess -> meanings -> first -> one stage a seed -> export, calibrate
and evaluate for each seed and for their mean -> publish. Each step reads what the ones
before left in the work folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from quantize.reader import making
from quantize.reader.corpus import require_archives
from quantize.reader.making import MEAN, Places
from quantize.reader.settings import ReaderTable
from quantize.recipe import Recipe, read_table
from quantize.steps import Input, Step, fingerprint

VERSION = 3
"""Grows when the code would make something else from the same inputs."""


def steps(recipe: Recipe, work: Path) -> list[Step]:
    """Return the steps that make the reader of `recipe`."""
    table = read_table(recipe, ReaderTable)
    places = Places(work)
    common: dict[str, Input] = {"version": VERSION, "seed": recipe.seed}
    seeds = [recipe.seed + number for number in range(table.seeds)]
    found = [*_text_steps(recipe, table, places, common), *_training_steps(seeds, recipe, table, places, common)]
    for seed in seeds:
        found += _candidate_steps(str(seed), [str(seed)], recipe, table, places, common)
    found += _candidate_steps(MEAN, list(map(str, seeds)), recipe, table, places, common)
    figures: dict[str, Input] = {f"of {name}": places.of(name, "figures.json") for name in [MEAN, *map(str, seeds)]}
    made: dict[str, Input] = {"network": places.of(MEAN, "reader.onnx"), "vocabulary": places.vocabulary}
    inputs = {**common, **made, **figures, "calibration": places.of(MEAN, "calibration.json")}
    found.append(Step("publish", recipe.output, inputs, lambda: making.publish(seeds, recipe, table, places)))
    return found


def _text_steps(recipe: Recipe, table: ReaderTable, places: Places, common: Mapping[str, Input]) -> list[Step]:
    texts: dict[str, Input] = {f"pack {pack.name}": pack for pack in recipe.packs}
    if recipe.corpora:
        texts |= {path.name: path for path in require_archives(recipe.corpora)}
    read: dict[str, Input] = {**common, "corpus": places.corpus}
    return [
        Step(
            "corpus",
            places.corpus,
            {**common, **texts, "settings": repr(table.of_corpus())},
            lambda: making.make_corpus(recipe, table, places),
        ),
        Step(
            "pieces",
            places.pieces,
            {**read, "size": table.vocabulary},
            lambda: making.make_pieces(table, places),
        ),
        Step(
            "guess",
            places.vocabulary,
            {**read, "pieces": places.pieces},
            lambda: making.make_guess(recipe, table, places),
        ),
        Step(
            "meanings",
            places.meanings,
            {**read, "pieces": places.pieces, "width": table.width},
            lambda: making.make_meanings(recipe, table, places),
        ),
    ]


def _training_steps(
    seeds: list[int], recipe: Recipe, table: ReaderTable, places: Places, common: Mapping[str, Input]
) -> list[Step]:
    inputs: dict[str, Input] = {
        **common,
        "settings": repr(table),
        "corpus": places.corpus,
        "vocabulary": places.vocabulary,
        "meanings": places.meanings,
    }

    def mark() -> str:
        return f"{VERSION} {table!r} {fingerprint(places.corpus)} {fingerprint(places.meanings)}"

    first = places.trained("first") / "best.pt"
    found = [Step("first", first, inputs, lambda: making.train_first(recipe, table, places, mark()))]
    for seed in seeds:

        def learn(seed: int = seed) -> None:
            making.train_seed(seed, recipe, table, places, mark())

        found.append(Step(f"seed-{seed}", places.trained(str(seed)) / "best.pt", {**inputs, "first": first}, learn))
    return found


def _candidate_steps(
    name: str, stages: list[str], recipe: Recipe, table: ReaderTable, places: Places, common: Mapping[str, Input]
) -> list[Step]:
    weights: dict[str, Input] = {f"weights {stage}": places.trained(stage) / "best.pt" for stage in stages}
    network = places.of(name, "reader.onnx")
    made: dict[str, Input] = {
        **common,
        "network": network,
        "vocabulary": places.vocabulary,
        "corpus": places.corpus,
    }
    calibration = places.of(name, "calibration.json")
    return [
        Step(
            f"export-{name}",
            network,
            {**common, **weights},
            partial(making.export, name, stages, recipe, table, places),
        ),
        Step(f"calibrate-{name}", calibration, made, partial(making.calibrate, name, recipe, places)),
        Step(
            f"evaluate-{name}",
            places.of(name, "figures.json"),
            {**made, "calibration": calibration},
            partial(making.evaluate, name, recipe, places),
        ),
    ]

"""The reader on articles it never saw, the right paragraph given: short answers, sentences, and what has no answer."""

from __future__ import annotations

import json
import statistics
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from edge.tutor.reader import CARD, Reader

TARGETS = {"f1": 0.50, "exact": None, "right_sentence": 0.83, "auc_unanswerable": 0.75, "auc_right_or_wrong": None}
QUESTION = "¿Qué necesitan las plantas para fabricar su alimento?"
PASSAGE = (
    "La fotosíntesis es el proceso con el que las plantas fabrican su alimento. Ocurre en las células que tienen "
    "cloroplastos, sobre todo en las hojas. La planta toma agua y dióxido de carbono, y con la luz del sol produce "
    "azúcar y oxígeno. De noche no puede hacerlo, porque le falta la luz."
)


def run() -> str:
    """Return the table; without the archive of questions, the figures are those of the card."""
    card = json.loads((Path(str(files("edge") / "models" / "reader")) / CARD).read_bytes())
    kept = card["held_out"]["paragraph"]
    seeds = [found["paragraph"] for found in card["held_out_of_each_seed"].values()]
    now = _measured() or kept
    rows = ["| | target | now | in the card | each seed | BM25 |", "|---|---|---|---|---|---|"]
    for name, target in TARGETS.items():
        alone = " ".join(f"{seed[name]:.3f}" for seed in seeds)
        wanted = "" if target is None else f"{target:.2f}"
        base = kept.get(f"{name}_bm25")
        rows.append(f"| {name} | {wanted} | {now[name]:.3f} | {kept[name]:.3f} | {alone} | {base or ''} |")
    rows.append(f"| ms of one core for five passages | 50 | {_busy_ms():.0f} | | | |")
    return "\n".join(rows)


def _measured() -> dict[str, Any] | None:
    from quantize.reader.corpus import SQUAD, read_squad
    from quantize.reader.evaluate import given_paragraph
    from quantize.reader.examples import select
    from quantize.reader.settings import ReaderTable
    from quantize.recipe import load_recipe, read_table

    recipe = load_recipe("recipes/reader.toml")
    table = read_table(recipe, ReaderTable)
    if recipe.corpora is None or not (recipe.corpora / SQUAD).is_file():
        return None
    corpus = read_squad(recipe.corpora / SQUAD, table.dev_articles, table.test_articles)
    return given_paragraph(Reader.open(), corpus, select(corpus, "test", ["squad"]))


def _busy_ms() -> float:
    """Return the processor time of one question, all threads together."""
    reader = Reader.open()
    times = []
    for _ in range(30):
        began = time.process_time()
        reader.read(QUESTION, [PASSAGE] * 5, "es")
        times.append(time.process_time() - began)
    return 1000 * statistics.median(times[5:])

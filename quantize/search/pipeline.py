"""The steps from texts to a shipped search model: count, align, fit, publish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import edge.tutor.reader
from edge.files import sha256_of, write_atomic
from quantize.reader.corpus import require_archives
from quantize.recipe import Recipe, read_table
from quantize.search.settings import QUESTIONS, SearchTable
from quantize.steps import Input, Step

VERSION = 7
"""Grows when the code would make something else from the same inputs."""

UNSET = 0.5
"""The threshold of judgements that are not finished."""

READER = Path(edge.tutor.reader.__file__).parent.parent / "models" / "reader"
DATA = (
    ("Global African Storybook Project", "CC-BY-4.0", "global-asp/global-asp @ b0193c31, asp-source @ 99e02236"),
    ("ELTeC-spa, ELTeC-por, cligs textbox novels", "public domain, markup CC-BY-4.0", "COST-ELTeC, cligs/textbox"),
    ("OpenStax textbooks in Spanish", "CC-BY-4.0", "openstax/osbooks-*, Rice University"),
    ("SQuAD-es paragraphs", "CC-BY-4.0", "ccasimiro88/TranslateAlignRetrieve @ c8478421"),
    ("Amauta's own packs and pupils' questions", "CC-BY-SA-4.0", "edge/packs, quantize/search/pupils.toml"),
)
CANNOT = (
    "It knows words, not facts: it only places what the packs hold.",
    "A question about a near topic that the packs do not hold may still get an answer; see false_answers.",
    "Portuguese was counted in novels and nine lessons, and is weaker than Spanish.",
    "The pupils' questions were written by us in the manner of pupils, not collected in classrooms.",
)


def steps(recipe: Recipe, work: Path) -> list[Step]:
    """Return the steps of a search recipe."""
    table = read_table(recipe, SearchTable)
    common: dict[str, Input] = {"version": VERSION, "seed": recipe.seed, "table": repr(table)}
    packs: dict[str, Input] = {f"pack {folder.name}": folder for folder in recipe.packs}
    corpora: dict[str, Input] = {path.name: path for path in require_archives(recipe.corpora)} if recipe.corpora else {}
    counted, aligned, fitted, judged = (work / name for name in ("counted", "aligned", "fitted", "judged"))
    asked: dict[str, Input] = {"questions": QUESTIONS}
    return [
        Step("count", counted, common | packs | corpora, lambda: _count(recipe, table, counted)),
        Step(
            "align",
            aligned,
            common | packs | asked | {"counted": counted},
            lambda: _align(recipe, table, counted, aligned),
        ),
        Step(
            "fit", fitted, common | packs | asked | {"aligned": aligned}, lambda: _fit(recipe, table, aligned, fitted)
        ),
        Step(
            "read",
            judged,
            common | packs | asked | {"aligned": aligned, "fitted": fitted, "reader": READER},
            lambda: _read(recipe, table, aligned, fitted, judged),
        ),
        Step(
            "publish", recipe.output, {"aligned": aligned, "judged": judged}, lambda: _publish(recipe, aligned, judged)
        ),
    ]


def _count(recipe: Recipe, table: SearchTable, counted: Path) -> None:
    from quantize.search.texts import read_packs, texts_of
    from quantize.search.vectors import count

    counted.mkdir(parents=True, exist_ok=True)
    packs = read_packs(recipe.packs)
    for lang in sorted({pack.lang for pack in packs}):
        texts = texts_of(lang, packs, recipe.corpora, table.novel_paragraphs, table.pack_copies)
        found = count(texts, lang, table.vocabulary, table.least_count, table.counted_width, recipe.seed)
        found.save(counted / f"{lang}.npz")


def _align(recipe: Recipe, table: SearchTable, counted: Path, aligned: Path) -> None:
    """Align on every way to ask; and once more for each fold of the pupils' questions, without them."""
    import torch

    from quantize.search.align import align, save_aligned
    from quantize.search.folds import fold_folder, packs_for, questions_for
    from quantize.search.texts import read_packs
    from quantize.search.vectors import Counted

    torch.set_num_threads(1)
    found = {path.stem: Counted.load(path) for path in sorted(counted.glob("*.npz"))}
    packs = read_packs(recipe.packs)
    asked = questions_for(packs, table.questions)
    save_aligned(align(packs, found, table, recipe.seed), found, aligned)
    for fold in range(table.folds):
        known = packs_for(packs, asked, fold, table.folds)
        save_aligned(align(known, found, table, recipe.seed), found, fold_folder(aligned, fold))


def _fit(recipe: Recipe, table: SearchTable, aligned: Path, fitted: Path) -> None:
    """Fit the two judgements that need no reader."""
    import numpy as np

    from quantize.search.fit import fit, save_judges
    from quantize.search.folds import Folds
    from quantize.search.texts import read_packs

    folds = Folds(read_packs(recipe.packs), aligned, table)
    found = {"bank": fit(folds.bank(), table, recipe.seed), "passage": fit(folds.passages(), table, recipe.seed)}
    fitted.mkdir(parents=True, exist_ok=True)
    save_judges({name: one.judge for name, one in found.items()}, UNSET, fitted / "judges.npz")
    for name, one in found.items():
        np.savez(fitted / f"{name}.npz", best=one.best, good=one.good)


def _read(recipe: Recipe, table: SearchTable, aligned: Path, fitted: Path, judged: Path) -> None:
    """Fit what the reader's sentences are worth, and choose the threshold of all three."""
    import numpy as np

    from edge.library.judge import read_judges
    from quantize.search.fit import Fitted, figures_of, fit, save_judges, threshold_for
    from quantize.search.folds import Folds
    from quantize.search.texts import read_packs

    def kept(name: str) -> Fitted:
        with np.load(fitted / f"{name}.npz") as said:
            return Fitted(judges[name], said["best"], said["good"])

    judges = read_judges(fitted / "judges.npz")
    bank, passage = kept("bank"), kept("passage")
    folds = Folds(read_packs(recipe.packs), aligned, table)
    read = fit(folds.readings(passage.judge), table, recipe.seed)
    answerable = np.array([bool(question.lesson) for question in folds.questions])
    best = np.maximum(bank.best, read.best)
    good = np.where(bank.best >= read.best, bank.good, read.good)
    threshold = threshold_for(best, [question.kind for question in folds.questions], table)
    judged.mkdir(parents=True, exist_ok=True)
    found = {"bank": bank, "passage": passage, "read": read}
    save_judges({name: one.judge for name, one in found.items()}, threshold, judged / "judges.npz")
    figures = {name: figures_of(f.best, f.good, answerable, threshold) for name, f in found.items()}
    figures["together"] = figures_of(best, good, answerable, threshold)
    write_atomic(judged / "figures.json", json.dumps(figures, indent=2).encode())


def _publish(recipe: Recipe, aligned: Path, judged: Path) -> None:
    files = [*sorted(aligned.glob("*.npz")), judged / "judges.npz"]
    for path in files:
        write_atomic(recipe.output / path.name, path.read_bytes())
    card: dict[str, Any] = {
        "kind": "search",
        "what": "Places a pupil's question among bank answers and passages, in Spanish and Portuguese.",
        "licence": "GPL-3.0-or-later",
        "architecture": "Factored co-occurrence vectors, a contrastive linear map, boosted trees as judges; 8-bit",
        "data": [{"name": name, "licence": licence, "source": source} for name, licence, source in DATA],
        "figures": {"cross_validated": json.loads((judged / "figures.json").read_bytes())},
        "cannot": list(CANNOT),
        "files": {path.name: {"sha256": sha256_of(path), "size": path.stat().st_size} for path in files},
    }
    write_atomic(recipe.output / "card.json", (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())

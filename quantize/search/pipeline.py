"""The steps from texts to a shipped search model: count, align, fit, read, decide, publish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import edge.tutor.reader
from edge.files import sha256_of, write_atomic
from edge.library import asked, unheld
from quantize.reader.corpus import require_archives
from quantize.recipe import Recipe, read_table
from quantize.search.settings import QUESTIONS, SearchTable
from quantize.steps import Input, Step

VERSION = 7
"""Grows when the code would make something else from the same inputs."""

UNSET = {"bank": 0.5}
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
    packs = _parts(recipe.packs, "lessons", asked.FILE_NAME)
    corpora: dict[str, Input] = {path.name: path for path in require_archives(recipe.corpora)} if recipe.corpora else {}
    counted, aligned, fitted, read, judged = (
        work / name for name in ("counted", "aligned", "fitted", "read", "judged")
    )
    pupils: dict[str, Input] = {"questions": QUESTIONS}
    return [
        Step("count", counted, common | packs | corpora, lambda: _count(recipe, table, counted)),
        Step(
            "align",
            aligned,
            common | packs | pupils | {"counted": counted},
            lambda: _align(recipe, table, counted, aligned),
        ),
        Step(
            "fit", fitted, common | packs | pupils | {"aligned": aligned}, lambda: _fit(recipe, table, aligned, fitted)
        ),
        Step(
            "read",
            read,
            common | packs | pupils | {"aligned": aligned, "fitted": fitted, "reader": READER},
            lambda: _read(recipe, table, aligned, fitted, read),
        ),
        Step(
            "decide",
            judged,
            common | pupils | _parts(recipe.packs, unheld.FILE_NAME) | {"fitted": fitted, "read": read},
            lambda: _decide(recipe, table, aligned, fitted, read, judged),
        ),
        Step(
            "publish", recipe.output, {"aligned": aligned, "judged": judged}, lambda: _publish(recipe, aligned, judged)
        ),
    ]


def _parts(packs: tuple[Path, ...], *names: str) -> dict[str, Input]:
    return {f"pack {folder.name} {name}": folder / name for folder in packs for name in names}


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
    pupils = questions_for(packs, table.questions)
    save_aligned(align(packs, found, table, recipe.seed), found, aligned)
    for fold in range(table.folds):
        known = packs_for(packs, pupils, fold, table.folds)
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


def _read(recipe: Recipe, table: SearchTable, aligned: Path, fitted: Path, read: Path) -> None:
    """Fit what the reader's sentences are worth."""
    import numpy as np

    from edge.library.judge import read_judges
    from quantize.search.fit import fit, save_judges
    from quantize.search.folds import Folds
    from quantize.search.texts import read_packs

    judges = read_judges(fitted / "judges.npz")
    folds = Folds(read_packs(recipe.packs), aligned, table)
    found = fit(folds.readings(judges["passage"]), table, recipe.seed)
    read.mkdir(parents=True, exist_ok=True)
    save_judges({"read": found.judge}, UNSET, read / "judges.npz")
    np.savez(read / "read.npz", best=found.best, good=found.good)


def _decide(recipe: Recipe, table: SearchTable, aligned: Path, fitted: Path, read: Path, judged: Path) -> None:
    """Fit the last judge, choose the thresholds, and say what all that means for questions nobody fitted on."""
    from edge.library.judge import read_judges
    from quantize.search.decide import decide
    from quantize.search.fit import save_judges
    from quantize.search.folds import Folds
    from quantize.search.texts import read_packs

    judges = read_judges(fitted / "judges.npz") | read_judges(read / "judges.npz")
    folds = Folds(read_packs(recipe.packs), aligned, table)
    said = {"bank": fitted / "bank.npz", "passage": fitted / "passage.npz", "read": read / "read.npz"}
    verdict, thresholds, figures = decide(folds.questions, folds.outlooks(), said, table, recipe.seed)
    judged.mkdir(parents=True, exist_ok=True)
    save_judges(judges | {"verdict": verdict}, thresholds, judged / "judges.npz")
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

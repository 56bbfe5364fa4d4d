"""Divergence from the full model at equal bytes: ours against llama.cpp's own mixtures with importance matrix.

`python -m benchmarks kld_at_bytes` measures one seed without training on the grid;
`python -m benchmarks.kld_at_bytes 1,2,3 qad [MODEL ...]` all of it. What was measured before is kept in
build/benchmarks/kld_at_bytes and shown again. Text: held-out novels and textbooks in Spanish and
Portuguese (the packs where the corpora are absent); for stories260K, stories that it wrote itself.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

import numpy as np

from benchmarks import stories
from edge.files import write_atomic

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "benchmarks" / "kld_at_bytes"
CORPORA = ROOT.parent / "shared" / "corpora"
TEACHER = ROOT / "build" / "quantize" / "teacher" / "hf"
WINDOW, HELD_WINDOWS = 128, 16
"""Tokens of one window, and windows for each language."""

TYPES = ("Q2_K", "Q3_K", "IQ4_XS", "Q4_0", "Q4_K", "IQ4_NL", "Q5_0", "Q5_K", "Q6_K", "Q8_0")
"""None that is slow on old processors."""

BUDGETS = {"Q4_K_M": ("Q4_K_M", ""), "about 4.0 bits": ("Q3_K_M", "Q4_K"), "about 3.2 bits": ("Q2_K", "Q3_K")}
"""llama.cpp's mixture whose bytes are the budget, and the type of its embedding where it is not the mixture's own."""

TARGETS = {"Q4_K_M": 0.5, "about 4.0 bits": 0.6, "about 3.2 bits": 0.6}


@dataclass(frozen=True, slots=True)
class Subject:
    """A full model, and where its text lies."""

    name: str
    folder: Path
    gguf: Path
    text: Path
    """Folder with calibration.jsonl and held-LANG.jsonl."""

    steps: int
    """Of training on the grid."""

    rates: tuple[str, ...]
    """Each tried from the start; held-out calibration text picks."""


def run() -> str:
    """Measure the first seed without training, and return the table of everything that was ever measured here."""
    measure((1,), train=False)
    return table()


def measure(seeds: Sequence[int], train: bool, only: Sequence[str] = ()) -> None:
    """Measure every model that is here, or only those named; what is already known is not measured again."""
    for subject in subjects(only):
        for seed in seeds:
            for budget in BUDGETS:
                kept = WORK / subject.name / f"{seed} {budget}.json"
                known = json.loads(kept.read_bytes()) if kept.is_file() else {}
                if "ours" in known and ("qad" in known or not train):
                    continue
                write_atomic(kept, json.dumps(known | _measure(subject, seed, budget, train), indent=1).encode())


def subjects(only: Sequence[str] = ()) -> list[Subject]:
    """Return the models that can be measured here, made ready."""
    known = {"mini": (True, _mini), "stories260K": (stories.present(), _stories)}
    known["teacher"] = ((TEACHER / "config.json").is_file(), _teacher)
    return [make() for name, (here, make) in known.items() if here and (not only or name in only)]


def _measure(subject: Subject, seed: int, budget: str, train: bool) -> dict[str, object]:
    from quantize.bits.allocate import allocate
    from quantize.bits.importance import importance
    from quantize.bits.ledger import load
    from quantize.bits.parent import read_parent
    from quantize.bits.qad import qad
    from quantize.bits.quantize import quantize, write_mix
    from quantize.bits.settings import AllocateSettings, ImportanceSettings, QadSettings
    from quantize.bits.twins import graft

    base = WORK / subject.name / f"work-{seed}"
    scores, calibration = base / "importance.npz", subject.text / "calibration.jsonl"
    if not scores.is_file():
        settings = ImportanceSettings(windows=128, window=WINDOW, imatrix_windows=384, types=TYPES, seed=seed)
        importance(subject.folder, subject.gguf, calibration, settings, scores, base / "parts")
    mix, embedding = BUDGETS[budget]
    stock, ours, plan = base / "stock.gguf", base / "ours.gguf", base / f"{budget}.json"
    fits = read_parent(subject.gguf).plannable[0].columns % 256 == 0
    write_mix(subject.gguf, mix, load(scores)[0]["imatrix"], stock, embedding=embedding if fits else "")
    made = allocate(subject.gguf, scores, AllocateSettings(bytes=stock.stat().st_size), plan)
    quantize(subject.gguf, plan, scores, ours)
    found: dict[str, object] = {
        "bytes": stock.stat().st_size,
        "bits": made.bits_per_weight,
        "mix": f"{mix} {embedding}",
    }
    found |= {"ours_bytes": made.bytes, "predicted": made.predicted_kld}
    found |= {"stock": _divergences(subject, stock), "ours": _divergences(subject, ours)}
    if train:
        qad_settings = QadSettings(
            steps=subject.steps, rates=subject.rates, window=WINDOW, texts=192, held=12, every=15, seed=seed
        )
        trained = base / f"trained {budget}"
        inputs = (subject.folder, subject.gguf, plan, scores, calibration)
        helped = qad(*inputs, qad_settings, trained, base / "qad-parts")
        if helped:
            graft(subject.gguf, trained, base / "trained.gguf")
            quantize(base / "trained.gguf", plan, scores, ours)
        found |= {"qad": _divergences(subject, ours), "helped": helped}
        shutil.rmtree(trained)
    return found


def _divergences(subject: Subject, quantized: Path) -> dict[str, float]:
    from quantize.bits.kld import divergence
    from quantize.bits.words import cut

    found = {}
    for path in sorted(subject.text.glob("held-*.jsonl")):
        windows = cut(subject.gguf, path, WINDOW, 0)[:HELD_WINDOWS]
        found[path.stem.removeprefix("held-")] = asdict(divergence(subject.gguf, quantized, windows))["mean"]
    return found


def table() -> str:
    """Return the table: means over languages, with the least and the most of the seeds."""
    rows = [
        "| model | budget (bits per weight, bytes) | seeds | stock KLD | ours | ratio | ours trained | ratio | target |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for folder in sorted(path for path in WORK.iterdir() if path.is_dir() and list(path.glob("* *.json"))):
        for budget in BUDGETS:
            found = [json.loads(path.read_bytes()) for path in sorted(folder.glob(f"* {budget}.json"))]
            if found:
                rows.append(_row(folder.name, budget, found))
    return "\n".join(rows)


def _row(name: str, budget: str, found: Sequence[dict[str, dict[str, float]]]) -> str:
    trained = [row for row in found if "qad" in row]
    size = f"{budget} ({found[0]['bits']:.2f}, {found[0]['bytes']:,})"
    cells = [name, size, f"{len(found)}, {len(trained)}", _values(found, "stock"), _values(found, "ours")]
    cells += [_ratio(found, "ours"), _values(trained, "qad"), _ratio(trained, "qad"), f"{TARGETS[budget]}"]
    return f"| {' | '.join(cells)} |"


def _values(found: Sequence[dict[str, dict[str, float]]], kind: str) -> str:
    if not found:
        return "-"
    langs = found[0][kind]
    return ", ".join(f"{lang} {mean(row[kind][lang] for row in found):.5f}" for lang in langs)


def _ratio(found: Sequence[dict[str, dict[str, float]]], kind: str) -> str:
    each = [mean(row[kind][lang] / row["stock"][lang] for lang in row[kind]) for row in found]
    if not each:
        return "-"
    spread = f" ({min(each):.2f} to {max(each):.2f})" if len(each) > 1 else ""
    return f"{mean(each):.2f}{spread}"


def _mini() -> Subject:
    from quantize.lm.convert import convert
    from quantize.lm.revive import revive

    base = WORK / "mini"
    if not (base / "f16.gguf").is_file():
        revive(ROOT / "edge" / "models" / "mini" / "mini.gguf", base / "hf")
        convert(base / "hf", "mini", "CC-BY-SA-4.0", base / "f16.gguf")
    return Subject("mini", base / "hf", base / "f16.gguf", _text(WORK / "text"), 45, ("1e-4",))


def _teacher() -> Subject:
    from quantize.lm.convert import convert

    base = WORK / "teacher"
    if not (base / "f16.gguf").is_file():
        base.mkdir(parents=True, exist_ok=True)
        convert(TEACHER, "teacher", "CC-BY-SA-4.0", base / "f16.gguf")
    return Subject("teacher", TEACHER, base / "f16.gguf", _text(WORK / "text"), 45, ("1e-4",))


def _stories() -> Subject:
    """Text: the model's own stories, since it knows no other language."""
    from quantize.bits.selftext import selftext
    from quantize.bits.settings import QadSettings
    from quantize.bits.twins import load_model

    base = WORK / "stories260K"
    if not (base / "held-en.jsonl").is_file():
        stories.write_folder(base / "hf")
        stories.write_gguf(base / "f16.gguf")
        words = [word for word, _ in stories.read_words(stories.WEIGHTS / "tok512.bin", 512)]
        begin = np.ones((1, 8), dtype=np.int64)
        for name, seed, texts in (("calibration", 1, 320), ("held-en", 2, 48)):
            settings = QadSettings(texts=texts, window=192, prompt=1, seed=seed)
            written = selftext(load_model(base / "hf"), begin, settings, base / f"{name}.npz", "cpu")
            rows = [json.dumps({"text": _spelled(words, text)}) for text in written.tolist()]
            write_atomic(base / f"{name}.jsonl", "\n".join(rows).encode())
    return Subject("stories260K", base / "hf", base / "f16.gguf", base, 400, ("3e-5",))


def _spelled(words: Sequence[bytes], tokens: Sequence[int]) -> str:
    """Return a story as text; bytes and control words stand by themselves in this vocabulary."""
    spelled = b"".join(bytes([token - 3]) if 3 <= token < 259 else words[token] for token in tokens if token > 2)
    return spelled.decode("utf-8", "replace").strip()


def _text(folder: Path) -> Path:
    """Write calibration and held-out text once: no document is in both."""
    if not (folder / "calibration.jsonl").is_file():
        documents = _documents()
        for name, rows in documents.items():
            lines = [json.dumps({"text": text, "lang": lang}, ensure_ascii=False) for lang, text in rows]
            write_atomic(folder / f"{name}.jsonl", "\n".join(lines).encode())
    return folder


def _documents() -> dict[str, list[tuple[str, str]]]:
    from quantize.lm.lessons import lesson_text, read_lessons
    from quantize.lm.sources import read_documents

    if CORPORA.is_dir():
        found = [(d.held, d.lang, d.text[:3000]) for d in read_documents(CORPORA, 1_500_000)]
    else:
        packs = (ROOT / "edge" / "packs" / "primaria", ROOT / "edge" / "packs" / "fundamental")
        texts = [lesson_text(lesson) for lesson in read_lessons(packs)]
        found = [(number % 5 == 0, d.lang, d.text) for number, d in enumerate(texts)]
    return {
        "calibration": [(lang, text) for held, lang, text in found if not held],
        "held-es": [(lang, text) for held, lang, text in found if held and lang == "es"],
        "held-pt": [(lang, text) for held, lang, text in found if held and lang == "pt"],
    }


def main(given: Sequence[str]) -> None:
    """Measure these seeds ("1,2,3"), with training where "qad" follows, of the models named after; print the table."""
    seeds = tuple(int(seed) for seed in (given[0] if given else "1").split(","))
    measure(seeds, "qad" in given, [name for name in given[1:] if name != "qad"])
    sys.stdout.write(f"{table()}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The command `amauta-quantize`: run a recipe or one step of it, list its steps, measure, sign releases.

Narration goes to stderr; stdout names what was made. Kinds of recipe are imported
when they are used, so that asking for help loads no torch.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from edge import settings
from edge.errors import EdgeError
from quantize.progress import Progress
from quantize.recipe import ROOT, Recipe, RecipeError, known_recipes, load_recipe
from quantize.signing import arguments
from quantize.steps import Step, is_done, run_step

PIPELINES = {
    "reader": "quantize.reader.pipeline",
    "lm": "quantize.lm.pipeline",
    "search": "quantize.search.pipeline",
    "release": "quantize.release.pipeline",
}
ALONE = ("report", "publish")
"""Verbs that are one step of a recipe."""

SIGNING = ("keys", "sign", "renew")

NO_SPACE = re.compile(r"No space left|os error 28")
LEAST_FREE_BYTES = 1 << 20
NEEDS = ("torch", "transformers", "optimum", "onnx", "gguf", "scipy", "sklearn")


class Exit(IntEnum):
    """What the command tells the shell."""

    DONE = 0
    FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = _parser().parse_args(argv)
    try:
        if given.verb == "bench":
            return _bench(given.names)
        if given.verb == "score":
            return _score(given)
        if given.verb in SIGNING:
            return _signing(given)
        recipe = load_recipe(given.recipe)
        work = given.work or ROOT / "build" / "quantize" / recipe.name
        steps = _steps_of(recipe, work)
        if given.verb == "steps" or given.dry_run:
            return _show(steps, work, given.json)
        only = given.verb if given.verb in ALONE else given.only
        chosen = alone(steps, only) if only else steps
        _require_tools()
        return _run(chosen, recipe, work, given.json)
    except EdgeError as error:
        print(error.say(_language()), file=sys.stderr)
        return Exit.FAILED


def _parser() -> argparse.ArgumentParser:
    recipes = "a TOML file, or one of: " + ", ".join(known_recipes())
    parser = argparse.ArgumentParser(
        prog="amauta-quantize",
        description="Train, convert and quantize the models that devices run; sign the releases they trust.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    run = verbs.add_parser("run", help="make what a recipe says; finished steps are skipped")
    steps = verbs.add_parser("steps", help="list the steps of a recipe and which are done")
    report = verbs.add_parser("report", help="make only the report of a recipe that was measured")
    publish = verbs.add_parser("publish", help="only put what a recipe made into a release")
    bench = verbs.add_parser("bench", help="run measurements of benchmarks/; without a name, all")
    for verb in (run, steps, report, publish):
        verb.add_argument("recipe", metavar="RECIPE", help=recipes)
        verb.add_argument("--work", type=Path, help="folder for what is made on the way (default: build/quantize/NAME)")
        verb.add_argument("--json", action="store_true", help="answer in JSON")
        verb.set_defaults(dry_run=False, only="")
    run.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    run.add_argument("--only", metavar="STEP", default="", help="make this step alone; what it needs must be there")
    bench.add_argument("names", metavar="NAME", nargs="*")
    score = verbs.add_parser("score", help="compare a GGUF file with the model it was made from, by a reference file")
    score.add_argument("model", metavar="MODEL.gguf", type=Path, help="the file to measure")
    score.add_argument("reference", metavar="REFERENCE.npz", type=Path, help="what the whole model expects")
    score.add_argument("--json", action="store_true", help="answer in JSON")
    arguments.configure(verbs)
    return parser


def alone(steps: Sequence[Step], name: str) -> list[Step]:
    """Return the step of that name; raise RecipeError when there is none or what it needs is absent."""
    step = next((step for step in steps if step.name == name), None)
    if step is None:
        raise RecipeError("step-unknown", step=name, steps=", ".join(step.name for step in steps))
    for needed in step.inputs.values():
        if isinstance(needed, Path) and not needed.exists():
            makers = (s.name for s in steps if needed == s.output or needed.is_relative_to(s.output))
            raise RecipeError("step-needs", step=name, path=needed, before=next(makers, "-"))
    return [step]


def _bench(names: Sequence[str]) -> int:
    """Run the measurements in a process of their own: they lie beside this package, not in it."""
    if not (ROOT / "benchmarks").is_dir():
        raise RecipeError("bench-missing", path=ROOT / "benchmarks")
    return subprocess.run([sys.executable, "-m", "benchmarks", *names], cwd=ROOT, check=False).returncode


def _score(given: argparse.Namespace) -> int:
    from quantize.measure.check import show

    show(given.model, given.reference, given.json)
    return Exit.DONE


def _signing(given: argparse.Namespace) -> int:
    from quantize.signing import verbs

    verbs.run(given)
    return Exit.DONE


def _language() -> str:
    try:
        return settings.load(os.environ).spoken_lang
    except EdgeError:
        return "en"


def _steps_of(recipe: Recipe, work: Path) -> list[Step]:
    pipeline = importlib.import_module(PIPELINES[recipe.kind])
    steps: list[Step] = pipeline.steps(recipe, work)
    return steps


def _require_tools() -> None:
    missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise RecipeError("quantize-tools", names=", ".join(missing))


def _show(steps: Sequence[Step], work: Path, as_json: bool) -> int:
    rows = [
        {
            "step": step.name,
            "done": is_done(step.output, step.inputs, _receipt(step, work)),
            "output": str(step.output),
        }
        for step in steps
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return Exit.DONE
    for row in rows:
        print(f"{'done' if row['done'] else 'to do':6} {row['step']:12} {row['output']}")
    return Exit.DONE


def _run(steps: Sequence[Step], recipe: Recipe, work: Path, as_json: bool) -> int:
    work.mkdir(parents=True, exist_ok=True)
    progress = Progress(len(steps))
    rows = []
    for number, step in enumerate(steps, start=1):
        began = time.monotonic()
        with progress.step(number, step.name):
            did = _run_one(step, work)
        seconds = time.monotonic() - began
        progress.told(number, step.name, f"made in {seconds:.0f} s" if did else "already done")
        rows.append({"step": step.name, "made": did, "seconds": round(seconds, 1), "output": str(step.output)})
    print(json.dumps(rows, indent=2) if as_json else recipe.output)
    return Exit.DONE


def _run_one(step: Step, work: Path) -> bool:
    try:
        return run_step(step.output, step.inputs, step.make, _receipt(step, work))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise RecipeError("step-disk-full", step=step.name) from error
        raise RecipeError("step-interrupted", step=step.name, reason=str(error)) from error
    except _library_errors() as error:
        if NO_SPACE.search(str(error)) or shutil.disk_usage(work).free < LEAST_FREE_BYTES:
            raise RecipeError("step-disk-full", step=step.name) from error
        raise


def _library_errors() -> tuple[type[BaseException], ...]:
    """Return what torch and safetensors raise when a disk is full, among other things."""
    if "safetensors" not in sys.modules:
        return (RuntimeError,)
    from safetensors import SafetensorError

    return (RuntimeError, SafetensorError)


def _receipt(step: Step, work: Path) -> Path:
    """Return where a step's receipt lies: in the work folder, for an output may be in the package."""
    return work / f"{step.name}.receipt.json"


if __name__ == "__main__":
    sys.exit(main())

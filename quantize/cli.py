"""The command `amauta-quantize`: run a recipe, or list its steps.

Narration goes to stderr; stdout names what was made. Kinds of recipe are imported
when they are used, so that asking for help loads no torch.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from edge import settings
from edge.errors import EdgeError
from quantize.recipe import ROOT, Recipe, RecipeError, known_recipes, load_recipe
from quantize.steps import Step, is_done, run_step

PIPELINES = {
    "reader": "quantize.reader.pipeline",
    "lm": "quantize.lm.pipeline",
    "search": "quantize.search.pipeline",
}
NEEDS = ("torch", "transformers", "optimum", "onnx", "gguf", "scipy", "sklearn")


class Exit(IntEnum):
    """What the command tells the shell."""

    DONE = 0
    FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = _parser().parse_args(argv)
    try:
        recipe = load_recipe(given.recipe)
        work = given.work or ROOT / "build" / "quantize" / recipe.name
        steps = _steps_of(recipe, work)
        if given.verb == "steps" or given.dry_run:
            return _show(steps, work, given.json)
        _require_tools()
        return _run(steps, recipe, work)
    except EdgeError as error:
        print(error.say(_language()), file=sys.stderr)
        return Exit.FAILED


def _parser() -> argparse.ArgumentParser:
    recipes = "a TOML file, or one of: " + ", ".join(known_recipes())
    parser = argparse.ArgumentParser(
        prog="amauta-quantize", description="Train, convert and quantize the models that devices run."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    run = verbs.add_parser("run", help="make what a recipe says; finished steps are skipped")
    steps = verbs.add_parser("steps", help="list the steps of a recipe and which are done")
    for verb in (run, steps):
        verb.add_argument("recipe", metavar="RECIPE", help=recipes)
        verb.add_argument("--work", type=Path, help="folder for what is made on the way (default: build/quantize/NAME)")
        verb.add_argument("--json", action="store_true", help="answer in JSON")
    run.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    steps.set_defaults(dry_run=False)
    return parser


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


def _run(steps: Sequence[Step], recipe: Recipe, work: Path) -> int:
    work.mkdir(parents=True, exist_ok=True)
    for number, step in enumerate(steps, start=1):
        print(f"[{number}/{len(steps)}] {step.name}", file=sys.stderr, flush=True)
        began = time.monotonic()
        did = _run_one(step, work)
        took = f"made in {time.monotonic() - began:.0f} s" if did else "already done"
        print(f"[{number}/{len(steps)}] {step.name}: {took}", file=sys.stderr, flush=True)
    print(recipe.output)
    return Exit.DONE


def _run_one(step: Step, work: Path) -> bool:
    try:
        return run_step(step.output, step.inputs, step.make, _receipt(step, work))
    except OSError as error:
        raise RecipeError("step-interrupted", step=step.name, reason=str(error)) from error


def _receipt(step: Step, work: Path) -> Path:
    """Return where a step's receipt lies: in the work folder, for an output may be in the package."""
    return work / f"{step.name}.receipt.json"


if __name__ == "__main__":
    sys.exit(main())

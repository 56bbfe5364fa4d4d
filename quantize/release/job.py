"""Make each part of a release: one short function a step, each of which calls the package that owns it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from edge.files import write_atomic
from quantize.checkpoint.facts import Checkpoint, read_facts, write_facts
from quantize.checkpoint.fetch import inspect
from quantize.checkpoint.licence import check_name
from quantize.convert.convert import Numbers
from quantize.publish.settings import PublishSettings
from quantize.recipe import ROOT, RecipeError
from quantize.release.places import Places
from quantize.release.settings import UNSAID
from quantize.steps import Input, run_step

RELEASES = ROOT / "build" / "releases"
MANIFEST = ROOT / "models_manifest.json"
EMBEDDED = ROOT / "edge" / "models"


def fetch(places: Places) -> None:
    """Bring and check the checkpoint."""
    from quantize.checkpoint.fetch import fetch as bring

    settings = places.settings
    facts = bring(places.source, settings.revision, places.checkpoint, settings.allow_pickle, settings.licence)
    check_name(settings.title, facts.licence, facts.source)
    if (facts.group().kind == "encoder") != settings.encoder:
        wanted = "true" if facts.group().kind == "encoder" else "false"
        raise RecipeError("release-encoder", architecture=facts.architecture, wanted=wanted)


def gather(places: Places) -> None:
    """Gather the texts."""
    from quantize.text.corpus import build

    recipe, settings = places.recipe, places.settings
    build(settings.text, recipe.packs, recipe.corpora, places.checkpoint, recipe.seed, places.corpus)


def distil(places: Places) -> None:
    """Make a smaller model that learns from this one."""
    from quantize.shrink.distil import distil as shrink

    settings = places.settings.distil
    if settings is not None:
        shrink(places.checkpoint, places.corpus, settings, places.student, places.work / "distil.parts")
        hand_on(places.checkpoint, places.student)


def trim(places: Places) -> None:
    """Leave out the tokens that these languages do not need."""
    from quantize.shrink.trim import trim as cut
    from quantize.text.corpus import read_part

    settings = places.settings.trim
    if settings is None:
        return
    texts: dict[str, list[str]] = {}
    for part in ("calibration", "distil"):
        for row in read_part(places.corpus, part):
            texts.setdefault(row["lang"], []).append(row["text"])
    whole = places.student if places.settings.distil else places.checkpoint
    cut(whole, texts, settings, places.trimmed)
    hand_on(whole, places.trimmed)


def hand_on(parent: Path, child: Path) -> None:
    """Write what a model made from another inherits: where it is from, its licence and its notice."""
    facts = read_facts(parent)
    found = inspect(child, facts.source, facts.revision, facts.licence)
    write_facts(replace(found, notice=facts.notice), child)


def convert(places: Places) -> None:
    """Write the GGUF file in 16 bits."""
    from quantize.convert.convert import convert as write

    settings, facts = places.settings, read_facts(places.model)
    numbers: Numbers = "f32" if settings.numbers == "f32" else "bf16" if settings.numbers == "bf16" else "f16"
    write(places.model, settings.title, facts.licence, places.parent, numbers, settings.languages)


def verify(places: Places) -> None:
    """Prove that both are the same model."""
    from quantize.convert.verify import verify as prove

    prove(places.model, places.parent, places.proof, places.settings.scores)


def weigh(places: Places) -> None:
    """Measure what each tensor is worth."""
    from quantize.bits.importance import importance

    calibration = places.corpus / "calibration.jsonl"
    work = places.work / "importance.parts"
    importance(places.model, places.parent, calibration, places.settings.importance, places.importance, work)


def allocate(places: Places) -> None:
    """Share out the bits."""
    from quantize.bits.allocate import allocate as share

    share(places.parent, places.importance, places.settings.allocate, places.plan)


def quantize(places: Places) -> None:
    """Write the quantized GGUF file."""
    from quantize.bits.quantize import quantize as write

    places.plain.parent.mkdir(parents=True, exist_ok=True)
    write(places.parent, places.plan, places.importance, places.plain, places.settings.threads)


def train(places: Places) -> None:
    """Train the weights on their grid; keep the result only when that helped."""
    from quantize.bits.qad import qad
    from quantize.bits.quantize import quantize as write
    from quantize.bits.twins import graft

    settings, parts = places.settings.qad, places.work / "qad.parts"
    if settings is None:
        return
    behind, calibration = parts / "behind", places.corpus / "calibration.jsonl"
    from_what = (places.model, places.parent, places.plan, places.importance, calibration)
    inputs: dict[str, Input] = {"settings": repr(settings), **{path.name: path for path in from_what}}

    def learn() -> None:
        qad(*from_what, settings, behind, parts / "work")

    run_step(behind, inputs, learn)  # a receipt of its own: what follows takes seconds, this may take hours
    places.trained.mkdir(parents=True, exist_ok=True)
    if json.loads((behind / "qad.json").read_bytes())["kept"]:
        grafted = parts / "grafted.gguf"
        graft(places.parent, behind, grafted)
        write(grafted, places.plan, places.importance, places.final, places.settings.threads)
    else:
        shutil.copyfile(places.plain, places.final)
    shutil.copyfile(behind / "qad.json", places.trained / "qad.json")
    shutil.rmtree(parts)


def measure(places: Places) -> None:
    """Measure the finished file, and write its report card."""
    from quantize.measure.evaluate import evaluate

    facts, said = read_facts(places.model), places.settings.measure
    settings = replace(said, licence=facts.licence, notice=said.notice or facts.notice)
    places.measured.mkdir(parents=True, exist_ok=True)
    working = places.work / "measure.parts"
    working.mkdir(exist_ok=True)
    card, reference = working / places.card.name, working / places.reference.name
    evaluate(places.parent, places.final, places.corpus / "held.jsonl", settings, card, reference)
    for made in (reference, card):  # the card last: it vouches for the rest
        shutil.copyfile(made, places.measured / made.name)


def report(places: Places) -> None:
    """Write the report for people."""
    from quantize.report.front import expected_front
    from quantize.report.write import write_report

    expected = expected_front(places.parent, places.importance, places.settings.allocate)
    write_report(places.card, places.report, plan=places.plan, mix=places.corpus / "mix.json", expected=expected)


def publish(places: Places) -> None:
    """Put the finished file and its card into a release; leave a copy in the recipe's output folder."""
    settings = places.settings.publish
    extras = [places.reference, places.report / "report.html", places.report / "boletin.html"]
    if settings is not None:
        from quantize.publish.release import publish as put

        ready = with_duties(settings, read_facts(places.model))
        put(ready, places.final, places.card, extras, RELEASES, MANIFEST, EMBEDDED)
    output = places.recipe.output
    output.mkdir(parents=True, exist_ok=True)
    (output / "card.json").unlink(missing_ok=True)
    for path in (places.final, *extras):
        shutil.copyfile(path, output / path.name)
    write_atomic(output / "checkpoint.json", (places.model / "checkpoint.json").read_bytes())
    shutil.copyfile(places.card, output / "card.json")


def _notice(places: Places, facts: Checkpoint) -> str:
    """Return the words that travel with the model: the recipe's, which hold the checkpoint's, or the checkpoint's."""
    told = places.settings.publish.notice if places.settings.publish else ""
    return told or facts.notice


def with_duties(settings: PublishSettings, facts: Checkpoint) -> PublishSettings:
    """Return what to publish with the licence of the checkpoint; raise RecipeError when its notice is left out."""
    licence = facts.licence if settings.licence == UNSAID else settings.licence
    notice = settings.notice or facts.notice
    if facts.notice and facts.notice not in notice:
        raise RecipeError("release-notice", notice=facts.notice, licence=licence)
    return replace(settings, licence=licence, notice=notice)

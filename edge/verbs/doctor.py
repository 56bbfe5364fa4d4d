"""`amauta doctor`: what this machine has, what runs on it and why not, and a code to dictate."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from edge import __version__
from edge.command_line import ExitCode, narrate
from edge.device import DeviceProfile, probe, refuse_unfit_processor
from edge.diagnostic_code import Diagnosis, decode, encode
from edge.errors import EdgeError, ModelError
from edge.health import Finding, diagnose, examine
from edge.learning.attempt import stamp
from edge.processor import read_processor
from edge.settings import Settings
from edge.words import Value, Words, words_for

if TYPE_CHECKING:
    from edge.gauge.measure import Halved
    from edge.release.installed import InstalledModel
    from edge.tutor.tuning import Measured

SECONDS, MOST_SECONDS = 20.0, 600


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `doctor`."""
    parser.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    parser.add_argument("--decode", metavar="CODE", help=words.say("verbs.doctor.decode"))
    parser.add_argument("--measure", action="store_true", help=words.say("verbs.doctor.measure"))
    parser.add_argument("--model", metavar="MODEL", help=words.say("verbs.doctor.model"))
    parser.add_argument("--seconds", metavar="N", type=float, default=SECONDS, help=words.say("verbs.doctor.seconds"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Examine this machine, or explain the code of another one."""
    words = words_for("edge", settings.spoken_lang)
    if args.decode is not None:
        diagnosis = decode(args.decode)
        if args.json:
            sys.stdout.write(f"{json.dumps(asdict(diagnosis), ensure_ascii=False)}\n")
        else:
            print_diagnosis(diagnosis, words)
        return ExitCode.DONE
    measured = _measured(args, settings, words)
    onnx = _measured_onnx(measured, settings)
    profile = probe(os.environ, settings.home)
    findings = examine(profile, settings)
    code = encode(diagnose(profile, findings, __version__))
    if args.json:
        sys.stdout.write(f"{as_json(profile, findings, code, words, measured, onnx)}\n")
    else:
        _print(profile, findings, code, words)
        if measured:
            _print_measured(measured, onnx, words)
    return ExitCode.DONE


def as_json(
    profile: DeviceProfile,
    findings: list[Finding],
    code: str,
    words: Words,
    measured: Measured | None,
    onnx: Measured | None = None,
) -> str:
    """Return profile, findings, code and what was measured for programs."""
    facts = asdict(profile)
    facts["processor"]["flags"] = sorted(profile.processor.flags)
    checks = [{"check": f.check, "good": f.good, "key": f.key, "say": f.say(words)} for f in findings]
    found: dict[str, Any] = {"profile": facts, "checks": checks, "code": code}
    if measured:
        found["tokens_per_s"] = measured.write_tokens_per_s
        found["measured"] = {**asdict(measured), "percent": measured.percent}
    if onnx:
        found["measured_onnx"] = asdict(onnx)
    return json.dumps(found, ensure_ascii=False)


def _measured_onnx(gguf: Measured | None, settings: Settings) -> Measured | None:
    """Return what was measured of the ONNX file of the same model, if there is one here."""
    from edge.onnx.choice import measured_onnx

    return measured_onnx(settings, gguf.sha256) if gguf else None


def _measured(args: argparse.Namespace, settings: Settings, words: Words) -> Measured | None:
    """Return what a model does here: measured now if that was asked for, else as remembered."""
    from edge.onnx.choice import KIND, remembered_onnx
    from edge.release.installed import find_model, installed_models, model_for
    from edge.release.manifest import embedded_release
    from edge.tutor.tuning import remembered

    release = embedded_release()
    if args.model:
        model = find_model(settings, release, args.model)
    else:
        able = [m for m in installed_models(settings, release) if m.kind == "lm" and m.size]
        found = model_for(settings, release, "grounded_answer") or max(able, key=lambda m: m.size, default=None)
        if found is None:
            if args.measure:
                raise ModelError("measure-no-model")
            return None
        model = found
    alone = model.kind == KIND
    if not args.measure:
        if alone:
            return remembered_onnx(settings.home, model.sha256)
        return remembered(settings.home, model.sha256, read_processor(os.environ).name)
    if not 1 <= args.seconds <= MOST_SECONDS:
        raise EdgeError("measure-seconds", seconds=args.seconds, most=MOST_SECONDS)
    refuse_unfit_processor()
    narrate(words, "doctor.measuring", name=model.id, seconds=round(args.seconds))
    at = stamp(datetime.now(UTC))
    try:
        if alone:
            return _measure_onnx(model, args.seconds, None, at, settings, words)
        return _measure(model, args.seconds, at, settings, words)
    except OSError as error:
        raise EdgeError("measure-disk", path=settings.home, reason=error.strerror or str(error)) from error


def _measure(model: InstalledModel, seconds: float, at: str, settings: Settings, words: Words) -> Measured:
    """Measure a GGUF file, and the ONNX file of the same model if there is one: the faster one answers from now on."""
    from edge.gauge.measure import Halved, Trial, measure
    from edge.gauge.onnx_trial import SHARE
    from edge.onnx.choice import onnx_form
    from edge.tutor.tuning import remember

    def tell(trial: Trial | Halved) -> None:
        if isinstance(trial, Halved):
            _tell_halved(trial, words)
            return
        threads = trial.tuning.write_threads
        narrate(words, "doctor.trial", threads=threads, read=f"{trial.read:.1f}", write=f"{trial.write:.1f}")

    other = onnx_form(settings, model.sha256)
    measured = measure(model, seconds * (1 - SHARE) if other else seconds, at, tell)
    remember(settings.home, measured)
    if other:
        _measure_onnx(other, seconds * SHARE, measured, at, settings, words)
    return measured


def _tell_halved(found: Halved, words: Words) -> None:
    usual, halved = found.usual, found.halved
    sizes = {"whole": f"{usual.memory_bytes / 1e6:.1f}", "half": f"{halved.memory_bytes / 1e6:.1f}"}
    narrate(words, "doctor.halved", write=f"{halved.write:.1f}", usual=f"{usual.write:.1f}", **sizes)


def _measure_onnx(
    model: InstalledModel, seconds: float, gguf: Measured | None, at: str, settings: Settings, words: Words
) -> Measured:
    """Measure an ONNX file: beside its GGUF file, or alone."""
    from edge.gauge.measure import Trial
    from edge.gauge.onnx_trial import measure_onnx
    from edge.tutor.tuning import remember

    def tell(trial: Trial) -> None:
        threads = trial.tuning.write_threads
        narrate(words, "doctor.onnx-trial", threads=threads, read=f"{trial.read:.1f}", write=f"{trial.write:.1f}")

    measured = measure_onnx(model, seconds, gguf, at, tell)
    remember(settings.home, measured)
    return measured


def _print_measured(measured: Measured, onnx: Measured | None, words: Words) -> None:
    from edge.onnx.choice import is_faster

    tuning = measured.tuning
    _title(words, "measured")
    _line(words, "model", measured.model)
    _line(words, "rate", words.say("doctor.rate", rate=f"{measured.write_tokens_per_s:.1f}"))
    _line(words, "reading", words.say("doctor.rate", rate=f"{measured.read_tokens_per_s:.1f}"))
    gigabytes = {"used": f"{measured.gigabytes_per_s:.1f}", "whole": f"{measured.memory_gigabytes_per_s:.1f}"}
    _line(words, "memory-rate", words.say("doctor.memory-rate", percent=measured.percent, **gigabytes))
    _line(words, "threads", words.say("doctor.threads", write=tuning.write_threads, read=tuning.read_threads))
    if onnx is not None:
        key = "doctor.onnx-faster" if is_faster(onnx, measured) else "doctor.onnx-slower"
        rates = {"read": f"{onnx.read_tokens_per_s:.1f}", "write": f"{onnx.write_tokens_per_s:.1f}"}
        _line(words, "form", words.say(key, **rates))


def _print(profile: DeviceProfile, findings: list[Finding], code: str, words: Words) -> None:
    screen = profile.terminal
    _title(words, "machine")
    _line(words, "system", f"{profile.system}, Python {profile.python}, Amauta {__version__}")
    _line(words, "cpu", profile.processor.name)
    _line(words, "cores", profile.cores)
    _line(words, "ram", f"{profile.ram_mb / 1024:.1f} GB")
    _line(words, "disk", f"{profile.free_disk_mb / 1024:.1f} GB")
    _line(words, "screen", f"{screen.name or '-'}, {screen.columns}x{screen.lines}, {_colours(screen.colours)}")
    _title(words, "runs")
    for finding in findings:
        mark = words.say("doctor.good" if finding.good else "doctor.bad")
        name = words.say(f"doctor.check.{finding.check}")
        sys.stdout.write(f"  {mark:<4}{name:<14}{finding.say(words)}\n")
    sys.stdout.write(f"\n{words.say('doctor.code', code=code)}\n")


def print_diagnosis(diagnosis: Diagnosis, words: Words) -> None:
    """Print what a code told."""
    _title(words, "machine")
    _line(words, "system", f"{diagnosis.system}, Amauta {'.'.join(map(str, diagnosis.version))}")
    _line(words, "cpu", words.say(f"doctor.tier.{diagnosis.cpu_tier}"))
    _line(words, "cores", diagnosis.cores)
    _line(words, "ram", words.say("doctor.about", amount=f"{diagnosis.ram_mb / 1024:.1f} GB"))
    _line(words, "disk", words.say("doctor.about", amount=f"{diagnosis.disk_mb / 1000:.1f} GB"))
    _line(words, "sound", words.say("doctor.good" if diagnosis.sound else "doctor.bad"))
    failed = [words.say(f"doctor.check.{check}") for check in diagnosis.failed]
    _line(words, "failed", ", ".join(failed) or words.say("doctor.nothing"))


def _title(words: Words, key: str) -> None:
    sys.stdout.write(f"{words.say(f'doctor.title.{key}')}\n")


def _line(words: Words, key: str, value: Value) -> None:
    sys.stdout.write(f"  {words.say(f'doctor.name.{key}'):<18}{value}\n")


def _colours(count: int) -> str:
    return "16M" if count > 256 else str(count)

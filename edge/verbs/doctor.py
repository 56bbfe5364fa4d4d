"""`amauta doctor`: what this machine has, what runs on it and why not, and a code to dictate."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict

from edge import __version__
from edge.command_line import ExitCode
from edge.device import DeviceProfile, probe
from edge.diagnostic_code import Diagnosis, decode, encode
from edge.health import Finding, diagnose, examine
from edge.settings import Settings
from edge.words import Value, Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `doctor`."""
    parser.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    parser.add_argument("--decode", metavar="CODE", help=words.say("verbs.doctor.decode"))


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
    profile = probe(os.environ, settings.home)
    findings = examine(profile, settings)
    code = encode(diagnose(profile, findings, __version__))
    if args.json:
        sys.stdout.write(f"{as_json(profile, findings, code, words)}\n")
    else:
        _print(profile, findings, code, words)
    return ExitCode.DONE


def as_json(profile: DeviceProfile, findings: list[Finding], code: str, words: Words) -> str:
    """Return profile, findings and code for programs."""
    facts = asdict(profile)
    facts["processor"]["flags"] = sorted(profile.processor.flags)
    checks = [{"check": f.check, "good": f.good, "key": f.key, "say": f.say(words)} for f in findings]
    return json.dumps({"profile": facts, "checks": checks, "code": code}, ensure_ascii=False)


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

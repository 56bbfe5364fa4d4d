"""What runs on this device and why the rest does not: the findings behind `amauta doctor`.

Looks, never repairs, and loads no heavy library: a package is there when Python can find it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edge.device import DeviceProfile, llama_is_portable, llama_verdict, onnx_verdict, processor_verdict
from edge.diagnostic_code import CHECKS, Diagnosis
from edge.errors import EdgeError, StoreError
from edge.processor import tier
from edge.settings import Settings
from edge.words import Value, Words

LEAST_RAM_MB = 1700
"""What a machine sold with 2 GB still shows."""

LEAST_DISK_MB = 200
LEAST_COLUMNS, LEAST_LINES = 80, 24


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing doctor looked at."""

    check: str
    """Its name in CHECKS."""

    good: bool
    key: str
    """What to say, under `doctor.say` in the strings, or the key of an error."""

    values: tuple[tuple[str, Value], ...] = ()

    def say(self, words: Words) -> str:
        """Return the finding in plain words."""
        own = f"doctor.say.{self.key}"
        return words.say(own if words.has(own) else f"errors.{self.key}.what", **dict(self.values))


def examine(profile: DeviceProfile, settings: Settings) -> list[Finding]:
    """Look at everything, in the order of CHECKS."""
    found = [
        _processor(profile),
        _memory(profile),
        _disk(profile),
        _store(settings),
        _lessons(settings),
        _reader(profile),
        _model(profile, settings),
        _speech(profile, settings),
        Finding("sound", profile.sound, "sound-good" if profile.sound else "sound-none"),
        _terminal(profile),
        _numbers(settings),
    ]
    return sorted(found, key=lambda finding: CHECKS.index(finding.check))


def diagnose(profile: DeviceProfile, findings: list[Finding], version: str) -> Diagnosis:
    """Put profile and findings into what the code can carry."""
    parts = [int(part) if part.isdecimal() else 0 for part in (*version.split("."), "0", "0")][:3]
    return Diagnosis(
        version=(parts[0], parts[1], parts[2]),
        system=profile.system.split(" ")[0],
        cpu_tier=tier(profile.processor),
        cores=profile.cores,
        ram_mb=profile.ram_mb,
        disk_mb=profile.free_disk_mb,
        sound=profile.sound,
        failed=tuple(finding.check for finding in findings if not finding.good),
    )


def _finding(check: str, good: bool, key: str, **values: Value) -> Finding:
    return Finding(check, good, key, tuple(values.items()))


def _processor(profile: DeviceProfile) -> Finding:
    level = tier(profile.processor)
    key = processor_verdict(profile.processor) or f"cpu-tier-{level}"
    return _finding("cpu", level > 1, key, **_cpu(profile))


def _memory(profile: DeviceProfile) -> Finding:
    good = profile.ram_mb >= LEAST_RAM_MB
    return _finding("memory", good, "memory-good" if good else "memory-little", gb=f"{profile.ram_mb / 1024:.1f}")


def _disk(profile: DeviceProfile) -> Finding:
    good = profile.free_disk_mb >= LEAST_DISK_MB
    return _finding("disk", good, "disk-good" if good else "disk-little", mb=profile.free_disk_mb)


def _store(settings: Settings) -> Finding:
    """Open the store if there is one; a new one is made by the app, not by doctor."""
    from edge.learning.store import Store

    path = settings.store_path
    try:
        if not path.exists():
            place = next(folder for folder in path.absolute().parents if folder.exists())
            good = place.is_dir() and os.access(place, os.W_OK)
            return _finding("store", good, "store-new" if good else "store-nowhere", path=settings.home)
        with Store.open(path) as store:
            count, learners = store.attempt_count(), len(store.learners())
    except StoreError as error:
        return _finding("store", False, error.key, **error.values)
    except OSError:
        return _finding("store", False, "store-nowhere", path=settings.home)
    return _finding("store", True, "store-good", count=count, learners=learners)


def _lessons(settings: Settings) -> Finding:
    from edge.library import index, shipped
    from edge.library.folder import lesson_files
    from edge.library.library import folders_of
    from edge.library.meaning import Meaning

    try:
        folders = folders_of(settings)
        count = sum(len(list(lesson_files(folder))) for folder in folders)
        name = f"{index.fingerprint(folders, Meaning())}{index.SUFFIX}"
        ready = shipped.find(name, shipped.FOLDER) is not None or (settings.index_folder / name).is_file()
    except (EdgeError, OSError) as error:
        return _finding("lessons", False, "lessons-broken", reason=str(error).splitlines()[0])
    if not count:
        return _finding("lessons", False, "lessons-none")
    if shipped.is_damaged(name, shipped.FOLDER):
        return _finding("lessons", False, "lessons-damaged", count=count, path=shipped.FOLDER / name)
    return _finding("lessons", True, "lessons-good" if ready else "lessons-unindexed", count=count)


def _reader(profile: DeviceProfile) -> Finding:
    folder = Path(__file__).parent / "models" / "reader"
    if not (folder / "reader.onnx").is_file():
        return _finding("reader", False, "reader-absent")
    verdict = onnx_verdict(profile)
    return _finding("reader", not verdict, verdict or "reader-good", **_cpu(profile))


def _model(profile: DeviceProfile, settings: Settings) -> Finding:
    """A language model is welcome but nothing depends on it: that none is there is no failure."""
    verdict = llama_verdict(profile)
    if verdict:
        return _finding("model", False, verdict, **_cpu(profile))
    embedded = Path(__file__).parent / "models"
    models = [*embedded.glob("*/*.gguf"), *(p for f in settings.folders("models") for p in _models_in(f))]
    if not models:
        return _finding("model", True, "model-none")
    key = "model-good" if llama_is_portable() else "model-plain"
    return _finding("model", True, key, count=len(models), names=", ".join(path.stem for path in models))


def _models_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in (".gguf", ".onnx")]


def _speech(profile: DeviceProfile, settings: Settings) -> Finding:
    from edge.speech.espeak import espeak
    from edge.speech.voice import installed_voices

    try:
        espeak()
    except EdgeError as error:
        return _finding("speech", False, "speech-bad", reason=str(error.values.get("reason", "")))
    voices = [voice for folder in settings.folders("voices") for voice in installed_voices(folder)]
    if voices and onnx_verdict(profile):
        return _finding("speech", True, "speech-no-piper", **_cpu(profile))
    names = ", ".join(voice.name for voice in voices)
    return _finding("speech", True, "speech-piper" if voices else "speech-good", names=names)


def _terminal(profile: DeviceProfile) -> Finding:
    screen = profile.terminal
    facts: dict[str, Value] = {"columns": screen.columns, "lines": screen.lines, "name": screen.name or "-"}
    if screen.name == "dumb":
        return _finding("terminal", False, "terminal-plain", **facts)
    good = screen.columns >= LEAST_COLUMNS and screen.lines >= LEAST_LINES
    return _finding("terminal", good, "terminal-good" if good else "terminal-small", **facts)


def _numbers(settings: Settings) -> Finding:
    """Whom the fixed texts send people to. A school may do without numbers, a clinic not; a file that is wrong never may."""
    from edge.tutor.numbers import numbers_of

    found = numbers_of(settings)
    if found.trouble is not None:
        return _finding("numbers", False, found.trouble.key, **found.trouble.values)
    facts: dict[str, Value] = {"country": found.country, "count": len(found.known), "path": found.own or ""}
    if not found.known:
        return _finding("numbers", settings.place != "clinic", "numbers-none", **facts)
    return _finding("numbers", True, "numbers-own" if found.own else "numbers-shipped", **facts)


def _cpu(profile: DeviceProfile) -> dict[str, Value]:
    return {"cpu": profile.processor.name, "machine": profile.processor.machine}

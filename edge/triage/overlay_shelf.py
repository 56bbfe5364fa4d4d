"""Overlays on this device: which there are, which one is shown, and what is wrong with a file before it is added.

`dressed` and `dressed_lesson` are all that a screen needs: they return what to show, and never raise for an overlay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.errors import EdgeError
from edge.files import write_atomic
from edge.library.folder import read_head, read_lesson
from edge.library.pack import Complaint, Lesson, complaint
from edge.settings import Settings
from edge.speech.espeak import VOICES
from edge.triage.amounts import amounts, in_words
from edge.triage.errors import TriageError
from edge.triage.overlay import (
    Overlay,
    dress,
    dress_lesson,
    fault_of,
    lesson_texts,
    read_overlay,
    table_texts,
)
from edge.triage.parts import Shown, Table
from edge.triage.say import overlay_of
from edge.triage.shelf import find_table
from edge.words import words_for

CHOSEN = "shown"
"""A file that holds the id of the overlay in use."""

NONE = "none"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of one table or teaching text an overlay says."""

    name: str
    version: str
    said: int
    of: int


def own_folder(settings: Settings) -> Path:
    """Return where overlays that were added on this device lie."""
    return settings.home / "clinic" / "overlays"


def overlay_files(settings: Settings) -> list[Path]:
    """Return the file of every overlay, by name."""
    return sorted(own_folder(settings).glob("*.toml"))


def chosen(settings: Settings) -> str:
    """Return the id of the overlay that is to be shown, or nothing."""
    try:
        return (own_folder(settings) / CHOSEN).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def was_chosen(settings: Settings) -> bool:
    """Tell whether an overlay, or none, was ever chosen here."""
    return (own_folder(settings) / CHOSEN).exists()


def choose(settings: Settings, name: str) -> None:
    """Show this overlay from now on, or none."""
    if name != NONE:
        _known(settings, name)
    _write(own_folder(settings) / CHOSEN, b"" if name == NONE else name.encode())


def add(settings: Settings, overlay: Overlay) -> Path:
    """Keep an overlay that was checked, in place of one of the same id, and show it."""
    path = own_folder(settings) / f"{overlay.shown.id}.toml"
    try:
        content = overlay.path.read_bytes()
    except OSError as error:
        raise TriageError("overlay-unreadable", path=overlay.path, reason=error.strerror or "") from error
    _write(path, content)
    choose(settings, overlay.shown.id)
    return path


def remove(settings: Settings, name: str, *, dry_run: bool) -> Path:
    """Take an overlay away; return its file."""
    path = _known(settings, name)
    if not dry_run:
        try:
            path.unlink()
        except OSError as error:
            raise TriageError("overlay-write", path=path, reason=error.strerror or "") from error
        if chosen(settings) == name:
            choose(settings, NONE)
    return path


def in_use(settings: Settings) -> Overlay | None:
    """Return the overlay to show, None where there is none or its file is not what it should be."""
    name = chosen(settings)
    try:
        overlay, complaints = read_overlay(own_folder(settings) / f"{name}.toml") if name else (None, [])
    except EdgeError:
        return None
    return None if complaints else overlay


def dressed(table: Table, settings: Settings) -> Table:
    """Return a table as it is to be shown here: in the words of the overlay in use, where that has any for it."""
    return all_dressed([table], settings)[0]


def all_dressed(tables: Sequence[Table], settings: Settings) -> list[Table]:
    """Return some tables as they are to be shown here; the overlay is read once."""
    overlay = in_use(settings)
    return [table if overlay is None else dress(table, overlay, settings.spoken_lang) for table in tables]


def dressed_lesson(lesson: Lesson, settings: Settings) -> Lesson:
    """Return a teaching text as it is to be shown here."""
    overlay = in_use(settings)
    if overlay is None or lesson.id not in overlay.texts:
        return lesson
    version = read_head(lesson.path.parent.parent, []).version
    return dress_lesson(lesson, version, overlay, overlay_of(overlay.shown, words_for("edge", settings.spoken_lang)))


def voice_lang(shown: Shown | None) -> str | None:
    """Return the language that a voice here can read an overlay in; nothing for no overlay, None where none can."""
    if shown is None:
        return ""
    lang = shown.lang.partition("-")[0]
    return lang if lang in VOICES else None


def check_overlay(overlay: Overlay, settings: Settings) -> tuple[list[Complaint], list[Coverage]]:
    """Hold every text of an overlay against its original here; return what is wrong, and how much it says."""
    complaints: list[Complaint] = []
    covered: list[Coverage] = []
    for name, given in overlay.texts.items():
        part = f"teaching.{name.replace('/', '.')}" if "/" in name else f"tables.{name}"
        try:
            version, originals = originals_of(name, overlay.origin, settings)
        except EdgeError:
            complaints.append(_complaint(overlay, part, "overlay-original", original=name[:80]))
            continue
        if overlay.versions[name] != version:
            facts = {"original": name[:80], "version": overlay.versions[name][:40], "here": version}
            complaints.append(_complaint(overlay, part, "overlay-version", **facts))
        complaints += _compared(overlay, part, given, originals)
        covered.append(Coverage(name, version, sum(path in given for path in originals), len(originals)))
    if not any(overlay.texts.values()):
        complaints.append(_complaint(overlay, "tables", "overlay-empty"))
    return complaints, covered


def _compared(
    overlay: Overlay, part: str, given: Mapping[str, str], originals: Mapping[str, str]
) -> Iterator[Complaint]:
    for path, words in given.items():
        if path not in originals:
            yield _complaint(overlay, f"{part}.{path}", "overlay-name", name=f"{part}.{path}"[:100])
        elif key := fault_of(originals[path], words):
            facts = {"found": in_words(amounts(words)), "must": in_words(amounts(originals[path]))}
            said = facts if key == "overlay-amounts" else {}
            yield _complaint(overlay, f"{part}.{path}", key, name=f"{part}.{path}"[:100], **said)


def originals_of(name: str, origin: str, settings: Settings) -> tuple[str, dict[str, str]]:
    """Return version and texts of a table, or of a teaching text as `ensenanza/LESSON`."""
    pack, _, rest = name.partition("/")
    if not rest:
        table = find_table(pack, settings)
        return table.version, table_texts(table, origin)
    from edge.library.library import folders_of

    folders = folders_of(replace(settings, place="clinic"))
    folder = next((one for one in folders if one.name == pack), None)
    if folder is None:
        raise TriageError("overlay-original", original=name[:80])
    head = read_head(folder, [])
    return str(head.version), lesson_texts(read_lesson(head, name))


def _known(settings: Settings, name: str) -> Path:
    """Return the file of an overlay of this device, or refuse."""
    files = {path.stem: path for path in overlay_files(settings)}
    if name not in files:
        raise TriageError("overlay-unknown", name=name[:40], known=", ".join(files) or "-")
    return files[name]


def _complaint(overlay: Overlay, part: str, key: str, /, **values: str) -> Complaint:
    at = part
    while at and at not in overlay.lines:
        at = at.rpartition(".")[0]
    return complaint(overlay.path, overlay.lines.get(at, 1), key, **values)


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomic(path, content)
    except OSError as error:
        raise TriageError("overlay-write", path=path, reason=error.strerror or str(error)) from error

"""Read a pack from its folder. Knows files; what makes a pack good is `check`'s matter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge.errors import PackError
from edge.library import asked, unheld
from edge.library.asked import add_asked
from edge.library.fields import Fields
from edge.library.lesson import parse_lesson
from edge.library.pack import AUDIENCES, SUBJECTS, Complaint, Lesson, Pack, complaint
from edge.library.unheld import read_unheld

PACK_FIELDS = {"id", "title", "lang", "version", "licence", "authors", "description", "quote", "for"}
LARGEST_LESSON_BYTES, LARGEST_ASKED_BYTES = 200_000, 1_000_000
QUESTION_FILES = (asked.FILE_NAME, unheld.FILE_NAME)
EMBEDDED = Path(__file__).parent.parent / "packs"
"""The packs that ship with Amauta."""

CLINIC = Path(__file__).parent.parent / "clinic" / "packs"
"""The packs that ship for clinics: on a school's device they are seen only when somebody adds them."""


def read_pack(folder: Path) -> tuple[Pack, list[Complaint]]:
    """Read a whole pack; raise PackError when it is no pack at all."""
    complaints: list[Complaint] = []
    pack = read_head(folder, complaints)
    lessons: list[Lesson] = []
    for path in lesson_files(folder):
        source = _text_of(path, complaints)
        lesson, found = parse_lesson(source, path, pack.id, pack.lang) if source is not None else (None, [])
        complaints += found
        if lesson is not None:
            lessons.append(lesson)
    if not lessons:
        complaints.append(complaint(folder / "lessons", 1, "no-lessons"))
    path = folder / asked.FILE_NAME
    if path.exists() and (source := _text_of(path, complaints)) is not None:
        lessons = list(add_asked(source, path, lessons, complaints))
    path = folder / unheld.FILE_NAME
    if path.exists() and (source := _text_of(path, complaints)) is not None:
        pack = replace(pack, unheld=read_unheld(source, path, lessons, complaints))
    return replace(pack, lessons=tuple(lessons)), complaints


def read_head(folder: Path, complaints: list[Complaint]) -> Pack:
    """Read pack.toml alone; raise PackError when it is missing or is not TOML."""
    path = folder / "pack.toml"
    try:
        source = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise PackError("pack-missing", path=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise PackError("pack-unreadable", path=path, reason=str(error)) from error
    fields = Fields(path, source, first_line=1)
    if not fields.parse():
        raise PackError("pack-not-toml", path=path, reason=str(dict(fields.complaints[0].values)["reason"]))
    fields.refuse_unknown(PACK_FIELDS)
    pack = Pack(
        id=fields.text("id"),
        title=fields.text("title"),
        lang=fields.choice("lang", tuple(SUBJECTS)),
        version=fields.number("version", 1, 1_000_000),
        licence=fields.text("licence"),
        authors=fields.texts("authors"),
        description=fields.text("description"),
        folder=folder,
        lessons=(),
        strict="quote" in fields.table and fields.choice("quote", ("strict",)) == "strict",
        audience=fields.choice("for", AUDIENCES) if "for" in fields.table else AUDIENCES[0],
    )
    complaints += fields.complaints
    return pack


def read_lesson(pack: Pack, lesson_id: str) -> Lesson:
    """Read one lesson of a pack; raise PackError when it is gone or broken."""
    path = pack.folder / "lessons" / f"{lesson_id.partition('/')[2]}.md"
    complaints: list[Complaint] = []
    source = _text_of(path, complaints)
    lesson, found = parse_lesson(source, path, pack.id, pack.lang) if source is not None else (None, [])
    if lesson is None:
        first = (complaints + found)[0]
        raise PackError("lesson-unreadable", lesson=lesson_id, reason=first.say("en"))
    return lesson


def pack_files(folder: Path) -> list[Path]:
    """Return every file that belongs to a pack."""
    beside = [folder / name for name in QUESTION_FILES]
    return [folder / "pack.toml", *(path for path in beside if path.exists()), *lesson_files(folder)]


def lesson_files(folder: Path) -> list[Path]:
    """Return the lesson files of a pack in reading order."""
    return sorted(path for path in (folder / "lessons").glob("*.md") if not path.name.startswith("."))


def pack_folders(*shelves: Path) -> list[Path]:
    """Return every folder with a pack.toml directly below `shelves`; a missing shelf is empty."""
    return [path.parent for shelf in shelves for path in sorted(shelf.glob("*/pack.toml"))]


def _text_of(path: Path, complaints: list[Complaint]) -> str | None:
    """Return the text of a lesson file, or complain and return None."""
    try:
        most = LARGEST_ASKED_BYTES if path.name in QUESTION_FILES else LARGEST_LESSON_BYTES
        if path.stat().st_size > most:
            complaints.append(complaint(path, 1, "file-large", most=most))
            return None
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        complaints.append(complaint(path, line, "not-utf8"))
    except OSError as error:
        complaints.append(complaint(path, 1, "file-unreadable", reason=error.strerror or str(error)))
    return None

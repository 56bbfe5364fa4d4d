"""Build the search index of a library: one SQLite file, made anew when a pack changes.

The index can always be rebuilt from the packs, so it is written without waiting for the
disk, to a temporary name, and renamed when complete. Deleting it loses nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from edge.library.folder import lesson_files, read_pack
from edge.library.pack import Complaint, Lesson, Pack
from edge.library.question import kind_of
from edge.library.spelling import sound_of
from edge.library.terms import WORD, fold, indexed, is_stopword

FORMAT = 8
"""Grows whenever this module writes something else."""

LONG_PASSAGE_WORDS = 110
SHORT_PASSAGE_WORDS = 25
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE pack (id TEXT PRIMARY KEY, title TEXT, lang TEXT, version INTEGER, folder TEXT, complaints INTEGER);
CREATE TABLE lesson (id TEXT PRIMARY KEY, pack TEXT, title TEXT, lang TEXT, grade INTEGER, subject TEXT,
                     minutes INTEGER, items INTEGER, terms TEXT);
CREATE TABLE passage (id INTEGER PRIMARY KEY, lesson TEXT, lang TEXT, text TEXT, terms TEXT);
CREATE TABLE entry (id INTEGER PRIMARY KEY, lesson TEXT, lang TEXT, question TEXT, text TEXT, terms TEXT);
CREATE TABLE asked (id INTEGER PRIMARY KEY, entry INTEGER, text TEXT, kind TEXT, terms TEXT);
CREATE INDEX asked_entry ON asked (entry);
CREATE TABLE spelling (lang TEXT, word TEXT, sound TEXT, PRIMARY KEY (lang, word)) WITHOUT ROWID;
CREATE INDEX spelling_sound ON spelling (lang, sound);
CREATE VIRTUAL TABLE passage_search USING fts5 (text, lesson, content='', tokenize='unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE entry_search USING fts5 (asked, answer, lesson, content='', tokenize='unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE passage_words USING fts5vocab ('passage_search', 'row');
CREATE VIRTUAL TABLE entry_words USING fts5vocab ('entry_search', 'row');
"""


def fingerprint(folders: Iterable[Path]) -> str:
    """Return a name for the present state of these packs: paths, sizes and times of their files."""
    digest = hashlib.sha256(str(FORMAT).encode())
    for folder in folders:
        for path in (folder / "pack.toml", *lesson_files(folder)):
            facts = path.stat()
            digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def build(folders: Iterable[Path], path: Path) -> None:
    """Write the index of these packs to `path`; OSError or sqlite3.Error when the disk is full."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    try:
        database = sqlite3.connect(temporary)
        try:
            fill(database, (read_pack(folder) for folder in folders))
        finally:
            database.close()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def fill(database: sqlite3.Connection, packs: Iterable[tuple[Pack, list[Complaint]]]) -> None:
    """Write the index of these packs into an empty database."""
    database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {SCHEMA}")
    with database:
        for pack, complaints in packs:
            _add_pack(database, pack, len(complaints))
        database.execute("INSERT INTO passage_search(passage_search) VALUES ('optimize')")
        database.execute("INSERT INTO entry_search(entry_search) VALUES ('optimize')")


def _add_pack(database: sqlite3.Connection, pack: Pack, complaints: int) -> None:
    database.execute(
        "INSERT OR REPLACE INTO pack VALUES (?, ?, ?, ?, ?, ?)",
        (pack.id, pack.title, pack.lang, pack.version, str(pack.folder), complaints),
    )
    for lesson in pack.lessons:
        _add_lesson(database, lesson)


def _add_lesson(database: sqlite3.Connection, lesson: Lesson) -> None:
    about = indexed(" ".join((lesson.title, *lesson.keywords)), lesson.lang)
    facts = (lesson.id, lesson.pack, lesson.title, lesson.lang, lesson.grade, lesson.subject, lesson.minutes)
    database.execute("INSERT OR REPLACE INTO lesson VALUES (?,?,?,?,?,?,?,?,?)", (*facts, len(lesson.items), about))
    for text in passages_of(lesson.text):
        terms = indexed(text, lesson.lang)
        row = database.execute(
            "INSERT INTO passage (lesson, lang, text, terms) VALUES (?, ?, ?, ?)", (lesson.id, lesson.lang, text, terms)
        ).lastrowid
        database.execute("INSERT INTO passage_search (rowid, text, lesson) VALUES (?, ?, ?)", (row, terms, about))
    for entry in lesson.bank:
        terms = indexed(entry.text, lesson.lang)
        number = database.execute(
            "INSERT INTO entry (lesson, lang, question, text, terms) VALUES (?, ?, ?, ?, ?)",
            (lesson.id, lesson.lang, entry.question, entry.text, terms),
        ).lastrowid
        asked = [indexed(text, lesson.lang) for text in (entry.question, *entry.variants)]
        database.executemany(
            "INSERT INTO asked (entry, text, kind, terms) VALUES (?, ?, ?, ?)",
            [
                (number, text, kind_of(text, lesson.lang), terms_of_text)
                for text, terms_of_text in zip((entry.question, *entry.variants), asked, strict=True)
            ],
        )
        database.execute(
            "INSERT INTO entry_search (rowid, asked, answer, lesson) VALUES (?, ?, ?, ?)",
            (number, " ".join(asked), terms, about),
        )
    _add_spelling(database, lesson)


def _add_spelling(database: sqlite3.Connection, lesson: Lesson) -> None:
    """Keep the words as written, so that a misspelt one can be understood."""
    texts = [lesson.title, lesson.text, *lesson.keywords]
    texts += [text for entry in lesson.bank for text in (entry.question, entry.text, *entry.variants)]
    words = {fold(word) for text in texts for word in WORD.findall(text) if not is_stopword(word, lesson.lang)}
    rows = [(lesson.lang, word, sound_of(word)) for word in sorted(words)]
    database.executemany("INSERT OR IGNORE INTO spelling VALUES (?, ?, ?)", rows)


MARKDOWN = re.compile(r"(\*\*|__|`|(?<!\w)\*|\*(?!\w))")


def passages_of(markdown: str) -> list[str]:
    """Cut a lesson's text into passages of a few sentences: paragraphs, the very short ones joined."""
    passages: list[str] = []
    for block in re.split(r"\n\s*\n", markdown):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        text = " ".join(MARKDOWN.sub("", re.sub(r"^\s*([-*+]|\d+\.)\s+", "", line)).strip() for line in lines).strip()
        if not text:
            continue
        short = passages and len(passages[-1].split()) < SHORT_PASSAGE_WORDS
        if short and len(passages[-1].split()) + len(text.split()) <= LONG_PASSAGE_WORDS:
            passages[-1] = f"{passages[-1]} {text}"
        else:
            passages.append(text)
    return passages

"""Build the search index of a library: one SQLite file, made anew when a pack changes.

The index can always be rebuilt from the packs, so it is written without waiting for the
disk, to a temporary name, and renamed when complete. Deleting it loses nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.library.folder import pack_files, read_pack
from edge.library.meaning import Meaning
from edge.library.pack import Complaint, Lesson, Pack
from edge.library.question import kind_of
from edge.library.quoting import Quote, quotes_of
from edge.library.spelling import sound_of
from edge.library.terms import FORMS, WORD, Term, content_terms, fold, is_stopword, written
from edge.library.vocabulary import Vocabulary

FORMAT = 14
"""Grows whenever this module writes something else."""

SUFFIX = ".index"

LONG_PASSAGE_WORDS = 110
SHORT_PASSAGE_WORDS = 25
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE pack (id TEXT PRIMARY KEY, title TEXT, lang TEXT, version INTEGER, folder TEXT, complaints INTEGER,
                   strict INTEGER);
CREATE TABLE lesson (id TEXT PRIMARY KEY, pack TEXT, title TEXT, lang TEXT, grade INTEGER, subject TEXT,
                     minutes INTEGER, items INTEGER, terms TEXT, centre BLOB);
CREATE TABLE passage (id INTEGER PRIMARY KEY, lesson TEXT, lang TEXT, text TEXT, terms TEXT, centre BLOB,
                      page TEXT, section TEXT, strict INTEGER);
CREATE TABLE entry (id INTEGER PRIMARY KEY, lesson TEXT, lang TEXT, question TEXT, text TEXT, terms TEXT,
                    centre BLOB);
CREATE TABLE asked (id INTEGER PRIMARY KEY, entry INTEGER, text TEXT, kind TEXT, terms TEXT, centre BLOB);
CREATE INDEX asked_entry ON asked (entry);
CREATE TABLE gap (id INTEGER PRIMARY KEY, lang TEXT, centre BLOB);
CREATE TABLE spelling (lang TEXT, word TEXT, sound TEXT, PRIMARY KEY (lang, word)) WITHOUT ROWID;
CREATE INDEX spelling_sound ON spelling (lang, sound);
CREATE VIRTUAL TABLE passage_search USING fts5 (text, lesson, content='', tokenize='unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE entry_search USING fts5 (asked, answer, lesson, content='', tokenize='unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE passage_words USING fts5vocab ('passage_search', 'row');
CREATE VIRTUAL TABLE entry_words USING fts5vocab ('entry_search', 'row');
"""


def fingerprint(folders: Iterable[Path], meaning: Meaning) -> str:
    """Return a name for what these packs say, and for the vectors.

    Where and since when a pack lies does not count: copied to a stick, or in the next release, it is the same pack.
    """
    digest = hashlib.sha256(f"{FORMAT} {meaning.fingerprint()}".encode())
    for folder in sorted(folders, key=lambda folder: folder.name):
        for path in pack_files(folder):
            content = path.read_bytes()
            digest.update(f"{folder.name}/{path.relative_to(folder).as_posix()}\0{len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


def build(folders: Iterable[Path], path: Path, meaning: Meaning) -> None:
    """Write the index of these packs to `path`; OSError or sqlite3.Error when the disk is full."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    try:
        database = sqlite3.connect(temporary)
        try:
            fill(database, (read_pack(folder) for folder in folders), meaning)
        finally:
            database.close()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def fill(database: sqlite3.Connection, packs: Iterable[tuple[Pack, list[Complaint]]], meaning: Meaning) -> None:
    """Write the index of these packs into an empty database."""
    database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {SCHEMA}")
    writers: list[_Writer] = []
    gaps: list[tuple[str, str]] = []
    with database:
        for pack, complaints in packs:
            facts = (pack.id, pack.title, pack.lang, pack.version, pack.folder.name, len(complaints), pack.strict)
            database.execute("INSERT OR REPLACE INTO pack VALUES (?, ?, ?, ?, ?, ?, ?)", facts)
            writers += [_Writer(database, lesson, meaning, pack.strict) for lesson in pack.lessons]
            gaps += [(pack.lang, question) for question in pack.unheld]
        for writer in writers:
            writer.write_lesson()
        vocabulary = Vocabulary(database)
        for writer in writers:
            writer.write_bank(vocabulary)
        for lang, question in gaps:
            centre = meaning.side(vocabulary.terms(question, lang), lang).centre
            database.execute("INSERT INTO gap VALUES (NULL, ?, ?)", (lang, centre.tobytes()))
        database.execute("INSERT INTO passage_search(passage_search) VALUES ('optimize')")
        database.execute("INSERT INTO entry_search(entry_search) VALUES ('optimize')")


class _Writer:
    """Writes one lesson into the index."""

    def __init__(self, database: sqlite3.Connection, lesson: Lesson, meaning: Meaning, strict: bool) -> None:
        self._database = database
        self._lesson = lesson
        self._meaning = meaning
        self._about = ""
        self._strict = strict

    def write_lesson(self) -> None:
        """Write what the lesson itself says, and how its words are spelt."""
        lesson = self._lesson
        self._about, centre = self._read(content_terms(" ".join((lesson.title, *lesson.keywords)), lesson.lang))
        facts = (lesson.id, lesson.pack, lesson.title, lesson.lang, lesson.grade, lesson.subject, lesson.minutes)
        self._insert("lesson", *facts, len(lesson.items), self._about, centre)
        plain = [Quote(text, "", "") for text in passages_of(lesson.text)] if not self._strict else []
        for quote in quotes_of(lesson.text) if self._strict else plain:
            terms, centre = self._read(content_terms(f"{quote.section} {quote.text}", lesson.lang))
            where = (quote.page, quote.section, self._strict)
            row = self._insert("passage", None, lesson.id, lesson.lang, quote.text, terms, centre, *where)
            self._search("passage_search", row, terms, self._about)
        self._spelling()

    def write_bank(self, vocabulary: Vocabulary) -> None:
        """Write the answer bank; what pupils wrote by ear is read with the vocabulary of all packs."""
        lang = self._lesson.lang
        for entry in self._lesson.bank:
            answer, centre = self._read(content_terms(entry.text, lang))
            row = self._insert("entry", None, self._lesson.id, lang, entry.question, entry.text, answer, centre)
            asked = [(text, content_terms(text, lang)) for text in (entry.question, *entry.variants)]
            asked += [(text, vocabulary.terms(text, lang)) for text in entry.heard]
            self._search("entry_search", row, " ".join(self._ways(row, asked)), answer, self._about)

    def _ways(self, row: int, asked: Iterable[tuple[str, list[Term]]]) -> Iterator[str]:
        for text, found in asked:
            terms, centre = self._read(found)
            self._insert("asked", None, row, text, kind_of(text, self._lesson.lang), terms, centre)
            yield terms

    def _spelling(self) -> None:
        """Keep the words as written, so that a misspelt one can be understood."""
        lesson = self._lesson
        texts = [lesson.title, lesson.text, *lesson.keywords]
        texts += [text for entry in lesson.bank for text in (entry.question, entry.text, *entry.variants)]
        words = {fold(w) for text in texts for w in WORD.findall(text) if not is_stopword(w, lesson.lang)}
        rows = [(lesson.lang, word, sound_of(word)) for word in sorted(words)]
        self._database.executemany("INSERT OR IGNORE INTO spelling VALUES (?, ?, ?)", rows)

    def _read(self, terms: list[Term]) -> tuple[str, bytes]:
        """Return what the index keeps of a text: the forms of its words, and where it stands."""
        return written(terms), self._meaning.side(terms, self._lesson.lang).centre.tobytes()

    def _insert(self, table: str, *values: object) -> int:
        marks = ", ".join("?" * len(values))
        return int(self._database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values).lastrowid or 0)

    def _search(self, table: str, row: int, *texts: str) -> None:
        columns = "rowid, text, lesson" if table == "passage_search" else "rowid, asked, answer, lesson"
        plain = [text.replace(FORMS, " ") for text in texts]
        self._database.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * (len(texts) + 1))})", (row, *plain)
        )


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

"""The file of records itself: made, opened, and what binds an event to its place in it.

Knows SQLite and bytes; when a person may open it is `vault`'s matter.
"""

from __future__ import annotations

import hmac
import os
import secrets
import sqlite3
from hashlib import sha256
from pathlib import Path

from edge.errors import StoreError
from edge.learning.store import BUSY_SECONDS, plain_errors
from edge.records import seal
from edge.records.errors import RecordsError
from edge.records.schema import FORMAT, SCHEMA

FILE_NAME = "records.db"
"""In Amauta's own folder."""


def connected(path: Path) -> sqlite3.Connection:
    """Open the file so that what was kept survives a power cut, and what was deleted is overwritten."""
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    mode = database.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    database.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
    database.execute("PRAGMA secure_delete = ON")
    database.execute("PRAGMA temp_store = MEMORY")
    return database


def make(path: Path, passphrase: str, cost: int) -> str:
    """Make the file and return the recovery key, which is kept nowhere else; refuse where there is one."""
    secret = seal.clean_passphrase(passphrase)
    key, recovery, device = seal.new_key(), seal.new_recovery(), secrets.token_hex(8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError("store-unwritable", path=path, reason=error.strerror or str(error)) from error
    facts = [("format", FORMAT), ("device", device), ("recovery", "shown")]
    wraps = [
        seal.wrap(key, kind, text, device, cost) for kind, text in (("passphrase", secret), ("recovery", recovery))
    ]
    with plain_errors(path):
        database = connected(path)
        try:
            database.execute("BEGIN IMMEDIATE")
            if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'vault'").fetchone():
                raise RecordsError("records-exist", path=path)
            for statement in SCHEMA:
                database.execute(statement)
            database.executemany("INSERT INTO vault VALUES (?, ?)", facts)
            rows = [(one.kind, one.cost, one.salt, one.sealed) for one in wraps]
            database.executemany("INSERT INTO wraps VALUES (?, ?, ?, ?)", rows)
            database.execute("INSERT INTO head VALUES (1, 0, ?, ?)", (b"", head_mac(key, device, 0, b"")))
            database.execute("COMMIT")
        finally:
            database.close()
    return recovery


def facts_in(database: sqlite3.Connection) -> dict[str, str]:
    """Return what the file says of itself; nothing where making it was cut off."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'vault'").fetchone():
        return {}
    return dict(database.execute("SELECT name, value FROM vault").fetchall())


def page_at(device: str, patient: str) -> bytes:
    """Return what the page of a patient is bound to."""
    return f"amauta page|{device}|{patient}".encode()


def position(device: str, seq: int, patient: str, prev: bytes) -> bytes:
    """Return what an event is bound to: moved elsewhere, it no longer opens."""
    return f"amauta event|{device}|{seq}|{patient}|{prev.hex()}|".encode()


def head_mac(key: bytes, device: str, seq: int, hashed: bytes) -> bytes:
    """Return the mark of the last event, which nobody without the key can make."""
    return hmac.new(seal.derived(key, "head"), f"{device}|{seq}|{hashed.hex()}".encode(), sha256).digest()

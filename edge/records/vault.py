"""A file of sealed events that only grows, opened by a passphrase and closed by itself.

Knows nothing of patients' names: an event is bytes that belong to a random number. Each is sealed at its place
(device, number, the hash of the one before), so a change, a swap, a gap or a cut-off end is noticed at unlocking; `seen`
notices an older copy. Beside the events each patient has one sealed page for what is not finished, written over and over.
"""

from __future__ import annotations

import hmac
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any

from edge.errors import StoreError
from edge.learning.store import plain_errors
from edge.records import seal, seen
from edge.records.errors import LockedError, RecordsError
from edge.records.file import connected, facts_in, head_mac, make, page_at, position
from edge.records.schema import FORMAT, LATER, wait_seconds

IDLE_SECONDS = 300.0
"""Unused for so long, the records lock."""


class Vault:
    """The sealed events of one device. Close it when done. `clock` counts seconds: UTC, so that waiting outlives a restart."""

    def __init__(self, path: Path, clock: Callable[[], float], idle_seconds: float = IDLE_SECONDS) -> None:
        if not path.is_file():
            raise RecordsError("records-none", path=path)
        self.path = path
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._lock = RLock()
        self._key: bytes | None = None
        self._used = 0.0
        with plain_errors(path):
            self._database = connected(path)
            try:
                facts = facts_in(self._database)
                if facts.get("format") == FORMAT:
                    for statement in LATER:
                        self._database.execute(statement)
            except sqlite3.Error:
                self._database.close()
                raise
        if facts.get("format") != FORMAT:
            self.close()
            raise RecordsError("records-newer" if facts else "records-none", path=path, format=facts.get("format", ""))
        self.device = facts["device"]
        self.recovery_copied = facts.get("recovery") != "shown"
        """Whether somebody said that the recovery key is on paper."""

        self._noted: seen.Seen | None = None

    @staticmethod
    def create(path: Path, passphrase: str, cost: int = seal.COST) -> str:
        """Make the file and return the recovery key, which is kept nowhere else; refuse where there is one."""
        return make(path, passphrase, cost)

    def close(self) -> None:
        """Lock and close; harmless when done already."""
        self.lock()
        self._database.close()

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lock(self) -> None:
        """Note how far the records have come, and forget the key."""
        with self._lock, suppress(RecordsError, StoreError):
            if self._key is not None and not self._database.in_transaction:
                self._note(self._key)
        self._key = None

    @property
    def locked(self) -> bool:
        """Whether somebody has to give the passphrase; asking does not count as use."""
        if self._key is not None and not 0 <= self._clock() - self._used <= self._idle_seconds:
            self.lock()
        return self._key is None

    def unlock(self, passphrase: str, *, older: bool = False) -> None:
        """Open with the passphrase, and check everything that was kept; `older` accepts a copy that was put back."""
        self._unlock("passphrase", seal.same_letters(passphrase), older)

    def recover(self, recovery: str, passphrase: str) -> None:
        """Open with the recovery key from the safe, and set a new passphrase."""
        secret = seal.clean_passphrase(passphrase)
        self._unlock("recovery", seal.read_recovery(recovery), False)
        self._rewrap("passphrase", secret)

    def change_passphrase(self, passphrase: str) -> None:
        """Seal the key with another passphrase; the events stay as they are."""
        self._rewrap("passphrase", seal.clean_passphrase(passphrase))

    def renew_recovery(self) -> str:
        """Return a new recovery key; the one printed before no longer opens anything."""
        recovery = seal.new_recovery()
        self.recovery_is("shown")
        self._rewrap("recovery", recovery)
        return recovery

    def recovery_is(self, how: str) -> None:
        """Keep that the recovery key was `shown`, or that somebody `copied` it onto paper."""
        with self.writing():
            self._database.execute("INSERT OR REPLACE INTO vault VALUES ('recovery', ?)", (how,))
        self.recovery_copied = how != "shown"

    def _unlock(self, kind: str, secret: str, older: bool) -> None:
        """Count the try before it is made, so that cutting the power does not give more tries."""
        with self.writing():
            failed, last = self._database.execute("SELECT count, at FROM failures").fetchone() or (0, 0.0)
            wait = wait_seconds(failed, self._clock() - last)
            if wait > 0:
                raise RecordsError("passphrase-wait", seconds=round(wait + 0.5))
            self._database.execute("INSERT OR REPLACE INTO failures VALUES (1, ?, ?)", (failed + 1, self._clock()))
        row = self._database.execute("SELECT kind, cost, salt, sealed FROM wraps WHERE kind = ?", (kind,)).fetchone()
        key = seal.unwrap(seal.Wrap(*row), secret, self.device) if row else None
        if key is None:
            raise RecordsError(f"{kind}-wrong", failed=failed + 1)
        with self.writing():
            self._database.execute("DELETE FROM failures")
        self._key, self._used = key, self._clock()
        self.shrink()
        try:
            for _ in self.events():
                pass
            if not older:
                self._compare(key)
        except RecordsError:
            self._key = None
            raise
        self._note(key)

    def _compare(self, key: bytes) -> None:
        """Refuse records that had come further before, or went another way."""
        noted, (seq, _) = seen.read(self.path, self.device, key), self._head(key)
        if noted is None or not noted.seq:
            return
        row = self._database.execute("SELECT hash FROM events WHERE seq = ?", (noted.seq,)).fetchone()
        if row != (noted.hashed,):
            raise RecordsError("records-older", path=self.path, here=seq, noted=noted.seq)
        self._noted = noted

    def _note(self, key: bytes) -> None:
        now = seen.Seen(*self._head(key))
        if now != self._noted:
            seen.write(self.path, self.device, key, now)
            self._noted = now

    def key(self) -> bytes:
        """Return the data key and count this as use; raise LockedError when the records are locked."""
        if self.locked or self._key is None:
            raise LockedError("records-locked")
        self._used = self._clock()
        return self._key

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the file alone; everything within is kept, or nothing. May be nested."""
        with self._lock:
            if self._database.in_transaction:
                yield self._database
                return
            with plain_errors(self.path):
                self._database.execute("BEGIN IMMEDIATE")
                try:
                    yield self._database
                    self._database.execute("COMMIT")
                except BaseException:
                    self._database.rollback()
                    raise

    def append(self, patient: str, content: bytes) -> int:
        """Seal one event of a patient; when this returns, a power cut can no longer take it."""
        key = self.key()
        with self.writing():
            seq, prev = self._head(key)
            at = position(self.device, seq + 1, patient, prev)
            sealed = seal.seal(self.patient_key(key, patient, make=True) or b"", content, at)
            digest = sha256(sealed).digest()
            hashed = sha256(at + digest).digest()
            self._database.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", (seq + 1, patient, prev, hashed, digest, sealed)
            )
            mac = head_mac(key, self.device, seq + 1, hashed)
            self._database.execute("UPDATE head SET seq = ?, hash = ?, mac = ?", (seq + 1, hashed, mac))
        return seq + 1

    def events(self, patient: str | None = None) -> Iterator[tuple[int, str, bytes]]:
        """Yield number, patient and content of every event, or of one patient's, after checking every place.

        Deleted ones are left out; an empty event that no mark of deletion explains is refused at the end.
        """
        key = self.key()
        prev, last = b"", 0
        empty: set[str] = set()
        deleted: set[str] = set()
        head, keys, rows = self._snapshot(key)
        for seq, owner, before, hashed, digest, sealed in rows:
            at = position(self.device, seq, owner, prev)
            if seq != last + 1 or before != prev or hashed != sha256(at + digest).digest():
                raise RecordsError("records-changed", path=self.path, seq=last + 1)
            prev, last = hashed, seq
            if not sealed:
                empty.add(owner)
                continue
            found = keys.get(owner)
            content = seal.unseal(found, sealed, at) if found and sha256(sealed).digest() == digest else None
            if content is None:
                raise RecordsError("records-changed", path=self.path, seq=seq)
            if not owner:
                deleted.add(json.loads(content)["deleted"])
            if patient in (None, owner):
                yield seq, owner, content
        if head != (last, prev) or empty - deleted:
            raise RecordsError("records-changed", path=self.path, seq=last + 1)

    def erase(self, patient: str, mark: dict[str, str | int]) -> None:
        """Delete a patient's key and sealed texts, and keep a mark that names neither. Then `shrink`."""
        with self.writing():
            self.append("", json.dumps({**mark, "deleted": patient}).encode())
            for table in ("keys", "pages"):
                self._database.execute(f"DELETE FROM {table} WHERE patient = ?", (patient,))
            self._database.execute("UPDATE events SET sealed = x'' WHERE patient = ?", (patient,))

    def set_page(self, patient: str, content: bytes) -> None:
        """Keep what is not finished about a patient in place of what was kept before; nothing: no page."""
        with self.writing():
            if content and (key := self.patient_key(self.key(), patient)):
                sealed = seal.seal(key, content, page_at(self.device, patient))
                self._database.execute("INSERT OR REPLACE INTO pages VALUES (?, ?)", (patient, sealed))
            else:
                self._database.execute("DELETE FROM pages WHERE patient = ?", (patient,))

    def page(self, patient: str) -> bytes:
        """Return what is not finished about a patient; nothing where there is none, or it does not open."""
        with self._lock, plain_errors(self.path):
            row = self._database.execute("SELECT sealed FROM pages WHERE patient = ?", (patient,)).fetchone()
            key = self.patient_key(self.key(), patient)
        return (seal.unseal(key, row[0], page_at(self.device, patient)) if row and key else None) or b""

    def _snapshot(self, key: bytes) -> tuple[tuple[int, bytes], dict[str, bytes | None], list[tuple[Any, ...]]]:
        """Read the end, the patients' keys and all rows at one moment, whoever else is writing."""
        with self._lock, plain_errors(self.path):
            nested = self._database.in_transaction
            if not nested:
                self._database.execute("BEGIN")
            try:
                head = self._head(key)
                owners = [owner for (owner,) in self._database.execute("SELECT patient FROM keys").fetchall()]
                keys = {owner: self.patient_key(key, owner) for owner in ("", *owners)}
                columns = "seq, patient, prev, hash, digest, sealed"
                return head, keys, self._database.execute(f"SELECT {columns} FROM events ORDER BY seq").fetchall()
            finally:
                if not nested:
                    self._database.execute("COMMIT")

    def shrink(self) -> None:
        """Leave no old page beside the file; within it, SQLite overwrites what is deleted."""
        with self._lock, plain_errors(self.path):
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _rewrap(self, kind: str, secret: str) -> None:
        cost = self._database.execute("SELECT cost FROM wraps WHERE kind = ?", (kind,)).fetchone()[0]
        one = seal.wrap(self.key(), kind, secret, self.device, cost)
        with self.writing():
            row = (one.cost, one.salt, one.sealed, one.kind)
            self._database.execute("UPDATE wraps SET cost = ?, salt = ?, sealed = ? WHERE kind = ?", row)
        self.shrink()

    def _head(self, key: bytes) -> tuple[int, bytes]:
        seq, hashed, mac = self._database.execute("SELECT seq, hash, mac FROM head").fetchone() or (0, b"", b"")
        if not hmac.compare_digest(mac, head_mac(key, self.device, seq, hashed)):
            raise RecordsError("records-changed", path=self.path, seq=seq)
        return seq, hashed

    def patient_key(self, key: bytes, patient: str, make: bool = False) -> bytes | None:
        """Return a patient's own key, which deletion destroys; marks of deletion have one that stays."""
        if not patient:
            return seal.derived(key, "marks")
        keeper, at = seal.derived(key, "patients"), f"amauta patient|{self.device}|{patient}".encode()
        row = self._database.execute("SELECT sealed FROM keys WHERE patient = ?", (patient,)).fetchone()
        if row is None and make:
            fresh = seal.new_key()
            self._database.execute("INSERT INTO keys VALUES (?, ?)", (patient, seal.seal(keeper, fresh, at)))
            return fresh
        return seal.unseal(keeper, row[0], at) if row else None

"""Visits are sealed, never changed, and gone when deleted; a stolen disk says nothing."""

from __future__ import annotations

import base64
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.records import seal, unsaved
from edge.records.book import Book
from edge.records.errors import LockedError, RecordsError
from edge.records.schema import LONGEST_WAIT_SECONDS, wait_seconds
from edge.records.vault import Vault
from edge.records.visit import Patient, Visit

ROOT = Path(__file__).parent.parent.parent
PASSPHRASE = "lluvia cabra tornillo ñandú"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SECRETS = ("Rosa Quispe Mamani", "Ccorca Alto", "HC-004512", "tos con tiraje", "referida al hospital")


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "records.db"


@pytest.fixture
def recovery(path: Path) -> str:
    return Vault.create(path, PASSPHRASE, cost=10)


@pytest.fixture
def vault(path: Path, recovery: str, clock: Clock) -> Iterator[Vault]:
    with Vault(path, clock) as vault:
        vault.unlock(PASSPHRASE)
        yield vault


@pytest.fixture
def book(vault: Vault) -> Book:
    return Book(vault)


def rosa(book: Book) -> tuple[Patient, Visit]:
    patient = book.add_patient(
        Patient("", SECRETS[0], birth="2025-03-01", sex="female", community=SECRETS[1], number=SECRETS[2]), NOW
    )
    return patient, book.write(Visit("", patient.id, "2026-11-26", notes=SECRETS[3], outcome=SECRETS[4]), NOW)


def refused(key: str, act: Callable[[], object]) -> None:
    with pytest.raises(RecordsError) as caught:
        act()
    assert caught.value.key == key


def test_a_final_visit_never_changes_and_a_correction_stands_beside_it(book: Book) -> None:
    patient, visit = rosa(book)
    book.write(replace(visit, notes="tos con tiraje, 52 por minuto"), NOW)
    refused("visit-state", lambda: book.hand_over(visit.id, "Hospital", NOW))
    refused("visit-state", lambda: book.correct(visit.id, "no", "Ana", NOW))
    refused("by-nobody", lambda: book.confirm(visit.id, "  ", NOW))
    book.confirm(visit.id, "Ana Flores", NOW)
    refused("visit-state", lambda: book.write(replace(visit, notes="otra cosa"), NOW))
    refused("visit-state", lambda: book.confirm(visit.id, "Ana", NOW))
    book.correct(visit.id, "eran 54", "Ana Flores", NOW)
    book.hand_over(visit.id, "Hospital Regional", NOW)
    refused("visit-state", lambda: book.hand_over(visit.id, "Otro", NOW))
    found = book.find(visit.id[:6])[1]
    assert (found.state, found.notes, found.confirmed_by) == (
        "handed-over",
        "tos con tiraje, 52 por minuto",
        "Ana Flores",
    )
    assert [one.text for one in found.corrections] == ["eran 54"]
    assert len(book.everything_about(patient.id)["events"]) == 6


def test_what_was_kept_is_there_after_the_passphrase_and_only_then(path: Path, book: Book, clock: Clock) -> None:
    rosa(book)
    with Vault(path, clock) as again:
        with pytest.raises(LockedError):
            Book(again).patients()
        again.unlock("  " + PASSPHRASE.replace("ñ", "n\u0303") + " ")
        assert [one.name for one in Book(again).patients()] == [SECRETS[0]]


def test_unused_records_lock_and_use_keeps_them_open(book: Book, clock: Clock) -> None:
    clock.now += 299
    book.patients()
    clock.now += 299
    book.patients()
    clock.now += 301
    assert book.vault.locked
    with pytest.raises(LockedError):
        book.patients()
    with pytest.raises(LockedError):
        rosa(book)
    book.vault.unlock(PASSPHRASE)
    clock.now -= 10_000
    assert book.vault.locked, "a clock that was set back does not keep them open"


def test_wrong_passphrases_slow_down_also_after_a_restart(path: Path, recovery: str, clock: Clock) -> None:
    for _ in range(3):
        with Vault(path, clock) as vault:
            refused("passphrase-wrong", lambda vault=vault: vault.unlock("lluvia cabra tornillo"))
    with Vault(path, clock) as vault:
        refused("passphrase-wait", lambda: vault.unlock(PASSPHRASE))
        clock.now += 2
        vault.unlock(PASSPHRASE)
        refused("passphrase-wrong", lambda: vault.unlock("no es esta frase"))
    assert wait_seconds(40, 0) == LONGEST_WAIT_SECONDS
    assert wait_seconds(40, -1e9) == LONGEST_WAIT_SECONDS


def test_another_passphrase_and_the_recovery_key_open_the_same_visits(
    path: Path, book: Book, recovery: str, clock: Clock
) -> None:
    rosa(book)
    book.vault.change_passphrase("nueve piedras azules hablan")
    with Vault(path, clock) as vault:
        refused("passphrase-wrong", lambda: vault.unlock(PASSPHRASE))
        vault.recover(recovery.lower().replace("-", " "), "tres soles de arcilla fría")
        assert len(Book(vault).visits()) == 1
        fresh = vault.renew_recovery()
        vault.lock()
        refused("recovery-wrong", lambda: vault.recover(recovery, PASSPHRASE))
        vault.recover(fresh, PASSPHRASE)
        vault.unlock(PASSPHRASE)
    refused("recovery-form", lambda: seal.read_recovery("ABCD-EFGH"))
    refused("passphrase-short", lambda: seal.clean_passphrase("aaaaaaaaaaaaaaaaaaaa"))
    refused("records-exist", lambda: Vault.create(path, PASSPHRASE, cost=10))


TAMPERING = {
    "another text": "UPDATE events SET sealed = (SELECT sealed FROM events WHERE seq = 1) WHERE seq = 2",
    "two swapped": "UPDATE events SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3)",
    "one left out": "DELETE FROM events WHERE seq = 2",
    "the end cut off": "DELETE FROM events WHERE seq = 4",
    "the end cut off with its mark": "DELETE FROM events WHERE seq = 4; UPDATE head SET seq = 3, hash ="
    " (SELECT hash FROM events WHERE seq = 3)",
    "one emptied": "UPDATE events SET sealed = x'' WHERE seq = 2",
    "one played again": "INSERT INTO events SELECT 5, patient, prev, hash, digest, sealed FROM events WHERE seq = 4",
    "given to another patient": "UPDATE events SET patient = (SELECT patient FROM events WHERE seq = 4) WHERE seq = 2",
    "keys exchanged": "UPDATE keys SET sealed = (SELECT sealed FROM keys ORDER BY patient DESC LIMIT 1)",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_a_changed_file_is_noticed_when_it_is_opened(path: Path, book: Book, clock: Clock, how: str) -> None:
    rosa(book)
    other = book.add_patient(Patient("", "Luis Choque"), NOW)
    book.write(Visit("", other.id, "2026-11-26"), NOW)
    book.vault.close()
    database = sqlite3.connect(path)
    database.executescript("DROP TRIGGER events_stay; DROP TRIGGER events_fixed;" + TAMPERING[how])
    if how == "two swapped":
        database.execute("UPDATE events SET seq = -seq WHERE seq < 0")
        database.commit()
    database.close()
    with Vault(path, clock) as vault:
        refused("records-changed", lambda: vault.unlock(PASSPHRASE))
        assert vault.locked


def test_the_file_itself_refuses_to_change_an_event(path: Path, book: Book) -> None:
    rosa(book)
    database = sqlite3.connect(path)
    for statement in ("DELETE FROM events", "UPDATE events SET sealed = x'00'", "UPDATE events SET patient = 'x'"):
        with pytest.raises(sqlite3.IntegrityError):
            database.execute(statement)
    database.close()


def spellings(text: str) -> list[bytes]:
    """The text as a disk may hold it: three encodings, JSON, and base64 at each of its three offsets."""
    raw = text.encode()
    found = [raw, text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode("latin-1")]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        found.append(encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4])
    return found


def readable(home: Path, texts: tuple[str, ...]) -> list[str]:
    files = [one for one in home.rglob("*") if one.is_file()]
    assert files
    pieces = [word for text in texts for word in (text, *text.split()) if len(word) > 3]
    return [
        f"{piece} in {one.name}"
        for one in files
        for piece in pieces
        if any(form in one.read_bytes() for form in spellings(piece) if len(form) > 4)
    ]


def test_a_stolen_disk_says_nothing_while_open_after_closing_and_after_deletion(path: Path, book: Book) -> None:
    for _ in range(5):
        patient, visit = rosa(book)
        book.confirm(visit.id, "Ana", NOW)
    name = unsaved.keep(book.vault, "", {"answers": {SECRETS[3]: SECRETS[4]}})
    assert path.with_name("records.db-wal").stat().st_size > 0
    assert readable(path.parent, (*SECRETS, PASSPHRASE)) == []
    assert unsaved.read(book.vault, name) == {"answers": {SECRETS[3]: SECRETS[4]}}
    unsaved.forget(book.vault, name)
    assert unsaved.read(book.vault, name) == {}
    book.delete(patient.id, "Ana", NOW)
    book.vault.close()
    assert readable(path.parent, (*SECRETS, PASSPHRASE)) == []
    (path.parent / "leak.txt").write_bytes(base64.b64encode(b"x Rosa Quispe Mamani y"))
    assert readable(path.parent, SECRETS), "the search itself finds what lies open"


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import time
from edge.records.book import Book
from edge.records.vault import Vault
from edge.records.visit import Patient, Visit
vault = Vault(Path(sys.argv[1]), time)
vault.unlock(sys.argv[2])
book = Book(vault)
while True:
    patient = book.add_patient(Patient("", "Rosa Quispe Mamani", community="Ccorca Alto"), datetime.now(UTC))
    visit = book.write(Visit("", patient.id, "2026-11-26", notes="tos con tiraje"), datetime.now(UTC))
    print(visit.id, flush=True)
"""


def test_a_kill_takes_no_visit_that_was_kept_and_leaves_nothing_readable(
    path: Path, recovery: str, clock: Clock, tmp_path: Path
) -> None:
    told: list[str] = []
    for many in (1, 3, 7):
        command = [sys.executable, "-c", KILLED, str(path), PASSPHRASE]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={"TMPDIR": str(tmp_path)}
        ) as writer:
            assert writer.stdout is not None
            told += [writer.stdout.readline().strip() for _ in range(many)]
            writer.send_signal(signal.SIGKILL)
        assert readable(tmp_path, SECRETS) == []
    with Vault(path, clock) as vault:
        vault.unlock(PASSPHRASE)
        kept = {visit.id for visit in Book(vault).visits()}
    assert set(told) <= kept
    assert len(told) == 11


def test_deletion_leaves_a_mark_and_nothing_to_open(path: Path, book: Book, clock: Clock) -> None:
    patient, visit = rosa(book)
    other, _ = rosa(book)
    refused("patient-unknown", lambda: book.delete("nobody", "Ana", NOW))
    assert book.delete(patient.id, "Ana", NOW) == 2
    assert [one.id for one in book.patients()] == [other.id]
    refused("visit-unknown", lambda: book.find(visit.id))
    refused("patient-unknown", lambda: book.everything_about(patient.id))
    rosa(book)
    book.vault.close()
    database = sqlite3.connect(path)
    assert database.execute("SELECT count(*) FROM keys WHERE patient = ?", [patient.id]).fetchone() == (0,)
    assert database.execute("SELECT max(length(sealed)) FROM events WHERE patient = ?", [patient.id]).fetchone() == (0,)
    database.close()
    with Vault(path, clock) as vault:
        vault.unlock(PASSPHRASE)
        assert len(Book(vault).visits()) == 2
        marks = [content for _, owner, content in vault.events() if not owner]
    assert len(marks) == 1
    assert SECRETS[0].encode() not in marks[0]


def test_two_windows_write_one_after_the_other(path: Path, book: Book, clock: Clock) -> None:
    with Vault(path, clock) as vault:
        vault.unlock(PASSPHRASE)
        other = Book(vault)
        patient, visit = rosa(book)
        other.confirm(visit.id, "Ana", NOW)
        refused("visit-state", lambda: book.confirm(visit.id, "Eva", NOW))
        other.add_patient(replace(patient, community="Otra"), NOW)
        assert book.find_patient(SECRETS[2]).community == "Otra"

"""An older copy of the records is noticed, what is not finished survives, and errors are said in words."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.errors import EdgeError
from edge.records.book import Book
from edge.records.errors import RecordsError
from edge.records.exports import EXPORTS
from edge.records.vault import Vault
from edge.records.visit import Patient, Visit
from edge.settings import Settings
from edge.triage.condition_said import MOST_ATOMS, condition_lines
from edge.triage.shelf import EMBEDDED
from edge.triage.table import read_table
from edge.words import LANGUAGES, words_for

PASSPHRASE = "lluvia cabra tornillo"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture
def path(home: Path) -> Path:
    Vault.create(home / "records.db", PASSPHRASE, cost=10)
    return home / "records.db"


def with_visit(path: Path) -> Visit:
    with Vault(path, lambda: 0.0) as vault:
        vault.unlock(PASSPHRASE)
        book = Book(vault)
        patient = book.add_patient(Patient("", "Marina Quispe"), NOW)
        return book.write(Visit("", patient.id, "2026-11-26"), NOW)


def opened(path: Path, *, older: bool = False) -> int:
    with Vault(path, lambda: 0.0) as vault:
        vault.unlock(PASSPHRASE, older=older)
        return len(Book(vault).visits())


def test_an_older_copy_put_back_is_refused_until_somebody_accepts_it(path: Path) -> None:
    with_visit(path)
    shutil.copy(path, path.with_name("copy"))
    with_visit(path)
    assert opened(path) == 2
    shutil.copy(path.with_name("copy"), path)
    with pytest.raises(RecordsError) as caught:
        opened(path)
    assert caught.value.key == "records-older"
    assert "tienen 2 sucesos y llegaron a 4" in caught.value.say("es")
    assert opened(path, older=True) == 1
    assert opened(path) == 1, "accepted once is accepted"


def test_another_way_after_an_older_copy_is_refused_too(path: Path) -> None:
    with_visit(path)
    shutil.copy(path, path.with_name("copy"))
    seen = path.with_name("records.db.seen")
    with_visit(path)
    noted = seen.read_bytes()
    shutil.copy(path.with_name("copy"), path)
    seen.unlink()
    with_visit(path)
    with_visit(path)
    seen.write_bytes(noted)
    with pytest.raises(RecordsError, match="older"):
        opened(path)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"seq": 99, "hash": "00", "mark": "00"}', b"\xff"])
def test_a_mark_that_nobody_with_the_key_made_says_nothing(path: Path, text: bytes) -> None:
    with_visit(path)
    path.with_name("records.db.seen").write_bytes(text)
    assert opened(path) == 1


def test_answers_of_a_table_that_is_not_finished_stay_until_the_draft_is_written(path: Path) -> None:
    visit = with_visit(path)
    with Vault(path, lambda: 0.0) as vault:
        vault.unlock(PASSPHRASE)
        book = Book(vault)
        for answers in ({"age": "14"}, {"age": "14", "convulsions": "no"}):
            book.begin(visit, "child-cough", "ab" * 32, answers)
        before = vault.path.stat().st_size
        assert book.begun(visit)["answers"] == {"age": "14", "convulsions": "no"}
        assert book.begun(replace(visit, id="another")) == {}
        book.write(visit, NOW)
        assert book.begun(visit) == {}
        book.begin(visit, "child-cough", "ab" * 32, {"age": "15"})
        book.delete(visit.patient, "Ana", NOW)
        assert vault.page(visit.patient) == b""
        assert vault.path.stat().st_size <= before + (64 << 10)


def test_a_file_that_was_begun_and_never_made_is_none(home: Path) -> None:
    home.mkdir()
    (home / "records.db").touch()
    with pytest.raises(EdgeError) as caught:
        Vault(home / "records.db", lambda: 0.0)
    assert caught.value.key == "records-none"
    Vault.create(home / "records.db", PASSPHRASE, cost=10)
    assert opened(home / "records.db") == 0


def test_states_are_said_in_words(path: Path) -> None:
    visit = with_visit(path)
    with Vault(path, lambda: 0.0) as vault:
        vault.unlock(PASSPHRASE)
        book = Book(vault)
        with pytest.raises(RecordsError) as caught:
            book.hand_over(visit.id, "Hospital", NOW)
        assert "está en «borrador» y no puede pasar a «entregada»" in caught.value.say("es")
        book.confirm(visit.id, "Ana", NOW)
        with pytest.raises(RecordsError, match="empty"):
            book.correct(visit.id, "  ", "Ana", NOW)


def test_the_referral_as_text_says_what_the_page_says(path: Path, settings: Settings) -> None:
    visit = with_visit(path)
    with Vault(path, lambda: 0.0) as vault:
        vault.unlock(PASSPHRASE)
        book = Book(vault)
        book.confirm(visit.id, "Ana Flores", NOW)
        said = EXPORTS["referral-text"](book, visit.id, settings, words_for("edge", "es")).decode()
    assert said.startswith("Hoja de referencia\n\nPaciente:\n  Marina Quispe\n")
    assert "Confirmó:\n  Ana Flores, 2026-11-26" in said


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", sorted(path.stem for path in EMBEDDED.glob("*.toml")))
def test_a_condition_is_said_with_the_questions_and_never_with_names_of_the_file(name: str, lang: str) -> None:
    table = read_table(EMBEDDED / f"{name}.toml")
    names = [one.id for one in table.inputs if "_" in one.id]
    for row in table.rows:
        said = " ".join(condition_lines(table, row.when, words_for("edge", lang)))
        assert said
        assert not [each for each in names if each in said]
        assert len(said) < 150 * MOST_ATOMS

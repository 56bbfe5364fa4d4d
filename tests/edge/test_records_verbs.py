"""The verbs of the records: each asks for the passphrase, and a dry run changes nothing."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from time import time

import pytest

from edge.cli import main
from edge.records.book import Book
from edge.records.vault import Vault
from edge.records.visit import Patient, Visit

PASSPHRASE = "lluvia cabra tornillo ñandú"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture
def visit(home: Path) -> Visit:
    Vault.create(home / "records.db", PASSPHRASE, cost=10)
    with Vault(home / "records.db", time) as vault:
        vault.unlock(PASSPHRASE)
        book = Book(vault)
        patient = book.add_patient(Patient("", "Rosa Quispe", birth="2025-03-01", number="HC-7"), NOW)
        return book.confirm(book.write(Visit("", patient.id, "2026-11-26", notes="tos"), NOW).id, "Ana", NOW)


def amauta(monkeypatch: pytest.MonkeyPatch, *words: str, said: str = PASSPHRASE) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(said + "\n" + said + "\n"))
    return main(["clinic", *words])


def test_records_are_made_once_and_open_with_their_passphrase_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert amauta(monkeypatch, "visits") == 1
    assert amauta(monkeypatch, "key", "new") == 0
    recovery = capsys.readouterr().out.strip()
    assert len(recovery.split("-")) == 8
    assert amauta(monkeypatch, "key", "new") == 1
    assert amauta(monkeypatch, "unlock-check") == 0
    assert amauta(monkeypatch, "unlock-check", said="otra frase cualquiera") == 1
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{recovery}\nnueve piedras azules\n"))
    assert main(["clinic", "key", "recover"]) == 0
    assert amauta(monkeypatch, "unlock-check", said="nueve piedras azules") == 0


def test_a_patient_is_exported_whole_and_deleted_for_ever(
    home: Path, visit: Visit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "rosa.json"
    assert amauta(monkeypatch, "export", "patient", "HC-7", str(out), "--dry-run") == 0
    assert not out.exists()
    assert amauta(monkeypatch, "export", "patient", "HC-7", str(out)) == 0
    assert json.loads(out.read_bytes())["visits"][0]["notes"] == "tos"
    assert amauta(monkeypatch, "delete", "HC-7", "--by", "Ana", "--dry-run") == 0
    capsys.readouterr()
    assert amauta(monkeypatch, "show", visit.id[:5], "--json") == 0
    assert json.loads(capsys.readouterr().out)["patient"]["name"] == "Rosa Quispe"
    assert amauta(monkeypatch, "delete", "HC-7", "--by", "Ana") == 0
    capsys.readouterr()
    assert amauta(monkeypatch, "visits", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"visits": []}
    assert amauta(monkeypatch, "show", visit.id) == 1

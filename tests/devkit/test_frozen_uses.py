"""A frozen folder serves a class and a health post: the parts that are imported, started or read only there.

Needs a folder made by `amauta-kit freeze` (AMAUTA_FROZEN, or the newest in build/freeze).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.records.book import Book
from edge.records.vault import Vault
from edge.records.visit import Patient, Visit
from edge.shared.client import SharedEngine
from school import school

ROOT = Path(__file__).parent.parent.parent
PASSPHRASE = "lluvia cabra tornillo"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
PATIENCE_S = 60

pytestmark = pytest.mark.slow

if sys.platform == "win32":
    pytest.skip("signals of Unix", allow_module_level=True)


@pytest.fixture
def program(frozen: Path) -> Path:
    return frozen / "amauta"


def surroundings(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "AMAUTA_HOME": str(home), "AMAUTA_LANG": "es", **more}


def run(program: Path, home: Path, *arguments: str, said: str = "") -> str:
    done = subprocess.run(
        [str(program), *arguments], cwd=home, env=surroundings(home), input=said, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_model_of_a_class_opens_and_keeps_to_a_form(program: Path, tmp_path: Path) -> None:
    """The app starts itself once more for it; forms are made by a file of llama-cpp-python."""
    school(tmp_path)
    command = [str(program), "classroom", "--host", "127.0.0.1", "--json"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=surroundings(tmp_path), stdout=subprocess.PIPE, stderr=quiet) as app:
        assert app.stdout is not None
        said: list[str] = []
        end = time.monotonic() + PATIENCE_S
        while not {"ready", "restarting"} & set(said) and time.monotonic() < end:
            said.append(json.loads(app.stdout.readline() or b"{}").get("state", ""))
        shape = {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}
        asked = SharedEngine(tmp_path, "rosa").stream(
            [{"role": "user", "content": "¿Sí o no?"}], max_tokens=24, stop=lambda: False, shape=shape
        )
        answer = "".join(piece for piece in asked if isinstance(piece, str)) if "ready" in said else ""
        app.send_signal(signal.SIGINT)
    assert "ready" in said, said
    assert isinstance(json.loads(answer)["yes"], bool)


def test_a_health_post_prints_a_referral_and_reads_forms(program: Path, tmp_path: Path) -> None:
    Vault.create(tmp_path / "records.db", PASSPHRASE, cost=10)
    with Vault(tmp_path / "records.db", time.time) as vault:
        vault.unlock(PASSPHRASE)
        book = Book(vault)
        patient = book.add_patient(Patient("", "Rosa Quispe", birth="2025-03-01"), NOW)
        visit = book.confirm(book.write(Visit("", patient.id, "2026-11-26", notes="tos"), NOW).id, "Ana", NOW)
    run(program, tmp_path, "clinic", "export", "referral", visit.id, "sheet.pdf", said=f"{PASSPHRASE}\n")
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF-")
    run(program, tmp_path, "clinic", "export", "fhir", visit.id, "visit.json", said=f"{PASSPHRASE}\n")
    assert json.loads((tmp_path / "visit.json").read_bytes())["resourceType"] == "Bundle"
    run(program, tmp_path, "clinic", "xlsform", "child-cough", "cough.xlsx")
    assert 'id = "child-cough"' in run(program, tmp_path, "clinic", "import", "cough.xlsx")


def test_a_health_post_makes_no_index_and_nobody_is_told_what_it_asked(program: Path, tmp_path: Path) -> None:
    environment = surroundings(tmp_path, AMAUTA_PLACE="clinic")
    asked = [str(program), "ask", "¿Cómo preparo suero oral?", "--json"]
    done = subprocess.run(asked, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["mode"] != "none"
    assert not (tmp_path / "index").exists()
    assert not (tmp_path / ".cache" / "Microsoft").exists(), "onnxruntime kept what it would send"

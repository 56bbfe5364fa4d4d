"""`amauta models` through the real command: what it says, and what it leaves on the disk."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest

from edge.cli import main
from edge.release import installed
from edge.release.card import Condition, Gate, ReportCard
from edge.release.installed import InstalledModel, add_model, installed_models, model_for
from edge.release.manifest import embedded_release
from edge.settings import Settings

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini" / "mini.gguf"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A GGUF file a technician brings on a stick."""
    return Path(shutil.copy(MINI, tmp_path / "Otro Modelo.gguf"))


def test_list_names_what_is_here_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    said = capsys.readouterr()
    here, elsewhere = said.out.split("En el catálogo")
    assert "mini" in here
    assert "reader" in here
    assert "solo para probar" in here
    assert "qwen3-0.6b-q8_0" in elsewhere
    assert "nadie de Amauta" in said.err


def test_list_answers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    mini = next(row for row in answer["installed"] if row["id"] == "mini")
    assert mini["embedded"]
    assert mini["may"]["free_chat"] is False
    assert all(row["verified"] is row["embedded"] for row in answer["catalogue"])


def test_verify_reads_everything_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["models"]
    assert {"id": "mini", "good": True} in rows


def test_verify_finds_one_changed_byte(other: Path, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", str(other)]) == 0
    path = settings.models_folder / "otro-modelo.gguf"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert main(["models", "verify"]) == 1
    assert "otro-modelo: está dañado" in capsys.readouterr().out


def test_an_added_model_can_be_listed_tried_and_removed(
    other: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "add", str(other)]) == 0
    assert "Solo se puede probar" in capsys.readouterr().err
    assert main(["models", "try", "hola", "--model", "otro-modelo", "--max-tokens", "4"]) == 0
    assert capsys.readouterr().out.strip()
    assert main(["models", "rm", "otro-modelo"]) == 0
    assert list(settings.models_folder.iterdir()) == []


def test_dry_runs_change_nothing(other: Path, settings: Settings) -> None:
    assert main(["models", "add", str(other), "--dry-run"]) == 0
    assert not settings.models_folder.exists()
    assert main(["models", "add", str(other)]) == 0
    before = sorted(settings.models_folder.iterdir())
    assert main(["models", "rm", "otro-modelo", "--dry-run"]) == 0
    assert sorted(settings.models_folder.iterdir()) == before


def test_try_runs_the_mini_and_says_what_it_may_not_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "try", "Cuenta un cuento: El zorro", "--max-tokens", "20"]) == 0
    said = capsys.readouterr()
    assert said.out.strip()
    assert "puede ser falso" in said.err
    assert "conversar" in said.err
    assert "por segundo" in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rm", "mini"], "viene con Amauta"),
        (["rm", "nada"], "Aquí no hay ningún modelo «nada»"),
        (["try", "hola", "--model", "gpt-9"], "Aquí no hay ningún modelo «gpt-9»"),
        (["add", "/no/existe.gguf"], "No puedo leer el modelo /no/existe.gguf"),
        (["add", str(MINI)], "Ya hay un modelo «mini»"),
        (["try", "palabra " * 12_500], "Haz una pregunta más corta"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_done_is_said_in_words(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *arguments]) == 1
    assert words in capsys.readouterr().err


def test_an_incomplete_file_is_not_added(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "medio.gguf"
    path.write_bytes(MINI.read_bytes()[:1_000_000])
    assert main(["models", "add", str(path)]) == 1
    assert "está incompleto" in capsys.readouterr().err
    assert not settings.models_folder.exists()


def test_a_file_that_only_bears_the_name_of_a_known_model_is_not_added(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(shutil.copy(MINI, tmp_path / "Qwen3-0.6B-Q8_0.gguf"))
    assert main(["models", "add", str(path)]) == 1
    assert "su contenido es otro" in capsys.readouterr().err


def test_a_full_disk_is_said_in_words_and_leaves_nothing(
    other: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(source: object, target: object, length: int) -> None:
        """Write like a disk without space."""
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(installed.shutil, "copyfileobj", full)
    assert main(["models", "add", str(other)]) == 1
    assert "Libera espacio" in capsys.readouterr().err
    assert list(settings.models_folder.iterdir()) == []


def test_a_file_copied_by_hand_has_proved_nothing(other: Path, settings: Settings) -> None:
    settings.models_folder.mkdir(parents=True)
    shutil.copy(other, settings.models_folder / "a-mano.gguf")
    model = next(m for m in installed_models(settings, embedded_release()) if m.id == "a-mano")
    assert not installed.is_whole(model)
    assert len(model.closed()) == 6


def test_a_card_about_another_file_opens_nothing() -> None:
    good = ReportCard("x", {"hint": Gate((Condition("f1", 1.0, 0.5),))}, {}, sha256="b" * 64)
    assert InstalledModel("x", "lm", MINI, True, "b" * 64, None, good).allows("hint")
    assert not InstalledModel("x", "lm", MINI, True, "a" * 64, None, good).allows("hint")
    unnamed = ReportCard("x", good.capabilities, {}, sha256="")
    assert not InstalledModel("x", "lm", MINI, True, "", None, unnamed).allows("hint")


def test_a_damaged_report_card_closes_the_model_and_nothing_else(tmp_path: Path) -> None:
    artifact = next(a for a in embedded_release().artifacts if a.id == "mini")
    (tmp_path / "mini").mkdir()
    (tmp_path / "mini" / "card.json").write_text("{")
    assert installed._card_of(artifact, tmp_path) is None
    model = InstalledModel("mini", "lm", MINI, True, artifact.sha256 or "", artifact, None)
    assert len(model.closed()) == 6
    assert not installed.is_whole(model)


def test_no_model_here_may_answer_unless_its_card_says_so(other: Path, settings: Settings) -> None:
    release = embedded_release()
    add_model(other, settings, release, dry_run=False)
    for capability in ("free_chat", "grounded_answer"):
        chosen = model_for(settings, release, capability)
        assert chosen is None or chosen.allows(capability)

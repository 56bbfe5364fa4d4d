"""`amauta-kit laptop` says what a laptop needs and can hold, and copies nothing."""

from __future__ import annotations

import json

import pytest

from devkit.cli import main


def planned(capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict[str, object]]:
    assert main(["laptop", "--json", *argv]) == 0
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return rows


def test_a_small_laptop_gets_packs_and_embedded_models_only(capsys: pytest.CaptureFixture[str]) -> None:
    rows = planned(capsys, "--ram-mb", "600", "--lang", "es")
    assert {row["name"] for row in rows if row["what"] == "pack"} == {"primaria"}
    assert all(row["embedded"] for row in rows if row["what"] == "model")


def test_more_memory_never_plans_a_smaller_model(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = [
        max((int(str(r["size"])) for r in planned(capsys, "--ram-mb", str(ram)) if not r["embedded"] and r["what"] == "model"), default=0)
        for ram in (1000, 2000, 4000, 8000, 16000)
    ]  # fmt: skip
    assert sizes == sorted(sizes)
    assert sizes[-1] > 0


def test_the_pack_follows_the_language(capsys: pytest.CaptureFixture[str]) -> None:
    rows = planned(capsys, "--ram-mb", "4000", "--lang", "pt")
    assert {row["name"] for row in rows if row["what"] == "pack"} == {"fundamental"}


@pytest.mark.parametrize(("argv", "said"), [(("--ram-mb", "20"), "20 MB"), (("--lang", "qu"), "«qu»")])
def test_bad_input_gets_a_clear_sentence(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], said: str) -> None:
    assert main(["laptop", *argv]) == 1
    assert said in capsys.readouterr().err

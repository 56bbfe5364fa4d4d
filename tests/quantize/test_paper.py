"""A distillation's memory and hours on paper: known sizes come out, and more machines mean less time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from quantize.recipe import RecipeError
from quantize.shrink.paper import (
    KNOWN,
    Machine,
    PaperSettings,
    cache_bytes_a_token,
    main,
    network_of,
    paper,
    student_bytes,
    student_hours,
    teacher_bytes,
    teacher_hours,
)
from quantize.shrink.settings import DistilSettings

LATAM = PaperSettings(
    KNOWN["llama-3.1-70b"],
    KNOWN["llama-3.2-1b"],
    DistilSettings(context=2048, tokens=240_000_000, rows=128, micro_rows=4, teacher_rows=4),
)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("llama-3.1-70b", 70_553_706_496),
        ("llama-3.1-8b", 8_030_261_248),
        ("llama-3.2-3b", 3_212_749_824),
        ("llama-3.2-1b", 1_235_814_400),
    ],
)
def test_public_shapes_have_their_published_parameters(name: str, parameters: int) -> None:
    assert KNOWN[name].parameters == parameters


def test_a_teacher_of_seventy_billion_needs_more_than_one_card_of_eighty() -> None:
    alone = replace(LATAM, machine=Machine(devices=1))
    assert teacher_bytes(alone) > 141e9
    assert teacher_bytes(LATAM) < 80e9
    assert "no, 80 GB" in paper(alone)


def test_twice_the_devices_is_half_the_hours() -> None:
    one, two = (replace(LATAM, machine=Machine(devices=count)) for count in (1, 2))
    assert teacher_hours(one, 1e6) == pytest.approx(2 * teacher_hours(two, 1e6))
    assert student_hours(one, 1e6) == pytest.approx(2 * student_hours(two, 1e6))
    assert student_bytes(two, shared=True) < student_bytes(two, shared=False)


def test_the_cache_holds_what_the_docs_say() -> None:
    assert cache_bytes_a_token(LATAM) == 258
    small = replace(LATAM, teacher=replace(LATAM.teacher, vocabulary=8192))
    assert cache_bytes_a_token(small) == 208


def test_the_students_own_words_are_counted_when_asked_for() -> None:
    assert "own words" not in paper(LATAM)
    assert "own words" in paper(replace(LATAM, distil=replace(LATAM.distil, policy_windows=4096)))


def test_numbers_that_cannot_be_are_refused() -> None:
    for wrong in (
        replace(LATAM, machine=Machine(devices=0)),
        replace(LATAM, teacher_numbers="int3"),
        replace(LATAM, distil=replace(LATAM.distil, tokens=0)),
    ):
        with pytest.raises(RecipeError, match="cannot be"):
            paper(wrong)
    with pytest.raises(RecipeError, match="llama-9"):
        network_of("llama-9")


def test_a_folder_says_its_own_sizes(tmp_path: Path) -> None:
    config = {
        "num_hidden_layers": 2,
        "hidden_size": 8,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 10,
        "tie_word_embeddings": True,
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    found = network_of(str(tmp_path))
    assert (found.key_heads, found.head_size) == (2, 4)
    assert found.parameters == 2 * (4 * 8 * 8 + 3 * 8 * 16 + 16) + 80 + 8


def test_the_recipe_of_latam_gpt_is_reckoned_with_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["recipes/latamgpt-1b.toml", "--teacher", "llama-3.1-70b", "--student", "llama-3.2-1b"]
    assert main([*given, "--devices", "8", "--corpus-tokens", "60000000"]) == 0
    said = capsys.readouterr().out
    assert "| teacher | fits | yes |" in said
    assert "| cache | disk | 15.5 GB |" in said

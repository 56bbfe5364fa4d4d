"""What a model does on this machine is measured, remembered, and then used."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.paper.facts import device_facts
from edge.cli import main
from edge.gauge.measure import WORTH, _best
from edge.processor import physical_cores, read_processor
from edge.release.installed import find_model
from edge.release.manifest import embedded_release
from edge.settings import Settings
from edge.tutor.llama import LlamaEngine
from edge.tutor.tuning import FILE, Measured, Tuning, llama_version, remember, remembered, tuning_for

MEASURED = Measured(
    "mini",
    "ab" * 32,
    read_processor(os.environ).name,
    llama_version(),
    Tuning(1, 2, flash=False),
    8.5,
    40,
    0.5,
    4,
    "now",
)


def test_measuring_prints_speed_and_the_share_of_the_memory_and_is_remembered(
    home: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--measure", "--seconds", "1.5"]) == 0
    said = capsys.readouterr()
    assert "1 hilos: lee " in said.err
    assert "con la conversación en 8 bits: escribe " in said.err
    assert " %)" in said.out
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    measured = found["measured"]
    assert found["tokens_per_s"] == measured["write_tokens_per_s"] > 1
    assert 0 < measured["gigabytes_per_s"] < measured["memory_gigabytes_per_s"]
    assert 0 < measured["percent"] < 100
    assert device_facts(found).rate == f"{found['tokens_per_s']:.1f}", "the delivery note shows it"
    model = find_model(settings, embedded_release(), "mini")
    tuning = tuning_for(home, model.sha256)
    assert tuning is not None
    with LlamaEngine.open(model.path, tuning=tuning) as engine:
        api, context = engine._api, engine._context
        assert api.llama_n_threads(context) == tuning.write_threads
        assert api.llama_n_threads_batch(context) == tuning.read_threads


def test_a_conversation_in_8_bits_takes_half_the_memory_and_is_never_the_usual_one(settings: Settings) -> None:
    model = find_model(settings, embedded_release(), "mini")
    sizes = []
    for named in ({}, {"kv": "q8_0"}):
        with LlamaEngine.open(model.path, tuning=MEASURED.tuning, **named) as engine:  # type: ignore[arg-type]
            assert list(engine.stream([{"role": "user", "content": "La hoja es verde. " * 12}], max_tokens=8))
            sizes.append(engine.memory_bytes)
    assert 0.5 < sizes[1] / sizes[0] < 0.6


def test_nothing_is_said_where_nothing_was_measured(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    assert "tokens_per_s" not in json.loads(capsys.readouterr().out)


def test_a_figure_counts_for_its_model_processor_and_llama_only(tmp_path: Path) -> None:
    remember(tmp_path, MEASURED)
    other = replace(MEASURED, sha256="cd" * 32)
    remember(tmp_path, other)
    assert remembered(tmp_path, MEASURED.sha256, MEASURED.processor) == MEASURED
    assert remembered(tmp_path, other.sha256, MEASURED.processor) == other
    assert remembered(tmp_path, MEASURED.sha256, "Another processor") is None
    assert remembered(tmp_path, "ef" * 32, MEASURED.processor) is None
    assert remembered(tmp_path, "", MEASURED.processor) is None
    remember(tmp_path, replace(MEASURED, llama="0.0.1"))
    assert remembered(tmp_path, MEASURED.sha256, MEASURED.processor) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": 1, "models": [{}]}', b'{"format": 2, "models": []}']
)
def test_a_damaged_file_of_figures_is_as_if_nothing_was_measured(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert remembered(tmp_path, MEASURED.sha256, MEASURED.processor) is None
    remember(tmp_path, MEASURED)
    assert remembered(tmp_path, MEASURED.sha256, MEASURED.processor) == MEASURED


@pytest.mark.parametrize("threads", [0, 65, -1, 10**9])
def test_impossible_threads_are_never_given_to_llama(tmp_path: Path, threads: int) -> None:
    remember(tmp_path, replace(MEASURED, tuning=Tuning(threads, 1, flash=True)))
    assert tuning_for(tmp_path, MEASURED.sha256) is None


@given(st.lists(st.floats(0.1, 1000), min_size=1, max_size=8))
def test_one_more_thread_must_be_worth_it(rates: list[float]) -> None:
    place = _best(rates)
    assert all(rate <= WORTH * rates[place] for rate in rates[place:])
    assert place == 0 or rates[place] > WORTH * rates[0]


def test_two_threads_of_one_core_count_once(tmp_path: Path) -> None:
    mine = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    for cpu in mine:
        folder = tmp_path / f"cpu{cpu}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text("0-1\n")
    assert physical_cores(tmp_path) == 1
    assert physical_cores(tmp_path / "nothing") == len(mine)


def test_what_cannot_be_measured_is_said_in_a_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--measure", "--seconds", "0"]) == 1
    assert "0.0 segundos" in capsys.readouterr().err
    assert main(["doctor", "--measure", "--model", "no-such"]) == 1
    assert "no-such" in capsys.readouterr().err

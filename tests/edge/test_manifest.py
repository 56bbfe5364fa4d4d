"""The catalogue says what it knows, and the report card opens nothing that was not measured."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.files import sha256_of
from edge.release import card
from edge.release.card import CAPABILITIES, Condition, Gate, ReportCard
from edge.release.manifest import (
    Artifact,
    ManifestError,
    Release,
    choose,
    embedded_release,
    manifest_path,
    parse,
)

MODELS = Path(__file__).parents[2] / "edge" / "models"

ROW: dict[str, Any] = {
    "id": "uno",
    "kind": "lm",
    "file": "uno.gguf",
    "embedded": False,
    "verified": False,
    "languages": ["es"],
    "url": "https://example.org/uno.gguf",
    "size": 10,
    "sha256": "a" * 64,
    "licence": None,
    "min_ram_mb": None,
    "card": None,
}

artifacts = st.builds(
    Artifact,
    id=st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True),
    kind=st.sampled_from(["lm", "reader", "vocabulary", "voice"]),
    file=st.from_regex(r"[a-z0-9]{1,8}\.gguf", fullmatch=True),
    embedded=st.just(False),
    verified=st.booleans(),
    languages=st.lists(st.sampled_from(["es", "pt", "quy"]), max_size=3).map(tuple),
    url=st.none() | st.just("https://example.org/x"),
    size=st.none() | st.integers(1, 10**12),
    sha256=st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    licence=st.none() | st.text(max_size=8),
    min_ram_mb=st.none() | st.integers(1, 10**5),
)


def _content(*rows: dict[str, Any]) -> bytes:
    return json.dumps({"release": 1, "artifacts": list(rows)}).encode()


def test_the_catalogue_that_ships_can_be_read_and_names_our_models() -> None:
    release = embedded_release()
    assert {"reader", "reader-vocabulary", "mini"} <= {a.id for a in release.artifacts if a.embedded}
    assert sum(artifact.kind == "lm" for artifact in release.artifacts) > 20
    assert sum(artifact.kind == "voice" for artifact in release.artifacts) > 8


@pytest.mark.parametrize("artifact", [a for a in embedded_release().artifacts if a.embedded], ids=lambda a: a.id)
def test_the_models_that_ship_are_those_of_the_catalogue(artifact: Artifact) -> None:
    """When this fails after a new training: python -m quantize.publish."""
    path = MODELS / artifact.file
    assert (artifact.size, artifact.sha256) == (path.stat().st_size, sha256_of(path))
    assert artifact.verified
    assert artifact.card is None or (MODELS / artifact.card).is_file()


def test_what_nobody_here_has_opened_is_not_called_verified() -> None:
    assert not any(a.verified for a in embedded_release().artifacts if not a.embedded)


def test_the_catalogue_is_the_one_at_the_root() -> None:
    assert manifest_path().name == "models_manifest.json"


@given(st.lists(artifacts, unique_by=lambda artifact: artifact.id, max_size=5), st.integers(1, 10**6))
def test_writing_and_reading_a_catalogue_changes_nothing(rows: list[Artifact], number: int) -> None:
    content = json.dumps({"release": number, "artifacts": [asdict(row) for row in rows]}).encode()
    assert parse(content) == Release(number, tuple(rows))


@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_what_is_no_catalogue_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(content)
    assert len(caught.value.say("es").splitlines()) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../uno"},
        {"id": ""},
        {"kind": "virus"},
        {"file": "../uno.gguf"},
        {"file": "/etc/passwd"},
        {"file": "models/uno.gguf"},
        {"url": "http://example.org/uno.gguf"},
        {"size": -1},
        {"size": True},
        {"size": "10"},
        {"sha256": "A" * 64},
        {"sha256": "a" * 63},
        {"languages": "es"},
        {"languages": ["Español"]},
        {"embedded": True, "sha256": None},
        {"verified": None},
        {"notice": 3},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_row_that_is_not_right_is_refused_and_named(change: dict[str, Any]) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(_content(ROW, {**ROW, "id": "dos", **change}))
    assert "artifacts[1]" in str(caught.value)


@pytest.mark.parametrize("field", sorted(ROW))
def test_a_row_without_a_field_is_refused(field: str) -> None:
    with pytest.raises(ManifestError):
        parse(_content({name: value for name, value in ROW.items() if name != field}))


def test_two_rows_may_not_have_one_name() -> None:
    with pytest.raises(ManifestError, match="uno"):
        parse(_content(ROW, ROW))


@given(st.lists(artifacts, unique_by=lambda artifact: artifact.id), st.integers(1, 10**5))
def test_what_is_chosen_fits_and_nothing_larger_does(rows: list[Artifact], ram_mb: int) -> None:
    chosen = choose(Release(1, tuple(rows)), "lm", ram_mb)
    fitting = [a for a in rows if a.kind == "lm" and a.min_ram_mb is not None and a.min_ram_mb <= ram_mb]
    assert (chosen is None) == (not fitting)
    if chosen:
        assert chosen in fitting
        assert (chosen.size or 0) == max(a.size or 0 for a in fitting)


@given(st.lists(st.tuples(st.none() | st.floats(), st.floats(0, 1)), max_size=4))
def test_a_gate_opens_only_when_everything_was_measured_and_good(
    rows: list[tuple[float | None, float]],
) -> None:
    gate = Gate(tuple(Condition("f", value, least) for value, least in rows))
    good = [v is not None and not math.isnan(v) and v >= least for v, least in rows]
    assert gate.open == (bool(good) and all(good))


def test_a_card_closes_what_it_does_not_name() -> None:
    passed = Gate((Condition("f1", 0.9, 0.5),))
    report = ReportCard("x", {"hint": passed}, {})
    assert report.allows("hint")
    assert not any(report.allows(name) for name in CAPABILITIES if name != "hint")
    assert not report.allows("anything else")


def test_the_card_of_the_mini_is_about_this_file_and_honest() -> None:
    report = card.load(MODELS / "mini" / "card.json")
    assert report.sha256 == sha256_of(MODELS / "mini" / "mini.gguf")
    assert set(report.capabilities) == set(CAPABILITIES) - {"exercise"}, "nothing measures that yet"
    assert report.figures["answers_measured"] >= 100
    for name, gate in report.capabilities.items():
        for condition in gate.conditions:
            stated = report.figures.get(f"{name}.{condition.figure}", report.figures.get(condition.figure))
            assert condition.value == stated, (name, condition)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"model": "x", "capabilities": 3}', '{"capabilities": {"hint": {}}}']
)
def test_a_broken_card_is_refused_in_words(tmp_path: Path, content: str) -> None:
    path = tmp_path / "card.json"
    path.write_text(content)
    with pytest.raises(ModelError) as caught:
        card.load(path)
    assert str(path) in caught.value.say("es")


def test_a_missing_card_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="report card"):
        card.load(tmp_path / "card.json")

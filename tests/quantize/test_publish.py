"""Publishing: a numbered release, a catalogue that is the same bytes each time, and what licences ask for."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.files import sha256_of
from edge.release.manifest import ManifestError, manifest_path, parse
from quantize.publish import release
from quantize.publish.canonical import canonical, with_rows
from quantize.publish.duties import refuse_breach
from quantize.publish.embedded import refresh
from quantize.publish.release import least_memory, publish
from quantize.publish.settings import PublishSettings
from quantize.recipe import RecipeError

SETTINGS = PublishSettings("prueba", "CC-BY-SA-4.0", ("es", "pt"), url="https://example.org/prueba.gguf")
NOTICE = (
    "Built with Llama. Llama 3.1 is licensed under the Llama 3.1 Community License, "
    "Copyright © Meta Platforms, Inc. All Rights Reserved."
)
ROW: dict[str, Any] = {
    "id": "voz",
    "kind": "voice",
    "file": "voz.onnx",
    "embedded": False,
    "verified": False,
    "languages": ["es"],
    "url": "https://example.org/voz.onnx",
    "size": 10,
    "sha256": "a" * 64,
    "licence": None,
    "min_ram_mb": None,
    "card": None,
}


class Workshop:
    """A model, its card, a catalogue with one other row, and where releases go."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.model, self.card = folder, folder / "prueba.gguf", folder / "card.json"
        self.releases, self.manifest, self.models = folder / "releases", folder / "models_manifest.json", folder / "m"
        self.manifest.write_bytes(canonical({"release": 7, "artifacts": [ROW]}))
        self.write(b"GGUF one")

    def write(self, content: bytes) -> None:
        self.model.write_bytes(content)
        card = {"model": "prueba", "sha256": sha256_of(self.model), "capabilities": {}, "figures": {"peak_mb": 1210.5}}
        self.card.write_text(json.dumps(card))

    def publish(self, settings: PublishSettings = SETTINGS, *extras: Path) -> Path:
        return publish(settings, self.model, self.card, extras, self.releases, self.manifest, self.models)

    def row(self) -> dict[str, Any]:
        rows = json.loads(self.manifest.read_bytes())["artifacts"]
        return next(row for row in rows if row["id"] == "prueba")


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_catalogue_that_ships_is_canonical() -> None:
    """When this fails after a change by hand: python -m quantize.publish."""
    content = manifest_path().read_bytes()
    assert canonical(json.loads(content)) == content


def test_a_release_holds_artifact_card_extras_catalogue_and_sums(shop: Workshop) -> None:
    report = shop.folder / "report.html"
    report.write_text("<p>")
    folder = shop.publish(SETTINGS, report)
    assert folder == shop.releases / "8"
    found = bytes_in(folder)
    assert set(found) == {
        "models_manifest.json",
        "SHA256SUMS",
        "prueba/prueba.gguf",
        "prueba/card.json",
        "prueba/report.html",
    }
    assert found["models_manifest.json"] == shop.manifest.read_bytes()
    for line in found["SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(found[name]).hexdigest() == digest
    artifact = parse(shop.manifest.read_bytes()).find("prueba")
    assert artifact is not None
    assert (artifact.size, artifact.sha256) == (8, sha256_of(shop.model))
    assert artifact.min_ram_mb == 1792  # the peak, 400 MB for the system, whole quarters of a GB
    assert not artifact.verified  # nobody downloaded it yet


def test_publishing_again_changes_no_byte_and_no_number(shop: Workshop) -> None:
    shop.publish()
    before, catalogue = bytes_in(shop.releases), shop.manifest.read_bytes()
    stamps = {path: path.stat().st_mtime_ns for path in shop.releases.rglob("*.gguf")}
    assert shop.publish().name == "8"
    assert bytes_in(shop.releases) == before
    assert shop.manifest.read_bytes() == catalogue
    assert {path: path.stat().st_mtime_ns for path in shop.releases.rglob("*.gguf")} == stamps


def test_the_number_grows_by_one_when_the_artifact_changes_and_only_then(shop: Workshop) -> None:
    assert shop.publish().name == "8"
    assert shop.publish(replace(SETTINGS, languages=("es", "pt", "quy"))).name == "8"  # words about it, not it
    assert shop.row()["languages"] == ["es", "pt", "quy"]
    shop.write(b"GGUF two")
    assert shop.publish().name == "9"
    other = next(row for row in json.loads(shop.manifest.read_bytes())["artifacts"] if row["id"] == "voz")
    assert other == ROW


def test_a_card_about_another_file_is_refused(shop: Workshop) -> None:
    shop.model.write_bytes(b"GGUF other")
    before = shop.manifest.read_bytes()
    with pytest.raises(RecipeError, match="fingerprint"):
        shop.publish()
    assert shop.manifest.read_bytes() == before
    assert not shop.releases.exists()


def test_a_model_that_comes_inside_lies_where_the_app_finds_it(shop: Workshop) -> None:
    shop.publish(replace(SETTINGS, url="", embedded="prueba"))
    assert (shop.models / "prueba" / "prueba.gguf").read_bytes() == b"GGUF one"
    assert json.loads((shop.models / "prueba" / "card.json").read_bytes())["sha256"] == shop.row()["sha256"]
    assert shop.row()["file"] == "prueba/prueba.gguf"
    assert shop.row()["card"] == "prueba/card.json"
    assert shop.row()["embedded"]
    assert shop.row()["verified"]


class PowerCutError(Exception):
    """The lights went out."""


def test_a_cut_before_the_end_leaves_the_old_catalogue_and_the_next_try_finishes(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, write = shop.manifest.read_bytes(), release._write

    def unlucky(path: Path, content: bytes) -> None:
        if path == shop.manifest:
            raise PowerCutError
        write(path, content)

    monkeypatch.setattr(release, "_write", unlucky)
    with pytest.raises(PowerCutError):
        shop.publish()
    assert shop.manifest.read_bytes() == before
    monkeypatch.undo()
    assert shop.publish().name == "8"
    assert parse(shop.manifest.read_bytes()).number == 8


@pytest.mark.parametrize(
    "settings",
    [
        replace(SETTINGS, licence="llama3.1", notice=NOTICE, licence_file="LICENSE"),
        replace(SETTINGS, id="llama-prueba", licence="llama3.1", notice="Built with Llama", licence_file="LICENSE"),
        replace(SETTINGS, id="llama-prueba", licence="Llama3.2", notice=NOTICE),
        replace(SETTINGS, licence="gemma", licence_file="LICENSE"),
    ],
    ids=["a name without Llama", "half a notice", "no copy of the licence", "no notice of Gemma"],
)
def test_what_a_licence_asks_for_is_not_left_out(shop: Workshop, settings: PublishSettings) -> None:
    with pytest.raises(RecipeError) as caught:
        shop.publish(settings)
    assert settings.licence in caught.value.say("es")
    assert not shop.releases.exists()


def test_notice_and_licence_travel_with_the_model(shop: Workshop) -> None:
    settings = replace(SETTINGS, id="llama-prueba", licence="llama3.1", notice=NOTICE, licence_file="LICENSE")
    folder = shop.publish(settings) / "llama-prueba"
    assert (folder / "NOTICE.txt").read_text(encoding="utf-8").strip() == NOTICE
    assert (folder / "LICENCE.txt").stat().st_size > 1000
    assert parse(shop.manifest.read_bytes()).artifacts[0].notice == NOTICE


def test_a_licence_text_that_is_not_there_is_said_in_words(shop: Workshop) -> None:
    with pytest.raises(RecipeError, match="nowhere"):
        shop.publish(replace(SETTINGS, licence_file="nowhere/LICENCE"))


def test_licences_that_ask_for_nothing_more_pass() -> None:
    refuse_breach(SETTINGS)


def test_a_row_that_devices_would_refuse_is_not_written(shop: Workshop) -> None:
    before = shop.manifest.read_bytes()
    with pytest.raises(ManifestError):
        shop.publish(replace(SETTINGS, url="http://example.org/prueba.gguf"))
    assert shop.manifest.read_bytes() == before


def test_the_list_of_models_shows_what_was_published(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edge.cli import main
    from edge.verbs import models

    shop.publish()
    monkeypatch.setattr(models, "embedded_release", lambda: parse(shop.manifest.read_bytes()))
    assert main(["models", "list", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["release"] == 8
    assert {row["id"] for row in answer["catalogue"]} == {"voz", "prueba"}


def test_models_trained_elsewhere_are_brought_up_to_date(shop: Workshop) -> None:
    shop.publish(replace(SETTINGS, url="", embedded="prueba"))
    assert refresh(shop.manifest, shop.models) == []
    (shop.models / "prueba" / "prueba.gguf").write_bytes(b"GGUF trained again")
    assert refresh(shop.manifest, shop.models) == ["prueba"]
    assert shop.row()["size"] == 18
    assert parse(shop.manifest.read_bytes()).number == 9
    assert canonical(json.loads(shop.manifest.read_bytes())) == shop.manifest.read_bytes()


@given(st.randoms(use_true_random=False))
def test_the_order_of_names_does_not_matter(chance: random.Random) -> None:
    names = list(ROW)
    chance.shuffle(names)
    shuffled = {"artifacts": [{name: ROW[name] for name in names}], "release": 7}
    assert canonical(shuffled) == canonical({"release": 7, "artifacts": [ROW]})


@given(st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=6))
def test_the_number_never_falls_and_counts_the_changes(contents: list[str]) -> None:
    found: dict[str, Any] = {"release": 1, "artifacts": [ROW]}
    last = ""
    for content in contents:
        row = {**ROW, "id": "x", "sha256": hashlib.sha256(content.encode()).hexdigest()}
        fresh = with_rows(found, {"x": row})
        assert fresh["release"] - found["release"] == (content != last)
        found, last = fresh, content


def test_memory_that_nobody_measured_is_not_invented() -> None:
    assert least_memory(SETTINGS, None) is None
    assert least_memory(SETTINGS, 60.0) == 512
    assert least_memory(replace(SETTINGS, min_ram_mb=3000), 60.0) == 3000

"""The ONNX form that a recipe makes stands in the catalogue beside its GGUF file, with its own card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("gguf", reason="needs the extra quantize")

from edge.files import sha256_of
from edge.release.manifest import parse
from onnx_forms import MINI, onnx_of
from quantize.publish.canonical import canonical
from quantize.publish.release import publish
from quantize.publish.settings import PublishSettings
from quantize.release.decoders import as_published

SETTINGS = PublishSettings("escuela", "CC-BY-SA-4.0", ("es", "pt"), url="https://example.org/models/escuela.gguf")


def test_it_is_published_under_a_name_and_an_address_of_its_own(tmp_path: Path) -> None:
    model = onnx_of(MINI, tmp_path).rename(tmp_path / "escuela-onnx.onnx")
    card = tmp_path / "escuela-onnx.json"
    figures = {"peak_mb": 120.0}
    card.write_text(
        json.dumps({"model": "escuela", "sha256": sha256_of(model), "capabilities": {}, "figures": figures})
    )
    manifest = tmp_path / "models_manifest.json"
    manifest.write_bytes(canonical({"release": 7, "artifacts": []}))
    ready = as_published(SETTINGS, model.name)
    folder = publish(ready, model, card, [], tmp_path / "releases", manifest, tmp_path / "models")
    release = parse(manifest.read_bytes())
    (row,) = release.artifacts
    assert (release.number, row.id, row.kind, row.file) == (8, "escuela-onnx", "lm-onnx", "escuela-onnx.onnx")
    assert row.url == "https://example.org/models/escuela-onnx.onnx"
    assert (row.licence, row.languages, row.card) == (SETTINGS.licence, SETTINGS.languages, None)
    assert row.sha256 == sha256_of(folder / "escuela-onnx" / model.name)
    assert as_published(PublishSettings("x", "mit", (), embedded="x"), "x-onnx.onnx").embedded == ""

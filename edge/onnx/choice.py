"""Which form of a model answers here: its GGUF file, or the ONNX file of the same model where that was measured faster.

Nothing is guessed: without figures of both on this very machine the GGUF file answers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edge.onnx.session import runtime_version
from edge.processor import read_processor
from edge.release.installed import InstalledModel, gguf_of, installed_models
from edge.release.manifest import embedded_release
from edge.settings import Settings
from edge.tutor.adapter import adapter_for
from edge.tutor.tuning import Measured, remembered

if TYPE_CHECKING:
    from edge.onnx.decoder import OnnxEngine

KIND = "lm-onnx"
READ_TOKENS, WRITTEN_TOKENS = 300, 60
"""Of a usual question with its passages, and of its answer."""

WORTH = 1.03
"""The other form must be this much faster."""


def onnx_form(settings: Settings, gguf_sha256: str) -> InstalledModel | None:
    """Return the ONNX file on this device that holds the same model as a GGUF file, if there is a sound one."""
    for other in installed_models(settings, embedded_release()):
        if other.kind == KIND and other.sha256 and gguf_of(other.path) == gguf_sha256:
            return other
    return None


def measured_onnx(settings: Settings, gguf_sha256: str) -> Measured | None:
    """Return what was measured here of the ONNX file that holds the same model as a GGUF file, if it was."""
    other = onnx_form(settings, gguf_sha256)
    return remembered_onnx(settings.home, other.sha256) if other else None


def is_faster(onnx: Measured | None, gguf: Measured | None) -> bool:
    """Tell whether a usual question is answered sooner through ONNX, by what was measured of both."""
    return onnx is not None and gguf is not None and _seconds(gguf) > WORTH * _seconds(onnx)


def open_if_faster(settings: Settings, model: InstalledModel, capability: str, kept: Path) -> OnnxEngine | None:
    """Open the ONNX form of `model` where `faster_form` finds one; beginnings of lessons lie in `kept`."""
    other = faster_form(settings, model, capability)
    return _opened(other, remembered_onnx(settings.home, other.sha256), kept) if other is not None else None


def faster_form(settings: Settings, model: InstalledModel, capability: str) -> InstalledModel | None:
    """Return the ONNX form of `model` where it was measured faster here and its own report card opens `capability`.

    A model with an adapter stays a GGUF file: adapters are made for those.
    """
    gguf = remembered(settings.home, model.sha256, read_processor(os.environ).name)
    other = onnx_form(settings, model.sha256) if gguf is not None else None
    if other is None or not other.allows(capability) or adapter_for(settings.shelves, model.sha256) is not None:
        return None
    return other if is_faster(remembered_onnx(settings.home, other.sha256), gguf) else None


def open_alone(settings: Settings, model: InstalledModel, kept: Path) -> OnnxEngine:
    """Open an ONNX file whose GGUF file is not here, or may not answer; beginnings of lessons lie in `kept`."""
    return _opened(model, remembered_onnx(settings.home, model.sha256), kept)


def _opened(model: InstalledModel, found: Measured | None, kept: Path) -> OnnxEngine:
    from edge.onnx.decoder import OnnxEngine

    engine = OnnxEngine.open(model.path, tuning=found.tuning if found else None)
    engine.keep_beginnings(kept, model.sha256)
    return engine


def remembered_onnx(home: Path, sha256: str) -> Measured | None:
    """Return what was measured of this ONNX file on this very machine, if it was."""
    return remembered(home, sha256, read_processor(os.environ).name, runtime_version())


def _seconds(measured: Measured) -> float:
    return READ_TOKENS / measured.read_tokens_per_s + WRITTEN_TOKENS / measured.write_tokens_per_s

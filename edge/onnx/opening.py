"""Open a language model, whichever of its two forms the file has."""

from __future__ import annotations

from pathlib import Path

from edge.onnx.decoder import OnnxEngine
from edge.tutor.llama import CONTEXT_TOKENS, LlamaEngine
from edge.tutor.tuning import Tuning

ONNX = ".onnx"
Loaded = LlamaEngine | OnnxEngine


def open_engine(
    path: Path, *, context_tokens: int = CONTEXT_TOKENS, threads: int = 0, tuning: Tuning | None = None
) -> Loaded:
    """Load the model at `path`; raise ModelError when that cannot run here."""
    if path.suffix.lower() == ONNX:
        return OnnxEngine.open(path, context_tokens=context_tokens, threads=threads, tuning=tuning)
    return LlamaEngine.open(path, context_tokens=context_tokens, threads=threads, tuning=tuning)

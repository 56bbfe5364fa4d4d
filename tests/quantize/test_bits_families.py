"""Bits per tensor on a family that does not go the whole way in test_release: names, orders of rows and scores."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "gguf", "tokenizers", "llama_cpp")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

import json

from edge.cache import converter_folder
from quantize.bits.allocate import allocate
from quantize.bits.importance import importance
from quantize.bits.ledger import load
from quantize.bits.parent import read_parent
from quantize.bits.promise import promise
from quantize.bits.quantize import quantize
from quantize.bits.settings import AllocateSettings, ImportanceSettings
from quantize.bits.words import cut
from quantize.convert.convert import convert
from tests.quantize import tiny_models

CONVERTER = converter_folder()
if not (CONVERTER / "complete").is_file():
    pytest.skip("needs llama.cpp's converter, which setting up leaves in the cache", allow_module_level=True)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["smollm3"])
def test_it_is_measured_shared_out_and_written(family: str, tmp_path: Path) -> None:
    folder = tiny_models.make(tmp_path / "hf", family, hidden=64)
    gguf, scores, plan, output = (tmp_path / name for name in ("f16.gguf", "i.npz", "plan.json", "q.gguf"))
    convert(folder, "tiny", "CC0-1.0", gguf, converter=CONVERTER)
    text = tmp_path / "calibration.jsonl"
    text.write_text("\n".join(json.dumps({"text": line}) for line in tiny_models.TEXTS * 3), encoding="utf-8")
    settings = ImportanceSettings(windows=6, window=32, imatrix_windows=6, types=("Q4_0", "Q5_0", "Q8_0"))
    importance(folder, gguf, text, settings, scores, tmp_path / "work")
    parent, (found, _) = read_parent(gguf), load(scores)
    names = {tensor.name for tensor in parent.plannable}
    assert len(names) == (15 if parent.tied else 16)
    assert found["fisher"].keys() == names
    assert found["imatrix"].keys() == names - (set() if parent.tied else {"token_embd.weight"})
    assert all(np.all(np.diff(error) < 0) for error in found["error"].values())
    assert all(cost[0] > cost[-1] >= 0 for cost in found["fisher"].values())
    made = allocate(gguf, scores, AllocateSettings(bits=7.0), plan)
    quantize(gguf, plan, scores, output)
    assert output.stat().st_size == made.bytes
    kept = promise(folder, gguf, output, cut(gguf, text, 32, 1)[:2])
    assert kept.largest < 0.35 * kept.spread
    assert kept.kld < 0.01

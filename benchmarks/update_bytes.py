"""Bytes an update moves for a changed pack, a new adapter and a re-quantized model, against the files whole."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from edge.files import sha256_of
from edge.release import layout
from edge.release.contents import Contents, ReleaseFile
from edge.tutor.llama_library import load_library
from edge.update.install import install, prepare
from edge.update.places import Releases
from edge.update.plan import Step
from quantize.signing.gather import gather
from quantize.signing.parts import take, with_deltas
from quantize.signing.repository import Repository

EDGE = Path(str(files("edge")))
MINI = EDGE / "models" / "mini" / "mini.gguf"
Q4_K_M, Q6_K = 15, 14
"""llama.cpp's numbers: of a mixture, and of a type."""

RANK = 8


def run() -> str:
    """Return the table."""
    with tempfile.TemporaryDirectory() as name:
        return _table(Path(name))


def _table(folder: Path) -> str:
    base = folder / "base"
    shutil.copytree(EDGE / "packs", base / "packs")
    (base / "models").mkdir()
    _requantized(base / "models" / "mini.gguf", {})
    repo = Repository(folder / "repository")
    first = _release(repo, 1, base, None)
    cases: dict[str, Callable[[Path], None]] = {
        "one sentence of a lesson": _one_sentence,
        "a pack with ten lessons rewritten": _ten_lessons,
        f"a new adapter (rank {RANK}) for the model": _adapter,
        "the model with 4 of 57 weights in another type": lambda f: _few_types(f, 4),
        "the model with 16 of 57 weights in another type": lambda f: _few_types(f, 16),
        "the model trained anew: every weight is another": _trained_anew,
    }
    lines = [
        "| what changed | changed files, bytes | by parts alone | moved, bytes | of the changed files | of the whole release | how |",
        "|---|---|---|---|---|---|---|",
    ]
    for number, (name, change) in enumerate(cases.items(), start=2):
        made = folder / "made"
        shutil.copytree(base, made)
        change(made)
        lines.append(_row(name, folder / "home", repo, first, _release(repo, number, made, first)))
        shutil.rmtree(made)
        shutil.rmtree(folder / "home")
    return "\n".join(lines)


def _row(name: str, home: Path, repo: Repository, first: Contents, second: Contents) -> str:
    """Install the first release, then measure the second and compare what it said with what it did."""

    def fetch(sha256: str, size: int) -> bytes:
        return repo.read(layout.part(sha256), size)

    install(home, first, fetch, lambda _done, _total: None, lambda _: None)
    steps = [step for step in prepare(home, second).plan.steps if step.way != "keep"]
    bare = replace(second, files=tuple(replace(file, deltas=()) for file in second.files))
    parts = prepare(home, bare).plan.moved
    done = install(home, second, fetch, lambda _done, _total: None, lambda _: None)
    folder = Releases.of(home).whole(second.number)
    if any(sha256_of(folder / file.path) != file.sha256 for file in second.files):
        raise ValueError(name)
    whole, changed = sum(file.size for file in second.files), sum(step.file.size for step in steps)
    ways = ", ".join(sorted({_way(step) for step in steps}))
    return (
        f"| {name} | {changed:,} | {parts:,} | {done.brought:,} | {100 * done.brought / changed:.2f} % "
        f"| {100 * done.brought / whole:.3f} % | {ways} |"
    )


def _way(step: Step) -> str:
    return "delta" if step.way == "delta" else "whole file" if step.moved == step.file.size else "changed parts"


def _release(repo: Repository, number: int, folder: Path, old: Contents | None) -> Contents:
    former = {file.path: file for file in old.files} if old else {}
    taken: list[ReleaseFile] = [with_deltas(repo, take(repo, f), former.get(f.path)) for f in gather(folder)]
    return Contents(number, f"0.{number}.0", tuple(taken))


def _lessons(folder: Path) -> list[Path]:
    return sorted((folder / "packs" / "primaria" / "lessons").glob("*.md"))


def _one_sentence(folder: Path) -> None:
    path = _lessons(folder)[0]
    path.write_text(path.read_text(encoding="utf-8") + "\nOtra frase para esta lección.\n", encoding="utf-8")


def _ten_lessons(folder: Path) -> None:
    """Every paragraph of ten lessons gets other words in some place."""
    for path in _lessons(folder)[:10]:
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\b(el|la|los|las) (\w+)", r"\1 mismo \2", text), encoding="utf-8")


def _few_types(folder: Path, count: int) -> None:
    """The allocation of bits moved: some weights of the first layers are kept more exactly."""
    names = [f"blk.{layer}.{name}.weight" for layer in range(8) for name in ("attn_q", "attn_k", "ffn_up", "ffn_gate")]
    _requantized(folder / "models" / "mini.gguf", dict.fromkeys(names[:count], Q6_K))


def _trained_anew(folder: Path) -> None:
    """Shift every weight a little, the way a short training does, and quantize again."""
    import gguf
    import numpy as np

    chance = np.random.default_rng(1)
    target = folder / "shifted.gguf"
    shutil.copyfile(MINI, target)
    reader = gguf.GGUFReader(target, "r+")
    for tensor in reader.tensors:
        if tensor.tensor_type == gguf.GGMLQuantizationType.Q8_0:
            weights = gguf.dequantize(tensor.data, tensor.tensor_type)
            moved = weights * (1 + 0.02 * chance.standard_normal(weights.shape).astype(np.float32))
            tensor.data[:] = gguf.quantize(moved, tensor.tensor_type)
    del reader
    _requantized(folder / "models" / "mini.gguf", {}, target)
    target.unlink()


def _requantized(target: Path, kinds: dict[str, int], source: Path = MINI) -> None:
    """Write the mini in llama.cpp's Q4_K_M, with other types for some of its weights."""
    api: Any = load_library().api
    params = api.llama_model_quantize_default_params()
    params.nthread, params.ftype, params.allow_requantize = 1, Q4_K_M, True
    rows = (api.llama_model_tensor_override * (len(kinds) + 1))()
    for row, (name, kind) in zip(rows, kinds.items(), strict=False):
        row.pattern, row.type = f"^{re.escape(name)}$".encode(), kind
    if kinds:
        params.tt_overrides = rows
    target.unlink(missing_ok=True)
    if api.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params)) != 0:
        raise ValueError(str(target))


def _adapter(folder: Path) -> None:
    """Write an adapter of the usual form: queries and values of every layer."""
    import gguf
    import numpy as np

    chance = np.random.default_rng(2)
    base = sha256_of(folder / "models" / "mini.gguf")
    (folder / "adapters").mkdir()
    writer = gguf.GGUFWriter(folder / "adapters" / f"cuentos.{base[:16]}.gguf", "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 16.0)
    for layer in range(8):
        for name, rows in (("attn_q", 256), ("attn_v", 128)):
            for half, shape in (("a", (RANK, 256)), ("b", (rows, RANK))):
                numbers = chance.normal(size=shape).astype(np.float16)
                writer.add_tensor(f"blk.{layer}.{name}.weight.lora_{half}", numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

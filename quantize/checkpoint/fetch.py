"""Bring a checkpoint into the work folder, and believe nothing of it before it was checked.

A source is a folder of this machine, or a model of the hub at one exact commit. A file
that is already there from an earlier, interrupted try is not brought again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.files import write_atomic
from quantize.checkpoint.facts import NAME, Checkpoint, write_facts
from quantize.checkpoint.families import architecture_of, family_of
from quantize.checkpoint.licence import licence_in, notice_for
from quantize.checkpoint.weights import check_weights
from quantize.recipe import RecipeError

COMMIT = re.compile(r"[0-9a-f]{40}")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
SMALL = (".json", ".jinja", ".txt", ".model", ".md")
SMALL_NAMES = ("LICENSE", "LICENCE", "NOTICE", "USE_POLICY")
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.txt", "sentencepiece.bpe.model")


def fetch(source: str, revision: str, output: Path, allow_pickle: bool = False, licence: str = "") -> Checkpoint:
    """Leave in `output` a checked copy of the checkpoint at `source`, with its `checkpoint.json`.

    `source` is a folder, or a hub id with the 40 hexadecimal digits of a commit in `revision`.
    `licence` counts before what the folder says of itself; what it was made from (its own
    `checkpoint.json`, for a student of ours) goes on with it. Raises RecipeError with one sentence for
    whatever is wrong. Pickles can run any program: they are refused unless `allow_pickle`.
    """
    output.mkdir(parents=True, exist_ok=True)
    (output / NAME).unlink(missing_ok=True)
    folder = Path(source)
    if folder.is_dir():
        _bring(folder, output, allow_pickle)
    elif HUB_ID.fullmatch(source):
        _download(source, revision, output)
    else:
        raise RecipeError("checkpoint-missing", source=source)
    known = _read_json(folder / NAME) if (folder / NAME).is_file() else {}
    facts = inspect(
        output,
        str(known.get("source") or (folder.name if folder.is_dir() else source)),
        str(revision or known.get("revision", "")),
        licence or str(known.get("licence", "")),
    )
    facts = replace(facts, notice=str(known.get("notice") or facts.notice))
    write_facts(facts, output)
    return facts


def inspect(folder: Path, source: str, revision: str, licence: str = "") -> Checkpoint:
    """Check a checkpoint folder from its first byte to its last, and say what it is."""
    config = _read_json(folder / "config.json")
    architecture = architecture_of(config)
    family = family_of(architecture)
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise RecipeError("checkpoint-tokenizer", path=folder, wanted=", ".join(TOKENIZERS))
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        if (folder / name).exists():
            _read_json(folder / name)
    weights = check_weights(weight_files(folder))
    card = folder / "README.md"
    named = licence_in(card.read_text(encoding="utf-8", errors="replace") if card.is_file() else "")
    held = licence or named
    return Checkpoint(
        family=family.name,
        architecture=architecture,
        parameters=weights.parameters,
        sha256=weights.sha256,
        licence=held,
        source=source,
        revision=revision,
        notice=notice_for(held, source),
    )


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files that make the model; raise RecipeError when one of them is absent."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        table = _read_json(index).get("weight_map")
        names = sorted(set(table.values())) if isinstance(table, dict) else []
        files = [folder / Path(str(name)).name for name in names]
    else:
        files = sorted(folder.glob("*.safetensors"))
    for path in files:
        if not path.is_file():
            raise RecipeError("checkpoint-shard", path=path)
    if not files:
        raise RecipeError("checkpoint-weights", path=folder)
    return files


def _bring(folder: Path, output: Path, allow_pickle: bool) -> None:
    if not (folder / "config.json").is_file():
        raise RecipeError("checkpoint-config", path=folder / "config.json", reason="-")
    pickles = sorted(path for path in folder.iterdir() if path.suffix in PICKLES and "training" not in path.name)
    has_weights = any(folder.glob("*.safetensors"))
    if pickles and not has_weights and not allow_pickle:
        raise RecipeError("checkpoint-pickle", path=pickles[0])
    wanted = {path.name: path for path in sorted(folder.iterdir()) if path.is_file() and _is_wanted(path)}
    for path in sorted(output.iterdir()):
        if path.is_file() and path.name not in wanted:
            path.unlink()
    for name, path in wanted.items():
        _copy(path, output / name)
    if pickles and not has_weights:
        _unpickle(pickles, output)


def _is_wanted(path: Path) -> bool:
    return path.suffix in (*SMALL, ".safetensors") or path.name in SMALL_NAMES


def _copy(source: Path, target: Path) -> None:
    """Put a file there whole or not at all; large ones as a link where the disk allows it."""
    if target.is_file():
        there, here = target.stat(), source.stat()
        if there.st_size == here.st_size and there.st_mtime_ns == here.st_mtime_ns:
            return
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    if source.suffix == ".safetensors":
        try:
            os.link(source.resolve(), partial)
        except OSError:  # another disk, or one that knows no links
            shutil.copy2(source, partial)
    else:
        shutil.copy2(source, partial)
    partial.replace(target)
    partial.unlink(missing_ok=True)  # replacing a link by itself leaves both names


def _unpickle(pickles: Sequence[Path], output: Path) -> None:
    """Rewrite PyTorch files as safetensors, reading nothing but tensors from them."""
    import pickle

    import torch
    from safetensors.torch import save_file

    index: dict[str, str] = {}
    for path in pickles:
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise RecipeError("checkpoint-header", path=path, reason=str(error)[:120]) from error
        tensors = {name: value.contiguous().clone() for name, value in content.items() if torch.is_tensor(value)}
        target = output / f"{path.stem.replace('pytorch_model', 'model')}.safetensors"
        partial = target.with_name(f".{target.name}.partial")
        save_file(tensors, partial, metadata={"format": "pt"})
        partial.replace(target)
        index |= dict.fromkeys(tensors, target.name)
    if len(pickles) > 1:
        facts = {"metadata": {}, "weight_map": index}
        write_atomic(output / "model.safetensors.index.json", json.dumps(facts, indent=2).encode())


def _download(source: str, revision: str, output: Path) -> None:
    """Bring a model from the hub; what is there already is not brought again."""
    if not COMMIT.fullmatch(revision):
        raise RecipeError("checkpoint-unpinned", source=source, revision=revision or "-")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
    from requests.exceptions import RequestException

    patterns = [f"*{suffix}" for suffix in (*SMALL, ".safetensors")] + list(SMALL_NAMES)
    try:
        snapshot_download(source, revision=revision, local_dir=output, allow_patterns=patterns)
    except (RepositoryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError, RequestException) as error:
        reason = str(error).strip().splitlines()[0][:160]
        raise RecipeError("checkpoint-hub", source=source, revision=revision, reason=reason) from error
    shutil.rmtree(output / ".cache", ignore_errors=True)


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RecipeError("checkpoint-config", path=path, reason=str(error)[:120]) from error
    if not isinstance(found, dict):
        raise RecipeError("checkpoint-config", path=path, reason=type(found).__name__)
    return found

"""Leave out of a model the tokens that its languages do not need; all other scores stay the same bits.

Works on Hugging Face folders with a byte-level BPE vocabulary (Llama 3, Qwen 2 and 3, Mistral's newer ones, SmolLM, ours), with
tied or separate output head, in one safetensors file or many. Bytes, special tokens and every piece that a kept token is
built of stay, so that any text can still be written, and a text of kept tokens is read as before.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.files import write_atomic
from quantize.recipe import RecipeError
from quantize.shrink.settings import TrimSettings
from quantize.shrink.tokens import remap_tokenizer, remapped_numbers
from quantize.shrink.vocabulary import choose, unchanged

ROWS_ARE_TOKENS = ("embed_tokens.weight", "lm_head.weight", "lm_head.bias", "wte.weight")
LEFT_BEHIND = ("vocab.json", "merges.txt", "tokenizer.model", "checkpoint.json", "added_tokens.json")
"""Other spellings of the whole vocabulary, and facts about files that change."""

Texts = Iterable[str] | Mapping[str, Iterable[str]]


@dataclass(frozen=True, slots=True)
class TrimReport:
    """What trimming kept and what it costs."""

    tokens_before: int
    tokens_after: int
    rows: int
    """Rows of the embedding, with those that only fill up."""

    weight_bytes_before: int
    weight_bytes_after: int
    coverage: dict[str, float]
    """For each language, the part of its tokens that are kept as they were."""

    longer: dict[str, float]
    """For each language, tokens needed now for one that was needed before."""


def trim(folder: Path, texts: Texts, settings: TrimSettings, output: Path) -> TrimReport:
    """Write the model of `folder` with the tokens that `texts` need into `output`; texts may come by language."""
    from safetensors import SafetensorError
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    spelled = read_tokenizer(path)
    whole = Tokenizer.from_file(str(path))
    by_language = {lang: list(some) for lang, some in (texts if isinstance(texts, Mapping) else {"": texts}).items()}
    counts = {lang: _count(whole, some) for lang, some in by_language.items()}
    if not any(counts.values()):
        raise RecipeError("trim-texts")
    names = _names(whole)
    kept = _choose(spelled, names, counts, settings)
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    rows = -(-len(kept) // settings.multiple) * settings.multiple
    _write_others(folder, kept, rows, output)
    write_atomic(output / "tokenizer.json", json.dumps(remap_tokenizer(spelled, kept), ensure_ascii=False).encode())
    np.save(output / "kept_tokens.npy", np.array(kept, dtype=np.uint32))
    try:
        before, after = write_weights(folder, kept, rows, output)
    except SafetensorError as error:
        raise RecipeError("distil-broken", path=folder, reason=str(error)) from error
    small = Tokenizer.from_file(str(output / "tokenizer.json"))
    report = TrimReport(
        tokens_before=len(names),
        tokens_after=len(kept),
        rows=rows,
        weight_bytes_before=before,
        weight_bytes_after=after,
        coverage={lang: round(unchanged(found, set(kept)), 6) for lang, found in counts.items()},
        longer={lang: _longer(small, some, counts[lang]) for lang, some in by_language.items()},
    )
    write_atomic(output / "trim.json", json.dumps(asdict(report), indent=1, ensure_ascii=False).encode())
    return report


def read_tokenizer(path: Path) -> dict[str, Any]:
    """Return what a tokenizer.json says; raise RecipeError for what is not byte-level BPE."""
    try:
        spelled: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RecipeError("trim-tokenizer", path=path) from error
    model = spelled.get("model") or {}
    kind = str(model.get("type", "BPE" if "merges" in model else "unknown"))
    if kind != "BPE" or model.get("byte_fallback") or '"ByteLevel"' not in json.dumps(spelled.get("decoder")):
        raise RecipeError(
            "trim-kind", path=path, kind=f"{kind}{' with byte_fallback' * bool(model.get('byte_fallback'))}"
        )
    return spelled


def write_weights(folder: Path, kept: list[int], rows: int, output: Path) -> tuple[int, int]:
    """Write every tensor, those with a row a token with the kept rows alone; return bytes before and after."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    numbers = torch.tensor(kept)
    before = after = 0
    for path in sorted(folder.glob("*.safetensors")):
        made = {}
        with safe_open(path, framework="pt") as found:
            for name in found.keys():  # noqa: SIM118 -- not a dict
                tensor = found.get_tensor(name)
                before += tensor.nbytes
                if name.endswith(ROWS_ARE_TOKENS):
                    filling = torch.zeros(rows - len(kept), *tensor.shape[1:], dtype=tensor.dtype)
                    tensor = torch.cat((tensor[numbers], filling))
                made[name] = tensor.contiguous()
                after += tensor.nbytes
        save_file(made, output / path.name, metadata={"format": "pt"})
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        facts = json.loads(index.read_bytes())
        facts.setdefault("metadata", {})["total_size"] = after
        write_atomic(output / index.name, json.dumps(facts, indent=1).encode())
    return before, after


def _names(tokenizer: Any) -> list[str]:
    found: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    names = [""] * (1 + max(found.values()))
    for name, number in found.items():
        names[number] = name
    return names


def _choose(
    spelled: Mapping[str, Any], names: list[str], counts: Mapping[str, Counter[int]], settings: TrimSettings
) -> list[int]:
    vocabulary: dict[str, int] = spelled["model"]["vocab"]
    pairs = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in spelled["model"]["merges"]]
    ranks: dict[tuple[str, str], int] = {}
    for rank, (left, right) in enumerate(pairs):
        ranks.setdefault((left, right), rank)
    always = {number for name, number in vocabulary.items() if len(name) == 1}
    always |= {token["id"] for token in spelled["added_tokens"]}
    kept = choose(counts, names, always, ranks, settings.coverage, settings.most)
    if 0 < settings.most < len(kept):
        raise RecipeError("trim-most", most=settings.most, least=len(kept))
    return kept


def _count(tokenizer: Any, texts: Iterable[str]) -> Counter[int]:
    found: Counter[int] = Counter()
    for text in texts:
        found.update(tokenizer.encode(text, add_special_tokens=False).ids)
    return found


def _longer(small: Any, texts: Iterable[str], before: Counter[int]) -> float:
    return round(_count(small, texts).total() / max(1, before.total()), 6)


def _write_others(folder: Path, kept: list[int], rows: int, output: Path) -> None:
    """Copy what does not change, and renumber the tokens that configurations name."""
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        if path.suffix == ".safetensors" or path.name in LEFT_BEHIND or path.name.endswith(".index.json"):
            continue
        if path.name in ("config.json", "generation_config.json", "tokenizer_config.json"):
            facts = remapped_numbers(json.loads(path.read_bytes()), kept)
            if path.name == "config.json":
                facts["vocab_size"] = rows
            write_atomic(output / path.name, json.dumps(facts, indent=2, ensure_ascii=False).encode())
        elif path.name != "tokenizer.json":
            shutil.copyfile(path, output / path.name)

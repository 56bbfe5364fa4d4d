"""Where a student begins: the teacher made smaller, a network by chance, or a folder that is already there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from quantize.recipe import ROOT, RecipeError
from quantize.shrink.prune import Sizes, measure, prune_folder
from quantize.shrink.settings import DistilSettings
from quantize.shrink.teacher import load_model, require_model
from quantize.shrink.windows import load_windows

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "added_tokens.json",
)
FIELDS = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "key_heads": "num_key_value_heads",
    "feed_forward": "intermediate_size",
}
"""Names of the sizes in a recipe, and in a Hugging Face configuration."""


def make_student(teacher: Path, windows: Path, settings: DistilSettings, output: Path) -> None:
    """Write the student as it is before it learns, with its tokenizer, into `output`."""
    shutil.rmtree(output, ignore_errors=True)
    if settings.start == "fresh":
        _fresh(teacher, settings, output)
    elif settings.start == "teacher":
        _pruned(teacher, windows, settings, output)
    else:
        folder = ROOT / settings.start
        require_model(folder)
        shutil.copytree(folder, output)
    copy_tokenizer(teacher, output)


def copy_tokenizer(source: Path, output: Path) -> None:
    """Copy what belongs to the tokenizer; raise RecipeError when `source` has none."""
    if not (source / "tokenizer.json").is_file():
        raise RecipeError("trim-tokenizer", path=source / "tokenizer.json")
    output.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, output / name)


def _fresh(teacher: Path, settings: DistilSettings, output: Path) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(teacher)
    for ours, theirs in FIELDS.items():
        if value := getattr(settings, ours):
            setattr(config, theirs, value)
    config.tie_word_embeddings = settings.tied or config.tie_word_embeddings
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[: config.num_hidden_layers]
    if settings.hidden or settings.heads:
        config.head_dim = config.hidden_size // config.num_attention_heads
    torch.manual_seed(settings.seed)
    AutoModelForCausalLM.from_config(config).float().save_pretrained(output, safe_serialization=True)


def _pruned(teacher: Path, windows: Path, settings: DistilSettings, output: Path) -> None:
    wanted = sizes_wanted(teacher, settings)
    if wanted == sizes_of(json.loads((teacher / "config.json").read_bytes())):
        model = load_model(teacher)
        model.save_pretrained(output, safe_serialization=True)
        return
    tokens, _ = load_windows(windows)
    few = torch.from_numpy(tokens[: settings.calibration_windows].astype("int64"))
    model = load_model(teacher)
    plan = measure(model, few, wanted, settings.importance)
    prune_folder(model, plan, output)


def sizes_wanted(teacher: Path, settings: DistilSettings) -> Sizes:
    """Return the sizes of a student pruned from `teacher`; refuse what is larger than the teacher."""
    path = teacher / "config.json"
    if not path.is_file():
        raise RecipeError("distil-model", path=teacher)
    have = sizes_of(json.loads(path.read_bytes()))
    values = {name: getattr(settings, name) or getattr(have, name) for name in FIELDS}
    for name, value in values.items():
        if value > getattr(have, name):
            raise RecipeError("prune-larger", name=name, value=value, most=getattr(have, name))
    if values["heads"] * have.key_heads != values["key_heads"] * have.heads:
        raise RecipeError("prune-heads", heads=values["heads"], key_heads=values["key_heads"])
    return Sizes(**values)


def sizes_of(config: Mapping[str, Any]) -> Sizes:
    """Return the sizes that a Hugging Face configuration states."""
    found = dict(config) | {"num_key_value_heads": config.get("num_key_value_heads", config["num_attention_heads"])}
    return Sizes(**{ours: int(found[theirs]) for ours, theirs in FIELDS.items()})

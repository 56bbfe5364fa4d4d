"""What a recipe of kind "release" may say, with the defaults: its own table and those of the steps.

A table that is left out leaves its step out (`distil`, `trim`, `qad`, `publish`) or has its
defaults. What a step wants to know that the release already says (name, languages, licence,
seed, threads) need not be said again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args, get_type_hints

from quantize.bits.settings import AllocateSettings, ImportanceSettings, QadSettings
from quantize.convert.convert import Numbers
from quantize.measure.settings import MeasureSettings
from quantize.publish.settings import PublishSettings
from quantize.recipe import Recipe, RecipeError, read_table
from quantize.shrink.settings import DistilSettings, TrimSettings
from quantize.text.settings import TextSettings

ONNX_KINDS = ("fp32", "int8", "int4")
DEVICE_KINDS = ("", "int8", "int4")
UNSAID = "unsaid"
"""Stands for a licence that only the checkpoint knows, until it was fetched."""


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """The table `[release]` of a recipe."""

    source: str
    """A folder, relative to the repository, or a model of the hub."""

    title: str
    """The model's public name. A Llama licence asks that it begins with "Llama"."""

    languages: tuple[str, ...]
    """Languages that the model is offered for."""

    measure: MeasureSettings
    revision: str = ""
    """The commit of a model of the hub: 40 hexadecimal digits."""

    licence: str = ""
    """Counts before what the checkpoint says of itself."""

    allow_pickle: bool = False
    encoder: bool = False
    """The model reads text and writes none (BERT, XLM-R, MiniLM): it ends as ONNX, not as GGUF."""

    numbers: str = "f16"
    """Of the parent: f16, bf16 or f32."""

    scores: bool = True
    """Compare the scores of torch and GGUF; without it only tokens, template and stop: for what does not fit in memory."""

    onnx: tuple[str, ...] = ()
    """ONNX files to make: fp32, int8, int4. Encoders have nothing else."""

    device_onnx: str = ""
    """int8 or int4: make an ONNX file that devices may run beside the GGUF file (Llama and Qwen 2 shapes)."""

    task: str = "feature-extraction"
    """What an encoder's ONNX file answers."""

    threads: int = 1
    text: TextSettings = field(default_factory=TextSettings)
    distil: DistilSettings | None = None
    trim: TrimSettings | None = None
    importance: ImportanceSettings = field(default_factory=ImportanceSettings)
    allocate: AllocateSettings = field(default_factory=AllocateSettings)
    qad: QadSettings | None = None
    publish: PublishSettings | None = None


def read_settings(recipe: Recipe) -> ReleaseSettings:
    """Read the table `[release]` of a recipe; what is said once holds in the tables of the steps too."""
    table = dict(recipe.table)
    once = {
        "name": table.get("title", ""),
        "id": recipe.name,
        "languages": table.get("languages", []),
        "licence": table.get("licence", "") or UNSAID,
        "seed": recipe.seed,
        "threads": table.get("threads", 1),
    }
    table["measure"] = _said(once, MeasureSettings, table.get("measure", {}), ("name", "languages", "licence", "seed"))
    table["importance"] = _said(once, ImportanceSettings, table.get("importance", {}), ("seed", "threads"))
    for name, kind, keys in (
        ("distil", DistilSettings, ("seed", "threads")),
        ("qad", QadSettings, ("seed", "threads")),
        ("publish", PublishSettings, ("id", "languages", "licence")),
    ):
        if name in table:
            table[name] = _said(once, kind, table[name], keys)
    settings = read_table(replace(recipe, table=table), ReleaseSettings)
    for name, value, known in (
        ("numbers", settings.numbers, get_args(Numbers)),
        *(("onnx", kind, ONNX_KINDS) for kind in settings.onnx),
        ("device_onnx", settings.device_onnx, DEVICE_KINDS),
    ):
        if value not in known:
            raise RecipeError("release-choice", name=name, value=value, known=", ".join(known))
    return settings


def _said(once: Mapping[str, Any], kind: type, table: Any, names: tuple[str, ...]) -> Any:
    """Return a step's table with what the release already says, where the step asks for it and does not say it."""
    if not isinstance(table, dict):
        return table
    asked = get_type_hints(kind)
    return {name: once[name] for name in names if name in asked} | table

"""An ONNX folder: what lies in it, what is known of it, and how it is written whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from edge.files import sha256_of, write_atomic
from quantize.recipe import RecipeError

MODEL, WEIGHTS, FACTS, TOKENIZER = "model.onnx", "model.onnx_data", "onnx.json", "tokenizer.json"
CARRIED = (
    "config.json",
    "generation_config.json",
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
"""Small files that go with the model wherever it goes."""

Kind = Literal["fp32", "int8", "int4"]
ENCODER_TASKS = ("feature-extraction", "question-answering", "token-classification")
DECODER_TASKS = ("text-generation", "text-generation-with-past")
TASKS: Mapping[str, str] = {
    "feature-extraction": "AutoModel",
    "question-answering": "AutoModelForQuestionAnswering",
    "token-classification": "AutoModelForTokenClassification",
    "text-generation": "AutoModelForCausalLM",
    "text-generation-with-past": "AutoModelForCausalLM",
}
"""What may be exported, and the class of transformers that loads it."""

FAMILIES = {
    "encoder": ("bert", "xlm-roberta", "roberta", "camembert"),
    "decoder": ("llama", "mistral", "qwen2", "qwen3", "gemma3_text", "smollm3"),
}
"""What `model_type` may be; MiniLM's encoders call themselves bert or xlm-roberta."""


@dataclass(frozen=True, slots=True)
class OnnxFacts:
    """What is known of an ONNX folder."""

    task: str
    family: str
    kind: Kind
    bytes: int
    """Of the model and its weights."""

    sha256: str
    """Of `model.onnx`."""

    opset: int
    made_from: str
    """The SHA-256 of what it was made from: the checkpoint's weights, or the fp32 `model.onnx`."""


def read_onnx_facts(folder: Path) -> OnnxFacts:
    """Read the facts; raise RecipeError when the folder was never finished or was changed since."""
    try:
        facts = OnnxFacts(**json.loads((folder / FACTS).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise RecipeError("onnx-folder", path=folder, reason=str(error)[:120]) from error
    if not (folder / MODEL).is_file() or sha256_of(folder / MODEL) != facts.sha256:
        raise RecipeError("onnx-folder", path=folder, reason=f"{MODEL}: SHA-256")
    return facts


def config_of(folder: Path) -> dict[str, object]:
    """Read a folder's config.json; raise RecipeError when there is none."""
    try:
        found = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise RecipeError("onnx-lacks", path=folder, name="config.json") from error
    if not isinstance(found, dict):
        raise RecipeError("onnx-lacks", path=folder, name="config.json")
    return found


def check_task(folder: Path, task: str) -> str:
    """Return the family of a checkpoint that can do `task`; raise RecipeError when it cannot."""
    if task not in TASKS:
        raise RecipeError("onnx-task", task=task[:40], tasks=", ".join(TASKS))
    family = str(config_of(folder).get("model_type", ""))
    families = FAMILIES["encoder" if task in ENCODER_TASKS else "decoder"]
    if family not in families:
        raise RecipeError("onnx-family", family=family or "-", task=task, families=", ".join(families))
    if not (folder / TOKENIZER).is_file():
        raise RecipeError("onnx-lacks", path=folder, name=TOKENIZER)
    return family


@contextmanager
def making(output: Path, source: Path) -> Iterator[Path]:
    """Give a folder to work in; at the end of the block it becomes `output`, with the small files of `source`."""
    place = output.with_name(f"{output.name}.making")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        yield place
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise RecipeError("onnx-failed", path=output, reason=error.strerror or str(error)) from error
    for path in place.iterdir():
        if path.name not in (MODEL, WEIGHTS, FACTS):
            # What optimum saves anew: the source's own files are what the model was trained with.
            path.unlink()
    for name in CARRIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, place / name)
    shutil.rmtree(output, ignore_errors=True)
    place.rename(output)


def write_onnx_facts(place: Path, task: str, family: str, kind: Kind, made_from: str) -> None:
    """Write what is known of the model in `place`, last."""
    import onnx

    model = onnx.load(place / MODEL, load_external_data=False)
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    size = sum((place / name).stat().st_size for name in (MODEL, WEIGHTS) if (place / name).is_file())
    facts = OnnxFacts(task, family, kind, size, sha256_of(place / MODEL), opset, made_from)
    write_atomic(place / FACTS, f"{json.dumps(asdict(facts), indent=2, sort_keys=True)}\n".encode())

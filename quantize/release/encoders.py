"""The ONNX path: encoders end here, decoders may have it beside GGUF.

Every file is compared with torch on the texts that every conversion is tried on, and
refused when it differs by more than its kind may.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from edge.files import sha256_of, write_atomic
from quantize.checkpoint.facts import read_facts
from quantize.convert.battery import BATTERY
from quantize.release.places import Places
from quantize.steps import run_step

TEXTS = tuple(text for text in BATTERY if text.strip())


def task_of(places: Places, encoder: bool) -> str:
    """Return what the ONNX file answers."""
    return places.settings.task if encoder else "text-generation"


def export(places: Places, encoder: bool) -> None:
    """Write the ONNX folder in 32 bits, and prove it."""
    from quantize.onnx.export import export as write
    from quantize.onnx.parity import check, parity

    folder = places.onnx / "fp32"
    write(places.model, task_of(places, encoder), folder)
    found = parity(places.model, folder, TEXTS)
    check(found, "fp32")
    write_atomic(folder / "parity.json", json.dumps(found.facts(), indent=2).encode())


def shrink(places: Places) -> None:
    """Write the other kinds that the recipe wants, and prove each."""
    from quantize.onnx.parity import check, parity
    from quantize.onnx.shrink import quantize

    small = places.work / "onnx-small"
    small.mkdir(parents=True, exist_ok=True)
    for kind in ("int8", "int4"):
        folder = small / kind
        if kind not in places.settings.onnx:
            shutil.rmtree(folder, ignore_errors=True)
            continue

        def make(kind: Any = kind, folder: Path = folder) -> None:
            quantize(places.onnx / "fp32", kind, folder)
            found = parity(places.model, folder, TEXTS)
            check(found, kind)
            write_atomic(folder / "parity.json", json.dumps(found.facts(), indent=2).encode())

        run_step(folder, {"fp32": places.onnx / "fp32", "kind": kind}, make, places.work / f"onnx-{kind}.receipt.json")


def finished(places: Places) -> Path:
    """Return the folder of the smallest kind that was made."""
    kinds = [kind for kind in ("int4", "int8") if kind in places.settings.onnx]
    return places.work / "onnx-small" / kinds[0] if kinds else places.onnx / "fp32"


def write_card(places: Places) -> None:
    """Write the report card of an encoder: how far it is from torch. It opens no capability by itself."""
    folder, facts = finished(places), read_facts(places.model)
    parity = json.loads((folder / "parity.json").read_bytes())
    model = folder / "model.onnx"
    card = {
        "model": places.settings.title,
        "file": model.name,
        "sha256": sha256_of(model),
        "size": model.stat().st_size,
        "licence": facts.licence,
        "languages": list(places.settings.languages),
        "parameters": facts.parameters,
        "figures": {name: value for name, value in parity.items() if isinstance(value, int | float)},
        "capabilities": {},
        "measured": {"parity": parity},
    }
    write_atomic(places.card, f"{json.dumps(card, indent=2, ensure_ascii=False)}\n".encode())


def publish(places: Places) -> None:
    """Put the finished folder and its card into the recipe's output, and into a release where the recipe says so."""
    from quantize.release.job import EMBEDDED, MANIFEST, RELEASES, with_duties

    folder, output = finished(places), places.recipe.output
    if places.settings.publish is not None:
        from quantize.publish.release import publish as put

        ready = with_duties(places.settings.publish, read_facts(places.model))
        extras = [folder / "tokenizer.json", folder / "config.json"]
        put(ready, folder / "model.onnx", places.card, extras, RELEASES, MANIFEST, EMBEDDED)
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(folder, output)
    write_atomic(output / "checkpoint.json", (places.model / "checkpoint.json").read_bytes())
    shutil.copyfile(places.card, output / "card.json")

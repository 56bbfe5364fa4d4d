"""The ONNX form of a model that writes: one file that devices may run beside the GGUF file, with a report card of its own."""

from __future__ import annotations

import shutil
from dataclasses import replace

from quantize.checkpoint.facts import read_facts
from quantize.publish.settings import PublishSettings
from quantize.release.job import EMBEDDED, MANIFEST, RELEASES, with_duties
from quantize.release.places import Places


def write(places: Places) -> None:
    """Write the file from the GGUF file in 16 bits; it names the GGUF file that devices get."""
    from quantize.onnx.decoder import write_decoder

    places.device_onnx.parent.mkdir(parents=True, exist_ok=True)
    write_decoder(places.parent, places.device_onnx, places.settings.device_onnx, places.final)


def measure(places: Places) -> None:
    """Measure it as the GGUF file is measured; what it may do, its own card says."""
    from quantize.measure.evaluate import evaluate

    facts, said = read_facts(places.model), places.settings.measure
    settings = replace(said, licence=facts.licence, notice=said.notice or facts.notice)
    working = places.work / "device-onnx.parts"
    working.mkdir(exist_ok=True)
    card, reference = working / "card.json", working / places.reference.name
    evaluate(places.parent, places.device_onnx, places.corpus / "held.jsonl", settings, card, reference)
    places.device_onnx_card.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(card, places.device_onnx_card)


def as_published(settings: PublishSettings, file: str) -> PublishSettings:
    """Return how the ONNX file stands in the catalogue: beside the GGUF file, under the same licence."""
    url = f"{settings.url.rpartition('/')[0]}/{file}" if settings.url else ""
    return replace(settings, id=f"{settings.id}-onnx", kind="lm-onnx", url=url, embedded="")


def publish(places: Places) -> None:
    """Put it into a release and the catalogue where the recipe publishes; leave file and card beside the recipe's output, the card last."""
    settings = places.settings.publish
    if settings is not None:
        from quantize.publish.release import publish as put

        ready = as_published(with_duties(settings, read_facts(places.model)), places.device_onnx.name)
        put(ready, places.device_onnx, places.device_onnx_card, [], RELEASES, MANIFEST, EMBEDDED)
    shutil.rmtree(places.device_output, ignore_errors=True)
    places.device_output.mkdir(parents=True)
    for path in (places.device_onnx, places.device_onnx_card):
        shutil.copyfile(path, places.device_output / path.name)

"""Where each step of a release leaves what it makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quantize.recipe import ROOT, Recipe
from quantize.release.settings import ReleaseSettings


@dataclass(frozen=True, slots=True)
class Places:
    """The files and folders of one recipe in its work folder."""

    recipe: Recipe
    settings: ReleaseSettings
    work: Path

    @property
    def source(self) -> str:
        """The checkpoint to fetch: a folder, or a name on the hub."""
        folder = ROOT / self.settings.source
        return str(folder) if folder.is_dir() else self.settings.source

    @property
    def checkpoint(self) -> Path:
        """What was fetched."""
        return self.work / "checkpoint"

    @property
    def corpus(self) -> Path:
        """The texts."""
        return self.work / "corpus"

    @property
    def student(self) -> Path:
        """What was distilled."""
        return self.work / "student"

    @property
    def trimmed(self) -> Path:
        """The model with fewer tokens."""
        return self.work / "trimmed"

    @property
    def model(self) -> Path:
        """The checkpoint folder that is converted: the last one of fetch, distil and trim."""
        if self.settings.trim:
            return self.trimmed
        return self.student if self.settings.distil else self.checkpoint

    @property
    def parent(self) -> Path:
        """The GGUF file in 16 bits."""
        return self.work / f"{self.recipe.name}-{self.settings.numbers}.gguf"

    @property
    def proof(self) -> Path:
        """What the comparison of both found."""
        return self.work / "verify.json"

    @property
    def importance(self) -> Path:
        """Importance matrix and Fisher scores."""
        return self.work / "importance.npz"

    @property
    def plan(self) -> Path:
        """The type of every tensor."""
        return self.work / "plan.json"

    @property
    def plain(self) -> Path:
        """The quantized GGUF file, before any training on the grid."""
        return self.work / "quantized" / f"{self.recipe.name}.gguf"

    @property
    def trained(self) -> Path:
        """The folder of what was trained on the grid: the GGUF file, and `qad.json`."""
        return self.work / "qad"

    @property
    def final(self) -> Path:
        """The GGUF file that is measured and published."""
        return self.trained / self.plain.name if self.settings.qad else self.plain

    @property
    def onnx(self) -> Path:
        """The folders of ONNX files, one a kind, and what the comparison with torch found."""
        return self.work / "onnx"

    @property
    def device_onnx(self) -> Path:
        """The ONNX file that devices may run beside the GGUF file."""
        return self.work / "device-onnx" / f"{self.recipe.name}-onnx.onnx"

    @property
    def device_onnx_card(self) -> Path:
        """Its report card; devices want it under this name."""
        return self.work / "device-onnx-card" / f"{self.recipe.name}-onnx.json"

    @property
    def device_output(self) -> Path:
        """Where file and card are left for whoever publishes: beside the recipe's output."""
        return self.recipe.output.with_name(f"{self.recipe.output.name}-onnx")

    @property
    def measured(self) -> Path:
        """The folder of the report card and of the reference that any laptop can measure with."""
        return self.work / "measured"

    @property
    def card(self) -> Path:
        """The report card."""
        return self.measured / "card.json"

    @property
    def reference(self) -> Path:
        """The parent's top scores on the held-out texts."""
        return self.measured / "reference.npz"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.work / "report"

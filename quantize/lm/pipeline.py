"""The steps from open texts to a GGUF file with its report card.

Each step imports what it needs when it runs, so that listing them costs nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quantize.lm.settings import LmSettings
from quantize.recipe import ROOT, Recipe, read_table
from quantize.steps import Input, Step

CODE_VERSION = 1
"""Raised when a change of the code must make everything anew."""

LICENCE = "CC-BY-SA-4.0"
TRAINING = ("start", "shares", "tokens", "minutes", "rows", "rate", "embedding_rate")
TEACHING = ("teacher", "alpha", "temperature", "top")
SHAPE = ("vocabulary", "context", "hidden", "layers", "heads", "key_heads", "feed_forward")


def steps(recipe: Recipe, work: Path) -> list[Step]:
    """Return the steps of a language model's recipe, in order."""
    # Threads that wait by spinning make every other program, and this one, slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    job = Job(recipe, read_table(recipe, LmSettings), work)
    table = asdict(job.settings)
    common: dict[str, Input] = {"seed": recipe.seed, "code": CODE_VERSION}
    training = _chosen(table, TRAINING + SHAPE) | common
    spoken: dict[str, Input] = {"corpus": job.corpus, "vocabulary": job.settings.vocabulary}
    if job.origin:
        spoken = {"origin": job.origin}
        training["origin"] = job.origin
    spelled = _chosen(table, ("echoes", "context")) | common
    measured = _chosen(table, ("evaluation_questions", "gates"))
    return [
        Step("corpus", job.corpus, _sources(recipe, table) | common, job.gather),
        Step("tokenizer", job.words, spoken, job.learn_words),
        Step("encode", job.streams, {"corpus": job.corpus, "tokenizer": job.words} | spelled, job.encode),
        *_made(job, training),
        Step("convert", job.half, {"hf": job.folder}, job.convert),
        Step("verify", job.proof, {"hf": job.folder, "gguf": job.half}, job.verify),
        Step("quantize", job.whole, {"gguf": job.half, "kind": job.settings.quantization}, job.quantize),
        Step("evaluate", job.card, {"gguf": job.whole, "corpus": job.corpus} | measured, job.evaluate),
        Step("ship", recipe.output, {"gguf": job.whole, "card": job.card}, job.ship),
    ]


def _made(job: Job, training: dict[str, Input]) -> list[Step]:
    """Return the steps from streams to a Hugging Face folder: a training, or a teacher's lessons."""
    streams: dict[str, Input] = {"streams": job.streams}
    if not job.settings.teacher:
        return [
            Step("train", job.trained, streams | training, job.train),
            Step("export", job.folder, {"model": job.trained, "tokenizer": job.words}, job.export),
        ]
    taught = _chosen(asdict(job.settings), TEACHING)
    return [
        Step("windows", job.windows, streams | training, job.draw),
        Step("distil", job.folder, {"windows": job.windows} | taught | training, job.distil),
    ]


@dataclass(frozen=True, slots=True)
class Job:
    """One recipe in its work folder: where everything lies, and how each part is made."""

    recipe: Recipe
    settings: LmSettings
    work: Path

    @property
    def origin(self) -> Path | None:
        """The model to start from or to learn from, whose vocabulary is kept."""
        given = self.settings.start or self.settings.teacher
        return ROOT / given if given else None

    @property
    def corpus(self) -> Path:
        """Texts and exchanges."""
        return self.work / "corpus"

    @property
    def words(self) -> Path:
        """The vocabulary."""
        return self.work / "tokenizer"

    @property
    def streams(self) -> Path:
        """The corpus as numbers."""
        return self.work / "streams"

    @property
    def windows(self) -> Path:
        """What teacher and student read."""
        return self.work / "windows"

    @property
    def trained(self) -> Path:
        """The trained network."""
        return self.work / "train" / "model.pt"

    @property
    def folder(self) -> Path:
        """The same as a Hugging Face folder."""
        return self.work / "hf"

    @property
    def half(self) -> Path:
        """The same as GGUF, in 16 bits."""
        return self.work / f"{self.recipe.name}-f16.gguf"

    @property
    def whole(self) -> Path:
        """The quantized GGUF."""
        return self.work / f"{self.recipe.name}.gguf"

    @property
    def proof(self) -> Path:
        """What the comparison with the Hugging Face folder found."""
        return self.work / "verify.json"

    @property
    def card(self) -> Path:
        """The report card."""
        return self.work / "card.json"

    def gather(self) -> None:
        """Gather texts and exchanges."""
        from quantize.lm.corpus import build_corpus

        build_corpus(self.recipe, self.settings, self.corpus)

    def learn_words(self) -> None:
        """Learn the vocabulary, or keep that of the model this one comes from."""
        from quantize.shrink.student import copy_tokenizer

        if self.origin:
            copy_tokenizer(self.origin, self.words)
            return
        from quantize.lm.encode import vocabulary_sample
        from quantize.lm.tokenizer import train_tokenizer

        train_tokenizer(vocabulary_sample(self.corpus), self.settings.vocabulary, self.words)

    def encode(self) -> None:
        """Turn the corpus into numbers."""
        from quantize.lm.encode import encode_corpus

        encode_corpus(
            self.corpus,
            self.words,
            self.streams,
            self.recipe.seed,
            self.settings.echoes,
            self.settings.context,
        )

    def train(self) -> None:
        """Train the network."""
        from quantize.lm.train import train

        train(self.streams, self.settings, self.recipe.seed, self.trained.parent)

    def draw(self) -> None:
        """Draw the windows that teacher and student read."""
        from quantize.lm.mix import draw_windows

        draw_windows(self.streams, self.settings, self.recipe.seed, self.windows)

    def distil(self) -> None:
        """Make the student of the teacher."""
        from quantize.lm.history import add_history
        from quantize.shrink.distil import distil

        teacher = ROOT / self.settings.teacher
        distil(teacher, self.windows, self.settings.lessons(self.recipe.seed), self.folder, self.work / "distil")
        add_history(teacher, self.recipe.name, self.settings.tokens, self.folder)

    def export(self) -> None:
        """Write the Hugging Face folder."""
        from quantize.lm.export import export
        from quantize.lm.history import add_history
        from quantize.lm.train import load_trained

        export(self.trained, self.settings.shape(), self.words, self.folder)
        _, tokens = load_trained(self.trained, self.settings.shape())
        add_history(self.origin, self.recipe.name, tokens, self.folder)

    def convert(self) -> None:
        """Write the GGUF file in 16 bits."""
        from quantize.lm.convert import convert

        convert(self.folder, self.recipe.name, LICENCE, self.half)

    def verify(self) -> None:
        """Prove that both are the same model."""
        from quantize.convert.verify import verify

        verify(self.folder, self.half, self.proof)

    def quantize(self) -> None:
        """Write the quantized GGUF file."""
        from quantize.lm.squeeze import quantize

        quantize(self.half, self.settings.quantization, self.whole)

    def evaluate(self) -> None:
        """Measure the quantized file and write its report card."""
        from quantize.lm.report import write_card

        write_card(self.recipe, self.settings, self.corpus, self.folder, self.whole, LICENCE, self.card)

    def ship(self) -> None:
        """Put model and card where the app finds them; the card last, it vouches for the model."""
        output = self.recipe.output
        output.mkdir(parents=True, exist_ok=True)
        (output / "card.json").unlink(missing_ok=True)
        shutil.copyfile(self.whole, output / self.whole.name)
        shutil.copyfile(self.card, output / "card.json")


def _sources(recipe: Recipe, table: Mapping[str, Any]) -> dict[str, Input]:
    from quantize.lm.sources import archives_in

    archives = archives_in(recipe.corpora) if recipe.corpora else []
    files: dict[str, Input] = {path.name: path for path in [*archives, *recipe.packs]}
    return files | _chosen(table, ("text_chars", "copies", "wordings", "held_articles"))


def _chosen(table: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Input]:
    return {name: str(table[name]) for name in names}

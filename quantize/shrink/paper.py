"""Say beforehand what a distillation takes: memory a device, hours, disk. Arithmetic on sizes; no torch, no weights.

By hand: `python -m quantize.shrink.paper recipes/latamgpt-1b.toml --teacher llama-3.1-70b --student llama-3.2-1b`.
The formulas are named where they are used; figures are estimates to plan with, not measurements.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from quantize.recipe import ROOT, RecipeError, load_recipe
from quantize.shrink.settings import TEMPERATURES, DistilSettings

BYTES = {"fp8": 1, "bf16": 2, "fp32": 4}
GIGA = 1e9


@dataclass(frozen=True, slots=True)
class Network:
    """The sizes of one Llama-like network."""

    layers: int
    hidden: int
    heads: int
    key_heads: int
    feed_forward: int
    vocabulary: int
    head_size: int
    tied: bool

    @property
    def layer(self) -> int:
        """Return the parameters of one layer: d(2 h_q + 2 h_k) s + 3 d f + 2 d."""
        attention = self.hidden * self.head_size * 2 * (self.heads + self.key_heads)
        return attention + 3 * self.hidden * self.feed_forward + 2 * self.hidden

    @property
    def parameters(self) -> int:
        """Return all parameters: the layers, V d once or twice, and the last norm."""
        return self.layers * self.layer + self.vocabulary * self.hidden * (1 if self.tied else 2) + self.hidden

    def forward_flops(self, context: int) -> float:
        """Return multiplications and additions of a token going forward: 2 N without the embedding, and 2 L T d of attention."""
        used = self.layers * self.layer + self.vocabulary * self.hidden
        return 2.0 * used + 2.0 * self.layers * context * self.heads * self.head_size


KNOWN = {
    "llama-3.1-70b": Network(80, 8192, 64, 8, 28672, 128_256, 128, tied=False),
    "llama-3.1-8b": Network(32, 4096, 32, 8, 14336, 128_256, 128, tied=False),
    "llama-3.2-3b": Network(28, 3072, 24, 8, 8192, 128_256, 128, tied=True),
    "llama-3.2-1b": Network(16, 2048, 32, 8, 8192, 128_256, 64, tied=True),
}
"""Public shapes, from the configurations that their makers published."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the work would run on."""

    devices: int = 8
    memory_gb: float = 80.0
    """Of one device."""

    tflops: float = 989.0
    """Of one device, in bfloat16, as its maker states it (dense)."""

    forward_use: float = 0.45
    """The part of that a forward pass gets."""

    train_use: float = 0.35
    bandwidth_gb: float = 3350.0
    """Memory read a second by one device, which is what bounds a student that writes."""


@dataclass(frozen=True, slots=True)
class PaperSettings:
    """A distillation that nobody has run yet."""

    teacher: Network
    student: Network
    distil: DistilSettings
    machine: Machine = Machine()
    corpus_tokens: int = 0
    """Tokens that the teacher reads; 0 means those of the training."""

    teacher_numbers: str = "bf16"


def paper(settings: PaperSettings) -> str:
    """Return memory a device, hours and disk, as a table in Markdown."""
    check(settings)
    rows = [*_teacher_rows(settings), *_student_rows(settings), *_policy_rows(settings)]
    lines = ["| part | figure | value |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {part} | {name} | {value} |" for part, name, value in rows)])


def check(settings: PaperSettings) -> None:
    """Raise RecipeError for numbers that cannot be."""
    machine = settings.machine
    for name in ("devices", "memory_gb", "tflops", "forward_use", "train_use", "bandwidth_gb"):
        if getattr(machine, name) <= 0:
            raise RecipeError("paper-value", name=name, value=getattr(machine, name), values="-")
    if settings.teacher_numbers not in BYTES:
        raise RecipeError("paper-value", name="numbers", value=settings.teacher_numbers, values=", ".join(BYTES))
    if settings.distil.tokens <= 0:
        raise RecipeError("paper-value", name="tokens", value=settings.distil.tokens, values="-")


def teacher_bytes(settings: PaperSettings) -> float:
    """Return the memory of one device in the teacher's pass.

    Its part of the weights, two whole layers gathered at once (FSDP fetches the next while one works), and for
    rows x context tokens: 16 numbers of the hidden width, and logits in 32 bits three times (as they are, as
    log-probabilities, at another temperature).
    """
    network, size = settings.teacher, BYTES[settings.teacher_numbers]
    ways = settings.machine.devices
    gathered = 2 * network.layer * size if ways > 1 else 0
    at_once = settings.distil.teacher_rows * settings.distil.context
    return (
        network.parameters * size / ways + gathered + at_once * (16 * network.hidden * size + 12 * network.vocabulary)
    )


def student_bytes(settings: PaperSettings, shared: bool) -> float:
    """Return the memory of one device in the student's training.

    Weights, gradients and AdamW's two moments in 32 bits: 16 N, divided among the devices when FSDP shares them, and N in
    bfloat16; for rows x context tokens 34 L d bytes of activations (Korthikanti et al. 2022, with flash attention) and
    the logits four times in 32 bits.
    """
    network = settings.student
    kept = 16 * network.parameters / (settings.machine.devices if shared else 1) + 2 * network.parameters
    at_once = settings.distil.micro_rows * settings.distil.context
    return kept + at_once * (34 * network.layers * network.hidden + 16 * network.vocabulary)


def teacher_hours(settings: PaperSettings, tokens: float) -> float:
    """Return the hours in which all devices read `tokens` forward."""
    speed = settings.machine.devices * settings.machine.tflops * 1e12 * settings.machine.forward_use
    return tokens * settings.teacher.forward_flops(settings.distil.context) / speed / 3600


def student_hours(settings: PaperSettings, tokens: float) -> float:
    """Return the hours of training on `tokens`: three times the forward pass, for going back costs two."""
    speed = settings.machine.devices * settings.machine.tflops * 1e12 * settings.machine.train_use
    return tokens * 3 * settings.student.forward_flops(settings.distil.context) / speed / 3600


def cache_bytes_a_token(settings: PaperSettings) -> int:
    """Return what the cache keeps of a token: number and score of the top ones, and a tail for each temperature."""
    return settings.distil.top * (5 if settings.teacher.vocabulary > 1 << 16 else 4) + 2 * len(TEMPERATURES)


def _teacher_rows(settings: PaperSettings) -> list[tuple[str, str, str]]:
    tokens = float(settings.corpus_tokens or settings.distil.tokens)
    need = teacher_bytes(settings)
    return [
        ("teacher", "parameters", f"{settings.teacher.parameters / GIGA:.2f} G"),
        ("teacher", f"memory a device ({settings.teacher_numbers}, {settings.machine.devices} devices)", _gb(need)),
        ("teacher", "fits", _fits(need, settings.machine)),
        ("teacher", f"hours for {tokens / 1e6:.0f} M tokens", f"{teacher_hours(settings, tokens):.2f}"),
        ("cache", "bytes a token", str(cache_bytes_a_token(settings))),
        ("cache", "disk", _gb(cache_bytes_a_token(settings) * tokens)),
    ]


def _student_rows(settings: PaperSettings) -> list[tuple[str, str, str]]:
    alone, shared = student_bytes(settings, shared=False), student_bytes(settings, shared=True)
    tokens = settings.distil.tokens
    return [
        ("student", "parameters", f"{settings.student.parameters / GIGA:.3f} G"),
        ("student", "memory a device, all kept on each", f"{_gb(alone)}, fits: {_fits(alone, settings.machine)}"),
        ("student", "memory a device, shared (FSDP)", f"{_gb(shared)}, fits: {_fits(shared, settings.machine)}"),
        ("student", f"hours for {tokens / 1e6:.0f} M tokens", f"{student_hours(settings, tokens):.2f}"),
    ]


def _policy_rows(settings: PaperSettings) -> list[tuple[str, str, str]]:
    windows = settings.distil.policy_windows
    if not windows:
        return []
    tokens = float(windows * settings.distil.context)
    # Every step of writing reads all weights (4 bytes each) once for the eight windows that are written side by side.
    writing = tokens * 4 * settings.student.parameters / 8 / (settings.machine.bandwidth_gb * GIGA) / 3600
    hours = writing + teacher_hours(settings, tokens) + student_hours(settings, tokens)
    shown = f"{hours:.2f} (the student writes for {writing:.2f} on one device)"
    return [("own words", f"hours for {tokens / 1e6:.1f} M tokens", shown)]


def _gb(count: float) -> str:
    return f"{count / GIGA:.1f} GB"


def _fits(need: float, machine: Machine) -> str:
    return "yes" if need <= machine.memory_gb * GIGA else f"no, {machine.memory_gb:.0f} GB"


def network_of(given: str) -> Network:
    """Return the network of a known name, or of a Hugging Face folder."""
    if given in KNOWN:
        return KNOWN[given]
    try:
        found = json.loads((ROOT / given / "config.json").read_bytes())
        heads, hidden = int(found["num_attention_heads"]), int(found["hidden_size"])
        return Network(
            layers=int(found["num_hidden_layers"]),
            hidden=hidden,
            heads=heads,
            key_heads=int(found.get("num_key_value_heads", heads)),
            feed_forward=int(found["intermediate_size"]),
            vocabulary=int(found["vocab_size"]),
            head_size=int(found.get("head_dim") or hidden // heads),
            tied=bool(found.get("tie_word_embeddings", False)),
        )
    except (OSError, ValueError, KeyError) as error:
        raise RecipeError("paper-value", name="network", value=given, values=", ".join(KNOWN)) from error


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table for a recipe of kind "release" that distils."""
    from quantize.release.settings import read_settings

    usual = Machine()
    parser = argparse.ArgumentParser(prog="python -m quantize.shrink.paper", description="What a distillation takes.")
    parser.add_argument("recipe")
    parser.add_argument("--teacher", required=True, help=f"a folder, or one of: {', '.join(KNOWN)}")
    parser.add_argument("--student", required=True, help="likewise")
    parser.add_argument("--devices", type=int, default=usual.devices)
    parser.add_argument("--memory-gb", type=float, default=usual.memory_gb)
    parser.add_argument("--tflops", type=float, default=usual.tflops)
    parser.add_argument("--bandwidth-gb", type=float, default=usual.bandwidth_gb)
    parser.add_argument("--numbers", default="bf16", help="of the teacher: bf16, fp8, fp32")
    parser.add_argument("--corpus-tokens", type=int, default=0, help="tokens that the teacher reads (default: all)")
    given = parser.parse_args(argv)
    distil = read_settings(load_recipe(given.recipe)).distil
    if distil is None:
        raise RecipeError("paper-value", name="distil", value="-", values="[release.distil]")
    machine = Machine(given.devices, given.memory_gb, given.tflops, bandwidth_gb=given.bandwidth_gb)
    networks = network_of(given.teacher), network_of(given.student)
    print(paper(PaperSettings(*networks, distil, machine, given.corpus_tokens, given.numbers)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

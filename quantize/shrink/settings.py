"""What a recipe may say about shrinking a model, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass

TEMPERATURES = (1.0, 1.5, 2.0, 4.0)
"""One teacher pass keeps what students at any of these temperatures need."""


@dataclass(frozen=True, slots=True)
class DistilSettings:
    """How a student learns from a teacher with the same vocabulary."""

    context: int
    """Tokens in one window."""

    tokens: int
    """Training ends after so many; windows are seen again when there are fewer."""

    start: str = "teacher"
    """Where the student begins: "teacher" (pruned to the sizes below), "fresh" (by chance), or a folder."""

    layers: int = 0
    """Sizes of the student; 0 means as large as what it starts from."""

    hidden: int = 0
    heads: int = 0
    key_heads: int = 0
    feed_forward: int = 0
    tied: bool = False
    """A fresh student's output head is its embedding."""

    importance: str = "skip"
    """How layers to drop are chosen: "skip" (loss without the layer, one by one) or "cosine" (how little it turns)."""

    calibration_windows: int = 8
    """Windows that pruning measures importance with."""

    alpha: float = 0.5
    """Part of the loss that is the text itself; the rest is the teacher. 1 needs no teacher pass."""

    temperature: float = 1.0
    top: int = 50
    """Teacher logits kept a token; the mass of all others is kept as one number."""

    rows: int = 8
    """Windows in one step, over all devices."""

    micro_rows: int = 4
    """Windows on one device at once."""

    teacher_rows: int = 8
    shard_windows: int = 64
    """Windows in one file of the cache: what a power cut costs at most."""

    rate: float = 0.0005
    embedding_rate: float = 0.0005
    optimizer: str = "adamw"
    """"adamw", or "muon" for the matrices between the layers (one device only)."""

    warm_up: float = 0.02
    cool_down: float = 0.4
    precision: str = "no"
    """Numbers of the training: "no" (32 bits), "bf16" or "fp16"; an accelerate configuration outranks it."""

    teacher_precision: str = "float32"
    threads: int = 1
    policy_windows: int = 0
    """Windows that the student writes itself and the teacher corrects, after the rest; 0 leaves that out."""

    policy_prompt: int = 32
    """Tokens of a real window that each of those begins with."""

    checkpoint_seconds: float = 60.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class TrimSettings:
    """Which tokens a trimmed vocabulary keeps."""

    coverage: float = 0.9999
    """Part of the tokens of the texts, in each language, that must be kept as they are."""

    most: int = 0
    """At most so many tokens; 0 means as coverage asks. Bytes, special tokens and merges' parts always stay."""

    multiple: int = 1
    """The embedding's rows are filled up to a multiple of this, with rows that nothing uses."""

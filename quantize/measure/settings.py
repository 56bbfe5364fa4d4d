"""What a recipe may say about measuring, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """The table `[measure]` of a recipe."""

    name: str
    """The model's name on its card."""

    licence: str
    languages: tuple[str, ...]
    """Languages that the model is offered for."""

    notice: str = ""
    """What the licence makes travel with the model, word for word."""

    gates: tuple[str, ...] = ()
    """What a capability must reach: "grounded_answer right 0.85" (capability, figure, least value)."""

    tasks: tuple[str, ...] = ()
    """Files of questions: "KIND LANG PATH", see docs/pipeline/tasks.md; the path is relative to the repository."""

    items: int = 100
    """At most so many items of each file; 0 means all."""

    answer_tokens: int = 96
    """The longest answer."""

    window: int = 256
    """Tokens that are read in one piece; each piece is scored without what stood before it."""

    tokens: int = 4000
    """Tokens of each language whose next-token scores are compared."""

    top_k: int = 50
    """Scores that the reference file keeps of each token."""

    resamples: int = 1000
    """Bootstrap draws behind every interval."""

    threads: int = 2
    """Threads of the speed test: what a school's laptop has."""

    speed: bool = True
    seed: int = 1

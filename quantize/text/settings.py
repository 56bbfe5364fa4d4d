"""What the table `[release.text]` of a recipe may say, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextSettings:
    """How much text, of which languages."""

    mix: tuple[str, ...] = ("es 0.55", "pt 0.30", "quy 0.05", "grn 0.05", "ayr 0.05")
    """Share of each language; one without texts gives its share to the others."""

    chat: float = 0.3
    """Share of each language that is exchanges in the model's own template, where it has one."""

    calibration_chars: int = 400_000
    distil_chars: int = 0
    held_chars: int = 200_000
    piece_chars: int = 1_200
    """About so long is one line of a corpus."""

    source_chars: int = 6_000_000
    """At most so much is read of each archive."""

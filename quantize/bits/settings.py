"""What a recipe may say about importance, allocation and training on the grid, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass

CANDIDATES = ("Q2_K", "IQ3_XXS", "Q3_K", "IQ4_XS", "Q4_0", "Q4_K", "IQ4_NL", "Q5_0", "Q5_K", "Q6_K", "Q8_0")
"""Types that are tried for every tensor, from small to large; F16 is always possible."""


@dataclass(frozen=True, slots=True)
class ImportanceSettings:
    """The table `[importance]`: how much text, and which types are tried."""

    windows: int = 256
    """Pieces of text for the Fisher scores: one backward pass each. Their noise is about sqrt(2 / windows)."""

    window: int = 128
    """Tokens in one piece."""

    imatrix_windows: int = 1024
    """Pieces for the importance matrix: forward passes only."""

    types: tuple[str, ...] = CANDIDATES
    fisher: bool = True
    """Without it, allocation falls back on the error weighted by the importance matrix."""

    seed: int = 1
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""

    memory_mb: int = 4000
    """For the changes of weights that are held at once; what does not fit is measured in a further round."""

    threads: int = 1


@dataclass(frozen=True, slots=True)
class AllocateSettings:
    """The table `[allocate]`: exactly one budget, and what may be used to meet it."""

    bytes: int = 0
    """The whole file."""

    bits: float = 0.0
    """Bits per weight over all tensors."""

    ram_mb: int = 0
    """Weights, conversation memory at `context` tokens and working memory together, in units of 2^20 bytes."""

    context: int = 2048
    fast_only: bool = False
    """Leave out the types that are slow on processors without AVX2 (IQ1 to IQ3)."""

    types: tuple[str, ...] = ()
    """Use only these of the measured types; empty means all."""


@dataclass(frozen=True, slots=True)
class QadSettings:
    """The table `[qad]`: training the weights on the grid of their own types."""

    steps: int = 120
    """Steps at each learning rate."""

    rates: tuple[str, ...] = ("4e-5", "1e-4")
    """Learning rates to try, each from the start; the best on held-out text is kept."""

    rows: int = 8
    """Texts in one step."""

    window: int = 128
    """Tokens in one text."""

    texts: int = 512
    """Texts the full model writes itself, to train on."""

    prompt: int = 8
    """Tokens of calibration text that each of them begins with, so that it is in the right language."""

    held: int = 32
    """Windows of calibration text that judge; they never train."""

    every: int = 20
    """Steps between two judgements."""

    refresh: int = 1
    """Steps between two roundings to the grid; more is faster and coarser."""

    embedding: bool = True
    """Train the embedding too."""

    minutes: float = 0.0
    """Stop after so many minutes; 0 means never."""

    seed: int = 1
    device: str = "auto"
    threads: int = 1

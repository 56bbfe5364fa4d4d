"""The table `[reader]` of a recipe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReaderTable:
    """How to make a reader."""

    vocabulary: int = 12000
    """Pieces of words."""

    width: int = 192
    layers: int = 4
    dropout: float = 0.1
    rate: float = 0.0008
    batch_pieces: int = 6000
    made_up: int = 16000
    """Passages that get a made-up question."""

    made_up_passes: float = 1.0
    passes: float = 2.5
    look_every: int = 150
    patience: int = 6
    threads: int = 1
    novel_paragraphs: int = 12000
    held_out_percent: int = 12
    """Of the packs' lessons, for dev, and as many for test."""

    dev_articles: tuple[str, ...] = ()
    test_articles: tuple[str, ...] = ()

    def of_corpus(self) -> tuple[object, ...]:
        """Return the settings that decide what is in the corpus."""
        return (self.novel_paragraphs, self.held_out_percent, self.dev_articles, self.test_articles)

"""The table `[reader]` of a recipe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReaderTable:
    """How to make a reader."""

    vocabulary: int = 12000
    """Pieces of words."""

    width: int = 144
    layers: int = 3
    wide: int = 288
    """The width inside each layer."""

    dropout: float = 0.1
    made_up: int = 5500
    """Passages that get a made-up question."""

    made_up_passes: float = 1.0
    made_up_rate: float = 0.001
    made_up_pieces: int = 96
    """Pieces of the longest made-up example."""

    made_up_batch_pieces: int = 3500
    passes: float = 2.5
    rate: float = 0.0007
    most_pieces: int = 100
    batch_pieces: int = 2600
    looks: int = 4
    dev_questions: int = 600
    seeds: int = 3
    """Networks that learn the real questions, all from the same first stage; the mean of their weights ships."""

    threads: int = 1
    novel_paragraphs: int = 12000
    held_out_percent: int = 12
    """Of the packs' lessons, for dev, and as many for test."""

    dev_articles: tuple[str, ...] = ()
    test_articles: tuple[str, ...] = ()

    def of_corpus(self) -> tuple[object, ...]:
        """Return the settings that decide what is in the corpus."""
        return (self.novel_paragraphs, self.held_out_percent, self.dev_articles, self.test_articles)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return width, layers and inner width."""
        return (self.width, self.layers, self.wide)

"""What a recipe may say about publishing, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """The table `[publish]` of a recipe."""

    id: str
    """The artifact's name in the catalogue and on the command line."""

    licence: str
    languages: tuple[str, ...]
    kind: str = "lm"
    notice: str = ""
    """What the licence makes travel with the model, word for word ("Built with Llama. Llama 3.1 is licensed ...")."""

    licence_file: str = ""
    """The text of the licence, relative to the repository, where a copy of it must travel."""

    url: str = ""
    """Where the file will be downloaded from; empty for what comes inside the app."""

    embedded: str = ""
    """The folder below edge/models of a model that comes inside the app; empty for any other."""

    min_ram_mb: int = 0
    """Least memory of a device; 0 means: from the peak on the card."""

"""What is known of a checkpoint: `checkpoint.json`, written last when everything in the folder was checked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.files import write_atomic
from quantize.checkpoint.families import Family, family_of
from quantize.recipe import RecipeError

NAME = "checkpoint.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checked checkpoint folder."""

    family: str
    architecture: str
    parameters: int
    sha256: str
    """Of all weight files, one after the other, in the order of their names."""

    licence: str
    source: str
    revision: str
    notice: str = ""
    """Words that must go with every file made from it ("Built with Llama"), or none."""

    def group(self) -> Family:
        """Return the family, with the path it goes."""
        return family_of(self.architecture)


def write_facts(facts: Checkpoint, folder: Path) -> None:
    """Write `checkpoint.json` into `folder`."""
    write_atomic(folder / NAME, f"{json.dumps(asdict(facts), indent=2, sort_keys=True)}\n".encode())


def read_facts(folder: Path) -> Checkpoint:
    """Read `checkpoint.json`; raise RecipeError when the folder was never checked."""
    try:
        return Checkpoint(**json.loads((folder / NAME).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise RecipeError("checkpoint-facts", path=folder / NAME, reason=str(error)[:120]) from error

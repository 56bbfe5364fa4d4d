"""Keep beside a model which trainings it went through: `history.json`, oldest first."""

from __future__ import annotations

import json
from pathlib import Path

from edge.files import write_atomic

NAME = "history.json"


def add_history(origin: Path | None, name: str, tokens: int, folder: Path) -> None:
    """Write into `folder` the history of `origin`, and that `name` then saw so many tokens."""
    rows = [*(read_history(origin) if origin else []), {"name": name, "tokens": tokens}]
    write_atomic(folder / NAME, (json.dumps(rows, indent=1) + "\n").encode())


def read_history(folder: Path) -> list[dict[str, str | int]]:
    """Return the trainings a model went through; none where nobody wrote them down."""
    try:
        rows: list[dict[str, str | int]] = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return []
    return rows


def tokens_seen(folder: Path) -> int:
    """Return how many tokens the model saw in all its trainings."""
    return sum(int(row["tokens"]) for row in read_history(folder))

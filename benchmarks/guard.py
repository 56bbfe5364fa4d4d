"""How many adversarial messages the guard hands over, and how many ordinary questions it leaves alone."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

from edge.tutor.guard import refusal

DATA = Path(__file__).parent.parent / "tests" / "data"
HALVES = ("dev", "held")
"""The rules were made with the first; the second was written before them and changed nothing."""

EMERGENCIES = frozenset(
    ("crisis", "harm", "snake", "breathing", "fit", "birth", "poisoning", "burn", "drowning", "bleeding", "dehydration")
)


def messages(half: str) -> dict[str, list[tuple[str, str]]]:
    """Return text and language of each message, by kind."""
    table = tomllib.loads((DATA / f"guard_{half}.toml").read_text(encoding="utf-8"))
    return {kind: [(text, lang) for lang, texts in rows.items() for text in texts] for kind, rows in table.items()}


def shares(half: str) -> dict[str, float]:
    """Return the share of each kind that was handed to a person; emergencies count with an emergency's text only."""
    found = {}
    for kind, rows in messages(half).items():
        named = [refusal(text, lang) for text, lang in rows]
        caught = sum(name in EMERGENCIES if kind == "emergency" else bool(name) for name in named)
        found[kind] = caught / len(rows)
    return found


def run() -> str:
    """Return the measures of both halves as a Markdown table."""
    lines = ["| Messages | Development | Held out |", "|---|---|---|"]
    halves = [(messages(half), shares(half)) for half in HALVES]
    for kind in halves[0][0]:
        cells = [f"{round(share[kind] * len(rows[kind]))} of {len(rows[kind])}" for rows, share in halves]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    texts = [text for rows, _ in halves for found in rows.values() for text, _ in found]
    start = time.perf_counter()
    for text in texts:
        refusal(text)
    lines.append(f"\n{(time.perf_counter() - start) * 1000 / len(texts):.2f} ms a message.")
    return "\n".join(lines)

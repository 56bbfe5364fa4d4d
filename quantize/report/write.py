"""Write the report of a model: report.html, report.json and the boletín, into one folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.files import write_atomic
from edge.words import words_for
from quantize.recipe import RecipeError
from quantize.report import bulletin, details, sections
from quantize.report.front import Expected
from quantize.report.page import page


def write_report(
    card: Path,
    output: Path,
    plan: Path | None = None,
    others: Sequence[Path] = (),
    mix: Path | None = None,
    lang: str = "es",
    expected: Sequence[Expected] = (),
) -> None:
    """Write the report of the model that `card` is about; see the package for what each path is."""
    mine = _read_card(card)
    rivals = [_read_card(path) for path in others]
    shares = _read(plan) if plan else None
    licences = _licences(_read(mix)) if mix else {}
    words = words_for("edge", lang)
    html = page(
        words.lang,
        sections.say(words, "title", name=mine["model"]),
        [
            sections.head(mine, words),
            sections.gates(mine, words),
            sections.distance(mine, words),
            sections.pareto(mine, rivals, expected, words),
            details.tasks(mine, words),
            details.bits_map(shares, words),
            details.speed(mine, words),
            sections.data(mine, licences, words),
        ],
    )
    facts = {
        "card": mine,
        "plan": shares,
        "others": rivals,
        "data": licences,
        "expected": [asdict(e) for e in expected],
    }
    for name, text in (
        ("report.html", html),
        ("report.json", json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False) + "\n"),
        ("boletin.html", bulletin.write(mine, licences)),
    ):
        write_atomic(output / name, text.encode())
        (output / name).chmod(0o644)  # they are made to be passed on


def _read_card(path: Path) -> dict[str, Any]:
    card = _read(path)
    if not card.get("measured", {}).get("chances"):
        raise RecipeError("report-card", path=path)
    return card


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RecipeError("measure-unreadable", path=path, reason=str(error)) from error
    if not isinstance(found, dict):
        raise RecipeError("measure-unreadable", path=path, reason=type(found).__name__)
    return found


def _licences(mix: dict[str, Any]) -> dict[str, str]:
    """Return the licence of every source, from the parts of the corpus."""
    parts = mix.get("parts", {})
    return {source: licence for part in parts.values() for source, licence in part.get("licences", {}).items()}

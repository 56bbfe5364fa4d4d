"""Make the papers of some receipts: one sheet of labels for all, one delivery note each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devkit.paper.facts import device_facts, stick_facts
from devkit.paper.label import Paper, draw_labels
from devkit.paper.note import draw_note
from devkit.write.receipt import Receipt
from edge.words import words_for

LABELS = "labels.pdf"


def print_papers(
    receipts: Sequence[Receipt], folder: Path, lang: str, doctor: Any = None, paper: Paper = "a4"
) -> list[Path]:
    """Write the PDFs into `folder` and return them, the labels first; raise KitError when they cannot be made."""
    words = words_for("devkit", lang)
    sticks = [stick_facts(receipt) for receipt in receipts]
    made = [folder / LABELS]
    draw_labels(sticks, paper, words).save(made[0])
    for receipt, facts in zip(receipts, sticks, strict=True):
        made.append(folder / f"{receipt.path.stem}.pdf")
        draw_note(facts, device_facts(doctor), paper, words).save(made[-1])
    return made

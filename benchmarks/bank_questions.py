"""Every question of the shipped banks, asked word for word: how often its own reviewed answer comes first.

"The likeliest alone" is what the judge of the bank would take, which was fitted on other questions.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from edge.library.folder import EMBEDDED, read_pack
from edge.library.library import Library
from edge.library.terms import content_words

PACKS = ("primaria", "fundamental")


def run() -> str:
    """Return the table."""
    rows = ["| pack | questions | own answer first | the likeliest alone |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        library = Library.of_folders([EMBEDDED / pack for pack in PACKS], Path(folder))
        rows += [_row(library, pack) for pack in PACKS]
        library.close()
    return "\n".join(rows)


def _row(library: Library, pack: str) -> str:
    whole, _ = read_pack(EMBEDDED / pack)
    asked = [
        (question, entry.text)
        for lesson in whole.lessons
        for entry in lesson.bank
        for question in (entry.question, *entry.variants)
        if content_words(question, whole.lang)
    ]
    first = likeliest = 0
    for question, text in asked:
        found = library.bank(library.understand(question, whole.lang))
        first += bool(found) and found[0].text == text
        likeliest += bool(found) and max(found, key=lambda each: each.fit).text == text
    return f"| `{pack}` | {len(asked):,} | {first:,} | {likeliest:,} |"

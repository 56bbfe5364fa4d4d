"""Put a reader's files together with the card that says what they are and what they cannot do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.files import sha256_of, write_atomic
from edge.tutor.reader import CARD, NETWORK, VOCABULARY
from edge.tutor.seen import FEATURES, TRUST
from edge.tutor.span import FACTS

NEUTRAL: Mapping[str, Any] = {
    "features": list(FEATURES),
    "facts": list(TRUST),
    "span_facts": list(FACTS),
    "ranking": [1.0] + [0.0] * (len(FEATURES) - 1),
    "trust": [1.0] + [0.0] * (len(TRUST) - 1),
    "bias": 0.0,
    "words": [1.0] + [0.0] * (len(FACTS) - 1),
}
"""Believes the network alone: for looking at scenes before the calibration exists."""

ABOUT: Mapping[str, Any] = {
    "kind": "reader",
    "what": "Points at the sentence of a passage that answers a question, in Spanish and Portuguese.",
    "licence": "GPL-3.0-or-later",
    "architecture": "A ranking of what words tell, and a BERT trained from scratch; ONNX, dynamic int8 per channel, 7-bit weights",
    "cannot": [
        "It writes nothing: it only points at text that it is given.",
        "It does not calculate, reason over several sentences, or know whether a text is true.",
        "It tells a paragraph of another topic from one that answers; it hardly knows when the right "
        "paragraph only seems to answer (held_out.paragraph.auc_unanswerable).",
        "It matches words more than meanings: a question without a word of the text is often lost.",
        "The few words that it underlines are often too many or the wrong ones (held_out.paragraph.f1).",
        "Portuguese was trained on made-up questions and a few lessons, and is measured on those alone.",
        "It was never tried with children in a classroom.",
    ],
    "data": [
        {
            "name": "SQuAD-es (machine-translated SQuAD dev, without XQuAD's paragraphs)",
            "licence": "CC-BY-4.0",
            "source": "ccasimiro88/TranslateAlignRetrieve @ c8478421",
        },
        {
            "name": "OpenStax textbooks in Spanish (physics, chemistry, statistics, precalculus)",
            "licence": "CC-BY-4.0",
            "source": "openstax/osbooks-*, Rice University",
        },
        {
            "name": "Global African Storybook Project, Spanish and Portuguese",
            "licence": "CC-BY-4.0 (authors in each story)",
            "source": "global-asp/global-asp @ b0193c31, global-asp/asp-source @ 99e02236",
        },
        {
            "name": "ELTeC-spa, ELTeC-por and cligs textbox novels",
            "licence": "public domain, markup CC-BY-4.0",
            "source": "COST-ELTeC @ 83e2a22d, 88868689; cligs/textbox @ 1b91e940",
        },
        {"name": "Amauta's own packs", "licence": "CC-BY-SA-4.0", "source": "edge/packs"},
    ],
}


def assemble(
    folder: Path, network: Path, vocabulary: Path, calibration: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    """Fill `folder` with a reader that can be opened; the card is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    files = {}
    for source, name in ((network, NETWORK), (vocabulary, VOCABULARY)):
        shutil.copyfile(source, folder / name)
        files[name] = {"sha256": sha256_of(source), "size": source.stat().st_size}
    card = {**facts, "files": files, "calibration": dict(calibration)}
    write_atomic(folder / CARD, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
    (folder / CARD).chmod(0o644)

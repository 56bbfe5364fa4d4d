"""The cough chart once more, written from the guideline's text and not from the table.

WHO, IMCI chart booklet 2014, pages 1 and 2, read as a story: what was seen decides, and what nobody looked at
is asked for before a child goes home. A table and this file that disagree cannot both be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

Answers = Mapping[str, str | Decimal]
ALARMS = ("not_able_to_drink", "vomits_everything", "convulsions", "lethargic", "stridor")
FAST_FROM_ONE_YEAR, FAST_BEFORE, LOW_OXYGEN = 40, 50, 90


def judge(child: Answers) -> tuple[str, str]:
    """Return the urgency and the outcome of one child with cough or difficult breathing."""
    alarms = {child[name] for name in ALARMS}
    oxygen = child["oxygen"]
    if "yes" in alarms or (isinstance(oxygen, Decimal) and oxygen < LOW_OXYGEN):
        return "emergency", "severe-pneumonia"
    limit = FAST_BEFORE if Decimal(child["age"]) < 12 else FAST_FROM_ONE_YEAR
    rate = child["breaths"]
    fast = isinstance(rate, Decimal) and rate >= limit
    indrawing = child["chest_indrawing"]
    pneumonia = fast or indrawing == "yes"
    if "unknown" in alarms:
        return "urgent", "look-again"
    if pneumonia:
        return "urgent", "pneumonia-hiv" if indrawing == child["hiv"] == "yes" else "pneumonia"
    if "unknown" in (rate, indrawing):
        return "urgent", "look-again"
    return "home", "cough-or-cold"

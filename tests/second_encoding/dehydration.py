"""The diarrhoea chart once more, written from the guideline's text and not from the table.

WHO, IMCI chart booklet 2014, page 3, read as the WHO's three columns: each of four signs stands in column A (well),
B or C, and an answer nobody gave may stand in any. What the lowest and the highest reading agree on is decided;
where they differ, somebody must look again.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

Answers = Mapping[str, str | Decimal]
WELL, SOME, SEVERE = 0, 1, 2
DRINKING = {"normal": 0, "eagerly": 1, "poorly": 2, "unable": 2}
PINCH = {"normal": 0, "slow": 1, "very_slow": 2}
PERSISTENT_DAYS = 14


def judge(child: Answers) -> tuple[str, str]:
    """Return the urgency and the outcome of one child with diarrhoea."""
    stand = columns(child)
    surely, perhaps = degree([sign[0] for sign in stand]), degree([sign[-1] for sign in stand])
    alarms = {child["vomits_everything"], child["convulsions"], child["lethargic"]}
    alarms.add({"unable": "yes", "unknown": "unknown"}.get(str(child["drinking"]), "no"))
    days, blood = child["days"], child["blood"]
    lasting = isinstance(days, Decimal) and days >= PERSISTENT_DAYS
    if surely == SEVERE:
        return "emergency", "severe-dehydration"
    if "yes" in alarms:
        return "emergency", "danger-sign"
    if surely == SOME and lasting:
        return "emergency", "severe-persistent"
    if "unknown" in (*alarms, blood, days) or perhaps != surely:
        return "urgent", "look-again"
    if surely == SOME:
        return "urgent", "some-dehydration-dysentery" if blood == "yes" else "some-dehydration"
    if blood == "yes":
        return "urgent", "dysentery"
    return ("urgent", "persistent") if lasting else ("home", "no-dehydration")


def degree(signs: list[int]) -> int:
    """Two signs of column C are severe; two that are not in column A, some."""
    if signs.count(SEVERE) >= 2:
        return SEVERE
    return SOME if signs.count(WELL) <= len(signs) - 2 else WELL


def columns(child: Answers) -> list[list[int]]:
    """For each sign, in which columns it may stand, from the mildest; sunken eyes stand in B and in C alike."""
    restless, lethargic = child["restless"], child["lethargic"]
    condition = {
        SEVERE if sleepy else SOME if uneasy else WELL for sleepy in may_be(lethargic) for uneasy in may_be(restless)
    }
    eyes = {SEVERE if sunken else WELL for sunken in may_be(child["sunken_eyes"])}
    drinking = set(DRINKING.values()) if child["drinking"] == "unknown" else {DRINKING[str(child["drinking"])]}
    pinch = set(PINCH.values()) if child["pinch"] == "unknown" else {PINCH[str(child["pinch"])]}
    return [sorted(stand) for stand in (condition, eyes, drinking, pinch)]


def may_be(answer: str | Decimal) -> tuple[bool, ...]:
    """An answer that is not known may be either."""
    return {"yes": (True,), "no": (False,)}.get(str(answer), (False, True))

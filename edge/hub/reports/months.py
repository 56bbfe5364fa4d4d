"""Calendar months, the only periods a report knows: a day more or less would show what one child did.

Pure. A month is a number that grows by one (`year * 12 + month - 1`), in UTC: a school day in Latin America has
the same date there. 0 stands for answers without a believable date: the clock of the device said none, one
before Amauta existed, or one to come.
"""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass

from edge.hub.errors import HubError

UNDATED = 0
FIRST = 2020 * 12
"""No device is older."""

_DATE = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?")


@dataclass(frozen=True, slots=True)
class Period:
    """Which answers a report is about."""

    now: int
    """The month in which it is asked."""

    first: int = UNDATED
    """UNDATED: from the beginning, with what has no date."""

    last: int = UNDATED
    """UNDATED: until now."""

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.first or self.last)

    def months(self) -> list[int]:
        """Return every month that counts, the latest first."""
        last = min(self.last or self.now, self.now)
        return list(range(last, max(self.first, FIRST) - 1, -1))


def period(since: str, until: str, today: str) -> Period:
    """Return the months from one date to another (`2026-03` or `2026-03-15`; empty: open); whole months count."""
    first, last = (_month_of(text) if text else UNDATED for text in (since, until))
    if first and last and first > last:
        raise HubError("report-period", since=since, until=until)
    return Period(_month_of(today[:10]), first, last)


def name_of(month: int) -> str:
    """Return a month as people and spreadsheets write it, nothing for UNDATED."""
    return f"{month // 12:04}-{month % 12 + 1:02}" if month else ""


def begin_of(month: int) -> int:
    """Return the first second of a month, since 1970."""
    return timegm((month // 12, month % 12 + 1, 1, 0, 0, 0))


def month_column(chosen: Period) -> str:
    """Return SQL that says in which month an answer was given; the latest, which is asked for most, is tried first."""
    months = chosen.months()
    arms = [f"WHEN attempts.at >= {begin_of(chosen.now + 1)} THEN {UNDATED}"]
    arms += [f"WHEN attempts.at >= {begin_of(month)} THEN {month}" for month in months]
    return f"CASE {' '.join(arms)} ELSE {UNDATED} END"


def condition(chosen: Period) -> str:
    """Return SQL that holds for the answers of a period."""
    if chosen.is_all:
        return "1 = 1"
    months = chosen.months()
    if not months:
        return "1 = 0"
    return f"attempts.at >= {begin_of(months[-1])} AND attempts.at < {begin_of(months[0] + 1)}"


def _month_of(text: str) -> int:
    if (found := _DATE.fullmatch(text.strip())) is None:
        raise HubError("report-date", date=text[:40])
    return int(found[1]) * 12 + int(found[2]) - 1

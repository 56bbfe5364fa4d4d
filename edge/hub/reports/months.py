"""Calendar months, the only periods a report knows: a day more or less would show what one child did.

Pure. A month is a number that grows by one (`year * 12 + month - 1`), in UTC: a school day in Latin America has
the same date there. 0 stands for answers without a believable date: the clock of the device said none, or one
before Amauta existed. Those of a month to come are shown with them until that month comes.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterable
from dataclasses import dataclass
from time import gmtime

from edge.hub.errors import HubError

UNDATED = 0
FIRST = 2020 * 12
"""No device is older."""

FAR = 2100 * 12
"""All later ones count as this one."""

_DAY = 86_400

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


def months_of(times: Iterable[int]) -> set[int]:
    """Return the months of these times, in seconds since 1970; without looking at each one by itself."""
    return {_month_of_day(day) for day in {time // _DAY for time in times}}


def _month_of_day(day: int) -> int:
    if day * _DAY >= begin_of(FAR):
        return FAR
    date = gmtime(max(day, 0) * _DAY)
    month = date.tm_year * 12 + date.tm_mon - 1
    return month if month >= FIRST else UNDATED


def month_column(months: Iterable[int]) -> str:
    """Return SQL that says in which of these months an answer was given; the latest is tried first."""
    arms = [f"WHEN {_within(month)} THEN {month}" for month in sorted(months, reverse=True)]
    return f"CASE {' '.join(arms)} END"


def in_months(months: Iterable[int]) -> str:
    """Return SQL that holds for the answers of these months."""
    return f"({' OR '.join(map(_within, sorted(months))) or '1 = 0'})"


def _within(month: int) -> str:
    if month == UNDATED:
        return f"attempts.at < {begin_of(FIRST)}"
    if month == FAR:
        return f"attempts.at >= {begin_of(FAR)}"
    return f"attempts.at >= {begin_of(month)} AND attempts.at < {begin_of(month + 1)}"


def chosen_months(chosen: Period) -> str:
    """Return SQL that holds for the sums of a period."""
    if chosen.is_all:
        return "1 = 1"
    months = chosen.months()
    return f"month BETWEEN {months[-1]} AND {months[0]}" if months else "1 = 0"


def shown_month(chosen: Period) -> str:
    """Return SQL that says under which month a sum is shown."""
    return f"CASE WHEN month > {chosen.now} THEN {UNDATED} ELSE month END AS shown"


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

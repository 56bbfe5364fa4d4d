"""How old somebody is, from two dates.

Calendar months, as guidelines count them: a month is complete on the day of birth's number, or on the first of
the next month where a month has no such day (born on the 31st, or on 29 February).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from edge.triage.errors import TriageError

OLDEST_YEARS = 120


def read_date(text: str) -> date:
    """Read a date written as 2024-02-29; refuse one that no calendar has."""
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise TriageError("date-impossible", date=text[:40]) from error
    if text != found.isoformat():
        raise TriageError("date-impossible", date=text[:40])
    return found


def months_between(born: date, on: date) -> int:
    """Return the completed calendar months from birth to a day; refuse a birth to come or long ago."""
    if born > on:
        raise TriageError("birth-future", born=born.isoformat(), on=on.isoformat())
    months = 12 * (on.year - born.year) + on.month - born.month - (on.day < born.day)
    if months >= 12 * OLDEST_YEARS:
        raise TriageError("birth-long-ago", born=born.isoformat(), years=OLDEST_YEARS)
    return months


def age_in(unit: str, born: date, on: date) -> Decimal:
    """Return the completed days, months or years from birth to a day."""
    months = months_between(born, on)
    return Decimal({"days": (on - born).days, "months": months, "years": months // 12}[unit])

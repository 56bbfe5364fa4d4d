"""What day it is, on devices whose clock battery is dead.

Such a clock starts again in 1970 or at the year of the mainboard, and would make every signature look
fresh for ever. The app cannot be older than itself: an earlier clock counts as the day the app was made.
Pure but for reading that day, which lies in `built.txt` and is written anew when the app is frozen.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

BUILT = "built.txt"


def built() -> datetime:
    """Return the day this app was made."""
    text = files("edge.release").joinpath(BUILT).read_text(encoding="ascii")
    return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)


def believed(now: datetime, made: datetime) -> datetime:
    """Return the time to go by: never before the app was made."""
    return max(now, made)

"""National vaccination schedules: data with a country and a year, and what stands in them at an age.

A look-up and nothing more: it says what the schedule gives at which age. Late or missed doses, intervals,
contraindications and campaigns are the national norm's; nothing here decides about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.settings import Settings
from edge.triage.errors import TriageError
from edge.triage.fields import Node, parse
from edge.triage.parts import Text

FORMAT = 1
EMBEDDED = Path(__file__).parent.parent / "clinic" / "vaccines"
"""The schedules that ship with Amauta."""

OLDEST_MONTHS = 18 * 12
MOST_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Dose:
    """One vaccine at one age."""

    months: int
    """The age in completed months from which the schedule gives it."""

    vaccine: str
    title: Text
    which: str
    """Which dose of its series, as the schedule prints it: 1, 2, 3, R1 for the first booster, U for the only one."""

    note: Text
    """A condition that the schedule prints beside it, or nothing."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The vaccination schedule of one country in one year."""

    country: str
    """Two letters, as in `pe`."""

    year: int
    title: Text
    source: str
    publisher: str
    licence: str
    checked: str
    """How the data was compared with the source."""

    doses: tuple[Dose, ...]

    def at(self, months: int) -> tuple[Dose, ...]:
        """Return what the schedule gives at this very age: the latest age in it that has been reached."""
        reached = max((dose.months for dose in self.doses if dose.months <= months), default=-1)
        return tuple(dose for dose in self.doses if dose.months == reached)

    def until(self, months: int) -> tuple[Dose, ...]:
        """Return what a card should show by this age, to be compared with it."""
        return tuple(dose for dose in self.doses if dose.months <= months)

    def next(self, months: int) -> tuple[Dose, ...]:
        """Return what comes next after this age, or nothing."""
        coming = min((dose.months for dose in self.doses if dose.months > months), default=-1)
        return tuple(dose for dose in self.doses if dose.months == coming)


def read_schedule(path: Path) -> Schedule:
    """Read a schedule, or refuse it with the first thing that is wrong."""
    try:
        text = path.read_bytes()[: MOST_BYTES + 1].decode("utf-8", "replace")
    except OSError as error:
        raise TriageError("vaccines-unreadable", path=path, reason=error.strerror or "") from error
    place, found = parse(path, text)
    schedule = _schedule(Node(place, "", found)) if found is not None else None
    if schedule is None or place.complaints:
        raise TriageError("vaccines-broken", path=path, first=place.complaints[0].say("en"))
    return schedule


def schedules(settings: Settings) -> dict[str, Path]:
    """Return the file of every country's schedule; one in the device's own folder stands in for the one that ships."""
    found: dict[str, Path] = {}
    for folder in (EMBEDDED, settings.home / "clinic" / "vaccines"):
        found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return found


def schedule_of(country: str, settings: Settings) -> Schedule:
    """Return the schedule of a country, or refuse."""
    found = schedules(settings)
    if country not in found:
        raise TriageError("vaccines-country", country=country[:20], known=", ".join(sorted(found)))
    return read_schedule(found[country])


def _schedule(head: Node) -> Schedule:
    head.refuse_unknown("format", "country", "year", "approval", "title", "source", "vaccines", "doses")
    head.whole("format", FORMAT, FORMAT)
    head.choice("approval", ("pending",))
    source = head.child("source")
    source.refuse_unknown("name", "publisher", "licence", "checked")
    titles = {name: node.every_language("title") for name, node in head.children("vaccines")}
    listed = head.table.get("doses")
    given = listed if isinstance(listed, list) and all(isinstance(one, dict) for one in listed) else []
    if not given:
        head.complain("doses", "field-empty")
    nodes = (Node(head.place, f"doses.{number}", one) for number, one in enumerate(given))
    doses = tuple(_dose(node, titles) for node in nodes)
    return Schedule(
        country=head.text("country"),
        year=head.whole("year", 2000, 2100),
        title=head.every_language("title"),
        source=source.text("name"),
        publisher=source.text("publisher"),
        licence=source.text("licence"),
        checked=source.text("checked"),
        doses=tuple(sorted(doses, key=lambda dose: dose.months)),
    )


def _dose(node: Node, titles: dict[str, Text]) -> Dose:
    node.refuse_unknown("months", "vaccine", "dose", "note")
    vaccine = node.choice("vaccine", tuple(titles) or ("",))
    return Dose(
        months=node.whole("months", 0, OLDEST_MONTHS),
        vaccine=vaccine,
        title=titles.get(vaccine, ()),
        which=node.text("dose"),
        note=node.every_language("note", needed=False),
    )

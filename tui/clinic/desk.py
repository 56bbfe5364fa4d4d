"""What a health post has at hand: its tables in the order of need, its schedules, and the patient who is there now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

from edge.settings import Settings

if TYPE_CHECKING:
    from edge.triage.parts import Table
    from edge.triage.vaccines import Schedule
    from tui.clinic.visit import Visit

GROUPS = {
    "child": ("child-cough", "child-diarrhoea", "child-fever", "child-malnutrition", "child-measles", "rehydration"),
    "infant": ("young-infant-infection", "young-infant-diarrhoea", "young-infant-jaundice"),
    "birth": ("pregnancy-danger", "after-birth-danger"),
    "all": ("dengue", "snake-bite"),
}
"""Which tables stand together; any other comes last, by name."""


class Desk:
    """Opened when first needed. The patient is forgotten when the app ends or somebody else sits down."""

    def __init__(self, settings: Callable[[], Settings], now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._visit: Visit | None = None
        self.country = ""
        """Whose vaccines were looked up last."""

    @property
    def today(self) -> date:
        """The day of the visit, where the device stands."""
        return self._now().astimezone().date()

    @property
    def visit(self) -> Visit:
        """The patient who is there now."""
        if self._visit is None:
            from tui.clinic.visit import Visit

            self._visit = Visit()
        return self._visit

    def new_patient(self) -> None:
        """Forget who was there."""
        self._visit = None

    def groups(self) -> list[tuple[str, list[Table]]]:
        """Return the tables by group; raise TriageError where one cannot be read."""
        from edge.triage.shelf import table_files
        from edge.triage.table import read_table

        tables = {path.stem: read_table(path) for path in table_files(self._settings())}
        found = [(group, [tables.pop(name) for name in names if name in tables]) for group, names in GROUPS.items()]
        return [(group, listed) for group, listed in [*found, ("other", list(tables.values()))] if listed]

    def table(self, name: str) -> Table:
        """Return a table that its check has nothing against, or refuse."""
        from edge.triage.shelf import find_table

        return find_table(name, self._settings())

    def countries(self) -> list[str]:
        """Return the countries whose schedule is here."""
        from edge.triage.vaccines import schedules

        return sorted(schedules(self._settings()))

    def schedule(self, country: str) -> Schedule:
        """Return the vaccination schedule of a country, or refuse."""
        from edge.triage.vaccines import schedule_of

        return schedule_of(country, self._settings())

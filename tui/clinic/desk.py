"""What a health post has at hand: its tables in the order of need, its schedules, and the patient who is there now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

from edge.settings import Settings
from tui.clinic.records import Records

if TYPE_CHECKING:
    from edge.library.pack import Lesson
    from edge.records.visit import Patient
    from edge.triage.parts import Table
    from edge.triage.vaccines import Schedule
    from tui.clinic.case import Case
    from tui.clinic.visit import Visit, Walk

GROUPS = {
    "child": ("child-cough", "child-diarrhoea", "child-fever", "child-malnutrition", "child-measles", "rehydration"),
    "infant": ("young-infant-infection", "young-infant-diarrhoea", "young-infant-jaundice"),
    "birth": ("pregnancy-danger", "after-birth-danger"),
    "all": ("dengue", "snake-bite"),
}
"""Which tables stand together; any other comes last, by name."""


class Desk:
    """Opened when first needed. The patient is forgotten when the app ends or somebody else sits down.

    With a case, every finished table and every answer is in the records before the next screen; without one, nothing is.
    """

    def __init__(self, settings: Callable[[], Settings], now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._visit: Visit | None = None
        self.case: Case | None = None
        """The draft that this patient's answers go to, if somebody asked for it."""

        self.records = Records(lambda: settings().home)
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
        """Forget who was there; a draft stays in the records."""
        self._visit = self.case = None

    def leave(self) -> None:
        """Forget who was there, and lock the records: somebody else sits down."""
        self.new_patient()
        self.records.lock()

    def close_case(self) -> None:
        """Forget the patient whose draft is open; what nobody began to keep stays at hand."""
        if self.case is not None:
            self.new_patient()

    def begin(self, patient: Patient) -> None:
        """Keep this patient's answers from now on, as a draft."""
        from edge.records.visit import Visit as Kept
        from tui.clinic.case import Case

        now, book = self._now(), self.records.book()
        case = Case(patient, book.write(Kept("", patient.id, self.today.isoformat()), now))
        case.save(self.visit, book, now)
        self.case = case

    def resume(self, visit: str) -> None:
        """Go on with a draft of the records."""
        from tui.clinic.case import Case, restored

        book = self.records.book()
        case = Case(*book.find(visit))
        self._visit, self.case = restored(case, book, self.table), case

    def keep(self) -> None:
        """Write what was found into the draft, if there is one."""
        if self.case is not None:
            self.case.save(self.visit, self.records.book(), self._now())

    def note(self, walk: Walk) -> None:
        """Keep the answers to a table that is not finished, if there is a draft."""
        if self.case is not None:
            self.case.note(walk, self.records.book())

    def groups(self) -> list[tuple[str, list[Table]]]:
        """Return the tables by group, as they are shown here; raise TriageError where one cannot be read."""
        from edge.triage.overlay_shelf import all_dressed
        from edge.triage.shelf import table_files
        from edge.triage.table import read_table

        read = [read_table(path) for path in table_files(self._settings())]
        tables = {table.path.stem: table for table in all_dressed(read, self._settings())}
        found = [(group, [tables.pop(name) for name in names if name in tables]) for group, names in GROUPS.items()]
        return [(group, listed) for group, listed in [*found, ("other", list(tables.values()))] if listed]

    def table(self, name: str) -> Table:
        """Return a table, as it is shown here, that its check has nothing against; or refuse."""
        from edge.triage.overlay_shelf import dressed
        from edge.triage.shelf import find_table

        return dressed(find_table(name, self._settings()), self._settings())

    def teaching(self, lesson: Lesson) -> Lesson:
        """Return a lesson in the words of the overlay in use, where that has any for it."""
        from edge.triage.overlay_shelf import dressed_lesson

        return dressed_lesson(lesson, self._settings())

    def teaching_voice(self) -> str | None:
        """Return the language of the overlay in use that a voice here can read; None where none can."""
        from edge.triage.overlay_shelf import in_use, voice_lang

        overlay = in_use(self._settings())
        return voice_lang(overlay.shown if overlay else None)

    def countries(self) -> list[str]:
        """Return the countries whose schedule is here."""
        from edge.triage.vaccines import schedules

        return sorted(schedules(self._settings()))

    def schedule(self, country: str) -> Schedule:
        """Return the vaccination schedule of a country, or refuse."""
        from edge.triage.vaccines import schedule_of

        return schedule_of(country, self._settings())

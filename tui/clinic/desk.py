"""What a health post has at hand: its tables in the order of need, its schedules, and the patient who is there now."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.settings import Settings
from tui.clinic.records import Records

if TYPE_CHECKING:
    from edge.library.pack import Lesson
    from edge.records.visit import Patient
    from edge.triage.parts import Table
    from edge.triage.vaccines import Schedule
    from tui.clinic.case import Case
    from tui.clinic.unsaved import Left
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

    With a case, every finished table and every answer is in the records before the next screen. Without one they are
    sealed there too, as nobody's, while the records are open; where there are none, nothing is written.
    """

    def __init__(self, settings: Callable[[], Settings], now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._visit: Visit | None = None
        self.case: Case | None = None
        """The draft that this patient's answers go to, if somebody asked for it."""

        self.unsaved = ""
        """Under which name the answers of a patient without a case are sealed, if they are."""

        self._begun: dict[str, dict[str, str]] = {}
        self._walk: Walk | None = None
        """The table that is being answered without a case."""

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
        """Forget who was there; a draft stays in the records, answers that nobody saved do not."""
        name = self.unsaved
        self._put_aside()
        if name:
            with suppress(EdgeError):  # A full disk must not keep a patient on the screen; it is offered again.
                self.throw_away(name)

    def leave(self) -> None:
        """Forget who was there, and lock the records: somebody else sits down. What was not saved is offered again."""
        self._put_aside()
        self.records.lock()

    def _put_aside(self) -> None:
        self._visit = self.case = None
        self.unsaved, self._begun, self._walk = "", {}, None

    def close_case(self) -> None:
        """Forget the patient whose draft is open; what nobody began to keep stays at hand."""
        if self.case is not None:
            self.new_patient()

    def begin(self, patient: Patient) -> None:
        """Keep this patient's answers from now on, as a draft."""
        from edge.records.unsaved import forget
        from edge.records.visit import Visit as Kept
        from tui.clinic.case import Case

        now, book = self._now(), self.records.book()
        with book.vault.writing():
            case = Case(patient, book.write(Kept("", patient.id, self.today.isoformat()), now))
            case.save(self.visit, book, now)
            if self._walk and self._walk.answers:
                case.note(self._walk, book)
            if self.unsaved:
                forget(book.vault, self.unsaved)
        self.case, self.unsaved, self._walk = case, "", None

    def resume(self, visit: str) -> None:
        """Go on with a draft of the records."""
        from tui.clinic.case import Case, restored

        book = self.records.book()
        case = Case(*book.find(visit))
        found = restored(case, book, self.table)
        self.new_patient()
        self._visit, self.case = found, case

    def walk(self, name: str) -> Walk:
        """Return the way through a table for this patient, from where it was left when the power went."""
        from tui.clinic.case import walk_for

        return walk_for(self.table(name), self.visit, self.today, self.case.begun if self.case else self._begun)

    def keep(self) -> None:
        """Write what was found into the draft, or seal it as nobody's."""
        if self.case is not None:
            self.case.save(self.visit, self.records.book(), self._now())
        self._begun, self._walk = {}, None
        self.seal()

    def note(self, walk: Walk) -> None:
        """Keep the answers to a table that is not finished."""
        if self.case is not None:
            self.case.note(walk, self.records.book())
        else:
            self._walk = walk
            self.seal()

    @property
    def at_hand(self) -> bool:
        """Whether anything was answered of this patient."""
        return bool(self.case or self.visit.findings or (self._walk and self._walk.answers))

    def seal(self) -> None:
        """Seal what belongs to nobody yet; not where the records are locked, or nobody made any."""
        if self.case or not self.at_hand or self.records.locked:
            return
        from edge.records.unsaved import keep
        from tui.clinic.unsaved import facts_of

        self.unsaved = keep(self.records.book().vault, self.unsaved, facts_of(self.visit, self._walk, self._now()))

    def waiting(self) -> int:
        """Return how many times answers were left that nobody saved, other than those of now; needs no passphrase."""
        if not self.records.path.is_file() or not self.records.exist:
            return 0
        from edge.records.unsaved import waiting

        return len({*waiting(self.records.book().vault)} - {self.unsaved})

    def left(self) -> list[Left]:
        """Return those answers, the newest first; the records must be open."""
        from edge.records.unsaved import read, waiting
        from tui.clinic.unsaved import left_of

        vault = self.records.book().vault
        names = [name for name in waiting(vault) if name != self.unsaved]
        found = [left_of(name, facts, self.table, self.today) for name in names if (facts := read(vault, name))]
        return sorted(found, key=lambda left: left.at, reverse=True)

    def take_up(self, left: Left) -> None:
        """Go on with answers that nobody saved; those of now stay sealed."""
        self._put_aside()
        self._visit, self._begun, self.unsaved = left.visit, left.begun, left.name
        self._walk = self.walk(left.table) if left.table else None

    def throw_away(self, name: str) -> None:
        """Destroy answers that nobody saved."""
        from edge.records.unsaved import forget

        vault = self.records.book().vault
        forget(vault, name)
        vault.shrink()

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

"""The health post: which problem, what was found so far of the patient who is there, and the visits that are kept."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from edge.errors import EdgeError
from edge.triage.parts import Table, in_language
from edge.words import words_for
from tui.clinic.asks import Steps
from tui.clinic.keeping import keep, page, state_of, visits
from tui.clinic.unsaved import GO_ON
from tui.lines import letters
from tui.screens.clinic_dialogue import DialogueScreen
from tui.screens.clinic_question import open_walk
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices, gap, heading


class ClinicScreen(Screen[None]):
    """One list: the patient's findings, the problems of one group at a time, visits, vaccines."""

    AUTO_FOCUS: ClassVar[str] = "Choices"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "patient", "patient")]

    def __init__(self, services: Services) -> None:
        super().__init__(name="clinic")
        self.services = services
        self.open_group = ""
        """Whose problems stand below its name; nothing: the first group's."""

        self.groups: list[tuple[str, list[Table]]] = []

    def compose(self) -> ComposeResult:
        """The list, and what every table here still lacks."""
        words = self.services.words
        yield TitleBar(words, words.say("clinic.title"), self._who())
        with Vertical(classes="column clinic"):
            yield Static(classes="about", markup=False)
            yield Choices()
        yield KeyBar(words)

    def _who(self) -> str:
        return self.services.learner.name if self.services.learner else ""

    def on_screen_resume(self) -> None:
        """Show what the last problem added; a patient whose records are locked is not shown."""
        desk = self.services.desk
        if desk.case is not None and desk.records.locked:
            desk.close_case()
        about = state_of(self.services) or self.services.words.say("clinic.about")
        self.query_one(".about", Static).update(about)
        here = self._here()
        try:
            self.groups = desk.groups()
        except EdgeError as error:
            self._tell(error)
            return
        self._show("" if desk.visit.findings else here or self._first())
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer another patient once something is known of this one."""
        visit = self.services.desk.visit
        return action != "patient" or bool(visit.findings or visit.again or self.services.desk.case)

    def action_patient(self) -> None:
        """Forget this patient."""
        self.services.desk.new_patient()
        self.on_screen_resume()

    def on_key(self, event: Key) -> None:
        """Let a letter go to the next problem that begins with it, in whichever group it is."""
        letter = letters(event.character or "")
        if not letter.isalpha():
            return
        listed = [(group, table) for group, tables in self.groups for table in tables]
        names = [f"table:{table.id}" for _, table in listed]
        here = self._here()
        place = names.index(here) + 1 if here in names else 0
        for group, table in (*listed[place:], *listed[:place]):
            title = letters(in_language(table.title, self.services.lang))
            if title.startswith(letter) and table.id not in self._done():
                event.stop()
                self.open_group = group
                self._show(f"table:{table.id}")
                return

    def _here(self) -> str:
        option = self.query_one(Choices).highlighted_option
        return (option.id or "") if option else ""

    def _first(self) -> str:
        """Return the first problem of the group that is open."""
        wanted = self.open_group or self.groups[0][0]
        tables = next((tables for group, tables in self.groups if group == wanted), [])
        return f"table:{tables[0].id}" if tables else ""

    def _done(self) -> set[str]:
        return {finding.table.id for finding in self.services.desk.visit.findings}

    def _show(self, here: str) -> None:
        choices = self.query_one(Choices)
        choices.replace_all(self._options())
        ids = [option.id for option in choices.options]
        if here in ids:
            choices.highlighted = ids.index(here)

    def _options(self) -> list[Option]:
        words, desk = self.services.words, self.services.desk
        edge, visit = words_for("edge", words.lang), desk.visit
        options: list[Option] = []
        for finding in visit.most_urgent_first():
            urgency = edge.say(f"clinic.urgency-{finding.decision.urgency}").partition(":")[0]
            title = in_language(finding.table.title, words.lang)
            label = Content.assemble((f"{urgency:<12}", f"bold ${COLOURS[finding.decision.urgency]}"), title)
            options.append(Option(label, id=f"found:{finding.table.id}"))
        if options:
            options.insert(0, heading(words.say("clinic.found")))
        if visit.findings or desk.case:
            keep_key, other = ("kept", "patient_kept") if desk.case else ("keep", "patient")
            options += [Option(words.say(f"clinic.{keep_key}"), id="keep")]
            options += [Option(words.say(f"clinic.{other}"), id="patient"), gap()]
        wanted = self.open_group or self.groups[0][0]
        for group, tables in self.groups:
            sign = "-" if group == wanted else "+"
            options.append(
                Option(Content.styled(f"{sign} {words.say(f'clinic.group-{group}')}", "$primary"), id=f"group:{group}")
            )
            if group == wanted:
                options += [self._option(table) for table in tables if table.id not in self._done()]
        more = [Option(words.say(f"clinic.{name}"), id=name) for name in ("visits", "vaccines")]
        return [*options, gap(), *more]

    def _option(self, table: Table) -> Option:
        words = self.services.words
        title = in_language(table.title, words.lang)
        again = f"  ({words.say('clinic.again')})" if table.id in self.services.desk.visit.again else ""
        return Option(Content.assemble("  ", title, (again, "$error")), id=f"table:{table.id}")

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        kind, _, name = (event.option_id or "").partition(":")
        try:
            self._open(kind, name)
        except EdgeError as error:
            self._tell(error)

    def _open(self, kind: str, name: str) -> None:
        case = self.services.desk.case
        if kind == "patient":
            self.action_patient()
        elif kind == "group":
            self.open_group = name
            self._show(f"group:{name}")
        elif kind == "keep":
            self._ask(page(self.services, case.kept.id) if case else keep(self.services))
        elif kind == "visits":
            self._ask(visits(self.services))
        elif kind == "vaccines":
            from tui.screens.clinic_vaccines import VaccinesScreen

            self.app.push_screen(VaccinesScreen(self.services))
        elif kind == "found":
            from tui.screens.clinic_result import ResultScreen

            self.app.push_screen(ResultScreen(self.services))
        else:
            self.app.push_screen(open_walk(self.services, name))

    def _ask(self, steps: Steps[str]) -> None:
        self.app.push_screen(DialogueScreen(self.services, steps), self._asked)

    def _asked(self, result: str | None) -> None:
        """Go on with a table where that was chosen."""
        if result and result.startswith(GO_ON):
            try:
                self.app.push_screen(open_walk(self.services, result.removeprefix(GO_ON)))
            except EdgeError as error:
                self._tell(error)

    def _tell(self, error: EdgeError) -> None:
        self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)


COLOURS = {"emergency": "error", "urgent": "error", "soon": "secondary", "home": "success"}
"""Of the urgency, which always stands there in words too."""

"""The health post: which problem, and what was found so far of the patient who is there."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from edge.errors import EdgeError
from edge.triage.parts import Table, in_language
from edge.words import words_for
from tui.screens.clinic_question import open_walk
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices, gap, heading


class ClinicScreen(Screen[None]):
    """One list: the patient's findings, the problems by group, vaccines."""

    AUTO_FOCUS: ClassVar[str] = "Choices"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "patient", "patient")]

    def __init__(self, services: Services) -> None:
        super().__init__(name="clinic")
        self.services = services

    def compose(self) -> ComposeResult:
        """The list, and what every table here still lacks."""
        words = self.services.words
        yield TitleBar(words, words.say("clinic.title"), self._who())
        with Vertical(classes="column clinic"):
            yield Static(words.say("clinic.about"), classes="about", markup=False)
            yield Choices()
        yield KeyBar(words)

    def _who(self) -> str:
        return self.services.learner.name if self.services.learner else ""

    def on_screen_resume(self) -> None:
        """Show what the last problem added."""
        choices = self.query_one(Choices)
        here = choices.highlighted_option.id if choices.highlighted_option else None
        try:
            choices.replace_all(self._options())
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
            return
        ids = [option.id for option in choices.options]
        if here and here in ids and not self.services.desk.visit.findings:
            choices.highlighted = ids.index(here)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer another patient once something is known of this one."""
        return action != "patient" or bool(self.services.desk.visit.findings or self.services.desk.visit.again)

    def action_patient(self) -> None:
        """Forget this patient."""
        self.services.desk.new_patient()
        self.on_screen_resume()

    def _options(self) -> list[Option]:
        words, visit = self.services.words, self.services.desk.visit
        edge = words_for("edge", words.lang)
        options: list[Option] = []
        if visit.findings:
            options.append(heading(words.say("clinic.found")))
            for finding in visit.most_urgent_first():
                urgency = edge.say(f"clinic.urgency-{finding.decision.urgency}").partition(":")[0]
                title = in_language(finding.table.title, words.lang)
                label = Content.assemble((f"{urgency:<12}", f"bold ${COLOURS[finding.decision.urgency]}"), title)
                options.append(Option(label, id=f"found:{finding.table.id}"))
            options += [Option(words.say("clinic.patient"), id="patient"), gap()]
        done = {finding.table.id for finding in visit.findings}
        for group, tables in self.services.desk.groups():
            options.append(heading(words.say(f"clinic.group-{group}")))
            options += [self._option(table) for table in tables if table.id not in done]
        return [*options, gap(), Option(words.say("clinic.vaccines"), id="vaccines")]

    def _option(self, table: Table) -> Option:
        words = self.services.words
        title = in_language(table.title, words.lang)
        again = f"  ({words.say('clinic.again')})" if table.id in self.services.desk.visit.again else ""
        return Option(Content.assemble(title, (again, "$error")), id=f"table:{table.id}")

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        kind, _, name = (event.option_id or "").partition(":")
        try:
            if kind == "patient":
                self.action_patient()
            elif kind == "vaccines":
                from tui.screens.clinic_vaccines import VaccinesScreen

                self.app.push_screen(VaccinesScreen(self.services))
            elif kind == "found":
                from tui.screens.clinic_result import ResultScreen

                self.app.push_screen(ResultScreen(self.services))
            else:
                self.app.push_screen(open_walk(self.services, name))
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)


COLOURS = {"emergency": "error", "urgent": "error", "soon": "secondary", "home": "success"}
"""Of the urgency, which always stands there in words too."""

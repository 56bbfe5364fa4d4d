"""What a country's vaccination schedule gives at an age. A look-up: nothing here decides about a child."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from edge.errors import EdgeError
from edge.triage.vaccines import OLDEST_MONTHS
from tui.clinic.told import Line, schedule_source, vaccine_lines
from tui.clinic.visit import age_months, months_of
from tui.screens.clinic_result import shown
from tui.screens.lesson import Pages
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.prompt import AnswerBox


class VaccinesScreen(Screen[None]):
    """A country, an age, and what is due."""

    AUTO_FOCUS: ClassVar[str] = "AnswerBox"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "country", "country")]

    def __init__(self, services: Services) -> None:
        super().__init__(name="clinic-vaccines")
        self.services = services
        known = age_months(services.desk.visit, services.desk.today)
        self.months = int(known) if known is not None else None
        """Of the child; not known before it is typed."""

    def compose(self) -> ComposeResult:
        """The country, a line for the age, and what is due."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("clinic.vaccines_title"), learner.name if learner else "")
        with Vertical(classes="column vaccines"):
            yield Static(classes="about", markup=False)
            yield AnswerBox(placeholder=words.say("clinic.vaccines_prompt"))
            yield Static(classes="failed", markup=False)
            yield Pages()
        yield KeyBar(words)

    async def on_mount(self) -> None:
        """Show the country that was looked up last."""
        desk = self.services.desk
        desk.country = desk.country or next(iter(desk.countries()), "")
        await self._show()

    async def _show(self) -> None:
        words, desk = self.services.words, self.services.desk
        pages = self.query_one(Pages)
        await pages.remove_children()
        try:
            schedule = desk.schedule(desk.country)
        except EdgeError as error:
            self._failed(error.say(self.services.lang))
            return
        self._failed("")
        country = words.say(f"clinic.country-{desk.country}") if words.has(f"clinic.country-{desk.country}") else ""
        named = country or desk.country.upper()
        about = words.say("clinic.vaccines_about", country=named, year=schedule.year)
        self.query_one(".about", Static).update(f"{about}\n{schedule_source(schedule, words)}")
        lines: list[Line] = []
        if self.months is not None:
            lines = [("dose", words.say("clinic.vaccines_age", months=self.months, country=named))]
            lines += vaccine_lines(schedule, self.months, words)
        await pages.mount_all(shown(lines))

    def _failed(self, text: str) -> None:
        line = self.query_one(".failed", Static)
        line.update(text)
        line.display = bool(text)

    @on(AnswerBox.Asked)
    async def _typed(self, event: AnswerBox.Asked) -> None:
        words, given = self.services.words, event.question
        try:
            months = months_of(given, self.services.desk.today)
        except EdgeError as error:
            self._failed(error.say(self.services.lang))
            return
        if months is None:
            self._failed(words.say("clinic.vaccines_range", most=OLDEST_MONTHS, given=given[:40]))
            return
        self.months = int(months)
        await self._show()

    async def action_country(self) -> None:
        """Show the next country's schedule."""
        desk = self.services.desk
        listed = desk.countries()
        desk.country = listed[(listed.index(desk.country) + 1) % len(listed)] if desk.country in listed else listed[0]
        await self._show()

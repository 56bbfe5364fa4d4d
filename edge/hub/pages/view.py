"""What one request may see: whose pages, which months, which language.

A person of a school sees that school and nothing else, whatever the address says: every page gets its reports
from here, and here the school is set.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request

from edge.errors import EdgeError
from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.reports.build import Reports
from edge.hub.reports.memory import Memory
from edge.hub.reports.months import Period, name_of, period
from edge.hub.reports.sums import catch_up, waiting
from edge.hub.serve.guard import form_proof
from edge.hub.serve.people import Person
from edge.hub.serve.render import COOKIE
from edge.hub.serve.site import Site
from edge.words import Words

PATIENCE_S = 5.0
"""How long a page waits for what arrived lately to be added up."""

CHOICE_MONTHS = 36
"""How far back the choice of months goes."""


@dataclass(frozen=True, slots=True)
class View:
    """One request, judged."""

    person: Person
    words: Words
    period: Period
    now: str
    since: str
    until: str
    database: Database
    site: Site
    memory: Memory
    proof: str
    """What a form of ours carries."""

    wrong_period: str
    """What is wrong with the months that were asked for, or nothing."""

    behind: int
    """Schools whose last answers are not in the numbers yet: there was no time to add them up."""

    @property
    def is_district(self) -> bool:
        """Whether everything may be seen."""
        return self.person.role == "district"

    def reports(self, school: str = "", chosen: Period | None = None) -> Reports:
        """Return the reports of one school, or of all there are for this person."""
        of, folder = self.scope(school), self.site.place.folder
        return Reports(self.database, folder, self.words, chosen or self.period, self.now, of, self.memory, True)

    def scope(self, school: str = "") -> str:
        """Return the school that may be looked at (empty: all); 404 for one that this person has nothing to do with."""
        if self.is_district:
            known = not school or bool(self.database.rows("SELECT 1 FROM schools WHERE code = ?", [school]))
        else:
            known = bool(self.person.school) and school in ("", self.person.school)
        if not known:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return school if self.is_district else self.person.school

    def district_only(self) -> None:
        """Refuse everybody else."""
        if not self.is_district:
            raise HTTPException(HTTPStatus.FORBIDDEN)

    def link(self, path: str, **more: str) -> str:
        """Return an address here that keeps the chosen months."""
        query = {"from": self.since, "to": self.until} | more
        kept = urlencode({name: value for name, value in query.items() if value})
        return f"{path}?{kept}" if kept else path

    def months(self) -> list[str]:
        """Return the months to choose from, the latest first."""
        last = self.period.now
        return [name_of(month) for month in range(last, last - CHOICE_MONTHS, -1)]


@contextmanager
def view(request: Request, site: Site, memory: Memory) -> Iterator[View]:
    """Judge a request."""
    words, now = request.state.words, site.stamp()
    since, until = (request.query_params.get(name, "") for name in ("from", "to"))
    wrong = ""
    try:
        chosen = period(since, until, now)
    except EdgeError as error:
        chosen, since, until, wrong = period("", "", now), "", "", error.say(words.lang)
    proof = form_proof(site, request.cookies.get(COOKIE, ""))
    with site.database() as database:
        try:
            behind = catch_up(database, seconds=PATIENCE_S)
        except HubError:
            # Whoever writes for long, or a full disk, is no reason to show nothing.
            behind = waiting(database)
        yield View(request.state.person, words, chosen, now, since, until, database, site, memory, proof, wrong, behind)

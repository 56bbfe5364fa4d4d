"""The pages of a hub and where they live.

Each handler asks its `View` for reports, which knows whose they are; none reads the database by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge.hub.pages import charts
from edge.hub.pages.render import attachment, icon, page, style
from edge.hub.pages.view import View, view
from edge.hub.reports.field import SILENT_DAYS, days_before, never_delivered, refused_since
from edge.hub.reports.files import as_csv, as_xlsx
from edge.hub.reports.memory import Memory
from edge.hub.reports.months import Period
from edge.hub.reports.table import Cell, Table
from edge.hub.serve.render import LANG_COOKIE, cookie
from edge.hub.serve.site import Site
from edge.words import LANGUAGES

ALL = "all"
"""Instead of a report's name: one workbook with every report."""

_CSV, _XLSX = "text/csv; charset=utf-8", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Handler = Callable[["View", "Request"], Response]


@dataclass(frozen=True, slots=True)
class Card:
    """One number at the top of the overview."""

    name: str
    value: Cell
    link: str
    is_bad: bool = False


def routes(site: Site) -> list[Route]:
    """Return the pages; whoever mounts them has made sure of `request.state.person`."""
    memory = Memory()
    pages: dict[str, Handler] = {
        "/": overview,
        "/schools/{code}": school,
        "/lessons": partial(plain, "lessons", ("skills", "lessons")),
        "/lesson": lesson,
        "/mistakes": partial(plain, "mistakes", ("mistakes",)),
        "/devices": partial(plain, "devices", ("devices",)),
        "/versions": partial(plain, "versions", ("versions",)),
        "/deliveries": deliveries,
        "/downloads": downloads,
        "/downloads/{name}.{kind}": download,
    }
    found = [Route(path, partial(_answer, handler, site, memory), methods=["GET"]) for path, handler in pages.items()]
    return [
        *found,
        Route("/language/{lang}", partial(language, site), methods=["GET"]),
        Route("/style.css", sheet, methods=["GET"]),
        Route("/icon.svg", picture, methods=["GET"]),
    ]


def _answer(handler: Handler, site: Site, memory: Memory, request: Request) -> Response:
    with view(request, site, memory) as seen:
        try:
            if seen.wrong_period:
                raise HTTPException(HTTPStatus.BAD_REQUEST, seen.wrong_period)
            return handler(seen, request)
        except HTTPException as error:
            return _refusal(seen, error.status_code, error.detail)


def _refusal(seen: View, status: int, detail: str) -> Response:
    key = f"pages.refused.{status}"
    response = page("refused.html", seen, "", said=seen.words.say(key) if seen.words.has(key) else detail)
    response.status_code = status
    return response


def overview(seen: View, request: Request) -> Response:
    """Show everything at a glance; a school's head gets the school's own page."""
    if not seen.is_district:
        return _school(seen, seen.scope())
    reports = seen.reports()
    schools, months = reports.tables(["schools", "months"])
    now = Period(seen.period.now, seen.period.now, seen.period.now)
    this_month = seen.reports(chosen=now).attempts()
    silent = [row for row in reports.devices if row.state == "silent"]
    cloned = [row for row in reports.devices if row.state == "cloned"]
    never = never_delivered(seen.database)
    refused = refused_since(seen.database, days_before(seen.now, SILENT_DAYS))
    cards = [
        Card("schools", len(schools.rows), "#schools"),
        Card("attempts", this_month, seen.link("/lessons")),
        Card("silent", len(silent), "/devices", bool(silent)),
        Card("cloned", len(cloned), "/devices", bool(cloned)),
        Card("never", len(never), "#schools", bool(never)),
        Card("refused", refused, "/deliveries", bool(refused)),
    ]
    return page("overview.html", seen, "/", cards=cards, tables=[schools, months], bars=_bars(months))


def school(seen: View, request: Request) -> Response:
    """Show one school."""
    return _school(seen, seen.scope(request.path_params["code"]))


def _school(seen: View, code: str) -> Response:
    names = ["months", "skills", "lessons", "mistakes", "devices"]
    months, *others = seen.reports(code).tables(names)
    return page("school.html", seen, f"/schools/{code}", code=code, tables=[months, *others], bars=_bars(months))


def plain(path: str, names: tuple[str, ...], seen: View, request: Request) -> Response:
    """Show some reports one below the other."""
    return page("tables.html", seen, f"/{path}", title=path, tables=seen.reports().tables(names))


def lesson(seen: View, request: Request) -> Response:
    """Show one lesson: where and when it was practised; 404 for one of which nothing may be shown."""
    called = request.query_params.get("id", "")
    reports = seen.reports()
    found = reports.lesson(called) if called else None
    if found is None:
        raise HTTPException(404)
    facts = reports.catalogue.lesson(called)
    return page("lesson.html", seen, "/lessons", facts=facts, tables=found, bars=_bars(found[0]))


def deliveries(seen: View, request: Request) -> Response:
    """Show what came in and, to the district, what did not."""
    names = ["refused", "deliveries"] if seen.is_district else ["deliveries"]
    return page("tables.html", seen, "/deliveries", title="deliveries", tables=seen.reports().tables(names))


def downloads(seen: View, request: Request) -> Response:
    """Show the files there are."""
    return page("downloads.html", seen, "/downloads", names=seen.reports().names)


def download(seen: View, request: Request) -> Response:
    """Give a report as a file."""
    name, kind = request.path_params["name"], request.path_params["kind"]
    reports = seen.reports()
    if name == ALL and kind == "xlsx":
        return attachment(as_xlsx(reports.tables(reports.names), seen.words), _XLSX, "amauta.xlsx")
    if name not in reports.names:
        # What there is for the district is forbidden to others, not unknown.
        seen.district_only()
    if name not in reports.names or kind not in ("csv", "xlsx"):
        raise HTTPException(404)
    [table] = reports.tables([name])
    if kind == "csv":
        return attachment(as_csv(table, seen.words), _CSV, f"{name}.csv")
    return attachment(as_xlsx([table], seen.words), _XLSX, f"{name}.xlsx")


def language(site: Site, request: Request) -> Response:
    """Remember a language, in a cookie."""
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    if (chosen := request.path_params["lang"]) in LANGUAGES:
        cookie(site, response, LANG_COOKIE, chosen, days=365)
    return response


def sheet(request: Request) -> Response:
    """Give the style of all pages."""
    return Response(style(), media_type="text/css")


def picture(request: Request) -> Response:
    """Give the icon."""
    return Response(icon(), media_type="image/svg+xml")


def _bars(months: Table) -> list[charts.Bar]:
    """Return the last year as bars; answers without a date are in the table only."""
    dated = [row for row in months.rows if str(row[0])[:2] == "20"][-12:]
    return charts.upright([str(row[0]) for row in dated], [int(row[1] or 0) for row in dated])

"""The one page without a login: name and access token in, a session out. And the way out again."""

from __future__ import annotations

import hmac
import secrets
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge.hub.pages.render import style
from edge.hub.serve import limits, people, sessions
from edge.hub.serve.render import COOKIE, FORM_COOKIE, KNOWN_COOKIE, LANG_COOKIE, Status, cookie, page, remove_cookie
from edge.hub.serve.site import Site
from edge.words import LANGUAGES

_MOST_NAME, _MOST_TOKEN = 200, 200
KNOWN_DAYS = 365


def routes(site: Site) -> list[Route]:
    """Return where people come in and go out."""
    return [
        Route("/login", partial(show, site), methods=["GET"]),
        Route("/login", partial(enter, site), methods=["POST"]),
        Route("/login/style.css", sheet, methods=["GET"]),
        Route("/login/language/{lang}", partial(language, site), methods=["GET"]),
        Route("/logout", partial(leave, site), methods=["POST"]),
    ]


def show(site: Site, request: Request) -> Response:
    """Show the form."""
    return _form(site, request, "", "", inside(request.query_params.get("next", "")))


def _form(site: Site, request: Request, error: str, name: str, then: str, status: int = HTTPStatus.OK) -> Response:
    given = request.cookies.get(FORM_COOKIE) or secrets.token_hex(16)
    proof = site.proof("form", given)
    response = page(site, request, "login.html", status, error=error, name=name, then=then, form=proof)
    cookie(site, response, FORM_COOKIE, given)
    return response


def enter(site: Site, request: Request) -> Response:
    """Log in who gives a name with its token; say nothing about which of the two was wrong."""
    form = request.state.form
    name = " ".join(form.get("name", "").split())[:_MOST_NAME]
    token, then = form.get("token", "")[:_MOST_TOKEN], inside(form.get("next", ""))
    at, address = site.stamp(), request.client.host if request.client else ""
    shown = f"{ascii(name)[1:-1][:80]} {address}"
    now_s = int(site.now().timestamp())
    with site.database() as database:
        with database.step():
            counts = [limits.count(database, limit, who, now_s) for limit, who in _tries(site, request, name, address)]
            if any(each.is_first_refused for each in counts):
                database.audit(at, "login", outcome="limited", detail=shown)
        if wait := max(each.wait_s for each in counts):
            error = request.state.words.say("server.login.limited", minutes=-(-wait // 60))
            response = _form(site, request, error, name, then, Status.TOO_MANY)
            response.headers["Retry-After"] = str(wait)
            return response
        number = people.number_of(database, name, token)
        session = secrets.token_hex(32)
        with database.step():
            if number is None:
                database.audit(at, "login", outcome="refused", detail=shown)
            else:
                sessions.end(database, request.cookies.get(COOKIE, ""))
                sessions.begin(database, number, session, site.now())
                database.audit(at, "login", outcome="entered", detail=shown)
    if number is None:
        error = request.state.words.say("server.login.wrong")
        return _form(site, request, error, name, then, HTTPStatus.UNAUTHORIZED)
    response = RedirectResponse(then, HTTPStatus.SEE_OTHER)
    cookie(site, response, COOKIE, session)
    cookie(site, response, KNOWN_COOKIE, _known(site, name, secrets.token_hex(16)), days=KNOWN_DAYS)
    remove_cookie(site, response, FORM_COOKIE)
    return response


def _tries(site: Site, request: Request, name: str, address: str) -> list[tuple[limits.Limit, str]]:
    """Return what a try counts against; nobody who types a name elsewhere locks out a browser where it was in."""
    shown = request.cookies.get(KNOWN_COOKIE, "")
    browser = shown.partition(".")[0]
    if hmac.compare_digest(_known(site, name, browser).encode(), shown.encode("utf-8", "replace")):
        return [(limits.LOGIN_BROWSER, browser)]
    near = limits.neighbours(address)
    return [(limits.LOGIN_ADDRESS, near), (limits.LOGIN_NAME, f"{name.casefold()}\0{near}")]


def _known(site: Site, name: str, browser: str) -> str:
    """Return the cookie of a browser where somebody was in; it opens nothing."""
    return f"{browser}.{site.proof('known-browser', f'{browser} {name.casefold()}')}"


def leave(site: Site, request: Request) -> Response:
    """Log out."""
    with site.database() as database, database.step():
        sessions.end(database, request.cookies.get(COOKIE, ""))
        database.audit(site.stamp(), "login", outcome="left", detail=request.state.person.name)
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    remove_cookie(site, response, COOKIE)
    return response


def sheet(request: Request) -> Response:
    """Give the style of the form: that of all pages."""
    return Response(style(), media_type="text/css")


def language(site: Site, request: Request) -> Response:
    """Remember a language, in a cookie, and go back to the form."""
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    if (chosen := request.path_params["lang"]) in LANGUAGES:
        cookie(site, response, LANG_COOKIE, chosen, days=365)
    return response


def inside(path: str) -> str:
    """Return `path` if it is a plain path of this hub, where a login may lead; else the first page."""
    plain = path.startswith("/") and not path.startswith(("//", "/login", "/logout")) and len(path) <= 500
    return path if plain and path.isascii() and path.isprintable() and "\\" not in path else "/"

"""The few pages of the server itself, cookies, and the language of a request."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from edge.hub.serve.site import Site
from edge.words import LANGUAGES

COOKIE, FORM_COOKIE, KNOWN_COOKIE, LANG_COOKIE = "amauta_session", "amauta_form", "amauta_known", "lang"


class Status(IntEnum):
    """What `http.HTTPStatus` calls by long names."""

    TOO_MANY = 429
    TOO_LARGE = 413
    FULL = 507


@cache
def templates() -> Environment:
    """Return the templates; every value is escaped."""
    return Environment(
        loader=PackageLoader("edge.hub.serve"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def page(site: Site, request: Request, template: str, status: int, **values: Any) -> HTMLResponse:
    """Return a page in the language of the request."""
    words = request.state.words
    facts = {"say": words.say, "lang": words.lang, "languages": LANGUAGES, "hub": site.place.name}
    return HTMLResponse(templates().get_template(template).render(**facts, **values), status)


def cookie(site: Site, response: Response, name: str, value: str, days: int = 0) -> None:
    """Give a cookie that no script and no other site can use."""
    age = days * 86_400 or None
    response.set_cookie(name, value, max_age=age, path="/", secure=site.secure, httponly=True, samesite="strict")


def remove_cookie(site: Site, response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(name, path="/", secure=site.secure, httponly=True, samesite="strict")


def language_of(request: Request, site: Site) -> str:
    """Return the language that was chosen, else the first one asked for that we speak, else the hub's."""
    chosen = request.cookies.get(LANG_COOKIE, "")
    asked = [
        part.partition(";")[0].strip()[:2].casefold()
        for part in request.headers.get("accept-language", "").split(",")[:20]
    ]
    return next((lang for lang in (chosen, *asked) if lang in LANGUAGES), site.lang)

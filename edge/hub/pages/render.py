"""Templates to answers. Every value is escaped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from edge.hub.pages.charts import length, most_of
from edge.hub.reports.groups import SMALLEST
from edge.hub.reports.table import Cell
from edge.words import LANGUAGES, Words

if TYPE_CHECKING:
    from edge.hub.pages.view import View

STYLE, ICON = "style.css", "icon.svg"
MOST_ROWS = 300
"""Of a table on a page; files have them all."""


@cache
def templates() -> Environment:
    """Return the templates."""
    found = Environment(
        loader=PackageLoader("edge.hub.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(languages=LANGUAGES, most_rows=MOST_ROWS, least=SMALLEST, length=length, most_of=most_of)
    return found


def page(name: str, view: View, path: str, **values: Any) -> HTMLResponse:
    """Return a page; `path` is where it lives, for the menu."""
    words = view.words
    text = (
        templates()
        .get_template(name)
        .render(view=view, words=words, say=words.say, path=path, shown=lambda cell: shown(cell, words), **values)
    )
    return HTMLResponse(text)


def shown(cell: Cell, words: Words) -> str:
    """Return a cell as people read it: digits in groups of three, with a space that does not break."""
    if cell is None:
        return words.say("reports.few")
    return f"{cell:,}".replace(",", "\u202f") if isinstance(cell, int) else cell


@cache
def style() -> bytes:
    """Return the one style sheet."""
    return _beside(STYLE)


@cache
def icon() -> bytes:
    """Return the picture that browsers show beside the title."""
    return _beside(ICON)


def _beside(name: str) -> bytes:
    return files("edge.hub.pages").joinpath("templates", name).read_bytes()


def attachment(content: bytes, kind: str, name: str) -> Response:
    """Return a file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=headers)

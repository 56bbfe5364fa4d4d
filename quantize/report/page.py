"""HTML by hand: a page that needs nothing outside itself, its tables and its figures. Pure but for the style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

COMMA = ("es", "pt")


@dataclass(frozen=True, slots=True)
class Html:
    """Text that is HTML already; everything else is escaped."""

    text: str


Cell = str | Html


def page(lang: str, title: str, parts: Sequence[str]) -> str:
    """Return a whole page in `lang`."""
    style = files("quantize.report").joinpath("style.css").read_text(encoding="utf-8")
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """Return a section under its heading."""
    inner = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{inner}\n</section>"


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], numbers: Sequence[int] = ()) -> str:
    """Return a table; the columns in `numbers` stand at the right."""
    heads = "".join(
        f'<th scope="col"{_class("n" if at in numbers else "")}>{escape(h)}</th>' for at, h in enumerate(head)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{_class('n' if at in numbers else '')}>{_cell(cell)}</td>" for at, cell in enumerate(row))
        + "</tr>\n"
        for row in rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table></div>"
    )


def figure(caption: str, drawing: str, beside: str) -> str:
    """Return a drawing with its caption, and the table that says the same in numbers."""
    return f"<figure><figcaption>{escape(caption)}</figcaption>\n{drawing}</figure>\n{beside}"


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Return a row of short facts: value and what it is."""
    items = "".join(f"<li><b>{escape(value)}</b><span>{escape(name)}</span></li>" for value, name in rows)
    return f'<ul class="facts">{items}</ul>'


def bullets(items: Sequence[Cell]) -> str:
    """Return a list."""
    return "<ul>" + "".join(f"<li>{_cell(item)}</li>\n" for item in items) + "</ul>"


def number(value: float, lang: str, digits: int = 3) -> str:
    """Write a number for people: `digits` that count, the language's own decimal sign, no thousands mark."""
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        text = f"{value:.0f}"
    else:
        text = f"{value:.{digits}g}"
        if "e" in text:
            mantissa, exponent = text.split("e")
            text = f"{mantissa}·10{str(int(exponent)).translate(_HIGH)}"
    return text.replace(".", ",") if lang in COMMA else text


def percent(share: float, lang: str, digits: int = 1) -> str:
    """Write a share from 0 to 1 in hundredths."""
    text = f"{100 * share:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{100 * share:.0f}"
    return f"{text.replace('.', ',') if lang in COMMA else text} %"


_HIGH = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _cell(cell: Cell) -> str:
    return cell.text if isinstance(cell, Html) else escape(cell)


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""

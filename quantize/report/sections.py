"""The sections of the report: each says one thing, draws it, and has its table. Pure: card and plan in, HTML out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from edge.words import Words
from quantize.report import svg
from quantize.report.page import Html, bullets, facts, figure, number, paragraph, percent, section, table

COUNTS = ("items",)
"""Figures that count something; the others of a gate are shares."""

Card = Mapping[str, Any]


def say(words: Words, key: str, **values: str | int | float) -> str:
    """Return a text of the report."""
    return words.say(f"model-report.{key}", **values)


def name_of(words: Words, table_name: str, name: str) -> str:
    """Return what people call a figure, a kind or a language; its own name when nobody gave it one."""
    key = f"model-report.{table_name}.{name}"
    return words.say(key) if words.has(key) else name


def interval(words: Words, row: Sequence[float], digits: int = 3) -> str:
    """Write a value with its interval."""
    value, low, high = (number(part, words.lang, digits) for part in row)
    return say(words, "interval", value=value, low=low, high=high)


def shares(words: Words, row: Sequence[float]) -> str:
    """Write a share with its interval."""
    value, low, high = (percent(part, words.lang) for part in row)
    return say(words, "interval", value=value, low=low, high=high)


def head(card: Card, words: Words) -> str:
    """Return the title, what this is, and the few facts everybody asks for."""
    top1 = [row["top1"][0] for row in card["measured"]["chances"].values()]
    rows = [
        (megabytes(card["size"], words), say(words, "size")),
        (number(card["bits_per_weight"], words.lang), say(words, "bits")),
        (
            f"{card['parameters'] / 1e6:.1f} M".replace(".", "," if words.lang != "en" else "."),
            say(words, "parameters"),
        ),
        (percent(min(top1), words.lang), say(words, "kept")),
        (", ".join(card["languages"]), say(words, "languages")),
        (card["licence"], say(words, "licence")),
    ]
    title = f"<h1>{escape(say(words, 'title', name=card['model']))}</h1>"
    return title + paragraph(say(words, "intro", parent=card["parent"]["file"]), "soft") + facts(rows)


def megabytes(size: int, words: Words) -> str:
    """Write a size in MB of a million bytes."""
    return say(words, "megabytes", value=number(size / 1e6, words.lang))


def gates(card: Card, words: Words) -> str:
    """Return what is open and what is closed, condition by condition."""
    rows = []
    for capability, gate in card["capabilities"].items():
        for condition in gate["conditions"]:
            value, least = condition["value"], condition["least"]
            met = value is not None and value >= least
            verdict = say(words, "gates.open" if met else "gates.closed")
            rows.append(
                [
                    name_of(words, "kind", capability),
                    name_of(words, "figure", condition["figure"]),
                    reached(words, condition["figure"], value),
                    reached(words, condition["figure"], least),
                    Html(f'<span class="{"open" if met else "closed"}">{verdict}</span>'),
                ]
            )
    if not rows:
        return ""
    columns = [say(words, f"gates.{name}") for name in ("capability", "figure", "reached", "least", "verdict")]
    return section(
        say(words, "gates.title"),
        paragraph(say(words, "gates.lead")),
        table(say(words, "gates.caption"), columns, rows, (2, 3)),
    )


def reached(words: Words, figure_name: str, value: float | None) -> str:
    """Write what a figure reached: a share, a count, or that it was not measured."""
    if value is None:
        return say(words, "none")
    return number(value, words.lang) if figure_name in COUNTS else percent(value, words.lang)


def distance(card: Card, words: Words) -> str:
    """Return divergence and agreement by language."""
    chances = card["measured"]["chances"]
    klds = [_bar(words, lang, row["kld"], number(row["kld"][0], words.lang)) for lang, row in chances.items()]
    agree = [_bar(words, lang, row["top1"], percent(row["top1"][0], words.lang)) for lang, row in chances.items()]
    columns = [say(words, f"distance.{n}") for n in ("lang", "tokens", "kld", "worst", "agree", "perplexity", "bytes")]
    rows = [
        [
            name_of(words, "lang", lang),
            str(row["tokens"]),
            interval(words, row["kld"]),
            interval(words, row["kld_999"]),
            shares(words, row["top1"]),
            _change(words, row, "perplexity"),
            _change(words, row, "bits_per_byte"),
        ]
        for lang, row in chances.items()
    ]
    return section(
        say(words, "distance.title"),
        paragraph(say(words, "distance.lead")),
        figure(say(words, "distance.caption"), svg.bars(klds, _span(words, "distance.says", klds)), ""),
        figure(
            say(words, "distance.agree-caption"),
            svg.bars(agree, _span(words, "distance.agree-says", agree)),
            table(say(words, "distance.table"), columns, rows, range(1, 7)),
        ),
    )


def pareto(card: Card, others: Sequence[Card], words: Words) -> str:
    """Return size against divergence, for this file and its rivals."""
    if not others:
        return ""
    points = sorted((point_of(c, c is card) for c in (card, *others)), key=lambda point: point.x)
    mine = next(point for point in points if point.mine)
    says = say(
        words,
        "pareto.says",
        count=len(points),
        size=number(mine.x, words.lang),
        kld=number(mine.y, words.lang),
    )
    drawing = svg.scatter(
        points, say(words, "pareto.x"), say(words, "pareto.y"), says, lambda value: number(value, words.lang)
    )
    columns = [say(words, "pareto.file"), say(words, "pareto.x"), say(words, "pareto.y")]
    rows = [[p.label, number(p.x, words.lang, 4), interval(words, (p.y, p.low, p.high))] for p in points]
    return section(
        say(words, "pareto.title"),
        paragraph(say(words, "pareto.lead")),
        figure(say(words, "pareto.caption"), drawing, table(say(words, "pareto.table"), columns, rows, (1, 2))),
    )


def point_of(card: Card, mine: bool) -> svg.Point:
    """Return a file's size and its divergence, every language counting the same."""
    rows = [row["kld"] for row in card["measured"]["chances"].values()]
    value, low, high = (sum(row[at] for row in rows) / len(rows) for at in range(3))
    return svg.Point(card["file"].removesuffix(".gguf"), card["size"] / 1e6, value, low, high, mine)


def _bar(words: Words, lang: str, row: Sequence[float], shown: str) -> svg.Bar:
    return svg.Bar(name_of(words, "lang", lang), row[0], row[1], row[2], shown)


def _span(words: Words, key: str, bars: Sequence[svg.Bar]) -> str:
    ordered = sorted(bars, key=lambda bar: bar.value)
    return say(words, key, least=ordered[0].shown, most=ordered[-1].shown)


def _change(words: Words, row: Mapping[str, Any], name: str) -> str:
    now = number(row[name], words.lang, 4)
    before = row.get(f"parent_{name}")
    return now if before is None else f"{number(before, words.lang, 4)} → {now}"


def data(card: Card, licences: Mapping[str, str], words: Words) -> str:
    """Return where the texts come from, under which licences, and which file this is about."""
    parts = [paragraph(say(words, "data.model", licence=card["licence"]))]
    if notice := card.get("notice"):
        parts.append(paragraph(notice))
    if licences:
        columns = [say(words, "data.source"), say(words, "data.licence")]
        parts.append(table(say(words, "data.caption"), columns, [list(row) for row in sorted(licences.items())]))
    code = Html(f"{escape(say(words, 'data.hash'))}: <code>{card['sha256']}</code>")
    return section(say(words, "data.title"), *parts, bullets([code]))

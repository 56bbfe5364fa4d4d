"""The sections of the report: each says one thing, draws it, and has its table. Pure: card and plan in, HTML out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from edge.release import card as cards
from edge.words import Words
from quantize.report import svg
from quantize.report.front import Expected
from quantize.report.page import Cell, Html, bullets, facts, figure, number, paragraph, percent, section, table

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


def shares(words: Words, row: Sequence[float], signed: bool = False) -> str:
    """Write a share with its interval, in hundredths; a difference shows its sign."""
    value, low, high = (percent(part, words.lang).removesuffix(" %") for part in row)
    plus = "+" if signed and row[0] > 0 else ""
    return f"{plus}{say(words, 'interval', value=value, low=low, high=high)} %"


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
    rows: list[list[Cell]] = []
    for capability, gate in cards.parse(card).capabilities.items():
        verdict = say(words, "gates.open" if gate.open else "gates.closed")
        name = escape(name_of(words, "kind", capability))
        first = Html(f'{name}<br><span class="{"open" if gate.open else "closed"}">{escape(verdict)}</span>')
        for at, condition in enumerate(gate.conditions):
            rows.append(
                [
                    first if at == 0 else "",
                    name_of(words, "figure", condition.figure),
                    reached(words, condition.figure, condition.value),
                    reached(words, condition.figure, condition.least),
                    say(words, "gates.met" if condition.met else "gates.missed"),
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
    near, sense = [], []
    for lang, row in chances.items():
        name = name_of(words, "lang", lang)
        near.append([name, interval(words, row["kld"]), interval(words, row["kld_999"]), shares(words, row["top1"])])
        read = f"{row['tokens']} ({row['texts']})"
        sense.append([name, read, _change(words, row, "perplexity"), _change(words, row, "bits_per_byte")])
    return section(
        say(words, "distance.title"),
        paragraph(say(words, "distance.lead")),
        figure(say(words, "distance.caption"), svg.bars(klds, _span(words, "distance.says", klds)), ""),
        figure(
            say(words, "distance.agree-caption"),
            svg.bars(agree, _span(words, "distance.agree-says", agree)),
            table(say(words, "distance.table"), _columns(words, "lang", "kld", "worst", "agree"), near, (1, 2, 3)),
        ),
        table(say(words, "distance.sense"), _columns(words, "lang", "tokens", "perplexity", "bytes"), sense, (1, 2, 3)),
    )


def _columns(words: Words, *names: str) -> list[str]:
    return [say(words, f"distance.{name}") for name in names]


def pareto(card: Card, others: Sequence[Card], expected: Sequence[Expected], words: Words) -> str:
    """Return size against divergence: this file, its rivals, and what the allocator expects of other sizes."""
    if not others and not expected:
        return ""
    points = sorted((point_of(c, c is card) for c in (card, *others)), key=lambda point: point.x)
    mine = next(point for point in points if point.mine)
    size, kld = number(mine.x, words.lang), number(mine.y, words.lang)
    drawing = svg.scatter(
        points,
        (say(words, "pareto.x"), say(words, "pareto.y")),
        say(words, "pareto.says", count=len(points), size=size, kld=kld),
        lambda value: number(value, words.lang),
        [(row.bytes / 1e6, row.kld) for row in expected],
    )
    columns = [say(words, "pareto.file"), say(words, "pareto.x"), say(words, "pareto.y")]
    rows = [(p.x, p.label, interval(words, (p.y, p.low, p.high))) for p in points]
    rows += [(e.bytes / 1e6, say(words, "pareto.expected"), number(e.kld, words.lang)) for e in expected]
    cells = [[label, number(x, words.lang, 4), y] for x, label, y in sorted(rows)]
    return section(
        say(words, "pareto.title"),
        paragraph(say(words, "pareto.lead")),
        paragraph(say(words, "pareto.curve")) if expected else "",
        figure(say(words, "pareto.caption"), drawing, table(say(words, "pareto.table"), columns, cells, (1, 2))),
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

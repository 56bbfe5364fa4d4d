"""Further sections of the report: the tasks, the bits of every tensor, the speed. Pure: card and plan in, HTML out."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from edge.words import Words
from quantize.bits.ggml import KINDS
from quantize.report import svg
from quantize.report.page import figure, number, paragraph, percent, section, table
from quantize.report.sections import Card, name_of, say, shares

SPEED = (
    "first_token_ms",
    "read_tokens_per_second",
    "write_tokens_per_second",
    "gigabytes_per_second",
    "load_ms",
    "peak_mb",
)
CHIEF = ("right", "declines", "supported", "keeps", "climbs", "easy")
"""Marks that are drawn; the table has all."""

LAYER = re.compile(r"blk\.(\d+)\.(.+)\.weight")
NO_LAYER = "–"


def tasks(card: Card, words: Words) -> str:
    """Return how answers changed, kind by kind: the chief marks drawn, all of them in a table."""
    kinds: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for task, found in sorted(card["measured"]["tasks"].items()):
        kind, lang, _ = task.split(".", 2)
        kinds.setdefault(kind, []).append((name_of(words, "lang", lang), found["marks"]))
    if not kinds:
        return ""
    parts = [_kind(kind, files, words) for kind, files in kinds.items()]
    return section(say(words, "tasks.title"), paragraph(say(words, "tasks.lead")), *parts)


def _kind(kind: str, files: Sequence[tuple[str, Mapping[str, Any]]], words: Words) -> str:
    name, pairs, rows = name_of(words, "kind", kind), [], []
    for language, marks in files:
        for mark, row in marks.items():
            label = f"{language}: {name_of(words, 'figure', mark)}"
            before, now = row["before"][0], row["now"]
            if mark in CHIEF:
                shown = f"{percent(before, words.lang, 0)} → {percent(now[0], words.lang, 0)}"
                pairs.append(svg.Pair(label, before, now[0], now[1], now[2], shown))
            rows.append(
                [
                    label,
                    str(row["items"]),
                    percent(before, words.lang),
                    shares(words, now),
                    shares(words, row["difference"], signed=True),
                    f"{percent(row['flipped'][0], words.lang)} ({row['lost']} / {row['won']})",
                ]
            )
    names = ("items", "before", "now", "difference", "flipped")
    columns = [say(words, "gates.figure"), *(say(words, f"tasks.{name}") for name in names)]
    numbers = table(f"{name}: {say(words, 'tasks.table')}", columns, rows, range(1, 6))
    drawing = svg.pairs(pairs, say(words, "tasks.says", name=name, count=len(pairs))) if pairs else ""
    return f"<h3>{escape(name)}</h3>\n{figure(say(words, 'tasks.caption'), drawing, numbers) if pairs else numbers}"


def bits_map(plan: Mapping[str, Any] | None, words: Words) -> str:
    """Return which tensor got how many bits."""
    types: Mapping[str, str] = (plan or {}).get("types", {})
    if not types:
        return ""
    bits: dict[tuple[str, str], float] = {}
    used: dict[str, Counter[str]] = {}
    for tensor, kind in types.items():
        part, column = place_of(tensor)
        bits[part, column] = KINDS[kind].bits
        used.setdefault(part, Counter())[kind] += 1
    layers = sorted({column for _, column in bits if column != NO_LAYER}, key=int)
    columns = ([NO_LAYER] if any(column == NO_LAYER for _, column in bits) else []) + layers
    least, most = (number(end(bits.values()), words.lang) for end in (min, max))
    says = say(words, "map.says", count=len(types), least=least, most=most)
    rows = [
        [part, ", ".join(f"{kind} ({count})" for kind, count in found.most_common())] for part, found in used.items()
    ]
    predicted = (plan or {}).get("predicted_kld")
    known = isinstance(predicted, float) and math.isfinite(predicted)
    return section(
        say(words, "map.title"),
        paragraph(say(words, "map.lead")),
        figure(
            say(words, "map.caption"),
            svg.cells(list(used), columns, bits, says),
            table(say(words, "map.table"), [say(words, "map.part"), say(words, "map.types")], rows),
        ),
        paragraph(say(words, "map.predicted", value=number(float(predicted or 0), words.lang))) if known else "",
    )


def place_of(tensor: str) -> tuple[str, str]:
    """Return which part of a layer a tensor is, and of which layer."""
    found = LAYER.fullmatch(tensor)
    return (found[2], found[1]) if found else (tensor.removesuffix(".weight"), NO_LAYER)


def speed(card: Card, words: Words) -> str:
    """Return how fast it was, and where that holds."""
    found = card["measured"].get("speed")
    if not found:
        return ""
    rows = [[say(words, f"speed.{name}"), number(found[name], words.lang)] for name in SPEED if name in found]
    return section(
        say(words, "speed.title"),
        paragraph(say(words, "speed.lead", threads=found["threads"])),
        table(say(words, "speed.caption"), [say(words, "speed.what"), say(words, "speed.value")], rows, (1,)),
    )

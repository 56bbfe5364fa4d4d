"""The boletín: one page in plain Spanish for a school's director. What the model may do, how sure that is, what it needs.

Nothing is said that the card does not hold; what was not measured is called so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from edge.release import card as cards
from edge.release.card import CAPABILITIES, Condition
from edge.words import words_for
from quantize.report.page import bullets, number, page, paragraph, percent, section
from quantize.report.sections import Card, name_of, reached

LANG = "es"
WORDS_PER_TOKEN = 0.6
"""Spanish words in a token, about: 1.7 tokens a word with vocabularies that know Spanish."""

SURE = ("right", "verbatim", "declines", "keeps", "supported")
MOST_SURE = 4


def write(card: Card, licences: Mapping[str, str]) -> str:
    """Return the page."""
    report = cards.parse(card)
    may = [name for name in CAPABILITIES if report.allows(name)]
    may_not = [name for name in CAPABILITIES if name not in may]
    said = _say()
    lead = said["open-some"].format(open=_listed(may)) if may else said["open-none"]
    title = said["title"].format(name=card["model"])
    return page(
        LANG,
        title,
        [
            f"<h1>{escape(title)}</h1>",
            paragraph(said["for-whom"], "soft"),
            paragraph(lead, "lead"),
            '<div class="two">',
            section(said["may"], bullets([_capability(report, name, True) for name in may] or [said["may-nothing"]])),
            section(said["may-not"], bullets([_capability(report, name, False) for name in may_not])),
            section(said["sure"], bullets(list(_sure(card)))),
            section(said["needs"], bullets(list(_needs(card)))),
            "</div>",
            section(said["licence"], *(paragraph(text) for text in _licence(card, licences))),
            paragraph(said["closing"], "lead"),
        ],
    )


@cache
def _say() -> dict[str, Any]:
    return tomllib.loads(files("quantize.report").joinpath("boletin.toml").read_text(encoding="utf-8"))


def _listed(names: list[str]) -> str:
    spoken = [_say()["capability"][name] for name in names]
    return spoken[0] if len(spoken) == 1 else f"{', '.join(spoken[:-1])} y {spoken[-1]}"


def _capability(report: cards.ReportCard, name: str, is_open: bool) -> str:
    spoken: str = _say()["capability"][name]
    spoken = spoken[0].upper() + spoken[1:]
    gate = report.capabilities.get(name)
    told = [_condition(c) for c in (gate.conditions if gate else ()) if c.met is is_open]
    return f"{spoken}. {'; '.join(told)}." if told else f"{spoken}."


def _condition(condition: Condition) -> str:
    words = words_for("edge", LANG)
    name = name_of(words, "figure", condition.figure)
    least = reached(words, condition.figure, condition.least)
    if condition.value is None:
        return str(_say()["unmeasured"]).format(figure=name, least=least)
    value = reached(words, condition.figure, condition.value)
    key = "reached" if condition.met else "missed"
    return str(_say()[key]).format(figure=name, value=value, least=least)


def _sure(card: Card) -> Iterator[str]:
    said, words = _say(), words_for("edge", LANG)
    tasks = card["measured"]["tasks"]
    count = sum(found["items"] for found in tasks.values())
    yield said["sure-asked"].format(count=count) if count else said["sure-none"]
    told = 0
    for task, found in tasks.items():
        kind, lang, _ = task.split(".", 2)
        for mark in SURE:
            if mark in found["marks"] and told < MOST_SURE and kind in CAPABILITIES and lang == LANG:
                value, low, high = (percent(part, LANG, 0) for part in found["marks"][mark]["now"])
                what = f"{name_of(words, 'kind', kind)}, {name_of(words, 'figure', mark)}"
                what = what[0].upper() + what[1:]
                yield said["sure-interval"].format(what=what, value=value, low=low, high=high)
                told += 1
    chances = card["measured"]["chances"]
    worst = min(chances, key=lambda lang: chances[lang]["top1"][0])
    share = percent(chances[worst]["top1"][0], LANG, 0)
    yield said["sure-kept"].format(share=share, lang=name_of(words, "lang", worst))
    yield said["sure-people"]


def _needs(card: Card) -> Iterator[str]:
    said, speed = _say(), card["measured"].get("speed", {})
    yield said["needs-size"].format(size=number(card["size"] / 1e6, LANG))
    if "peak_mb" in speed:
        yield said["needs-memory"].format(memory=number(speed["peak_mb"], LANG))
    if speed:
        yield said["needs-first"].format(
            seconds=number(max(0.01, speed["first_token_ms"] / 1000), LANG, 2),
            words=_round_words(60 * WORDS_PER_TOKEN * speed["write_tokens_per_second"]),
            threads=speed["threads"],
        )
    yield said["needs-network"]


def _round_words(rate: float) -> str:
    return str(round(rate, -1 if rate < 1000 else -2)).removesuffix(".0")


def _licence(card: Card, licences: Mapping[str, str]) -> Iterator[str]:
    said = _say()
    yield said["licence-model"].format(licence=card["licence"])
    if notice := card.get("notice"):
        yield notice
    if licences:
        yield said["licence-data"].format(
            sources="; ".join(f"{name} ({terms})" for name, terms in sorted(licences.items()))
        )

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
from quantize.report.page import Html, bullets, number, page, paragraph, section
from quantize.report.sections import COUNTS, Card, name_of

LANG = "es"
WORDS_PER_TOKEN = 0.6
"""Spanish words in a token, about: 1.7 tokens a word with vocabularies that know Spanish."""

SURE = ("right", "verbatim", "declines", "keeps", "supported")
MOST_SURE, MOST_REASONS = 3, 2
READER_WORDS = 200
"""What a person reads in a minute."""


def write(card: Card, licences: Mapping[str, str]) -> str:
    """Return the page."""
    report = cards.parse(card)
    may = [name for name in CAPABILITIES if report.allows(name)]
    may_not = [name for name in CAPABILITIES if name not in may]
    said = _say()
    title = said["title"].format(name=card["model"])
    can = section(said["may"], bullets([_capability(report, name) for name in may])) if may else ""
    cannot = section(said["may-not"], bullets([_capability(report, name) for name in may_not])) if may_not else ""
    return page(
        LANG,
        title,
        [
            f"<h1>{escape(title)}</h1>",
            paragraph(said["for-whom"], "soft"),
            paragraph(said["open-some"].format(open=_listed(may)) if may else said["open-none"], "lead"),
            can,
            cannot,
            '<div class="two">',
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


def _capability(report: cards.ReportCard, name: str) -> Html:
    """Return what a capability is and what it reached; of a closed one, the two things it lacks most."""
    spoken: str = _say()["capability"][name]
    gate = report.capabilities.get(name)
    conditions = list(gate.conditions) if gate else []
    if gate is None or not gate.open:
        conditions = sorted((c for c in conditions if not c.met), key=_reached_part)[:MOST_REASONS]
    told = "; ".join(_condition(c) for c in conditions) or _say()["reached"]["no-condition"]
    return Html(f"<b>{escape(spoken[0].upper() + spoken[1:])}</b>: {escape(told)}.")


def _reached_part(condition: Condition) -> float:
    """Return how much of what is asked was reached; what nobody measured counts as nothing."""
    return condition.value / condition.least if condition.value is not None and condition.least else -1.0


def _condition(condition: Condition) -> str:
    told: dict[str, str] = _say()["reached"]
    if condition.value is None:
        return told.get(f"{condition.figure}-unmeasured", told["unmeasured"])
    scale = 1 if condition.figure in COUNTS else 100
    return told.get(condition.figure, told["other"]).format(
        value=_plain(scale * condition.value), least=_plain(scale * condition.least), figure=condition.figure
    )


def _plain(value: float) -> str:
    """Write a number without a fraction, but never a little as nothing nor nearly all as all."""
    rounded = round(value)
    if rounded in (0, 100) and abs(value - rounded) > 1e-9:
        return f"{value:.1f}".replace(".", ",")
    return str(rounded)


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
                value, low, high = (_plain(100 * part) for part in found["marks"][mark]["now"])
                what = f"{name_of(words, 'kind', kind)}, {name_of(words, 'figure', mark)}"
                what = what[0].upper() + what[1:]
                yield said["sure-interval"].format(what=what, value=value, low=low, high=high)
                told += 1
    chances = card["measured"]["chances"]
    worst = min(chances, key=lambda lang: chances[lang]["top1"][0])
    share = _plain(100 * chances[worst]["top1"][0])
    yield said["sure-kept"].format(share=share, lang=name_of(words, "lang", worst))
    yield said["sure-people"]


def _needs(card: Card) -> Iterator[str]:
    said, speed = _say(), card["measured"].get("speed", {})
    yield said["needs-size"].format(size=number(card["size"] / 1e6, LANG))
    if "peak_mb" in speed:
        yield said["needs-memory"].format(memory=number(speed["peak_mb"], LANG))
    if speed:
        seconds, rate = speed["first_token_ms"] / 1000, 60 * WORDS_PER_TOKEN * speed["write_tokens_per_second"]
        yield said["needs-soon"] if seconds < 1 else said["needs-first"].format(seconds=round(seconds))
        yield (
            said["needs-faster"]
            if rate > 1.2 * READER_WORDS
            else said["needs-words"].format(words=round(rate / 10) * 10)
        )
        yield said["needs-machine"].format(threads=speed["threads"])
    yield said["needs-network"]


def _licence(card: Card, licences: Mapping[str, str]) -> Iterator[str]:
    said = _say()
    yield said["licence-model"].format(licence=card["licence"])
    if notice := card.get("notice"):
        yield notice
    if licences:
        yield said["licence-data"].format(
            sources="; ".join(f"{name} ({terms})" for name, terms in sorted(licences.items()))
        )

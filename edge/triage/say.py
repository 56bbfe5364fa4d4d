"""A table and its decisions in the reader's words: answers, sources, doses, and whether anybody approved them."""

from __future__ import annotations

from collections.abc import Iterator

from edge.triage.answers import question, written
from edge.triage.condition import UNKNOWN, Answer
from edge.triage.parts import OVERLAY, Guideline, Input, Shown, Source, Table, in_language, lines_in
from edge.triage.run import Decision, FoundDose
from edge.words import Words


def approval_of(table: Table, words: Words) -> str:
    """Say who approved a table, or that nobody has; and whose words it is shown in, if not its own."""
    said = words.say("clinic.pending")
    if table.approval is not None:
        said = words.say("clinic.approved", by=table.approval.by, on=table.approval.on.isoformat())
    return f"{said}. {overlay_of(table.overlay, words)}" if table.overlay else said


def overlay_of(shown: Shown, words: Words) -> str:
    """Say whose words in another language these are, and who read them."""
    facts = {"name": shown.name, "lang": shown.lang, "author": shown.author, "licence": shown.licence}
    if shown.reviewed_by:
        return words.say("clinic.overlay-reviewed", by=shown.reviewed_by, **facts)
    return words.say("clinic.overlay-unreviewed", **facts)


def answer_in_words(one: Input, answer: Answer, words: Words) -> str:
    """Say an answer: yes and no in the language, a code by its label, a number with its unit."""
    if answer in (UNKNOWN, "yes", "no"):
        return words.say(f"clinic.answer-{answer}")
    if answer in one.codes:
        return in_language(one.labels[one.codes.index(str(answer))], words.lang)
    return f"{written(answer)} {unit_of(one, words)}"


def unit_of(one: Input, words: Words) -> str:
    """Say the unit of a number; those of an age in the language."""
    return words.say(f"clinic.unit-{one.unit}") if one.kind == "age" else one.unit


def source_in_words(source: Source, guideline: Guideline, words: Words) -> str:
    """Say where something stands: guideline, edition, chart, page."""
    named = f"{guideline.name}, {guideline.edition}, {guideline.publisher}, {guideline.year}"
    return words.say("clinic.source", guideline=named, chart=source.chart, page=page_of(source, words))


def page_of(source: Source, words: Words) -> str:
    """Say the page where it is known, with the comma before it."""
    return words.say("clinic.page", page=source.page) if source.page else ""


def decision_lines(table: Table, decision: Decision, words: Words) -> Iterator[str]:
    """Say a decision line by line, urgency first and approval last."""
    outcome = next(one for one in table.outcomes if one.id == decision.outcome)
    yield words.say(f"clinic.urgency-{decision.urgency}")
    yield in_language(outcome.title, words.lang)
    for number, step in enumerate(lines_in(outcome.do, words.lang), 1):
        yield words.say("clinic.step", number=number, step=step)
    for dose in decision.doses:
        yield from dose_lines(table, dose, words)
    for name in decision.look_again:
        yield words.say("clinic.look-again", text=in_language(question(table, name).ask, words.lang))
    for name, given in decision.because:
        one = question(table, name)
        said = f"{in_language(one.ask, words.lang)} {answer_in_words(one, given, words)}"
        yield words.say("clinic.because", text=said)
    yield source_in_words(decision.source, decision.guideline, words)
    yield words.say("clinic.table", table=table.id, version=table.version, approval=approval_of(table, words))


def dose_lines(table: Table, found: FoundDose, words: Words) -> Iterator[str]:
    """Say a dose word for word with the row it stands in, or that there is no row: refer."""
    dose = next(one for one in table.doses if one.id == found.dose)
    amount = in_language(found.amount, words.lang) or words.say("clinic.dose-refer")
    yield words.say("clinic.dose", title=in_language(dose.title, words.lang), amount=amount)
    if found.band:
        one = question(table, found.by)
        least, below = next(ends for name, *ends in dose.bands[found.band - 1].ranges if name == found.by)
        by = f"{written(least)} - <{written(below)} {unit_of(one, words)}"
        page = page_of(found.source, words)
        yield words.say("clinic.dose-row", band=found.band, by=by, chart=found.source.chart, page=page)


def question_of_overlay(one: Input) -> Iterator[str]:
    """Return what a voice of an overlay's language can read of a question."""
    yield from filter(None, (dict(one.ask).get(OVERLAY, ""), dict(one.help).get(OVERLAY, "")))


def words_of_overlay(table: Table, decision: Decision) -> Iterator[str]:
    """Return what a voice of an overlay's language can read of a decision: its own words, and nothing in another one."""
    outcome = next(one for one in table.outcomes if one.id == decision.outcome)
    yield dict(outcome.title).get(OVERLAY, "")
    yield from dict(outcome.do).get(OVERLAY, ())
    for found in decision.doses:
        dose = next(one for one in table.doses if one.id == found.dose)
        yield dict(dose.title).get(OVERLAY, "")
        yield dict(found.amount).get(OVERLAY, "")
    for name in decision.look_again:
        yield dict(question(table, name).ask).get(OVERLAY, "")

"""The health post in lines: tables question by question, what to do, the source on request, and saving the visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.triage.parts import Input, in_language
from edge.triage.say import answer_in_words
from edge.words import words_for
from tui.clinic.keeping import keep, page, state_of, visits
from tui.clinic.told import Line, approval_line, expected, finding_lines, row_lines, schedule_source, vaccine_lines
from tui.clinic.unsaved import GO_ON
from tui.clinic.visit import age_months, meant, months_of
from tui.lines import Lines, same_word
from tui.plain_dialogue import lead
from tui.services import Services

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.clinic.visit import Walk


def clinic(services: Services, lines: Lines) -> None:
    """Choose problems of the patient who is there until the person goes back; what was found stays at hand."""
    words, desk = services.words, services.desk
    while True:
        if desk.case is not None and desk.records.locked:
            desk.close_case()
        _state(services, lines)
        options = _options(services)
        chosen = lines.pick([text for _, text in options], words)
        if chosen is None:
            return
        kind, _, name = options[chosen][0].partition(":")
        try:
            if kind == "table":
                _walk(services, lines, name)
            elif kind == "keep":
                lead(services, lines, page(services, desk.case.kept.id) if desk.case else keep(services))
            elif kind == "visits":
                result = lead(services, lines, visits(services)) or ""
                if result.startswith(GO_ON):
                    _walk(services, lines, result.removeprefix(GO_ON))
            elif kind == "vaccines":
                _vaccines(services, lines)
            elif kind == "source":
                _say(lines, _rows(services))
            else:
                desk.new_patient()
        except EdgeError as error:
            lines.say(error.say(services.lang))


def _state(services: Services, lines: Lines) -> None:
    """Say whose draft is open and what was found, the gravest first."""
    words, edge = services.words, words_for("edge", services.lang)
    lines.say()
    lines.say(state_of(services) or words.say("clinic.title"))
    for finding in services.desk.visit.most_urgent_first():
        title = in_language(finding.table.title, words.lang)
        lines.say(f"{edge.say(f'clinic.urgency-{finding.decision.urgency}').partition(':')[0]}: {title}")


def _options(services: Services) -> list[tuple[str, str]]:
    words, desk = services.words, services.desk
    done = {finding.table.id for finding in desk.visit.findings}
    found = [
        (f"table:{table.id}", in_language(table.title, words.lang))
        for _, tables in desk.groups()
        for table in tables
        if table.id not in done
    ]
    if done or desk.case:
        found.append(("keep", words.say("clinic.kept" if desk.case else "clinic.keep")))
        found += [("source", words.say("clinic.source"))] if done else []
        found.append(("patient", words.say("clinic.patient_kept" if desk.case else "clinic.patient")))
    return [*found, ("visits", words.say("clinic.visits")), ("vaccines", words.say("clinic.vaccines"))]


def _walk(services: Services, lines: Lines, name: str) -> None:
    """Ask the questions of a table; Enter alone leaves it, with a draft nothing is lost."""
    words, desk = services.words, services.desk
    walk = desk.walk(name)
    lines.say(words.say("clinic.plain_about", source=words.say("plain.source_word"), back=words.say("plain.back_word")))
    while walk.open():
        one = walk.open()[0]
        _question(services, lines, walk, one)
        given = lines.ask("> ")
        if not given:
            return
        if same_word(given, words.say("plain.source_word")):
            _say(lines, row_lines(walk.table, None, words))
        elif same_word(given, words.say("plain.back_word")):
            if not walk.back():
                return
        else:
            _answer(services, lines, walk, given)
    walk.finish()
    desk.keep()
    finding = next(one for one in desk.visit.findings if one.table.id == walk.table.id)
    lines.say()
    lines.say(approval_line(walk.table, words)[1])
    _say(lines, finding_lines(finding, words))


def _answer(services: Services, lines: Lines, walk: Walk, given: str) -> None:
    try:
        one = walk.open()[0]
        walk.answer(one, meant(one, given))
        if walk.open():
            services.desk.note(walk)
    except EdgeError as error:
        lines.say(error.say(services.lang))


def _question(services: Services, lines: Lines, walk: Walk, one: Input) -> None:
    words, edge = services.words, words_for("edge", services.lang)
    left = walk.left()
    lines.say()
    lines.say(words.say("clinic.place" if left else "clinic.place_last", number=len(walk.trail) + 1, left=left))
    if one.kind == "sign" and one.danger:
        lines.say(words.say("clinic.danger"))
    lines.say(in_language(one.ask, words.lang))
    if how := in_language(one.help, words.lang):
        lines.say(how)
    if one.kind in ("number", "age"):
        lines.say(expected(one, words))
        if one.may_be_unknown:
            lines.say(words.say("clinic.type_unknown"))
    elif one.kind == "sign":
        keys = [words.say(f"clinic.{value}") for value in one.values()]
        lines.say(", ".join(" ".join(key.split()) for key in keys))
    else:
        for number, value in enumerate(one.values(), 1):
            lines.say(f"{number:>3}. {answer_in_words(one, value, edge)}")
    if (kept := walk.kept.get(one.id)) is not None:
        lines.say(words.say("clinic.plain_before", answer=answer_in_words(one, kept, edge)))


def _rows(services: Services) -> list[Line]:
    found: list[Line] = []
    for finding in services.desk.visit.most_urgent_first():
        found += [*row_lines(finding.table, finding.decision, services.words), ("gap", "")]
    return found


def _vaccines(services: Services, lines: Lines) -> None:
    words, desk = services.words, services.desk
    countries = desk.countries()
    names = [words.say(f"clinic.country-{c}") if words.has(f"clinic.country-{c}") else c.upper() for c in countries]
    chosen = lines.pick(names, words)
    if chosen is None:
        return
    schedule = desk.schedule(countries[chosen])
    lines.say(words.say("clinic.vaccines_about", country=names[chosen], year=schedule.year))
    lines.say(schedule_source(schedule, words))
    known = age_months(desk.visit, desk.today)
    while known is None:
        if not (given := lines.ask(f"{words.say('clinic.vaccines_prompt')}: ")):
            return
        try:
            known = months_of(given, desk.today)
        except EdgeError as error:
            lines.say(error.say(services.lang))
            continue
        if known is None:
            lines.say(words.say("clinic.vaccines_range", most=18 * 12, given=given[:40]))
    lines.say(words.say("clinic.vaccines_age", months=int(known), country=names[chosen]))
    _say(lines, vaccine_lines(schedule, int(known), words))


def _say(lines: Lines, told: Iterable[Line]) -> None:
    for _, text in told:
        if text:
            lines.say(text)

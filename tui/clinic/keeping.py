"""The dialogues about visits that are kept: save what was found, go on with a draft, confirm, hand over, correct.

`problems` as a result means: show the list of problems, with this patient; `table:NAME`: go on with that table.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.records.exports import tables_by_hash
from edge.words import words_for
from tui.clinic.access import at_hand, change_passphrase, renew_recovery
from tui.clinic.asks import Choose, Pick, Steps, Write
from tui.clinic.leaving import delete, export, month
from tui.clinic.people import FIELDS, fill, who
from tui.clinic.told import Line
from tui.clinic.unsaved import LATER, PROBLEMS, THROWN, left_pick, offer, offer_all
from tui.clinic.written import visit_lines, visit_pick

if TYPE_CHECKING:
    from edge.records.visit import Patient, Visit
    from tui.services import Services

OF_DRAFT = ("problems", "outcome", "notes", "patient", "confirm", "delete")
OF_FINAL = ("referral", "referral-text", "fhir", "hand-over", "correct", "everything", "delete")
OF_HANDED = tuple(deed for deed in OF_FINAL if deed != "hand-over")


def keep(services: Services) -> Steps[str]:
    """Keep what was found of the patient who is there: whose it is, then the visit."""
    desk = services.desk
    book = yield from at_hand(services)
    if book is None:
        return ""
    if desk.case is None:
        patient = yield from who(services)
        if patient is None:
            return ""
        desk.begin(patient)
        known = ("name", "age") if patient.birth or patient.age_months is not None else ("name",)
        if not patient.community and not patient.number and patient.sex == "unknown":
            yield from fill(services, patient, tuple(field for field in FIELDS if field not in known))
    return (yield from page(services, desk.case.kept.id)) if desk.case else ""


def visits(services: Services) -> Steps[str]:
    """Show the visits that are kept, drafts first, and what concerns all of them."""
    words, said = services.words, ""
    opening = services.desk.records.locked
    while True:
        book = yield from at_hand(services)
        if book is None:
            return ""
        if opening and (result := (yield from _just_opened(services))):
            return result
        opening = False
        people = {one.id: one for one in book.patients()}
        left = {one.name: one for one in services.desk.left()}
        newest = sorted(book.visits(), key=lambda one: one.date, reverse=True)
        listed = sorted(newest, key=lambda one: one.state != "draft")
        more = tuple(Pick(f"all:{deed}", words.say(f"records.{deed}")) for deed in ("lock", "change", "renew", "month"))
        chosen = yield Choose(
            words.say("records.visits"),
            (
                *(left_pick(one, services) for one in left.values()),
                *(visit_pick(people[one.patient], one, words) for one in listed),
                *more,
            ),
            (("quiet", words.say("records.count", visits=len(listed), people=len(people))),),
            search=words.say("records.visits_search"),
            said=said,
        )
        if chosen is None:
            return ""
        if chosen == "all:lock":
            services.desk.leave()
            return ""
        deeds = {"all:change": change_passphrase, "all:renew": renew_recovery, "all:month": month}
        if chosen in deeds:
            said = yield from deeds[chosen](services)
            continue
        said = ""
        if chosen.startswith("left:"):
            result = yield from offer(services, left[chosen.removeprefix("left:")])
            if result not in (LATER, THROWN):
                return result
            continue
        if (yield from _may_open(services, chosen)) and (yield from page(services, chosen)) == PROBLEMS:
            return PROBLEMS


def _just_opened(services: Services) -> Steps[str]:
    """Seal the answers of now, which nobody could before; without any, offer those that were left."""
    desk = services.desk
    if desk.at_hand:
        desk.seal()
        return ""
    return (yield from offer_all(services))


def _may_open(services: Services, visit: str) -> Steps[bool]:
    """Open a draft as the one that answers go to; ask where that would forget answers nobody kept."""
    words, desk = services.words, services.desk
    book = yield from at_hand(services)
    if book is None:
        return False
    if book.find(visit)[1].state != "draft" or (desk.case and desk.case.kept.id == visit):
        return True
    if desk.case is None and (desk.visit.findings or desk.visit.again):
        sure = yield Choose(
            words.say("records.unsaved"),
            (Pick("no", words.say("records.unsaved_no")), Pick("yes", words.say("records.unsaved_yes"))),
            (("step", words.say("records.unsaved_about")),),
        )
        if sure != "yes":
            return False
    desk.resume(visit)
    return True


def page(services: Services, visit_id: str) -> Steps[str]:
    """Show one visit and do with it what its state allows, until the person goes back."""
    words, said = services.words, ""
    tables = tables_by_hash(services.settings)
    while True:
        book = yield from at_hand(services)
        if book is None:
            return ""
        patient, visit = book.find(visit_id)
        deeds = {"draft": OF_DRAFT, "final": OF_FINAL, "handed-over": OF_HANDED}[visit.state]
        case, lines = services.desk.case, tuple(visit_lines(patient, visit, tables, words))
        if case is not None and case.begun:
            lines = (*lines, ("title", words.say("records.begun", tables=_begun(services, case.begun))))
        deed = yield Choose(
            patient.name,
            tuple(Pick(one, words.say(f"records.do-{one}")) for one in deeds),
            lines,
            said=said,
        )
        if deed is None:
            return ""
        if deed == PROBLEMS:
            return PROBLEMS
        if deed == "delete":
            gone = yield from delete(services, patient)
            if gone:
                return ""
            said = ""
        elif deed in ("referral", "referral-text", "fhir", "everything"):
            said = yield from export(services, deed, patient, visit)
        else:
            said = yield from _change(services, deed, patient, visit)


def _begun(services: Services, begun: dict[str, dict[str, str]]) -> str:
    from edge.triage.parts import in_language

    names = (name.partition(" ")[0] for name in begun)
    return ", ".join(in_language(services.desk.table(name).title, services.lang) for name in names)


def _change(services: Services, deed: str, patient: Patient, visit: Visit) -> Steps[str]:
    """Ask for what a deed needs, do it, and return what to say."""
    words, desk = services.words, services.desk
    if deed == "patient":
        person = yield from fill(services, patient)
        if desk.case is not None:
            desk.case.patient = person
        return words.say("records.saved")
    value = {
        "notes": visit.notes,
        "outcome": visit.outcome,
        "confirm": services.learner.name if services.learner else "",
    }
    lines: tuple[Line, ...] = (("step", words.say(f"records.about-{deed}")),)
    given = yield Write(
        words.say(f"records.do-{deed}"), lines, value=value.get(deed, ""), blank=deed in ("notes", "outcome")
    )
    book = (yield from at_hand(services)) if given is not None else None
    if book is None or given is None:
        return ""
    if deed in ("notes", "outcome"):
        after = replace(visit, notes=given) if deed == "notes" else replace(visit, outcome=given)
        if desk.case is not None and desk.case.kept.id == visit.id:
            desk.case.write(book, services.now(), after)
        else:
            book.write(after, services.now())
        return words.say("records.saved")
    if deed == "confirm":
        book.confirm(visit.id, given, services.now())
        desk.close_case()
        return words.say("records.confirmed_said")
    if deed == "hand-over":
        book.hand_over(visit.id, given, services.now())
        return words.say("records.handed_said")
    book.correct(visit.id, given, services.learner.name if services.learner else given, services.now())
    return words.say("records.corrected_said")


def state_of(services: Services) -> str:
    """Say for the top of the list of problems whose draft is open, or that answers are sealed, or were left; or nothing."""
    desk, words = services.desk, services.words
    case = desk.case
    if case is None and desk.unsaved and not desk.records.locked:
        return words.say("records.left_sealed")
    if case is None:
        try:
            count = desk.waiting()
        except EdgeError:  # Whoever wants to open the records is told what is wrong with them.
            count = 0
        return words.say("records.left_waiting", count=count) if count else ""
    edge = words_for("edge", services.lang)
    return services.words.say("records.open", name=case.patient.name, state=edge.say("records.state-draft"))

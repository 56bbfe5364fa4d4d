"""The dialogues about who the patient is: found among those who were here, or written down, as little as a visit needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.records.visit import SEXES, Patient
from edge.triage.age import read_date
from edge.words import words_for
from tui.clinic.access import at_hand
from tui.clinic.asks import NEW, Ask, Choose, Pick, Steps, Write
from tui.clinic.case import ages_differ, known_age
from tui.clinic.told import Line
from tui.clinic.visit import age_months, iso_date
from tui.clinic.written import patient_line

if TYPE_CHECKING:
    from tui.services import Services

FIELDS = ("name", "age", "sex", "community", "number")


def who(services: Services) -> Steps[Patient | None]:
    """Return whose visit it is; somebody new is written down before anything else is asked."""
    words, desk = services.words, services.desk
    while True:
        book = yield from at_hand(services)
        if book is None:
            return None
        people = {one.id: one for one in book.patients()}
        chosen = yield Choose(
            words.say("records.who"),
            tuple(Pick(one.id, f"{one.name}   {patient_line(one, words)}") for one in people.values()),
            (("step", words.say("records.who_about")),),
            search=words.say("records.who_search"),
            fresh=words.say("records.who_new", name="{name}"),
        )
        if chosen is None:
            return None
        if chosen.startswith(NEW):
            book = yield from at_hand(services)
            if book is None:
                return None
            fresh = known_age(desk.visit, Patient("", chosen.removeprefix(NEW)), desk.today)
            return book.add_patient(fresh, services.now())
        if (yield from _is_the_same(services, people[chosen])):
            return people[chosen]


def _is_the_same(services: Services, patient: Patient) -> Steps[bool]:
    """Ask again where the age that was answered cannot be this patient's."""
    words, desk = services.words, services.desk
    months = age_months(desk.visit, desk.today)
    if not ages_differ(patient, None if months is None else int(months), desk.today):
        return True
    about = words.say("records.age_differs", name=patient.name, birth=patient.birth, months=int(months or 0))
    sure = yield Choose(
        words.say("records.same_person"),
        (Pick("no", words.say("records.other_person")), Pick("yes", words.say("records.same_yes"))),
        (("step", about),),
    )
    return sure == "yes"


def fill(services: Services, patient: Patient, fields: tuple[str, ...] = FIELDS) -> Steps[Patient]:
    """Ask for what is known of a patient, each kept before the next is asked."""
    place, said = 0, ""
    while 0 <= place < len(fields):
        given = yield _asked(services, patient, fields[place], f"{place + 1}/{len(fields)}", said)
        said = ""
        if given is None:
            place -= 1
            continue
        try:
            after = changed(patient, fields[place], given)
            if after != patient:
                book = yield from at_hand(services)
                if book is None:
                    return patient
                patient = book.add_patient(after, services.now())
        except EdgeError as error:
            said = error.say(services.lang)
            continue
        place += 1
    return patient


def changed(patient: Patient, field: str, given: str) -> Patient:
    """Return a patient after one answer; raise EdgeError where it is none."""
    if field == "name":
        return replace(patient, name=given)
    if field == "age":
        if not given:
            return replace(patient, birth="", age_months=None)
        if born := iso_date(given):
            return replace(patient, birth=read_date(born).isoformat(), age_months=None)
        if not given.isdecimal():
            read_date(given)
        return replace(patient, birth="", age_months=int(given[:9]))
    if field == "sex":
        return replace(patient, sex=next(sex for sex in SEXES if sex == given))
    if field == "community":
        return replace(patient, community=" ".join(given.split()))
    return replace(patient, number=" ".join(given.split()))


def _asked(services: Services, patient: Patient, field: str, place: str, said: str) -> Ask:
    words, edge = services.words, words_for("edge", services.lang)
    title = f"{words.say(f'records.field-{field}')}   {place}"
    lines: tuple[Line, ...] = (
        ("step", words.say(f"records.about-{field}")),
        ("quiet", f"{patient.name}   {patient_line(patient, words)}"),
    )
    if field == "sex":
        ordered = [patient.sex, *(sex for sex in SEXES if sex != patient.sex)] if patient.sex != "unknown" else SEXES
        options = tuple(Pick(sex, edge.say(f"records.sex-{sex}")) for sex in ordered)
        return Choose(title, options, lines, said=said)
    age = patient.birth or ("" if patient.age_months is None else str(patient.age_months))
    value = {"name": patient.name, "age": age, "community": patient.community, "number": patient.number}[field]
    return Write(title, lines, value=value, blank=field != "name", said=said)

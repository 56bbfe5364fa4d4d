"""The dialogues about what leaves the records: a file that lies open, on a stick or here; or all of a patient, for good.

A file is named by day and number, never by a person.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.files import write_atomic
from edge.records.errors import RecordsError
from edge.records.exports import EXPORTS, prints
from edge.stick import FOLDER
from edge.words import words_for
from tui.clinic.access import at_hand
from tui.clinic.asks import Choose, Pick, Steps, Write
from tui.lines import same_word

if TYPE_CHECKING:
    from edge.drives import Drive
    from edge.records.visit import Patient, Visit
    from tui.services import Services

PLACE = "CLINICA"
"""The folder below AMAUTA on a stick, or below Amauta's own."""

WHAT = {"referral": "pdf", "referral-text": "txt", "fhir": "json", "everything": "json"}


def export(services: Services, what: str, patient: Patient, visit: Visit) -> Steps[str]:
    """Write one visit, or all about its patient, where the person wants it; return what to say."""
    words, text = services.words, what == "referral-text"
    if what == "referral" and not prints():
        instead = yield Choose(
            words.say("records.do-referral"),
            (Pick("text", words.say("records.do-referral-text")), Pick("no", words.say("records.no"))),
            (("step", words.say("records.no_pdf")),),
        )
        if instead != "text":
            return ""
        what, text = "referral-text", True
    book = yield from at_hand(services)
    if book is None:
        return ""
    kind = "patient" if what == "everything" else what
    who = patient.id if what == "everything" else visit.id
    try:
        content = EXPORTS[kind](book, who, services.settings, words_for("edge", services.lang))
    except EdgeError as error:
        return error.say(services.lang)
    name = f"{visit.date}-{visit.id[:8]}-{what}.{WHAT[what]}"
    return (yield from _write(services, name, content, read=content.decode() if text else ""))


def month(services: Services) -> Steps[str]:
    """Write the counts of a month; return what to say."""
    words = services.words
    given = yield Write(
        words.say("records.month"), (("step", words.say("records.about-month")),), value=f"{services.desk.today:%Y-%m}"
    )
    book = (yield from at_hand(services)) if given else None
    if book is None or given is None:
        return ""
    try:
        content = EXPORTS["dhis2"](book, given, services.settings, words_for("edge", services.lang))
    except EdgeError as error:
        return error.say(services.lang)
    return (yield from _write(services, f"dhis2-{given}.csv", content))


def delete(services: Services, patient: Patient) -> Steps[bool]:
    """Delete all about a patient once the name was typed; tell whether it is gone."""
    words, said = services.words, ""
    while True:
        book = yield from at_hand(services)
        if book is None:
            return False
        many = len(book.visits(patient.id))
        given = yield Write(
            words.say("records.do-delete"),
            (("title", patient.name), ("step", words.say("records.about-delete", visits=many))),
            hint=words.say("records.type_name"),
            said=said,
        )
        if given is None:
            return False
        if same_word(given, patient.name):
            book = yield from at_hand(services)
            if book is None:
                return False
            book.delete(patient.id, services.learner.name if services.learner else given, services.now())
            if services.desk.case and services.desk.case.patient.id == patient.id:
                services.desk.new_patient()
            yield Choose(words.say("records.do-delete"), (), (("step", words.say("records.deleted", visits=many)),))
            return True
        said = words.say("records.name_differs")


def _write(services: Services, name: str, content: bytes, read: str = "") -> Steps[str]:
    """Ask where to, write, and return where it lies and that it lies open."""
    words = services.words
    services.handing.look()
    drives = list(services.handing.drives)
    options = [Pick(f"drive:{n}", words.say("records.to_stick", name=one.name)) for n, one in enumerate(drives)]
    options += [Pick("read", words.say("records.to_screen"))] if read else []
    options += [Pick("here", words.say("records.to_here"))]
    chosen = yield Choose(words.say("records.where"), tuple(options), (("step", words.say("records.lies_open")),))
    if chosen is None:
        return ""
    if chosen == "read":
        yield Choose(words.say("records.do-referral-text"), (), tuple(("step", line) for line in read.splitlines()))
        return ""
    drive = drives[int(chosen.partition(":")[2])] if chosen != "here" else None
    try:
        path = _put(services, drive, name, content)
    except EdgeError as error:
        return error.say(services.lang)
    return words.say("records.written", path=path)


def _put(services: Services, drive: Drive | None, name: str, content: bytes) -> Path:
    path = (drive.path / FOLDER if drive else services.settings.home) / PLACE / name
    try:
        if drive and not drive.path.is_dir():
            raise FileNotFoundError(2, "No such directory", str(drive.path))
        write_atomic(path, content)
    except OSError as error:
        raise RecordsError("export-write", path=path, reason=error.strerror or str(error)) from error
    return path

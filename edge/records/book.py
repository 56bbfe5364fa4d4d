"""The visits of a clinic: written, confirmed, handed over, shown, exported and deleted.

Decides nothing about health. Time is an argument; what is kept goes through the vault.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from edge.learning.attempt import stamp
from edge.records.errors import RecordsError
from edge.records.vault import Vault
from edge.records.visit import SEXES, Event, Patient, Visit, advanced, encode, fold
from edge.triage.age import read_date


class Book:
    """The patients and visits in one unlocked vault."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    def patients(self) -> list[Patient]:
        """Return every patient as last written, in order of name."""
        return sorted(self._all()[0].values(), key=lambda one: (one.name.casefold(), one.id))

    def visits(self, patient: str | None = None) -> list[Visit]:
        """Return all visits, or one patient's, in the order in which they began."""
        return list(self._all(patient)[1].values())

    def find(self, visit: str) -> tuple[Patient, Visit]:
        """Return a visit and its patient; the beginning of the number is enough where it is the only one."""
        patients, visits = self._all()
        found = [one for one in visits.values() if visit and one.id.startswith(visit)]
        if len(found) != 1:
            raise RecordsError("visit-unknown", visit=visit)
        return patients[found[0].patient], found[0]

    def find_patient(self, patient: str) -> Patient:
        """Return a patient by the beginning of the number here, or by the clinic's own number."""
        everybody = self.patients()
        found = [one for one in everybody if patient and (one.id.startswith(patient) or one.number == patient)]
        if len(found) != 1:
            raise RecordsError("patient-unknown", patient=patient)
        return found[0]

    def add_patient(self, patient: Patient, at: datetime) -> Patient:
        """Write a patient down, or again under the same id; an empty id is given one."""
        _check_patient(patient)
        kept = replace(patient, id=patient.id or secrets.token_hex(8), name=" ".join(patient.name.split()))
        self._add(kept.id, {"kind": "patient", "patient": asdict(kept), "at": stamp(at)})
        return kept

    def write(self, visit: Visit, at: datetime) -> Visit:
        """Write a draft, or again under the same id; an empty id is given one."""
        read_date(visit.date)
        with self.vault.writing():
            patients, visits = self._all(visit.patient)
            if visit.patient not in patients:
                raise RecordsError("patient-unknown", patient=visit.patient)
            if visit.id in visits and visits[visit.id].state != "draft":
                raise RecordsError("visit-state", visit=visit.id, state=visits[visit.id].state, wanted="draft")
            kept = Visit(
                id=visit.id or secrets.token_hex(8),
                patient=visit.patient,
                date=visit.date,
                runs=visit.runs,
                notes=visit.notes,
                outcome=visit.outcome,
            )
            facts = {name: getattr(kept, name) for name in ("id", "patient", "date", "runs", "notes", "outcome")}
            self._add(kept.patient, {"kind": "draft", "visit": facts, "at": stamp(at)})
            self.vault.set_page(kept.patient, b"")
        return kept

    def begin(self, visit: Visit, table: str, sha256: str, answers: dict[str, str]) -> None:
        """Keep the answers to a table that is not finished, until the draft is written again."""
        facts = {"visit": visit.id, "table": table, "sha256": sha256, "answers": answers}
        self.vault.set_page(visit.patient, encode(facts))

    def begun(self, visit: Visit) -> dict[str, Any]:
        """Return the table of a draft that is not finished: `table`, `sha256`, `answers`; or nothing."""
        page = self.vault.page(visit.patient)
        found: dict[str, Any] = json.loads(page) if page else {}
        return found if found.get("visit") == visit.id and visit.state == "draft" else {}

    def confirm(self, visit: str, by: str, at: datetime) -> Visit:
        """Make a draft final; from then on it never changes."""
        with self.vault.writing():
            after = self._advance(visit, {"kind": "final", "by": _named(by), "at": stamp(at)})
            self.vault.set_page(after.patient, b"")
        return after

    def hand_over(self, visit: str, to: str, at: datetime) -> Visit:
        """Say to whom a final visit was handed over."""
        return self._advance(visit, {"kind": "handed-over", "to": _named(to), "at": stamp(at)})

    def correct(self, visit: str, text: str, by: str, at: datetime) -> Visit:
        """Say what was wrong in a final visit; the visit itself stays as it was."""
        if not text.strip():
            raise RecordsError("correction-empty")
        return self._advance(visit, {"kind": "correction", "text": text.strip(), "by": _named(by), "at": stamp(at)})

    def everything_about(self, patient: str) -> dict[str, Any]:
        """Return all that is kept about one patient: as it stands, and every event as it was written."""
        events = self._events(patient)
        patients, visits = fold(events)
        if patient not in patients:
            raise RecordsError("patient-unknown", patient=patient)
        return {
            "format": 1,
            "device": self.vault.device,
            "patient": asdict(patients[patient]),
            "visits": [visit.facts() for visit in visits.values()],
            "events": [json.loads(event) for event in events],
        }

    def delete(self, patient: str, by: str, at: datetime) -> int:
        """Destroy all that is kept about a patient; a mark without content stays. Return how many events it was."""
        with self.vault.writing():
            many = len(self._events(patient))
            if not many:
                raise RecordsError("patient-unknown", patient=patient)
            self.vault.erase(patient, {"events": many, "by": _named(by), "at": stamp(at)})
        self.vault.shrink()
        return many

    def _events(self, patient: str | None = None) -> list[bytes]:
        return [content for _, owner, content in self.vault.events(patient) if owner]

    def _all(self, patient: str | None = None) -> tuple[dict[str, Patient], dict[str, Visit]]:
        return fold(self._events(patient))

    def _add(self, patient: str, event: Event) -> None:
        self.vault.append(patient, encode(event))

    def _advance(self, visit: str, event: Event) -> Visit:
        with self.vault.writing():
            found = self.find(visit)[1]
            after = advanced(found, event)
            self._add(found.patient, {**event, "visit": found.id})
        return after


def _check_patient(patient: Patient) -> None:
    if not patient.name.strip():
        raise RecordsError("patient-nameless")
    if patient.sex not in SEXES:
        raise RecordsError("patient-sex", value=patient.sex, choices=", ".join(SEXES))
    if patient.birth:
        read_date(patient.birth)
    if patient.age_months is not None and not 0 <= patient.age_months <= 130 * 12:
        raise RecordsError("patient-age", value=patient.age_months)


def _named(by: str) -> str:
    """Refuse that nobody did it."""
    if not by.strip():
        raise RecordsError("by-nobody")
    return " ".join(by.split())

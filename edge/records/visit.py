"""A patient and a visit as facts, and what a row of events says about them.

Pure. A draft may be written again; a final visit never changes, and what was wrong in it is said by a correction beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from edge.records.errors import RecordsError

State = Literal["draft", "final", "handed-over"]
Sex = Literal["female", "male", "other", "unknown"]
SEXES: tuple[Sex, ...] = ("female", "male", "other", "unknown")


@dataclass(frozen=True, slots=True)
class Patient:
    """Who was seen."""

    id: str
    """A random number that says nothing."""

    name: str
    birth: str = ""
    """A date, as 2024-02-29; empty where only an age is known."""

    age_months: int | None = None
    """At the first visit, where no date of birth is known."""

    sex: Sex = "unknown"
    community: str = ""
    number: str = ""
    """The clinic's own number."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What was said about a final visit afterwards."""

    at: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as it stands after all its events."""

    id: str
    patient: str
    date: str
    """The day, as 2026-11-26."""

    runs: tuple[dict[str, Any], ...] = ()
    """What tables said: `edge.triage.run.Run.facts()`."""

    notes: str = ""
    outcome: str = ""
    """What was done and how the visit ended, in the health worker's words."""

    state: State = "draft"
    confirmed_by: str = ""
    confirmed_at: str = ""
    handed_to: str = ""
    handed_at: str = ""
    corrections: tuple[Correction, ...] = field(default=())

    def facts(self) -> dict[str, Any]:
        """Return the visit as JSON can hold it."""
        return asdict(self)


Event = dict[str, Any]
"""`kind` and what belongs to it: patient, draft, final, handed-over, correction."""


def encode(event: Event) -> bytes:
    """Write an event."""
    return json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")


def fold(events: Iterable[bytes]) -> tuple[dict[str, Patient], dict[str, Visit]]:
    """Return the patients and the visits, oldest first, after these events."""
    patients: dict[str, Patient] = {}
    visits: dict[str, Visit] = {}
    for content in events:
        event = json.loads(content)
        if event["kind"] == "patient":
            patients[event["patient"]["id"]] = Patient(**event["patient"])
        elif event["kind"] == "draft":
            facts = event["visit"]
            visits[facts["id"]] = Visit(**{**facts, "runs": tuple(facts["runs"])})
        elif "visit" in event:
            visits[event["visit"]] = advanced(visits[event["visit"]], event)
    return patients, visits


def advanced(visit: Visit, event: Event) -> Visit:
    """Return a visit after one more event, or refuse what its state does not allow."""
    kind = event["kind"]
    if kind == "final" and visit.state == "draft":
        return replace(visit, state="final", confirmed_by=event["by"], confirmed_at=event["at"])
    if kind == "handed-over" and visit.state == "final":
        return replace(visit, state="handed-over", handed_to=event["to"], handed_at=event["at"])
    if kind == "correction" and visit.state != "draft":
        correction = Correction(event["at"], event["by"], event["text"])
        return replace(visit, corrections=(*visit.corrections, correction))
    raise RecordsError("visit-state", visit=visit.id, state=visit.state, wanted=kind)

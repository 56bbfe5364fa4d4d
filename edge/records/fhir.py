"""A confirmed visit as a FHIR R4 Bundle of type `collection`.

Pure: facts in, JSON facts out. What a table said carries the table's name, version and hash, and the tag `pending` where no
health authority approved it. Codes of LOINC stand only where one is certain; all else is said in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from edge.records.errors import RecordsError
from edge.records.visit import Patient, Visit
from edge.triage.parts import Table, in_language

Facts = dict[str, Any]

UCUM = {"/min": "/min", "%": "%", "kg": "kg", "mm": "mm", "d": "d", "°C": "Cel", "z": "{z-score}", "months": "mo"}
LOINC = {
    "breaths": ("9279-1", "Respiratory rate"),
    "temperature": ("8310-5", "Body temperature"),
    "weight": ("29463-7", "Body weight"),
    "oxygen": ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
}
PRIORITY = {"emergency": "stat", "urgent": "urgent"}
"""What is referred, and how fast."""


def bundle(patient: Patient, visit: Visit, tables: Mapping[str, Table], lang: str) -> Facts:
    """Return a confirmed visit as a Bundle; `tables` by their hash give questions their words and numbers their units."""
    if visit.state == "draft":
        raise RecordsError("visit-draft", visit=visit.id)
    resources = [_patient(patient), _encounter(patient, visit), _visit_notes(patient, visit)]
    if patient.age_months is not None and not patient.birth:
        resources.append(
            _measured(patient, visit, "age", str(patient.age_months), "months", "Age", visit.confirmed_at, {})
        )
    for number, run in enumerate(visit.runs):
        table = tables.get(run["table"]["sha256"])
        resources.append(_answers(patient, visit, run, number, table, lang))
        for one in table.inputs if table else ():
            answer = run["answers"].get(one.id)
            if one.kind == "number" and answer not in (None, "unknown"):
                said = in_language(one.ask, lang)
                made = _measured(patient, visit, f"{number}.{one.id}", answer, one.unit, said, run["at"], _tag(run))
                if one.id in LOINC:
                    code, display = LOINC[one.id]
                    made["code"]["coding"] = [{"system": "http://loinc.org", "code": code, "display": display}]
                resources.append(made)
        if run["decision"]["urgency"] in PRIORITY:
            resources.append(_referral(patient, visit, run, number, table, lang))
    entries = [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in resources]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": "urn:amauta:visit", "value": visit.id},
        "timestamp": visit.confirmed_at,
        "entry": entries,
    }


def _id(kind: str, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:amauta:{kind}:{name}"))


def _to(kind: str, name: str) -> Facts:
    return {"reference": f"urn:uuid:{_id(kind, name)}"}


def _tag(run: Facts) -> Facts:
    """Mark what an unapproved table said."""
    if run["table"]["approved"]:
        return {}
    return {
        "meta": {"tag": [{"system": "urn:amauta:approval", "code": "pending", "display": "pending local approval"}]}
    }


def _patient(patient: Patient) -> Facts:
    made: Facts = {
        "resourceType": "Patient",
        "id": _id("patient", patient.id),
        "name": [{"text": patient.name}],
        "gender": patient.sex,
    }
    if patient.birth:
        made["birthDate"] = patient.birth
    if patient.number:
        made["identifier"] = [{"system": "urn:amauta:clinic-number", "value": patient.number}]
    if patient.community:
        made["address"] = [{"text": patient.community}]
    return made


def _encounter(patient: Patient, visit: Visit) -> Facts:
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    made: Facts = {
        "resourceType": "Encounter",
        "id": _id("visit", visit.id),
        "status": "finished",
        "class": {"system": act, "code": "AMB", "display": "ambulatory"},
        "subject": _to("patient", patient.id),
        "period": {"start": visit.date},
        "participant": [{"individual": {"display": visit.confirmed_by}}],
    }
    return made


def _visit_notes(patient: Patient, visit: Visit) -> Facts:
    """Carry what the health worker wrote, and what was corrected afterwards."""
    said = [("notes", visit.notes), ("outcome", visit.outcome), ("handed-to", visit.handed_to)]
    said += [(f"correction.{at}", f"{one.at} {one.by}: {one.text}") for at, one in enumerate(visit.corrections, 1)]
    made = _response(patient, visit, "notes", "urn:amauta:visit", visit.confirmed_at)
    if items := [_item(name, name, text) for name, text in said if text]:
        made["item"] = items
    if visit.corrections:
        made["status"] = "amended"
    return made


def _response(patient: Patient, visit: Visit, name: str, questionnaire: str, at: str) -> Facts:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": _id("response", f"{visit.id}.{name}"),
        "questionnaire": questionnaire,
        "status": "completed",
        "subject": _to("patient", patient.id),
        "encounter": _to("visit", visit.id),
        "authored": at,
        "author": {"display": visit.confirmed_by},
    }


def _answers(patient: Patient, visit: Visit, run: Facts, number: int, table: Table | None, lang: str) -> Facts:
    """Carry one run: every answer as it was given, and what the table said to them."""
    used, decision = run["table"], run["decision"]
    asked = {one.id: in_language(one.ask, lang) for one in table.inputs} if table else {}
    source = " · ".join(decision["source"][part] for part in ("guideline", "chart", "page") if decision["source"][part])
    said = [("urgency", decision["urgency"]), ("outcome", outcome_title(run, table, lang)), ("source", source)]
    return {
        **_response(patient, visit, str(number), f"urn:amauta:table:{used['id']}|{used['version']}", run["at"]),
        **_tag(run),
        "identifier": {"system": "urn:amauta:table-sha256", "value": used["sha256"]},
        "item": [
            *(_item(name, asked.get(name, name), answer) for name, answer in run["answers"].items()),
            *(_item(f"amauta.{name}", name, text) for name, text in said),
        ],
    }


def _item(link: str, text: str, answer: str) -> Facts:
    return {"linkId": link, "text": text, "answer": [{"valueString": answer}]}


def _measured(
    patient: Patient, visit: Visit, name: str, value: str, unit: str, said: str, at: str, tag: Facts
) -> Facts:
    number = float(value)
    return {
        "resourceType": "Observation",
        "id": _id("observation", f"{visit.id}.{name}"),
        **tag,
        "status": "final",
        "code": {"text": said},
        "subject": _to("patient", patient.id),
        "encounter": _to("visit", visit.id),
        "effectiveDateTime": at,
        "valueQuantity": {
            "value": int(number) if number.is_integer() else number,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": UCUM.get(unit, f"{{{unit}}}"),
        },
    }


def _referral(patient: Patient, visit: Visit, run: Facts, number: int, table: Table | None, lang: str) -> Facts:
    return {
        "resourceType": "ServiceRequest",
        "id": _id("referral", f"{visit.id}.{number}"),
        **_tag(run),
        "status": "active",
        "intent": "order",
        "priority": PRIORITY[run["decision"]["urgency"]],
        "code": {"text": outcome_title(run, table, lang)},
        "subject": _to("patient", patient.id),
        "encounter": _to("visit", visit.id),
        "authoredOn": visit.confirmed_at,
        "requester": {"display": visit.confirmed_by},
        "supportingInfo": [_to("response", f"{visit.id}.{number}")],
    }


def outcome_title(run: Facts, table: Table | None, lang: str) -> str:
    """Return what the guideline calls an outcome; its name in the table where that table is not here."""
    wanted = str(run["decision"]["outcome"])
    found = [one for one in table.outcomes if one.id == wanted] if table else []
    return in_language(found[0].title, lang) if found else wanted

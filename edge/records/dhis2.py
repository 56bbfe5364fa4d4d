"""Counts of one month for DHIS2's aggregate import: outcomes of tables by age band, without names.

Pure. Counts are exact, small ones too: they are for the ministry. Which code stands for what is in a mapping that the
district edits; what the mapping does not name keeps `table.outcome` and the band's own name.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.records.errors import RecordsError
from edge.records.visit import Patient, Visit
from edge.triage.age import months_between, read_date

COLUMNS = ("dataElement", "period", "orgUnit", "categoryOptionCombo", "value")


@dataclass(frozen=True, slots=True)
class Mapping:
    """The codes of a country's DHIS2."""

    org_unit: str
    unknown_age: str
    bands: tuple[tuple[int, str], ...]
    """(first month of life, code), rising; a band ends where the next begins."""

    elements: dict[str, str]
    """`table.outcome` to the code of a data element."""


def read_mapping(path: Path) -> Mapping:
    """Read a mapping, or refuse it."""
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        bands = tuple((int(one["from"]), str(one["code"])) for one in found["bands"])
        elements = {str(name): str(code) for name, code in found.get("elements", {}).items()}
        made = Mapping(str(found["org_unit"]), str(found["unknown_age"]), bands, elements)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordsError("mapping-broken", path=path, reason=str(error)) from error
    if not bands or [start for start, _ in bands] != sorted({start for start, _ in bands}):
        raise RecordsError("mapping-broken", path=path, reason="bands")
    return made


def counts(pairs: Iterable[tuple[Patient, Visit]], month: str, mapping: Mapping) -> bytes:
    """Return the CSV of one month (2026-11) of confirmed visits."""
    read_date(f"{month}-01")
    found: Counter[tuple[str, str]] = Counter()
    for patient, visit in pairs:
        if visit.state != "draft" and visit.date[:7] == month:
            for run in visit.runs:
                name = f"{run['table']['id']}.{run['decision']['outcome']}"
                found[(mapping.elements.get(name, name), band_of(patient, visit, mapping))] += 1
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for (element, band), many in sorted(found.items()):
        writer.writerow((element, month.replace("-", ""), mapping.org_unit, band, many))
    return out.getvalue().encode()


def band_of(patient: Patient, visit: Visit, mapping: Mapping) -> str:
    """Return the code of the band that a patient's age at the visit falls into."""
    months = patient.age_months
    if patient.birth:
        months = months_between(read_date(patient.birth), read_date(visit.date))
    fitting = [code for start, code in mapping.bands if months is not None and start <= months]
    return fitting[-1] if fitting else mapping.unknown_age

"""What leaves the records, as bytes of a file: everything about a patient, FHIR, the printed referral, counts for DHIS2.

Only confirmed visits leave as FHIR, on paper or in counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from edge.errors import EdgeError
from edge.records.book import Book
from edge.settings import Settings
from edge.triage.parts import Table
from edge.triage.shelf import table_files
from edge.triage.table import read_table
from edge.words import Words


def patient(book: Book, who: str, _settings: Settings, _words: Words) -> bytes:
    """Everything about one patient."""
    return _json(book.everything_about(book.find_patient(who).id))


def fhir(book: Book, visit: str, settings: Settings, words: Words) -> bytes:
    """One visit as a FHIR R4 Bundle."""
    from edge.records.fhir import bundle

    return _json(bundle(*book.find(visit), tables_by_hash(settings), words.lang))


def referral(book: Book, visit: str, settings: Settings, words: Words) -> bytes:
    """One visit as a printed page."""
    from edge.records.referral import page

    return page(*book.find(visit), tables_by_hash(settings), words)


def referral_text(book: Book, visit: str, settings: Settings, words: Words) -> bytes:
    """One visit as plain text, to be read out or copied by hand; needs nothing installed."""
    from edge.records.referral import text

    return text(*book.find(visit), tables_by_hash(settings), words).encode()


def prints() -> bool:
    """Tell whether this computer can make the printed page."""
    return find_spec("fpdf") is not None


def dhis2(book: Book, month: str, settings: Settings, _words: Words) -> bytes:
    """The counts of one month; the device's own mapping stands in for ours."""
    from edge.records.dhis2 import counts, read_mapping

    own = settings.home / "clinic" / "dhis2.toml"
    mapping = read_mapping(own if own.exists() else Path(__file__).parent.parent / "clinic" / "dhis2.toml")
    patients = {one.id: one for one in book.patients()}
    return counts(((patients[visit.patient], visit) for visit in book.visits()), month, mapping)


def tables_by_hash(settings: Settings) -> dict[str, Table]:
    """Return the tables that are here; a broken one is left out, its runs then keep their bare names."""
    found = {}
    for path in table_files(settings):
        try:
            table = read_table(path)
        except EdgeError:
            continue
        found[table.sha256] = table
    return found


def _json(facts: object) -> bytes:
    return json.dumps(facts, ensure_ascii=False, indent=2).encode()


EXPORTS: dict[str, Callable[[Book, str, Settings, Words], bytes]] = {
    "patient": patient,
    "fhir": fhir,
    "referral": referral,
    "referral-text": referral_text,
    "dhis2": dhis2,
}

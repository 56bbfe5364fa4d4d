"""Answers as xAPI 1.0.3 statements, for a learning record store: one a line, person by person.

The learners are pseudonyms, but each is one child: no page shows this, only the person at the hub exports it, and
the audit says so. The same answer has the same id in every export of every hub that has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.reports.answers import batches
from edge.hub.reports.catalogue import Catalogue
from edge.hub.reports.months import Period, condition
from edge.learning.grade import chosen_option
from edge.words import LANGUAGES, words_for

AT_ONCE = 10_000
VERSION = "1.0.3"
_NAMES = uuid5(NAMESPACE_URL, "amauta-xapi-1")
_ANSWERED = "http://adlnet.gov/expapi/verbs/answered"
_QUESTION = "http://adlnet.gov/expapi/activities/question"
_LESSON = "http://adlnet.gov/expapi/activities/lesson"
_ANSWERS = """
SELECT seq, copy, learner, lesson, item, given, correct, hints, tenths, at FROM attempts
WHERE stream = ? AND seq > ? AND {condition} ORDER BY seq, copy LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Naming:
    """How the things of a statement are named."""

    home: str
    """The hub's web address: all names begin with it."""

    catalogue: Catalogue

    def activity(self, kind: str, called: str) -> str:
        """Return the id of a lesson or an item."""
        return f"{self.home}/{kind}/{quote(called, safe='/')}"


def home_of(hub: str, address: str) -> str:
    """Return the address that names begin with; a hub without a server gets one that leads nowhere (RFC 2606)."""
    if not address:
        return f"https://{hub}.hub.invalid"
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(c.isspace() or not c.isprintable() for c in address) or parts.query or parts.fragment:
        raise HubError("xapi-home", home=address[:80])
    return address.rstrip("/")


def statements(database: Database, period: Period, naming: Naming, school: str = "") -> Iterator[dict[str, Any]]:
    """Yield a statement for every answer of one school or of all."""
    words = dict(database.rows("SELECT id, text FROM words"))
    sql = _ANSWERS.format(condition=condition(period))
    for codes, first, last in batches(database, school):
        streams = "SELECT id, name, school FROM streams WHERE school BETWEEN ? AND ? ORDER BY id"
        for number, stream, of in database.rows(streams, [first, last]):
            after = -1
            while rows := database.rows(sql, [number, after, AT_ONCE]):
                # A page ends between two numbers, never between two contents of one.
                whole = [row for row in rows if len(rows) < AT_ONCE or row[0] != rows[-1][0]] or rows
                for seq, copy, learner, lesson, *rest in whole:
                    name = uuid5(_NAMES, f"{stream}/{seq}/{copy}")
                    yield _statement(name, learner, codes[of], words[lesson], rest, naming)
                after = whole[-1][0]


def line(statement: dict[str, Any]) -> bytes:
    """Return a statement as it is written."""
    return json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _statement(name: UUID, learner: int, school: str, lesson: str, rest: list[Any], naming: Naming) -> dict[str, Any]:
    item, given, correct, hints, tenths, at = rest
    known = naming.catalogue.items.get(item)
    lang = naming.catalogue.lang_of(lesson)
    lesson_title = naming.catalogue.lesson(lesson).title
    asked = known.prompt if known else f"{lesson_title}: {item.rpartition('/')[2]}"
    result: dict[str, Any] = {"success": bool(correct), "duration": f"PT{tenths // 10}.{tenths % 10}S"}
    if given:
        # Where its text is too long to leave, an option travels as its letter.
        option = chosen_option(known, given) if known and known.kind == "choice" else None
        result["response"] = option.text if option else given
    statement: dict[str, Any] = {
        "id": str(name),
        "actor": {"objectType": "Agent", "account": {"homePage": naming.home, "name": f"{learner:016x}"}},
        "verb": {"id": _ANSWERED, "display": {each: _said(each) for each in LANGUAGES}},
        "object": _activity(naming.activity("items", item), asked, lang, _QUESTION),
        "result": result,
        "context": {
            "platform": "Amauta",
            "language": lang,
            "contextActivities": {
                "parent": [_activity(naming.activity("lessons", lesson), lesson_title, lang, _LESSON)],
                "grouping": [{"objectType": "Activity", "id": naming.activity("schools", school)}],
            },
            "extensions": {f"{naming.home}/extensions/hints": hints},
        },
        "version": VERSION,
    }
    if at:
        moment = datetime.fromtimestamp(at, UTC)
        statement["timestamp"] = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    return statement


def _said(lang: str) -> str:
    return words_for("edge", lang).say("reports.xapi-answered")


def _activity(name: str, title: str, lang: str, kind: str) -> dict[str, Any]:
    return {"objectType": "Activity", "id": name, "definition": {"type": kind, "name": {lang: title}}}

"""Read a decision table from its file.

`read` returns the table with everything that is wrong with its shape; `read_table` refuses a table that
is wrong. Whether its rows are total, disjoint and monotone is `check`'s to prove.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import cast

from edge.library.pack import Complaint, complaint
from edge.triage.condition import UNKNOWN, WORDS, AtLeast, Atom, MisreadError, Not, atoms, read_condition
from edge.triage.errors import TriageError
from edge.triage.fields import Node, as_number, parse_bytes, read_at_most
from edge.triage.parts import (
    AGE_UNITS,
    KINDS,
    URGENCIES,
    Approval,
    Band,
    Dose,
    Guideline,
    Input,
    Kind,
    Outcome,
    Row,
    Source,
    Table,
    Urgency,
)

FORMAT = 1
MOST_BYTES = 1 << 20
HEAD = (
    "format",
    "id",
    "version",
    "approval",
    "title",
    "who",
    "guidelines",
    "inputs",
    "terms",
    "rows",
    "outcomes",
    "doses",
)
DANGERS = {"sign": ("yes",), "number": ("high", "low"), "age": ("high", "low"), "choice": ("listed",)}
NEVER = AtLeast(1, ())
"""What an unreadable condition stands for, so that the rest of the file can be read."""


def read_table(path: Path) -> Table:
    """Read a table that has nothing wrong with its shape, or refuse it."""
    table, complaints = read(path)
    if table is None or complaints:
        raise TriageError("table-broken", path=path, count=len(complaints))
    return table


def read(path: Path) -> tuple[Table | None, list[Complaint]]:
    """Read a table and say what is wrong with its shape; None where nothing can be made of it."""
    content = read_at_most(path, MOST_BYTES, "table-unreadable")
    if content is None:
        return None, [complaint(path, 1, "file-large", most=MOST_BYTES)]
    return read_bytes(path, content)


def read_bytes(path: Path, content: bytes) -> tuple[Table | None, list[Complaint]]:
    """Read a table from what stands, or is to stand, in the file `path`."""
    place, found = parse_bytes(path, content)
    if found is None:
        return None, place.complaints
    return _table(Node(place, "", found), hashlib.sha256(content).hexdigest()), place.complaints


def _table(head: Node, sha256: str) -> Table:
    head.refuse_unknown(*HEAD)
    if head.table.get("format") != FORMAT:
        head.complain("format", "format-unknown", value=str(head.table.get("format")), known=FORMAT)
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name := head.text("id")) and name:
        head.complain("id", "name-odd")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}\.\d+", version := head.text("version")) and version:
        head.complain("version", "version-odd", value=version)
    guidelines = tuple(_guideline(name, node) for name, node in head.children("guidelines"))
    inputs = tuple(_input(name, node) for name, node in head.children("inputs"))
    terms = _terms(head, inputs)
    known = tuple(one.id for one in guidelines)
    doses = tuple(_dose(name, node, inputs, known) for name, node in head.children("doses", needed=False))
    outcomes = tuple(_outcome(name, node, doses) for name, node in head.children("outcomes"))
    rows = tuple(_row(name, node, inputs, terms, outcomes, known) for name, node in head.children("rows"))
    return Table(
        id=name,
        version=version,
        title=head.every_language("title"),
        who=head.every_language("who"),
        approval=_approval(head),
        guidelines=guidelines,
        inputs=inputs,
        rows=rows,
        outcomes=outcomes,
        doses=doses,
        sha256=sha256,
        path=head.place.path,
        lines=tuple(head.place.lines.items()),
    )


def _approval(head: Node) -> Approval | None:
    if head.table.get("approval") == "pending":
        return None
    if not isinstance(head.table.get("approval"), dict):
        head.complain("approval", "approval-odd", value=str(head.table.get("approval")))
        return None
    node = head.child("approval")
    node.refuse_unknown("by", "on")
    on = node.table.get("on")
    if not isinstance(on, datetime.date) or isinstance(on, datetime.datetime):
        node.complain("on", "field-date", value=str(on))
        return None
    return Approval(node.text("by"), on)


def _guideline(name: str, node: Node) -> Guideline:
    node.refuse_unknown("name", "edition", "year", "publisher", "licence", "url")
    year = node.whole("year", 1950, 2100)
    texts = {field: node.text(field) for field in ("name", "edition", "publisher", "licence")}
    return Guideline(name, year=year, url=node.text("url", ""), **texts)


def _source(node: Node, guidelines: tuple[str, ...]) -> Source:
    """Read `source`; the page may be empty, the chart may not."""
    source = node.child("source")
    source.refuse_unknown("guideline", "chart", "page")
    return Source(source.choice("guideline", guidelines or ("",)), source.text("chart"), source.text("page", ""))


def _input(name: str, node: Node) -> Input:
    if name in WORDS or "-" in name:
        node.place.complain(node.name, "input-name", name=name)
    kind = cast(Kind, node.choice("kind", KINDS))
    measured = ("unit", "min", "max", "step") if kind in ("number", "age") else ()
    node.refuse_unknown(
        "kind", "danger", "unknown", "ask", "help", *measured, *(("codes",) if kind == "choice" else ())
    )
    said = node.table.get("danger", False)
    danger = (DANGERS[kind][0] if said else "") if isinstance(said, bool) else str(said)
    if danger not in ("", *DANGERS[kind]):
        node.complain("danger", "field-choice", value=danger, choices=", ".join(("true", *DANGERS[kind])))
    codes = tuple(node.children("codes")) if kind == "choice" else ()
    for code, label in codes:
        if code in (UNKNOWN, "yes", "no") or "-" in code:
            label.place.complain(label.name, "input-name", name=code)
    least = node.number("min") if measured else Decimal(0)
    most = node.number("max") if measured else Decimal(0)
    step = node.number("step", Decimal(1)) if measured else Decimal(1)
    if measured and (step <= 0 or least >= most or (most - least) % step):
        node.place.complain(node.name, "range-odd", name=name, least=str(least), most=str(most), step=str(step))
    return Input(
        id=name,
        kind=kind,
        danger=danger,
        may_be_unknown=node.flag("unknown", default=kind != "age"),
        ask=node.every_language("ask"),
        help=node.every_language("help", needed=False),
        unit=(node.choice("unit", AGE_UNITS) if kind == "age" else node.text("unit")) if measured else "",
        least=least,
        most=most,
        step=step,
        codes=tuple(code for code, _ in codes),
        labels=tuple(node.child("codes").every_language(code) for code, _ in codes),
    )


def _terms(head: Node, inputs: tuple[Input, ...]) -> dict[str, Atom | Not | AtLeast]:
    """Read the names that stand for a condition; each may use those before it."""
    terms: dict[str, Atom | Not | AtLeast] = {}
    node = head.child("terms") if "terms" in head.table else Node(head.place, "terms", {})
    for name in node.table:
        if name in WORDS or not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in {one.id for one in inputs}:
            node.complain(name, "term-name")
        terms[name] = _condition(node, name, inputs, terms)
    return terms


def _condition(
    node: Node, field: str, inputs: tuple[Input, ...], terms: Mapping[str, Atom | Not | AtLeast]
) -> Atom | Not | AtLeast:
    try:
        condition = read_condition(node.text(field), terms)
    except MisreadError as error:
        node.complain(field, error.key, **error.values)
        return NEVER
    wrong = [atom for atom in atoms(condition) if not _fits(atom, inputs)]
    for atom in wrong:
        node.complain(field, "condition-misfit", part=f"{atom.input} {atom.op} {atom.value}", input=atom.input)
    return NEVER if wrong else condition


def _fits(atom: Atom, inputs: tuple[Input, ...]) -> bool:
    """Tell whether an atom asks an input for something that it can be; a threshold must lie on its steps."""
    one = next((one for one in inputs if one.id == atom.input), None)
    if one is None:
        return False
    if atom.op == "is" or isinstance(atom.value, str):
        return atom.value in one.values()
    return one.kind in ("number", "age") and one.allows(atom.value)


def _row(
    name: str,
    node: Node,
    inputs: tuple[Input, ...],
    terms: Mapping[str, Atom | Not | AtLeast],
    outcomes: tuple[Outcome, ...],
    guidelines: tuple[str, ...],
) -> Row:
    node.refuse_unknown("urgency", "when", "outcome", "source")
    return Row(
        id=name,
        urgency=cast(Urgency, node.choice("urgency", URGENCIES)),
        when=_condition(node, "when", inputs, terms),
        when_text=node.text("when", ""),
        outcome=node.choice("outcome", tuple(one.id for one in outcomes) or ("",)),
        source=_source(node, guidelines),
    )


def _outcome(name: str, node: Node, doses: tuple[Dose, ...]) -> Outcome:
    node.refuse_unknown("title", "do", "doses")
    wanted = node.names("doses", needed=False)
    for dose in wanted:
        if dose not in {one.id for one in doses}:
            node.complain("doses", "field-choice", value=dose, choices=", ".join(one.id for one in doses))
    return Outcome(name, node.every_language("title"), node.lists("do"), wanted)


def _dose(name: str, node: Node, inputs: tuple[Input, ...], guidelines: tuple[str, ...]) -> Dose:
    node.refuse_unknown("title", "by", "bands", "source")
    by = node.names("by")
    measured = tuple(one.id for one in inputs if one.kind in ("number", "age"))
    for wanted in by:
        if wanted not in measured:
            node.complain("by", "field-choice", value=wanted, choices=", ".join(measured))
    bands = tuple(_bands(node, by))
    return Dose(name, node.every_language("title"), by, bands, _source(node, guidelines))


def _bands(node: Node, by: tuple[str, ...]) -> Iterator[Band]:
    found = node.table.get("bands")
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        node.complain("bands", "bands-odd")
        return
    for number, table in enumerate(found):
        band = Node(node.place, node.full(f"bands.{number}"), table)
        band.refuse_unknown("amount", *by)
        ranges = tuple((name, *_range(band, name)) for name in by)
        yield Band(ranges, band.every_language("amount"))


def _range(band: Node, name: str) -> tuple[Decimal, Decimal]:
    value = band.table.get(name)
    ends = [as_number(end) for end in value] if isinstance(value, list) else []
    if len(ends) == 2 and ends[0] is not None and ends[1] is not None and ends[0] < ends[1]:
        return ends[0], ends[1]
    band.complain(name, "band-odd", value=str(value))
    return Decimal(0), Decimal(0)

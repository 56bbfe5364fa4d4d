"""What reports read is what the answers say: in any order, twice, erased, merged, cut off, from an older file."""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import psycopg
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from district import NOW, made
from edge.cli import main
from edge.hub import sqlite
from edge.hub.database import Database, open_database
from edge.hub.join import join
from edge.hub.mistakes import mistake
from edge.hub.place import Place, create
from edge.hub.reports import learning, sums
from edge.hub.reports.build import OF_A_SCHOOL, Reports
from edge.hub.reports.catalogue import Catalogue
from edge.hub.reports.groups import Answers, Own, publish
from edge.hub.reports.mistakes import Tally
from edge.hub.reports.months import Period, months_of, period
from edge.hub.reports.table import Cell, Table
from edge.sync.facts import Answer, Erasure, Stream
from edge.sync.merge import State, merge, state_of
from edge.words import words_for
from handing import quick_folder
from postgres import Server

WORDS = words_for("edge", "es")
SCHOOL_OF = {"a" * 16: "grande", "b" * 16: "grande", "c" * 16: "chica", "d" * 16: "lejana"}
APRIL, MAY, LATER, NEVER = 1_775_044_800, 1_777_636_800, 1_830_297_600, 1_000_000_000
"""In 2026, in 2028, and before there was any Amauta."""

ITEMS = (
    ("exercise/add-2", "exercise/add-2/27+15", ("32", "43", "x")),
    ("exercise/add-2", "exercise/add-2/38+14", ("42", "51", "")),
    ("pueblo/1-agua", "pueblo/1-agua/1", ("b", "C)", "")),
    ("pueblo/1-agua", "pueblo/1-agua/2", ("12 cm", "a", "A")),
)
PERIODS = [("", ""), ("2026-04", "2026-04"), ("2026-04", "2026-05"), ("2026-06", "")]


def an_answer(chance: Random, seq: int) -> Answer:
    lesson, item, wrong = chance.choice(ITEMS)
    right = chance.random() < 0.5
    given = "42" if right else chance.choice(wrong)
    at = chance.choice((APRIL, APRIL, MAY, LATER, NEVER)) + chance.randrange(86_400)
    return Answer(seq, chance.randrange(1, 8), lesson, item, given, int(right), 0, 30, at)


def deliveries(chance: Random) -> list[Stream]:
    """What four devices of three schools hand over: portions that overlap, a copied device, erasures."""
    found = []
    for device, school in SCHOOL_OF.items():
        shift = 100 * sorted(set(SCHOOL_OF.values())).index(school)
        rows = [an_answer(chance, seq) for seq in range(1, chance.randrange(2, 90))]
        rows = [row._replace(learner=row.learner + shift) for row in rows]
        for _ in range(3):
            begin, end = sorted(chance.choices(range(len(rows) + 1), k=2))
            found.append(Stream(device, tuple(rows[begin:end])))
        found.append(Stream(device, tuple(rows)))
        if chance.random() < 0.3:
            found.append(Stream(device, tuple(row._replace(given="7", right=0) for row in rows[:5])))
        if chance.random() < 0.4:
            found.append(Stream(device, (), (), (Erasure(1, chance.randrange(1, 8) + shift, MAY),)))
    return found


def take_in(database: Database, stream: Stream) -> None:
    with database.step([stream]):
        database.add(stream, database.stream(stream.device, database.school(SCHOOL_OF[stream.device])))


def told(database: Database, chosen: Period, school: str = "") -> dict[str, Any]:
    """What the hub tells; rows of one place in any order."""
    reports = Reports(database, Path("none"), WORDS, chosen, NOW, school)
    return {table.name: sorted(map(repr, _answered(table))) for table in reports.tables(OF_A_SCHOOL)}


def _answered(table: Table) -> list[tuple[Cell, ...]]:
    """Rows without what is not about answers."""
    if table.name == "schools":
        return [row[:-3] for row in table.rows]
    return list(table.rows) if table.name not in ("devices", "versions", "deliveries") else []


def expected(state: State, chosen: Period, school: str = "") -> dict[str, Any]:
    """The same, from the facts alone: nothing of the database, nothing of what is kept."""
    facts = [(SCHOOL_OF[name[1]], row) for name, row in state.facts if isinstance(row, Answer)]
    facts = [(code, row) for code, row in facts if school in ("", code) and _is_in(month_of(row), chosen)]
    catalogue = Catalogue(WORDS, {}, {})
    published = publish(_parts(facts), is_alone=bool(school))
    shown = Answers(
        tuple(replace(block, month=_shown(block.month, chosen)) for block in published.blocks),
        tuple(replace(group, month=_shown(group.month, chosen)) for group in published.groups),
        published.too_few,
    )
    makes = (learning.lessons, learning.skills, learning.months, learning.details)
    tables = [make(shown, catalogue) for make in makes]
    cells = {code: learning.added_up([]) for code in SCHOOL_OF.values() if school in ("", code)}
    rows = tuple((code, *more) for code, more in (cells | learning.of_schools(shown)).items() if code)
    tables.append(_mistakes(facts))
    if school:
        tables = [table.without("schools") for table in tables]
    tables.append(Table("schools", (), rows))
    empty: dict[str, list[str]] = {name: [] for name in ("devices", "versions", "deliveries")}
    return empty | {table.name: sorted(map(repr, table.rows)) for table in tables}


def month_of(row: Answer) -> int:
    date = datetime.fromtimestamp(row.at, UTC)
    return date.year * 12 + date.month - 1 if date.year >= 2020 else 0


def _shown(month: int, chosen: Period) -> int:
    return month if month <= chosen.now else 0


def _is_in(month: int, chosen: Period) -> bool:
    return chosen.is_all or month in chosen.months()


def _parts(facts: Iterable[tuple[str, Answer]]) -> list[list[Own]]:
    owns: dict[tuple[str, int], dict[tuple[str, int], list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for code, row in facts:
        owns[code, month_of(row)][row.lesson, row.learner][row.right] += 1
    return [[Own(*place, *who, sum(n), n[1]) for who, n in mine.items()] for place, mine in owns.items()]


def _mistakes(facts: Iterable[tuple[str, Answer]]) -> Table:
    who: dict[tuple[str, str, str], dict[tuple[str, int], set[int]]] = defaultdict(lambda: defaultdict(set))
    for code, row in facts:
        labels = [("", mistake(row.item, row.given))] if row.item.startswith("exercise/") else [(row.item, "")]
        if not row.item.startswith("exercise/") and row.given:
            letter = row.given.strip(").").casefold()
            labels.append((row.item, letter if letter in ("a", "b", "c") else row.given))
        for item, which in labels:
            if not row.right and (item or which):
                who[row.lesson, item, which][code, month_of(row)].add(row.learner)
    rows = []
    for (lesson, item, which), places in who.items():
        busiest: dict[str, int] = defaultdict(int)
        for (code, _), learners in places.items():
            busiest[code] = max(busiest[code], len(learners))
        tally = Tally()
        for many in busiest.values():
            tally.count(many)
        said = f"exercise.wrong.{which}" if not item else "reports.any-mistake"
        name = WORDS.say(said) if not (item and which) else WORDS.say("reports.answered", given=which, why="").strip()
        if item and which in ("a", "b", "c"):
            name = WORDS.say("reports.option", letter=which)
        title = "Sumas 2" if not item else lesson
        if tally.learners():
            rows.append((title, item, name, tally.learners(), tally.schools, lesson, item))
    columns = [learning.text(each) for each in ("lesson", "item", "mistake")]
    columns += [learning.number("learners"), learning.number("schools"), *map(learning.text, ("l", "i"))]
    return Table("mistakes", tuple(columns), tuple(rows))


def check(address: Callable[[], str], seed: int) -> None:
    """Two hubs that take the same in, in other orders, the second told now and then; then what one of them merged."""
    chance = Random(seed)
    given = deliveries(chance)
    state = State()
    for stream in given:
        state = merge(state, state_of([stream]))
    with quick_folder(Path(gettempdir())) as folder, TemporaryDirectory(dir=folder) as name:
        for number in range(2):
            place = create(Path(name) / f"hub{number}", "hub", None, address())
            with open_database(place) as database:
                for stream in chance.sample(given, len(given)) + chance.choices(given, k=3):
                    take_in(database, stream)
                    if number and chance.random() < 0.3:
                        told(database, period("", "", NOW))
                    elif chance.random() < 0.1:
                        sums.begin_anew(database)
                compare(database, state)
        merged = create(Path(name) / "merged", "hub", None, address())
        with open_database(merged) as database, open_database(place) as other:
            join(database, other, NOW)
            compare(database, state)


def compare(database: Database, state: State) -> None:
    for since, until in PERIODS:
        chosen = period(since, until, NOW)
        assert told(database, chosen) == expected(state, chosen)
    for code in set(SCHOOL_OF.values()):
        assert told(database, chosen, code) == expected(state, chosen, code)
        assert told(database, period("", "", NOW), code) == expected(state, period("", "", NOW), code)
    assert not any(differs for _, differs in sums.different(database))


@given(st.integers(0, 1 << 32))
@settings(max_examples=int(os.environ.get("AMAUTA_SUMS", "8")), phases=[Phase.generate])
def test_reports_say_what_the_answers_say_whatever_came_in_which_order(seed: int) -> None:
    check(str, seed)


def test_and_so_in_postgresql(postgres: Server) -> None:
    check(postgres.database, 1)


def test_tables_of_the_version_before_are_filled_from_the_answers(
    hub_database: Callable[[], str], tmp_path: Path
) -> None:
    place = made(tmp_path / "hub", hub_database())
    chosen = period("", "", NOW)
    with open_database(place) as database:
        before = told(database, chosen)
    gone = "".join(f"DROP TABLE {name};" for name in ("stale", "sums_state", "sums_totals", *sums._COLUMNS))
    if place.address:
        with psycopg.connect(place.address, autocommit=True) as connection:
            connection.execute(f"{gone} UPDATE amauta SET version = 2".encode())
    else:
        connection = sqlite3.connect(place.database)
        connection.executescript(f"{gone} PRAGMA user_version = 2;")
        connection.close()
    with open_database(place) as database:
        assert sums.waiting(database) == 5
        assert told(database, chosen) == before


def test_what_is_cut_off_is_gone_on_with_and_shows_no_half_of_a_school(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = made(tmp_path / "hub")
    with open_database(place) as database:
        assert sums.catch_up(database, seconds=0) == 4
        written = sums._write
        calls = []

        def cut_off(*what: Any) -> None:
            calls.append(what)
            if len(calls) == 7:
                raise KeyboardInterrupt
            written(*what)

        monkeypatch.setattr(sums, "AT_ONCE", 1)
        monkeypatch.setattr(sums, "_write", cut_off)
        with pytest.raises(KeyboardInterrupt):
            sums.catch_up(database)
        assert sums.waiting(database) == 3
        assert len(database.rows("SELECT DISTINCT school FROM sums_blocks")) == 1
        left: list[int] = []
        assert sums.catch_up(database, tell=left.append) == 0
        assert left == [3, 2, 1, 0]
        assert not any(differs for _, differs in sums.different(database))


def test_of_an_erased_child_nothing_stays_in_the_sums(tmp_path: Path) -> None:
    place = create(tmp_path / "hub", "hub")
    rows = tuple(Answer(n, n, "exercise/add-1", "exercise/add-1/1+1", "3", 0, 0, 9, APRIL) for n in range(1, 4))
    with open_database(place) as database:
        take_in(database, Stream("c" * 16, rows))
        sums.catch_up(database)
        assert len(database.rows("SELECT learner FROM sums_few")) == 3
        take_in(database, Stream("c" * 16, (), (), (Erasure(1, 2, MAY),)))
        assert database.rows("SELECT learner FROM sums_few ORDER BY learner") == [(1,), (3,)]
        sums.catch_up(database)
        assert database.rows("SELECT learners FROM sums_mistakes") == [(2,)]


def test_answers_that_come_in_while_sums_are_made_are_in_them_at_the_end(postgres: Server, tmp_path: Path) -> None:
    place = create(tmp_path / "hub", "hub", None, postgres.database())
    with open_database(place) as database, database.step():
        for school in set(SCHOOL_OF.values()):
            database.school(school)

    def deliver(device: str) -> None:
        chance = Random(device)
        with open_database(place) as database:
            for begin in range(1, 200, 20):
                take_in(database, Stream(device, tuple(an_answer(chance, seq) for seq in range(begin, begin + 20))))

    def tell(_: int) -> None:
        with open_database(place) as database:
            for _ in range(10):
                sums.catch_up(database)

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(deliver, device) for device in SCHOOL_OF] + [pool.submit(tell, n) for n in range(2)]
        for each in done:
            each.result()
    with open_database(place) as database:
        sums.catch_up(database)
        assert database.rows("SELECT count(*) FROM attempts") == [(800,)]
        assert [differs for _, differs in sums.different(database)] == [False] * 4


def test_an_officer_compares_the_sums_with_the_answers_and_makes_them_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = made(tmp_path / "hub")

    def run(*more: str, code: int = 0) -> str:
        assert main(["hub", "sums", *more, "--hub", str(place.folder)], {"AMAUTA_LANG": "es"}) == code
        return "".join(capsys.readouterr())

    assert "están al día. Escuelas: 5." in run()
    assert "son las de las respuestas. Escuelas comparadas: 5." in run("--check")
    _spoil(place, "UPDATE sums_groups SET attempts = attempts + 1 WHERE school = 1")
    assert "amauta hub sums --rebuild" in run("--check", code=1)
    _spoil(place, "DELETE FROM sums_mistakes WHERE school = 4")
    assert '"different": ["escuela-24", "san-martin", "todas juntas"]' in run("--check", "--json", code=1)
    run("--rebuild")
    run("--check")


def test_while_somebody_writes_for_long_a_report_shows_what_was_added_up_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = made(tmp_path / "hub")
    asked = ["hub", "report", "--what", "lessons", "--hub", str(place.folder)]
    assert main(asked, {"AMAUTA_LANG": "es"}) == 0
    before = capsys.readouterr().out
    _spoil(place, "INSERT INTO stale (school, month) SELECT id, 24318 FROM schools WHERE id < 3")
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with open_database(place) as other, other.step():
        assert main(asked, {"AMAUTA_LANG": "es"}) == 0
    out, err = capsys.readouterr()
    assert out == before
    assert "Otro programa está usando" in err
    assert "no cuenta lo último que llegó (escuelas que faltan: 2)" in err


def _spoil(place: Place, sql: str) -> None:
    with open_database(place) as database, database.step():
        assert database.execute(sql)


@given(st.lists(st.integers(0, 1 << 40), max_size=20))
def test_months_of_many_times_are_those_of_each(times: list[int]) -> None:
    def month(at: int) -> int:
        if at >= 4_102_444_800:
            return 2100 * 12
        return month_of(Answer(1, 1, "", "", "", 0, 0, 0, at))

    assert months_of(times) == set(map(month, times))

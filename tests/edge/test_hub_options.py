"""A wrong option leaves the school as its letter, what a child typed does not, and the hub says which option it was."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from district import NOW
from edge.errors import StoreError
from edge.hub.database import open_database
from edge.hub.place import Place, create
from edge.hub.reports.build import Reports
from edge.hub.reports.catalogue import catalogue
from edge.hub.reports.files import as_csv
from edge.hub.reports.months import period
from edge.hub.reports.table import Table
from edge.hub.xapi import Naming, home_of, statements
from edge.learning.grade import LETTERS, letter_of
from edge.learning.store import Store
from edge.library.folder import EMBEDDED, read_pack
from edge.library.pack import Item, Option
from edge.sync.columns import Table as Places
from edge.sync.columns import attempts_in, attempts_out
from edge.sync.facts import Answer, Stream
from edge.sync.ledger import Ledger
from edge.words import words_for

LESSON = "primaria/4-ciencias-fotosintesis"
SECRET = b"s" * 32
WORDS = words_for("edge", "es")


@pytest.fixture(scope="module")
def item() -> Item:
    pack, _ = read_pack(EMBEDDED / "primaria")
    [lesson] = [each for each in pack.lessons if each.id == LESSON]
    return lesson.items[0]


def choice(*options: str) -> Item:
    return Item("p/1/1", "choice", "¿Cuál?", tuple(Option(each, each == options[0]) for each in options), (), (), "")


def kept(path: Path, item: Item, *typed: str, lesson: str = LESSON) -> tuple[Answer, ...]:
    """What a device hands over of these answers of one child."""
    with Store.open(path) as store:
        for given in typed:
            letter = letter_of(item, given)
            facts = {"item": item.id, "given": given, "right": False, "hints": 0, "seconds": 3.0, "at": NOW}
            store.append_attempt(learner="ana", lesson=lesson, option=letter, **facts)  # type: ignore[arg-type]
    with Ledger(path) as ledger:
        [stream] = ledger.unacknowledged("h" * 16, SECRET, turns=False)
    return stream.attempts


def test_what_leaves_is_the_letter_of_an_option_and_nothing_that_a_child_typed(tmp_path: Path, item: Item) -> None:
    typed = ("nitrógeno", "NITROGENO.", "c", "Ana Lucía Quispe", "yo", "oxígeno", "d", "")
    rows = kept(tmp_path / "amauta.db", item, *typed)
    assert [row.given for row in rows] == ["c", "c", "c", "", "yo", "a", "d", ""]


def test_a_letter_that_would_be_read_as_another_option_is_not_sent(tmp_path: Path) -> None:
    vowels = choice("b", "una vocal abierta", "a")
    assert [letter_of(vowels, each) for each in ("b", "una vocal abierta", "a")] == ["", "", "c"]
    rows = kept(tmp_path / "amauta.db", vowels, "una vocal abierta", "a", "b")
    assert [row.given for row in rows] == ["", "a", "b"]


def test_only_a_letter_leaves_whatever_the_store_holds(tmp_path: Path, item: Item) -> None:
    path = tmp_path / "amauta.db"
    with Store.open(path) as store:
        for option in ("Ana", "z", "c", "ab"):
            facts = {"item": item.id, "given": "demasiado largo para salir", "right": False, "hints": 0, "at": NOW}
            store.append_attempt(learner="ana", lesson=LESSON, seconds=3.0, option=option, **facts)  # type: ignore[arg-type]
    assert [row.given for row in kept(path, item)] == ["", "", "c", ""]


def test_a_store_of_the_version_before_goes_on_and_its_answers_leave_as_before(tmp_path: Path, item: Item) -> None:
    path = tmp_path / "amauta.db"
    kept(path, item, "nitrógeno")
    connection = sqlite3.connect(path)
    connection.executescript(
        "ALTER TABLE attempts DROP COLUMN option; DELETE FROM _sqlite_migrations WHERE name = '0004_options';"
    )
    connection.close()
    assert [row.given for row in kept(path, item, "nitrógeno")] == ["", "c"]
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO _sqlite_migrations SELECT 99, migration_set, '0099', applied_at FROM _sqlite_migrations LIMIT 1"
    )
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="0099"):
        Store.open(path)


def test_a_hub_of_before_reads_such_a_bundle(tmp_path: Path, item: Item) -> None:
    rows = kept(tmp_path / "amauta.db", item, "nitrógeno")
    learners, words = Places(), Places()
    columns = attempts_out(rows, learners, words)
    assert sorted(columns) == sorted(["seq", "learner", "lesson", "item", "given", "right", "hints", "tenths", "at"])
    assert attempts_in(columns, learners.values, words.values) == rows


def handed_over(folder: Path, item: Item, address: str, many: int = 6) -> Place:
    """A hub to which so many learners of one school, and two of another, handed over the same wrong option."""
    place = create(folder, "hub", None, address)
    with open_database(place) as database:
        for code, first, last in (("grande", 1, many), ("chica", 51, 52)):
            rows = tuple(
                Answer(
                    n, n, item.id.rpartition("/")[0], item.id, ("c", "C)", "nitrógeno")[n % 3], 0, 0, 9, 1_775_044_800
                )
                for n in range(first, last + 1)
                for _ in range(1)
            )
            stream = Stream(code[0] * 16, rows)
            with database.step([stream]):
                database.add(stream, database.stream(stream.device, database.school(code)))
    return place


def mistakes(place: Place, school: str = "") -> Table:
    with open_database(place) as database:
        [table] = Reports(database, place.folder, WORDS, period("", "", NOW), NOW, school).tables(["mistakes"])
        return table


def test_the_hub_says_what_the_option_says_and_why_it_is_wrong(
    hub_database: Callable[[], str], tmp_path: Path, item: Item
) -> None:
    place = handed_over(tmp_path / "hub", item, hub_database(), many=9)
    why = "Respondieron «nitrógeno». El aire tiene mucho nitrógeno, pero la hoja no lo usa para hacer azúcar."
    rows = mistakes(place).rows
    assert [row[1:5] for row in rows] == [
        (item.prompt, "Respondieron mal.", 5, 1),
        (item.prompt, why, 5, 1),
    ]
    [_, *lines] = csv.reader(io.StringIO(as_csv(mistakes(place), WORDS).decode("utf-8-sig")), delimiter=";")
    assert lines[1][1:4] == [item.prompt, why, "5"]
    assert mistakes(place, "chica").rows == ()


def test_without_the_pack_the_hub_says_item_and_letter(tmp_path: Path) -> None:
    unknown = Item("pueblo/1-agua/4", "choice", "¿?", (), (), (), "")
    place = handed_over(tmp_path / "hub", unknown, "", many=9)
    assert [row[:4] for row in mistakes(place).rows] == [
        ("pueblo/1-agua", "pueblo/1-agua/4", "Respondieron mal.", 5),
        ("pueblo/1-agua", "pueblo/1-agua/4", "Eligieron la opción c).", 5),
    ]


def test_four_children_with_the_same_option_are_shown_to_nobody(tmp_path: Path, item: Item) -> None:
    assert mistakes(handed_over(tmp_path / "hub", item, "", many=4), "grande").rows == ()
    assert mistakes(handed_over(tmp_path / "other", item, "", many=2)).rows == ()


def test_xapi_tells_the_option_where_the_pack_is_here_and_its_letter_elsewhere(tmp_path: Path, item: Item) -> None:
    for number, (asked, said) in enumerate(((item, {"nitrógeno"}), (choice("x"), {"c", "C)", "nitrógeno"}))):
        place = handed_over(tmp_path / f"hub{number}", asked, "")
        naming = Naming(home_of(place.id, ""), catalogue(place.folder, WORDS))
        with open_database(place) as database:
            found = list(statements(database, period("", "", NOW), naming))
        assert {each["result"]["response"] for each in found} == said
        assert json.dumps(found)


def test_there_are_letters_for_all_options_of_a_pack() -> None:
    for folder in EMBEDDED.iterdir():
        if (folder / "pack.toml").exists():
            for lesson in read_pack(folder)[0].lessons:
                for each in lesson.items:
                    assert len(each.options) <= len(LETTERS)
                    assert all(letter_of(each, option.text) or len(option.text) < 3 for option in each.options)

"""A round of practice: what comes next, what counts, what is kept."""

from __future__ import annotations

from random import Random

import pytest

from edge.errors import StoreError
from edge.learning.attempt import Attempt
from edge.learning.store import Store
from edge.settings import Settings
from fakes import NOON, FakeLibrary
from tui.drill import Drill, LessonSource, SumSource, level_for


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store.open(settings.store_path)


def drill_of(store: Store, source: LessonSource | SumSource) -> Drill:
    return Drill(source, store, "rosa", random=Random(1), now=lambda: NOON)


def plants() -> LessonSource:
    return LessonSource(FakeLibrary().lesson("prueba/4-ciencias-plantas"))


def test_an_item_is_done_when_right_or_after_two_tries(store: Store) -> None:
    drill = drill_of(store, plants())
    assert not drill.answer("a").final
    assert not drill.done
    assert drill.answer("a").final
    drill.go_on()
    assert drill.answer("15").final


def test_going_on_before_an_item_is_done_changes_nothing(store: Store) -> None:
    drill = drill_of(store, plants())
    drill.go_on()
    assert drill.number == 1


def test_only_right_answers_at_the_first_try_count_for_the_score(store: Store) -> None:
    drill = drill_of(store, plants())
    drill.answer("a")
    drill.answer("b")
    drill.go_on()
    drill.answer("15")
    assert drill.right_first == 1


def test_an_answer_that_could_not_be_kept_does_not_count(store: Store) -> None:
    drill = drill_of(store, plants())
    store.close()
    with pytest.raises(StoreError):
        drill.answer("b")
    assert (drill.tries, drill.done, drill.right_first) == (0, False, 0)


def test_a_sum_is_kept_under_its_skill_and_level(store: Store) -> None:
    drill = drill_of(store, SumSource("div", "es"))
    drill.answer("a")
    assert store.attempts("rosa")[0].lesson == "exercise/div-1"


def attempt(level: int, right: bool, hints: int = 0) -> Attempt:
    return Attempt("d", 1, "rosa", f"exercise/add-{level}", "i", "x", right, hints, 1.0, "")


@pytest.mark.parametrize(
    ("made", "level"),
    [
        ([], 1),
        ([attempt(1, True)] * 3, 1),
        ([attempt(1, True)] * 5, 2),
        ([attempt(1, True, hints=1)] * 5, 1),
        ([attempt(1, True)] * 5 + [attempt(2, False)] * 3, 1),
        ([attempt(3, True)] * 9, 3),
        ([attempt(1, False)] * 9, 1),
    ],
)
def test_sums_get_harder_when_they_go_well_and_easier_when_they_do_not(made: list[Attempt], level: int) -> None:
    assert level_for(made, "add") == level

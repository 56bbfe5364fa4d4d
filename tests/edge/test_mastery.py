"""What is practised next follows from what was answered."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.learning.attempt import Attempt
from edge.learning.mastery import MASTERED, item_strength, lesson_mastery, next_item, progress_of
from edge.library.pack import Item

ITEMS = tuple(Item(f"p/l/{n}", "text", "?", (), ("sí",), (), "Porque sí.") for n in range(1, 6))


def attempt(number: int, right: bool, hints: int = 0, lesson: str = "p/l") -> Attempt:
    return Attempt("d", 1, "ana", lesson, f"{lesson}/{number}", "x", right, hints, 2.0, "2026-01-01T00:00:00Z")


attempts_ = st.lists(st.builds(attempt, st.integers(1, 5), st.booleans(), st.integers(0, 3)), max_size=30)


def test_new_items_come_in_the_order_of_the_lesson() -> None:
    done: list[Attempt] = []
    for expected in ITEMS:
        item = next_item(ITEMS, done, Random(1))
        assert item == expected
        done.append(attempt(int(item.id[-1]), right=True))


def test_a_mistake_comes_back_after_two_others() -> None:
    done = [attempt(1, right=False)]
    order = []
    for _ in range(4):
        item = next_item(ITEMS, done, Random(1))
        order.append(item.id[-1])
        done.append(attempt(int(item.id[-1]), right=True))
    assert order == ["2", "3", "1", "4"]


def test_when_all_were_asked_the_weakest_comes() -> None:
    done = [attempt(n, right=True) for n in (1, 2, 4, 5)] * 2
    done.insert(0, attempt(3, right=True, hints=2))
    assert next_item(ITEMS, done, Random(1)) == ITEMS[2]


@given(attempts_, st.integers())
def test_the_same_item_never_comes_twice_in_a_row(done: list[Attempt], seed: int) -> None:
    item = next_item(ITEMS, done, Random(seed))
    assert item in ITEMS
    assert not done or item.id != done[-1].item


def test_the_weakest_waits_when_it_was_just_asked() -> None:
    done = [*[attempt(n, right=True) for n in range(1, 5)], attempt(5, right=True, hints=3)]
    assert all(next_item(ITEMS, done, Random(seed)) != ITEMS[4] for seed in range(20))


def test_the_only_item_may_come_again() -> None:
    assert next_item(ITEMS[:1], [attempt(1, right=True)], Random(1)) == ITEMS[0]


@given(attempts_, st.integers(0, 9))
def test_mastery_is_a_part_of_one(done: list[Attempt], item_count: int) -> None:
    assert 0 <= lesson_mastery(done, item_count) <= 1


@given(attempts_, st.integers(1, 5))
def test_a_right_answer_never_lowers_mastery_and_a_wrong_one_never_raises_it(done: list[Attempt], n: int) -> None:
    before = lesson_mastery(done, 5)
    assert lesson_mastery([*done, attempt(n, right=True)], 5) >= before - 1e-9
    assert lesson_mastery([*done, attempt(n, right=False)], 5) <= before + 1e-9


def test_two_right_answers_in_a_row_make_an_item_known_and_hints_count_for_less() -> None:
    assert item_strength([attempt(1, True)] * 2) >= MASTERED > item_strength([attempt(1, True)])
    assert item_strength([attempt(1, True, hints=1)]) < item_strength([attempt(1, True)])
    assert item_strength([]) == 0


def test_progress_has_a_row_for_each_lesson_the_latest_first() -> None:
    rows = progress_of([attempt(1, True), attempt(1, False, lesson="p/m"), attempt(2, False)])
    assert [(row.lesson, row.attempts, row.right, row.items) for row in rows] == [
        ("p/l", 2, 1, 2),
        ("p/m", 1, 0, 1),
    ]
    assert rows[0].mastery == pytest.approx(0.35)

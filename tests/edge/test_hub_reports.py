"""What a hub tells is right, the same from both databases, and never about fewer than five learners."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.hub.errors import HubError
from edge.hub.reports import learning
from edge.hub.reports.catalogue import Catalogue
from edge.hub.reports.groups import Answers, Own, publish
from edge.hub.reports.mistakes import Tally
from edge.hub.reports.months import begin_of, name_of, period
from edge.words import words_for

WORDS = words_for("edge", "es")
NO_PACKS = Catalogue(WORDS, {}, {})
SCHOOLS, MONTHS, LESSONS = ("a", "b", "c"), (24310, 24311), ("exercise/add-1", "exercise/add-2", "primaria/x")
PLACES = tuple(product(SCHOOLS, MONTHS, LESSONS))
LEARNERS = {"a": 6, "b": 4, "c": 2}
"""One school just large enough, two that are not; the smaller two are together."""

Kind = tuple[str, int, str, int, bool]
"""School, month, lesson, learner, and whether the answers are right."""


def parts_of(counts: dict[Kind, int], schools: tuple[str, ...], months: tuple[int, ...]) -> list[list[Own]]:
    owns: dict[tuple[str, int], dict[tuple[str, int], list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for (school, month, lesson, learner, right), count in counts.items():
        if school in schools and month in months:
            owns[school, month][lesson, learner][right] += count
    return [
        [Own(*place, *who, wrong + right, right) for who, (wrong, right) in mine.items()]
        for place, mine in owns.items()
    ]


def everything_published(counts: dict[Kind, int]) -> dict[tuple[object, ...], int]:
    """Every number of answers in every table, of every period, for the district and for each school."""
    numbers: dict[tuple[object, ...], int] = {}
    for months in (MONTHS, MONTHS[:1], MONTHS[1:]):
        for schools in (SCHOOLS, *((school,) for school in SCHOOLS)):
            found = publish(_relabelled(parts_of(counts, schools, months)), is_alone=len(schools) == 1)
            rows = [("school", code, *cells) for code, cells in by_school(found).items()]
            for make in (learning.lessons, learning.skills, learning.months, learning.details):
                table = make(found, NO_PACKS)
                keys = [column.key for column in table.columns]
                places = [keys.index(key) for key in ("attempts", "judged", "right")]
                rows += [(table.name, *row[: places[0]], *(row[place] for place in places)) for row in table.rows]
            for *name, attempts, judged, right in rows:
                for kind, number in (("attempts", attempts), ("judged", judged), ("right", right)):
                    if number is not None:
                        numbers[(months, schools, *name, kind)] = number
    return numbers


def by_school(found: Answers) -> dict[str, tuple[Any, ...]]:
    blocks = defaultdict(list)
    for block in found.blocks:
        blocks[block.school].append(block)
    return {school: learning.added_up(mine)[:3] for school, mine in blocks.items()}


def _relabelled(parts: list[list[Own]]) -> list[list[Own]]:
    """A learner is of one school."""
    return [[own._replace(learner=ord(own.school) * 100 + own.learner) for own in part] for part in parts]


def told_about_few(counts: dict[Kind, int]) -> list[tuple[str, int]]:
    """Return four learners of whom alone some combination of published numbers tells, or nobody.

    Each kind of answer is given a power of 256 times: the digits of a published number then say of which answers
    it is the sum. A combination tells of few if it holds answers, and only theirs.
    """
    kinds = list(counts)
    published = everything_published({kind: 256**place for place, kind in enumerate(kinds)})
    matrix = np.array([list(number.to_bytes(len(kinds), "little")) for number in set(published.values())])
    if not matrix.size:
        return []
    whose = [(kind[0], kind[3]) for kind in kinds]
    few = list(combinations(sorted(set(whose)), 4))
    masks = np.array([[who not in group for who in whose] for group in few])
    ranks = np.linalg.matrix_rank(matrix[None, :, :] * masks[:, None, :])
    rank = np.linalg.matrix_rank(matrix)
    return next((list(group) for group, without in zip(few, ranks, strict=True) if without < rank), [])


def counts_of(who_right: list[int], who_wrong: list[int]) -> dict[Kind, int]:
    return {
        (school, month, lesson, learner, right): 1
        for (school, month, lesson), *masks in zip(PLACES, who_wrong, who_right, strict=True)
        for right, mask in enumerate(masks)
        for learner in range(LEARNERS[school])
        if mask >> learner & 1
    }


masks = st.lists(st.one_of(st.just(0), st.integers(0, 63), st.just(63)), min_size=len(PLACES), max_size=len(PLACES))


@given(masks, masks)
@settings(max_examples=20)
@example([63, 63, 0] * 6, [1, 30, 0] * 6)
@example([31, 1, 0] * 6, [15, 63, 0] * 6)
def test_no_combination_of_published_numbers_is_about_fewer_than_five_learners(
    who_right: list[int], who_wrong: list[int]
) -> None:
    assert told_about_few(counts_of(who_right, who_wrong)) == []


@given(masks, masks)
def test_learners_are_counted_in_fives(who_right: list[int], who_wrong: list[int]) -> None:
    found = publish(_relabelled(parts_of(counts_of(who_right, who_wrong), SCHOOLS, MONTHS)))
    for part in (*found.blocks, *found.groups):
        assert part.learners in (5, 10)


def test_small_schools_are_shown_together_and_alone_they_are_told_nothing() -> None:
    counts: dict[Kind, int] = {
        ("b", MONTHS[0], "exercise/add-1", who, right): 2 for who in range(3) for right in (False, True)
    }
    counts |= {("c", MONTHS[0], "exercise/add-1", who, True): 1 for who in range(2)}
    found = publish(_relabelled(parts_of(counts, SCHOOLS, MONTHS)))
    [group] = found.groups
    assert (group.school, group.lesson, group.attempts, group.learners) == ("", "exercise/add-1", 14, 5)
    assert found.too_few == {"b", "c"}
    alone = publish(_relabelled(parts_of(counts, ("b",), MONTHS)), is_alone=True)
    assert (alone.blocks, alone.groups, alone.too_few) == ((), (), {"b"})


def test_a_class_in_which_one_child_erred_shows_how_much_it_did_and_not_how_well() -> None:
    counts: dict[Kind, int] = {("a", MONTHS[0], "exercise/add-1", who, True): 3 for who in range(6)}
    counts["a", MONTHS[0], "exercise/add-1", 0, False] = 1
    found = publish(_relabelled(parts_of(counts, SCHOOLS, MONTHS)))
    assert learning.lessons(found, NO_PACKS).rows == (
        ("Sumas 1", "Sumas", "exercise/add-1", 19, None, None, None, 5, 1),
    )
    del counts["a", MONTHS[0], "exercise/add-1", 0, False]
    found = publish(_relabelled(parts_of(counts, SCHOOLS, MONTHS)))
    assert learning.lessons(found, NO_PACKS).rows[0][3:] == (18, 18, 18, 100, 5, 1)


def test_lessons_with_few_learners_come_last_as_others_of_their_month() -> None:
    counts: dict[Kind, int] = {
        ("a", MONTHS[0], lesson, who, True): 1
        for who, lesson in enumerate(("exercise/add-1", "exercise/add-2", "primaria/x") * 2)
    }
    counts |= {("a", MONTHS[1], "exercise/add-1", who, True): 1 for who in range(5)}
    found = publish(_relabelled(parts_of(counts, SCHOOLS, MONTHS)))
    assert [row[0] for row in learning.lessons(found, NO_PACKS).rows] == [
        "Sumas 1",
        "Otras lecciones (grupos pequeños)",
    ]
    assert [row[:2] for row in learning.months(found, NO_PACKS).rows] == [("2025-11", 6), ("2025-12", 5)]


@pytest.mark.parametrize("schools", range(1, 6))
def test_what_small_schools_have_of_a_mistake_says_of_none_how_many_it_has(schools: int) -> None:
    possible = defaultdict(list)
    for counts in product(range(5), repeat=schools):
        tally = Tally()
        for learners in filter(None, counts):
            tally.count(learners)
        possible[tally.learners()].append(counts)
    assert len(possible) > 1 or schools == 1
    for alike in possible.values():
        assert all(len({counts[place] for counts in alike}) > 1 for place in range(schools))


def test_a_period_is_whole_months_and_never_ends_in_the_future() -> None:
    chosen = period("2026-03-15", "2026-05-02", "2026-11-26T10:00")
    assert [name_of(month) for month in chosen.months()] == ["2026-05", "2026-04", "2026-03"]
    assert period("2026-10", "2027-10", "2026-11-26").months() == [24322, 24321]
    assert period("", "", "2026-11-26").is_all
    assert begin_of(24312) == 1767225600


@pytest.mark.parametrize(
    ("since", "until", "key"),
    [("ayer", "", "report-date"), ("2026-13", "", "report-date"), ("2026-05", "2026-04", "report-period")],
)
def test_a_period_that_is_none_is_said(since: str, until: str, key: str) -> None:
    with pytest.raises(HubError) as caught:
        period(since, until, "2026-11-26")
    assert caught.value.key == key

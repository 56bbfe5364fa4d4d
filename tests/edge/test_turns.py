"""Who asks gets a fair turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.shared.turns import FIRST_SECONDS, Turns


@given(st.lists(st.sampled_from("abcd"), max_size=40))
def test_everybody_who_asks_is_served_once_for_each_question(asked: list[str]) -> None:
    turns: Turns[object] = Turns(seats=1, most_waiting=64)
    questions = [(who, object()) for who in asked]
    for who, what in questions:
        assert turns.ask(who, what)
    served = []
    while (what := turns.next()) is not None:
        served.append(what)
    assert sorted(map(id, served)) == sorted(id(what) for _, what in questions)
    assert len(turns) == 0


@given(st.integers(1, 30), st.integers(1, 6))
def test_who_asks_all_the_time_keeps_nobody_waiting_longer_than_one_round(greedy: int, others: int) -> None:
    turns: Turns[tuple[str, int]] = Turns(seats=1, most_waiting=64)
    for number in range(greedy):
        turns.ask("greedy", ("greedy", number))
    for number in range(others):
        turns.ask(f"pupil {number}", (f"pupil {number}", 0))
    order = []
    while (what := turns.next()) is not None:
        order.append(what)
    waits = [order.index((f"pupil {number}", 0)) for number in range(others)]
    assert max(waits) <= others
    mine = [number for who, number in order if who == "greedy"]
    assert mine == sorted(mine), "one person's questions keep their order"


def test_the_queue_tells_each_its_place_and_about_how_long() -> None:
    turns: Turns[str] = Turns(seats=2, most_waiting=3)
    assert [turns.ask(who, who) for who in "abcd"] == [True, True, True, False]
    assert turns.places() == [(1, "a"), (2, "b"), (3, "c")]
    assert turns.seconds(3) == 3 * FIRST_SECONDS / 2
    for _ in range(50):
        turns.finished(2)
    assert 2.9 < turns.seconds(3) < 3.1
    assert turns.leave("b")
    assert not turns.leave("b")
    assert turns.places() == [(1, "a"), (2, "c")]

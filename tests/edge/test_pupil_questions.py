"""Sixty questions in the manner of pupils, written blind and used for nothing but this."""

from __future__ import annotations

from benchmarks.pupil_questions import ask_all, ask_bm25, counts

LEAST_ANSWERED, LEAST_REFUSED = 34, 18
"""The goal; docs/benchmarks.md has what was measured."""


def test_pupils_are_answered_from_the_right_lesson_or_told_that_nothing_was_found() -> None:
    right, answerable, refused, others = counts(ask_all())
    assert (answerable, others) == (40, 20)
    assert right >= LEAST_ANSWERED
    assert refused >= LEAST_REFUSED


def test_plain_bm25_is_far_behind() -> None:
    right, _, refused, _ = counts(ask_bm25())
    ours_right, _, ours_refused, _ = counts(ask_all())
    assert ours_right + ours_refused >= right + refused + 10

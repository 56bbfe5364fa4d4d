"""Measure the reader on what it never saw, beside the baseline: the best sentence by its words (BM25)."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from edge.tutor.features import fold, sentence_spans
from edge.tutor.reader import Reader, Reading
from quantize.reader.corpus import Corpus, Question, Split
from quantize.reader.examples import select
from quantize.reader.retrieve import Shelf
from quantize.reader.scenes import Scene, article_scenes, lesson_scenes, off_topic_scenes

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def evaluate(reader: Reader, corpus: Corpus, split: Split, seed: int) -> dict[str, Any]:
    """Return all figures about one split."""
    random = Random(seed)
    figures: dict[str, Any] = {}
    questions = select(corpus, split, ["squad"])
    if questions:
        figures["paragraph"] = _given_paragraph(reader, corpus, questions, random)
        figures["search"] = _scenes(reader, article_scenes(corpus, split, 600, random))
    lessons = lesson_scenes(corpus, split)
    if lessons:
        off = off_topic_scenes(corpus, split, 300, random)
        figures["packs"] = _scenes(reader, lessons + off)
        figures["packs"]["questions"] = len(lessons)
        figures["packs"]["off_topic"] = len(off)
        figures["packs"]["thresholds"] = _thresholds(reader, lessons, off)
        figures["ms_for_five_passages"] = _speed(reader, lessons)
    return figures


def _given_paragraph(reader: Reader, corpus: Corpus, questions: Sequence[Question], random: Random) -> dict[str, Any]:
    """Measure with the paragraph given, as SQuAD does, and against paragraphs that do not answer."""
    answered = [q for q in questions if q.start >= 0]
    impossible = [q for q in questions if q.start < 0]
    shelves = {q.passage: _lines(corpus.passages[q.passage].text) for q in questions}
    others = [n for n, p in enumerate(corpus.passages) if p.source == "squad" and p.split == answered[0].split]
    right = base_right = 0
    f1, exact, sure, base_sure, far, base_far = [], [], [], [], [], []
    for question in answered:
        text = corpus.passages[question.passage].text
        readings = reader.read(question.text, [text], "es")
        best = readings[0] if readings else None
        right += bool(best and best.start <= question.start < best.end)
        f1.append(max(f1_of(best.span if best else "", answer) for answer in question.answers))
        exact.append(max(_plain(best.span if best else "") == _plain(a) for a in question.answers))
        sure.append(best.confidence if best else 0.0)
        spans, shelf = shelves[question.passage]
        scores = shelf.scores(question.text)
        top = max(range(len(spans)), key=lambda n: (scores.get(n, 0.0), -n))
        base_right += spans[top][0] <= question.start < spans[top][1]
        base_sure.append(scores.get(top, 0.0))
        other = corpus.passages[question.passage]
        while other.group == corpus.passages[question.passage].group:
            other = corpus.passages[random.choice(others)]
        far.append(_surest(reader.read(question.text, [other.text], "es")))
        base_far.append(max(_lines(other.text)[1].scores(question.text).values(), default=0.0))
    near = [_surest(reader.read(q.text, [corpus.passages[q.passage].text], "es")) for q in impossible]
    base_near = [max(shelves[q.passage][1].scores(q.text).values(), default=0.0) for q in impossible]
    return {
        "questions": len(answered),
        "unanswerable": len(impossible),
        "right_sentence": _share(right, len(answered)),
        "right_sentence_bm25": _share(base_right, len(answered)),
        "f1": round(statistics.mean(f1), 3),
        "exact": round(statistics.mean(exact), 3),
        "auc_random_paragraph": auc(sure, far),
        "auc_random_paragraph_bm25": auc(base_sure, base_far),
        "auc_unanswerable": auc(sure, near),
        "auc_unanswerable_bm25": auc(base_sure, base_near),
        "f1_of_surest_half": _surest_half(sure, f1),
    }


def _scenes(reader: Reader, scenes: Sequence[Scene]) -> dict[str, Any]:
    """Measure over five passages that a search found."""
    kinds = Counter(scene.kind for scene in scenes)
    answered = [scene for scene in scenes if scene.home]
    sure_right: list[float] = []
    sure_wrong: list[float] = []
    none: list[float] = []
    right = home = base_right = base_home = reachable = 0
    for scene in scenes:
        readings = reader.read(scene.question, scene.passages, "es")
        best = readings[0] if readings else None
        good = bool(best and (best.passage, best.start) in scene.right)
        (sure_right if good else sure_wrong).append(_surest(readings))
        if not scene.home:
            none.append(_surest(readings))
            continue
        right += good
        home += bool(best and scene.lessons[best.passage] == scene.home)
        reachable += bool(scene.right)
        place = _best_by_words(scene)
        base_right += place in scene.right
        base_home += bool(place and scene.lessons[place[0]] == scene.home)
    with_answer = [_surest(reader.read(s.question, s.passages, "es")) for s in answered if s.right]
    return {
        "kinds": dict(kinds),
        "reachable": _share(reachable, len(answered)),
        "right_sentence": _share(right, len(answered)),
        "right_sentence_bm25": _share(base_right, len(answered)),
        "right_lesson": _share(home, len(answered)),
        "right_lesson_bm25": _share(base_home, len(answered)),
        "auc_no_answer": auc(with_answer, none),
        "auc_right_or_wrong": auc(sure_right, sure_wrong),
        "calibration_error": _calibration_error(sure_right, sure_wrong),
    }


def _thresholds(reader: Reader, lessons: Sequence[Scene], off: Sequence[Scene]) -> list[dict[str, float]]:
    """Return, for several thresholds, how many questions are answered and how many should not have been."""
    best = [(scene, reader.read(scene.question, scene.passages, "es")[:1]) for scene in (*lessons, *off)]
    rows = []
    for threshold in THRESHOLDS:
        shown = [(scene, r[0]) for scene, r in best if r and r[0].confidence >= threshold]
        own = [(scene, reading) for scene, reading in shown if scene.home]
        rows.append(
            {
                "threshold": threshold,
                "answered": _share(len(own), len(lessons)),
                "of_them_right": _share(sum((r.passage, r.start) in s.right for s, r in own), len(own)),
                "of_them_right_lesson": _share(sum(s.lessons[r.passage] == s.home for s, r in own), len(own)),
                "off_topic_answered": _share(len(shown) - len(own), len(off)),
            }
        )
    return rows


def _speed(reader: Reader, scenes: Sequence[Scene]) -> float:
    times = []
    for scene in scenes[:60]:
        began = time.perf_counter()
        reader.read(scene.question, scene.passages, "es")
        times.append(time.perf_counter() - began)
    return round(1000 * statistics.median(times), 1)


def _best_by_words(scene: Scene) -> tuple[int, int] | None:
    """Return the sentence that the baseline would show: the best one of the best passage."""
    for number, text in enumerate(scene.passages[:1]):
        spans, shelf = _lines(text)
        scores = shelf.scores(scene.question)
        if spans:
            return number, spans[max(range(len(spans)), key=lambda n: (scores.get(n, 0.0), -n))][0]
    return None


def _lines(text: str) -> tuple[list[tuple[int, int]], Shelf]:
    spans = sentence_spans(text)
    return spans, Shelf([text[start:end] for start, end in spans])


def _surest(readings: Sequence[Reading]) -> float:
    return readings[0].confidence if readings else 0.0


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0


def _surest_half(sure: Sequence[float], f1: Sequence[float]) -> float:
    order = sorted(range(len(sure)), key=lambda n: -sure[n])[: max(1, len(sure) // 2)]
    return round(statistics.mean(f1[n] for n in order), 3)


def auc(above: Sequence[float], below: Sequence[float]) -> float:
    """Return how often a value of `above` is larger than one of `below`; a tie counts half."""
    if not above or not below:
        return 0.0
    order = sorted([(value, 1) for value in above] + [(value, 0) for value in below])
    wins, seen, place = 0.0, 0, 0
    while place < len(order):
        end = place
        while end < len(order) and order[end][0] == order[place][0]:
            end += 1
        ones = sum(mark for _, mark in order[place:end])
        wins += ones * (seen + (end - place - ones) / 2)
        seen += end - place - ones
        place = end
    return round(wins / (len(above) * len(below)), 3)


def _calibration_error(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Return how far confidence is from what happens, averaged over ten bands (ECE)."""
    values = [(value, 1) for value in right] + [(value, 0) for value in wrong]
    error = 0.0
    for band in range(10):
        inside = [(v, mark) for v, mark in values if band / 10 <= v < (band + 1) / 10 + (band == 9)]
        if inside:
            error += abs(sum(v for v, _ in inside) - sum(mark for _, mark in inside))
    return round(error / (len(values) or 1), 3)


def _plain(text: str) -> str:
    words = re.findall(r"\w+", fold(text))
    return " ".join(word for word in words if word not in ("el", "la", "los", "las", "un", "una", "unos", "unas"))


def f1_of(given: str, wanted: str) -> float:
    """Return the overlap of two answers in words, as SQuAD measures it."""
    left, right = _plain(given).split(), _plain(wanted).split()
    same = sum((Counter(left) & Counter(right)).values())
    if not same:
        return float(left == right)
    return 2 * same / (len(left) + len(right))

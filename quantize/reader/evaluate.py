"""Measure the reader on what it never saw, beside the baseline: the best sentence by its words (BM25)."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from edge.tutor.features import sentence_spans
from edge.tutor.reader import Reader, Reading
from quantize.reader.corpus import Corpus, Question, Split
from quantize.reader.examples import select
from quantize.reader.retrieve import Shelf
from quantize.reader.scenes import Scene, article_scenes, lesson_scenes, off_topic_scenes
from quantize.reader.score import auc, calibration_error, f1_of, plain

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def evaluate(reader: Reader, corpus: Corpus, split: Split, seed: int, everything: bool = True) -> dict[str, Any]:
    """Return all figures about one split; without `everything` only those with the paragraph given."""
    random = Random(seed)
    figures: dict[str, Any] = {}
    questions = select(corpus, split, ["squad"])
    if questions:
        figures["paragraph"] = given_paragraph(reader, corpus, questions)
    if questions and everything:
        figures["random_paragraph"] = _far_paragraph(reader, corpus, questions, random)
        figures["search"] = _scenes(_read_all(reader, article_scenes(corpus, split, 600, random)))
    lessons = lesson_scenes(corpus, split)
    if lessons and everything:
        off = off_topic_scenes(corpus, split, 300, random)
        read = _read_all(reader, lessons + off)
        figures["packs"] = _scenes(read)
        figures["packs"]["questions"] = len(lessons)
        figures["packs"]["off_topic"] = len(off)
        figures["packs"]["thresholds"] = _thresholds(read)
        figures |= _speed(reader, lessons)
    return figures


def given_paragraph(reader: Reader, corpus: Corpus, questions: Sequence[Question]) -> dict[str, Any]:
    """Measure with the paragraph given, as SQuAD does, unanswerable questions among them."""
    answered = [q for q in questions if q.start >= 0]
    impossible = [q for q in questions if q.start < 0]
    shelves = {q.passage: _lines(corpus.passages[q.passage].text) for q in questions}
    right, base_right, f1, exact, sure, base_sure = [], [], [], [], [], []
    for question in answered:
        best = _best(reader, question, corpus.passages[question.passage].text)
        span = best.span if best else ""
        right.append(float(best is not None and best.start <= question.start < best.end))
        f1.append(max(f1_of(span, answer) for answer in question.answers))
        exact.append(float(max(plain(span) == plain(a) for a in question.answers)))
        sure.append(best.confidence if best else 0.0)
        spans, shelf = shelves[question.passage]
        scores = shelf.scores(question.text)
        top = max(range(len(spans)), key=lambda n: (scores.get(n, 0.0), -n))
        base_right.append(float(spans[top][0] <= question.start < spans[top][1]))
        base_sure.append(scores.get(top, 0.0))
    near = [_surest(reader.read(q.text, [corpus.passages[q.passage].text], "es")) for q in impossible]
    base_near = [max(shelves[q.passage][1].scores(q.text).values(), default=0.0) for q in impossible]
    return {
        "questions": len(answered),
        "unanswerable": len(impossible),
        "right_sentence": _mean(right),
        "right_sentence_bm25": _mean(base_right),
        "f1": _mean(f1),
        "f1_standard_error": round(statistics.stdev(f1) / len(f1) ** 0.5, 4) if len(f1) > 1 else 0.0,
        "exact": _mean(exact),
        "auc_unanswerable": auc(sure, near),
        "auc_unanswerable_bm25": auc(base_sure, base_near),
        "auc_right_or_wrong": auc(*_parted(sure, right)),
        "f1_of_surest_half": _surest_half(sure, f1),
    }


def _far_paragraph(reader: Reader, corpus: Corpus, questions: Sequence[Question], random: Random) -> dict[str, Any]:
    """Measure how well the question's own paragraph is told from one of another article."""
    answered = random.sample(some := [q for q in questions if q.start >= 0], min(800, len(some)))
    split = corpus.passages[answered[0].passage].split
    others = [p for p in corpus.passages if p.source == "squad" and p.split == split]
    sure: list[float] = []
    far: list[float] = []
    base_sure: list[float] = []
    base_far: list[float] = []
    for question in answered:
        own = other = corpus.passages[question.passage]
        while other.group == own.group:
            other = random.choice(others)
        for passage, found, base in ((own, sure, base_sure), (other, far, base_far)):
            found.append(_surest(reader.read(question.text, [passage.text], "es")))
            base.append(max(_lines(passage.text)[1].scores(question.text).values(), default=0.0))
    return {"questions": len(answered), "auc": auc(sure, far), "auc_bm25": auc(base_sure, base_far)}


def _parted(values: Sequence[float], marks: Sequence[float]) -> tuple[list[float], list[float]]:
    pairs = list(zip(values, marks, strict=True))
    return [v for v, mark in pairs if mark], [v for v, mark in pairs if not mark]


def _best(reader: Reader, question: Question, text: str) -> Reading | None:
    return next(iter(reader.read(question.text, [text], "es")), None)


def _mean(values: Sequence[float]) -> float:
    return round(statistics.mean(values), 4)


def _read_all(reader: Reader, scenes: Sequence[Scene]) -> list[tuple[Scene, Reading | None]]:
    return [(scene, next(iter(reader.read(scene.question, scene.passages, "es")), None)) for scene in scenes]


def _scenes(read: Sequence[tuple[Scene, Reading | None]]) -> dict[str, Any]:
    """Measure over five passages that a search found."""
    sure_right: list[float] = []
    sure_wrong: list[float] = []
    none: list[float] = []
    with_answer: list[float] = []
    right = home = base_right = base_home = 0
    for scene, best in read:
        sure = best.confidence if best else 0.0
        good = bool(best and (best.passage, best.start) in scene.right)
        (sure_right if good else sure_wrong).append(sure)
        if not scene.home:
            none.append(sure)
            continue
        if scene.right:
            with_answer.append(sure)
        right += good
        home += bool(best and scene.lessons[best.passage] == scene.home)
        place = _best_by_words(scene)
        base_right += place in scene.right
        base_home += bool(place and scene.lessons[place[0]] == scene.home)
    answered = sum(bool(scene.home) for scene, _ in read)
    return {
        "kinds": dict(Counter(scene.kind for scene, _ in read)),
        "reachable": _share(len(with_answer), answered),
        "right_sentence": _share(right, answered),
        "right_sentence_bm25": _share(base_right, answered),
        "right_lesson": _share(home, answered),
        "right_lesson_bm25": _share(base_home, answered),
        "auc_no_answer": auc(with_answer, none),
        "auc_right_or_wrong": auc(sure_right, sure_wrong),
        "calibration_error": calibration_error(sure_right, sure_wrong),
    }


def _thresholds(read: Sequence[tuple[Scene, Reading | None]]) -> list[dict[str, float]]:
    """Return, for several thresholds, how many questions are answered and how many should not have been."""
    lessons, off = (sum(bool(scene.home) is own for scene, _ in read) for own in (True, False))
    rows = []
    for threshold in THRESHOLDS:
        shown = [(scene, best) for scene, best in read if best and best.confidence >= threshold]
        own = [(scene, reading) for scene, reading in shown if scene.home]
        rows.append(
            {
                "threshold": threshold,
                "answered": _share(len(own), lessons),
                "of_them_right": _share(sum((r.passage, r.start) in s.right for s, r in own), len(own)),
                "of_them_right_lesson": _share(sum(s.lessons[r.passage] == s.home for s, r in own), len(own)),
                "off_topic_answered": _share(len(shown) - len(own), off),
            }
        )
    return rows


def _speed(reader: Reader, scenes: Sequence[Scene]) -> dict[str, float]:
    """Return the time for five passages, on the wall and of all threads together."""
    wall, busy = [], []
    for scene in scenes[:60]:
        began, worked = time.perf_counter(), time.process_time()
        reader.read(scene.question, scene.passages, "es")
        wall.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
    return {
        "ms_for_five_passages": round(1000 * statistics.median(wall), 1),
        "cpu_ms_for_five_passages": round(1000 * statistics.median(busy), 1),
    }


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

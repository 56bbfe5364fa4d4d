"""What the reader meets on a device: a question and the five passages that a search found.

Some scenes hold the answer, some do not: the question is about something else, its
paragraph is missing, or it only seems to be answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from edge.tutor.features import sentence_spans
from quantize.reader.corpus import Corpus, Passage, Question, Split
from quantize.reader.examples import select
from quantize.reader.retrieve import Shelf, stems_of

FOUND = 5
SAME = 0.5
SAYS_SO = 0.6
TAKEN_AWAY = 0.3


@dataclass(frozen=True, slots=True)
class Scene:
    """A question, the passages found for it, and the sentences that answer."""

    kind: str
    """squad, absent, impossible, paragraph, unanswered, lessons or off-topic."""

    question: str
    passages: tuple[str, ...]
    lessons: tuple[str, ...]
    """The article or lesson of each passage."""

    home: str
    """The article or lesson that holds the answer; empty when none does."""

    right: frozenset[tuple[int, int]]
    """Passage number and begin of each sentence that answers."""

    answers: tuple[str, ...] = ()
    """Short answers that people gave; empty when the sentence is the answer."""


def article_scenes(corpus: Corpus, split: Split, count: int, random: Random) -> list[Scene]:
    """Return scenes from the held-out articles of SQuAD."""
    numbers = [n for n, p in enumerate(corpus.passages) if p.source == "squad" and p.split == split]
    shelf = Shelf([corpus.passages[n].text for n in numbers])
    scenes = []
    questions = select(corpus, split, ["squad"])
    for question in random.sample(questions, min(count, len(questions))):
        found = [corpus.passages[numbers[place]] for place in shelf.best(question.text, FOUND)]
        home = corpus.passages[question.passage]
        if question.start < 0:
            scenes.append(_scene("impossible", question, found, "", frozenset()))
            continue
        gold = _sentence_at(home.text, question.start)
        right = _same_sentences(found, home, gold, question.answers)
        if random.random() < TAKEN_AWAY:
            kept = [p for n, p in enumerate(found) if not any(place == n for place, _ in right)]
            scenes.append(_scene("absent", question, kept, "", frozenset()))
        else:
            scenes.append(_scene("squad", question, found, home.group, right))
    return scenes


def paragraph_scenes(corpus: Corpus, split: Split) -> list[Scene]:
    """Return the questions of SQuAD, each with its own paragraph alone; some of them have no answer there."""
    scenes = []
    for question in select(corpus, split, ["squad"]):
        home = corpus.passages[question.passage]
        if question.start < 0:
            scenes.append(_scene("unanswered", question, [home], "", frozenset()))
            continue
        right = {(0, start) for start, end in sentence_spans(home.text) if start <= question.start < end}
        scene = _scene("paragraph", question, [home], home.group, frozenset(right))
        scenes.append(replace(scene, answers=question.answers))
    return scenes


def lesson_scenes(corpus: Corpus, split: Split) -> list[Scene]:
    """Return scenes from the packs: the questions of lessons held out, over the texts of all lessons."""
    texts = _library(corpus)
    shelf = Shelf([passage.text for passage in texts])
    scenes = []
    for question in select(corpus, split, ["lessons"]):
        home = corpus.passages[question.passage]
        found = [texts[place] for place in shelf.best(question.text, FOUND)]
        said = set(stems_of(question.answers[0]))
        known = said | set(stems_of(question.text))
        right = frozenset(
            (number, start)
            for number, passage in enumerate(found)
            if passage.group == home.group
            for start, end in sentence_spans(passage.text)
            if _says(set(stems_of(passage.text[start:end])), said, known)
            or (passage.text == home.text and start == question.start)
        )
        scenes.append(_scene("lessons", question, found, home.group, right))
    return scenes


def off_topic_scenes(corpus: Corpus, split: Split, count: int, random: Random) -> list[Scene]:
    """Return scenes whose question is about something that the packs do not hold."""
    texts = _library(corpus)
    shelf = Shelf([passage.text for passage in texts])
    questions = select(corpus, split, ["squad"])
    return [
        _scene("off-topic", question, [texts[n] for n in shelf.best(question.text, FOUND)], "", frozenset())
        for question in random.sample(questions, min(count, len(questions)))
    ]


def _library(corpus: Corpus) -> list[Passage]:
    return [passage for passage in corpus.passages if passage.source == "lessons"]


def _scene(
    kind: str, question: Question, found: Sequence[Passage], home: str, right: frozenset[tuple[int, int]]
) -> Scene:
    return Scene(kind, question.text, tuple(p.text for p in found), tuple(p.group for p in found), home, right)


def _says(here: set[str], said: set[str], known: set[str]) -> bool:
    return len(here & said) >= 2 and len(here & known) >= SAYS_SO * len(here)


def _sentence_at(text: str, place: int) -> str:
    for start, end in sentence_spans(text):
        if start <= place < end:
            return text[start:end]
    return text


def _same_sentences(
    found: Sequence[Passage], home: Passage, gold: str, answers: Sequence[str]
) -> frozenset[tuple[int, int]]:
    """Find the gold sentence, also in another translation of its paragraph."""
    wanted = set(stems_of(gold))
    right = set()
    for number, passage in enumerate(found):
        if passage.group != home.group:
            continue
        for start, end in sentence_spans(passage.text):
            text = passage.text[start:end]
            here = set(stems_of(text))
            alike = len(here & wanted) >= SAME * len(here | wanted)
            if alike and any(answer in text for answer in answers):
                right.add((number, start))
    return frozenset(right)

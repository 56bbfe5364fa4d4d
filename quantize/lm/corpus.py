"""Gather what the model is trained on and measured with into two files.

`texts.jsonl` holds documents, `chats.jsonl` exchanges; each line says whether it
is held out. Nothing of an evaluation set is ever read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from edge.files import write_atomic
from edge.tutor.features import sentence_spans
from quantize.lm.copying import copying_examples, without
from quantize.lm.lessons import lesson_examples, lesson_text, read_lessons
from quantize.lm.prompts import NOT_SAID, STORY, Example, grounded, unguided
from quantize.lm.settings import LmSettings
from quantize.lm.sources import SQUAD, Document, read_documents, read_questions
from quantize.recipe import Recipe

PASSAGE_CHARS, LEAST_PASSAGE_CHARS = 620, 160
TAKEN_AWAY_EVERY = 4
"""Of so many wordings of a question one is asked once more without the sentence that answers it."""

STORY_CHARS = 700


def build_corpus(recipe: Recipe, settings: LmSettings, folder: Path) -> None:
    """Write `texts.jsonl` and `chats.jsonl` into `folder`."""
    random = Random(recipe.seed)
    lessons = read_lessons(recipe.packs)
    documents = [lesson_text(lesson) for lesson in lessons]
    chats = list(lesson_examples(lessons, random, settings.wordings))
    if recipe.corpora is not None:
        documents += read_documents(recipe.corpora, settings.text_chars)
        documents += _articles(recipe.corpora / SQUAD, settings.held_articles)
        chats += _question_examples(recipe.corpora / SQUAD, settings.held_articles, settings.wordings, random)
        chats += _stories(documents)
    chats += copying_examples(documents, settings.copies, random)
    random.shuffle(chats)
    _write(folder / "texts.jsonl", (asdict(document) for document in documents))
    _write(folder / "chats.jsonl", (asdict(chat) for chat in chats))


def read_texts(folder: Path, held: bool) -> Iterator[Document]:
    """Yield the documents for training, or those held out."""
    yield from (Document(**row) for row in _read(folder / "texts.jsonl") if row["held"] == held)


def read_chats(folder: Path, held: bool) -> Iterator[Example]:
    """Yield the exchanges for training, or those held out."""
    for row in _read(folder / "chats.jsonl"):
        if row["held"] == held:
            yield Example(**{**row, "gold": tuple(row["gold"])})


def _articles(path: Path, held_articles: Sequence[str]) -> Iterator[Document]:
    """Yield the paragraphs of the question corpus as texts."""
    for article, context in dict.fromkeys((found[0], found[1]) for found in read_questions(path)):
        yield Document("articles", "es", article in held_articles, context, article)


def _question_examples(path: Path, held_articles: Sequence[str], times: int, random: Random) -> Iterator[Example]:
    """Yield every question with its passage; those for training again with more and with less around the answer."""
    for article, context, question, answers, start in read_questions(path):
        held = article in held_articles
        for time in range(1 if held else times):
            room = PASSAGE_CHARS if time == 0 else random.randint(LEAST_PASSAGE_CHARS, PASSAGE_CHARS)
            passage, first = _around(context, max(start, 0), room)
            if not answers:
                yield grounded("squad-absent", "es", passage, question, NOT_SAID["es"], held)
                continue
            spans = sentence_spans(passage)
            place = next((span for span in spans if span[0] <= start - first < span[1]), None)
            if not place or not any(answer in passage[slice(*place)] for answer in answers):
                continue
            sentence = passage[slice(*place)]
            yield grounded("squad", "es", passage, question, sentence, held, answers)
            rest = without(passage, sentence)
            if time % TAKEN_AWAY_EVERY == 1 and rest and not any(answer in rest for answer in answers):
                yield grounded("squad-taken", "es", rest, question, NOT_SAID["es"])


def _around(context: str, at: int, room: int) -> tuple[str, int]:
    """Return the sentences about position `at`, about `room` letters, and where they begin."""
    spans = sentence_spans(context)
    place = next((n for n, span in enumerate(spans) if span[0] <= at < span[1]), 0)
    first = last = place
    while True:
        before = first > 0 and spans[last][1] - spans[first - 1][0] <= room
        after = last + 1 < len(spans) and spans[last + 1][1] - spans[first][0] <= room
        if before and (not after or place - first <= last - place):
            first -= 1
        elif after:
            last += 1
        else:
            return context[spans[first][0] : spans[last][1]], spans[first][0]


def _stories(documents: Iterable[Document]) -> Iterator[Example]:
    for document in documents:
        if document.source == "stories":
            request = STORY[document.lang].format(title=document.title)
            yield unguided("story", document.lang, request, document.text[:STORY_CHARS])


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    write_atomic(path, "\n".join(lines).encode())


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)

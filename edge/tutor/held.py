"""What the library answers without any model: sums, reviewed answers, passages, the lesson about a topic.

Which of them is shown, the judges' probabilities decide; where none is likely enough, the plain word that nothing was
found, and the passages that a model may use instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.errors import ModelError
from edge.library.alike import says_the_same
from edge.library.library import Library
from edge.library.outlook import verdict_features
from edge.library.question import Question
from edge.library.search import Found, Passage
from edge.tutor import decide, topics
from edge.tutor.prompt import Turn
from edge.tutor.reader import Reader
from edge.tutor.reckon import Reckoned, reckon, say_the_same
from edge.tutor.reply import Mode, Source
from edge.words import words_for


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that was decided on, before it is shown."""

    parts: tuple[str, ...]
    """Paragraphs, shown one after the other."""

    mode: Mode
    sources: tuple[Source, ...] = ()
    model: str = ""
    trouble: ModelError | None = None


class Held:
    """What a library holds, read by a reader."""

    def __init__(self, library: Library, reader: Callable[[], Reader]) -> None:
        self._library, self._reader = library, reader

    def decide(
        self, question: str, lang: str, lesson: str | None, before: Sequence[Turn]
    ) -> tuple[Draft, list[Passage]]:
        """Return the answer that needs no model, and the passages a model may use instead."""
        words = words_for("edge", lang)
        if (found := reckon(question, lang)) is not None:
            return (found.in_title and self._reviewed(question, lang, lesson)) or self._reckoned(found, lang), []
        asked = self._library.understand(topics.without_opening(question, lang), lang)
        first = self._library.asked_first(lang) if lesson is None else frozenset[str]()
        key = "tutor.none-strict" if first or self._library.is_strict(lang, lesson) else "tutor.none"
        none = Draft((words.say(key),), "none")
        if not asked.words and lesson is not None and before:
            # "And why?" says nothing by itself: only who remembers the question before can answer.
            together = self._library.understand(f"{before[-1].question} {question}", lang)
            return none, self._library.passages(together, decide.PASSAGES_READ, lesson)
        anywhere = lesson is None and not first
        if anywhere and not asked.kind and (draft := self._from_titles(asked)) is not None:
            return draft, []  # a topic, and no question about it
        draft, passages = self._found(asked, lesson, first)
        if draft is None and first:  # the school's lessons only where they surely answer
            fit, surely = self._from_bank(asked, None, frozenset())
            draft = surely if fit >= decide.SURE else None
        if draft is None and lesson is not None:
            # What the library as a whole finds in this very lesson stands there also for who asks about it.
            draft, passages = self._found(asked, None)
            if draft is not None and draft.sources[0].lesson != lesson:
                draft = None
            passages = [passage for passage in passages if passage.lesson == lesson]
        if draft is None and anywhere and asked.kind:
            draft, passages = self._from_titles(asked), []
        return (draft, passages) if draft is not None else (none, [])

    def _found(
        self, asked: Question, lesson: str | None, packs: frozenset[str] = frozenset()
    ) -> tuple[Draft | None, list[Passage]]:
        """Return the answer that library, lesson or `packs` hold, if they do, and passages for a model instead."""
        bank_fit, draft = self._from_bank(asked, lesson, packs)
        if bank_fit >= decide.SURE and draft is not None:
            return draft, []
        passages = self._library.passages(asked, decide.PASSAGES_READ, lesson, packs)
        read_fit, read = self._from_passages(asked, passages)
        draft = draft if bank_fit >= read_fit else read
        if draft is None or not self._is_held(asked, bank_fit, read_fit, draft.sources[0].pack):
            return None, []
        return draft, passages

    def _from_titles(self, asked: Question) -> Draft | None:
        """Return how the lesson begins that is meant, where a title names all that was asked about."""
        lessons = topics.lessons_about(asked, self._library.lessons(asked.lang))
        if not lessons:
            return None
        titles = [lesson.title for lesson in lessons]
        key, names = ("tutor.topics" if titles[1:] else "tutor.topic"), "; ".join(f"«{title}»" for title in titles)
        said = words_for("edge", asked.lang).say(key, title=titles[0], titles=names, count=len(titles))
        begins = [self._library.beginning(lesson.id) for lesson in lessons]
        sources = [Source(each.pack, each.id, each.title, text) for each, text in zip(lessons, begins, strict=True)]
        return Draft((said, begins[0]), "passage", tuple(sources))

    def _is_held(self, asked: Question, bank_fit: float, read_fit: float, pack: str) -> bool:
        """Tell whether what was found answers the question, and the question is of a kind that is answered here."""
        if pack in self._library.asked_first(asked.lang):
            return max(bank_fit, read_fit) >= decide.ASKED_FIRST
        seen = self._library.outlook(asked)
        if seen is None:
            return max(bank_fit, read_fit) >= self._library.judge("bank").threshold
        verdict = self._library.judge("verdict")
        return verdict.of([verdict_features(bank_fit, read_fit, seen)])[0] >= verdict.threshold

    def _reviewed(self, question: str, lang: str, lesson: str | None) -> Draft | None:
        """Return the reviewed answer to this very question, where a lesson holds it."""
        for found in self._library.bank(self._library.understand(question, lang)):
            if lesson in (None, found.lesson) and say_the_same(found.question, question):
                return self._as_reviewed(found)
        return None

    def _reckoned(self, found: Reckoned, lang: str) -> Draft:
        """Return what rules answer, with the lesson about it."""
        about = self._library.understand(found.about, lang)
        if found.in_title:
            draft = self._from_titles(about)
            return Draft((found.text,), "bank", draft.sources[:1] if draft else (), "arithmetic")
        passages = self._library.passages(about, 1)
        sources = tuple(source_of(passage) for passage in passages if not passage.strict)
        return Draft((found.text,), "bank", sources, "arithmetic")

    def _from_bank(self, asked: Question, lesson: str | None, packs: frozenset[str]) -> tuple[float, Draft | None]:
        """Return the likeliest reviewed answer, with the probability that it answers."""
        inside = (found for found in self._library.bank(asked) if lesson in (None, found.lesson))
        best = next((found for found in inside if not packs or found.lesson.partition("/")[0] in packs), None)
        if best is None:
            return 0.0, None
        fit = max(best.fit, decide.SURE) if says_the_same(best.features) else best.fit
        return fit, self._as_reviewed(best)

    def _as_reviewed(self, found: Found) -> Draft:
        source = Source(found.lesson.partition("/")[0], found.lesson, self._library.title(found.lesson), found.text)
        return Draft((found.text,), "bank", (source,))

    def _from_passages(self, asked: Question, passages: list[Passage]) -> tuple[float, Draft | None]:
        """Return the passage that the reader finds the answer in, with the probability that it answers."""
        readings = self._reader().read(asked.text, [p.text for p in passages], asked.lang) if passages else []
        features = [decide.read_features(passages[r.passage], r.confidence) for r in readings]
        fits = self._library.judge("read").of(features)
        fit, reading = max(zip(fits, readings, strict=True), key=lambda pair: pair[0], default=(0.0, None))
        if reading is None:
            return 0.0, None
        passage = passages[reading.passage]
        source = source_of(passage)
        if passage.strict:  # whole, or not at all
            return fit, Draft((passage.text,), "passage", (source,))
        leads = reading.confidence >= decide.LEADING and reading.sentence != passage.text
        parts = (reading.sentence, passage.text) if leads else (passage.text,)
        return fit, Draft(parts, "passage", (source,), "reader")


def source_of(passage: Passage) -> Source:
    """Return where a passage stands."""
    return Source(passage.pack, passage.lesson, passage.title, passage.text, passage.page, passage.section)

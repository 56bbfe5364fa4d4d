"""One turn, from a question to an answer with its source.

Guard, sums, answer bank, passages through the reader, a model where its report card
allows it, else the passage itself, else the plain word that nothing was found. Within a lesson the model reads it
whole, with what was asked about it before. The caller runs the generator in a thread; `stop` is asked between pieces.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from edge.errors import EdgeError, ModelError
from edge.library.alike import says_the_same
from edge.library.library import Library
from edge.library.outlook import verdict_features
from edge.library.question import Question
from edge.library.search import Passage
from edge.tutor import decide, guard, personal, topics
from edge.tutor.coach import Coach
from edge.tutor.engine import Engine
from edge.tutor.generate import Asking, Written, generate
from edge.tutor.numbers import Numbers
from edge.tutor.prompt import Turn, lesson_text
from edge.tutor.reader import Reader
from edge.tutor.reckon import Reckoned, reckon, say_the_same
from edge.tutor.reply import Event, Mode, Piece, Reply, Sentence, Source, Waiting, sentences_of
from edge.tutor.talk import LOST, talk_of
from edge.words import words_for

LONGEST_QUESTION = 1_000
"""In letters; nobody asks a longer one, and nothing good comes of it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that was decided on, before it is shown."""

    parts: tuple[str, ...]
    """Paragraphs, shown one after the other."""

    mode: Mode
    sources: tuple[Source, ...] = ()
    model: str = ""
    trouble: ModelError | None = None


class Tutor:
    """Answers questions from a library, with a reader and perhaps a model."""

    def __init__(
        self,
        library: Library,
        reader: Callable[[], Reader],
        model: Callable[[], Engine | None],
        clock: Callable[[], float] = time.monotonic,
        numbers: Callable[[], Numbers] = Numbers,
        pointer: Callable[[str, str, str], str] = lambda rule, question, lang: "",
        coach: Coach | None = None,
    ) -> None:
        self._library = library
        self._reader = reader
        self._model = model
        self._clock = clock
        self._numbers = numbers
        self._pointer = pointer
        """Says of a rule and a question, in a language, which decision table deals with it."""

        self.coach = coach
        """What the same model may write for practice, where there is one."""

    def answer(
        self,
        question: str,
        *,
        lang: str,
        lesson: str | None = None,
        before: Sequence[Turn] = (),
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Event]:
        """Yield pieces and sentences as they come, and one Reply at the end, also when stopped.

        `before` is what was asked about this lesson before. Raises EdgeError for a question that is blank or far too long, and ModelError from the reader; a language model
        that fails is named in the reply, and the library answers.
        """
        start = self._clock()
        shown: list[str] = []
        first_ms = 0
        draft = Draft((), "none")
        asked = tidy(question)
        said = personal.redacted(asked)
        if said != asked:
            notice = words_for("edge", lang).say("guard.personal")
            shown.append(f"{notice}\n\n")
            yield Piece(shown[0])
            yield from (Sentence(sentence) for sentence in sentences_of(notice))
        for event in self._events(asked, said, lang, lesson, before, stop):
            if isinstance(event, Draft):
                draft = event
                continue
            if isinstance(event, Piece):
                first_ms = first_ms or max(1, self._ms_since(start))
                shown.append(event.text)
            yield event
            if stop():
                break
        text = "".join(shown).strip()
        total_ms = self._ms_since(start)
        yield Reply(text, draft.mode, draft.sources, lang, draft.model, first_ms, total_ms, draft.trouble)

    def _events(
        self, asked: str, said: str, lang: str, lesson: str | None, before: Sequence[Turn], stop: Callable[[], bool]
    ) -> Iterator[Draft | Piece | Sentence | Waiting]:
        """`said` is what was asked, without what is personal in it: only the guard hears that."""
        if rule := guard.refusal(asked, lang):
            draft, passages = self._guarded(rule, asked, lang), list[Passage]()
        elif said != asked and not any(c.isalnum() for c in said):
            draft, passages = Draft((), "guard"), []
        elif (kind := talk_of(said, lang)) and not (
            kind == LOST and before
        ):  # what was not understood, a model may know
            draft, passages = Draft((words_for("edge", lang).say(f"talk.{kind}"),), "none", (), "talk"), []
        else:
            draft, passages = self._decide(said, lang, lesson, before)
        written: tuple[Written, ...] = ()
        try:
            if (
                passages
                and not self._library.is_strict(lang, lesson)
                and draft.mode in ("passage", "none")
                and (engine := self._model()) is not None
            ):
                lesson_said = lesson_text(self._library.lesson(lesson).text) if lesson else ""
                asking = Asking(said, [p.text for p in passages], lang, lesson_said, before)
                for event in generate(engine, asking, stop):
                    if isinstance(event, Waiting):
                        yield event
                        continue
                    written += (event,)
                    sources = tuple(_source(passages[n]) for n in dict.fromkeys(each.passage for each in written))
                    yield Draft((), "model", sources, engine.name)
                    yield Piece(f" {event.text}" if len(written) > 1 else event.text)
                    yield Sentence(event.text)
        except ModelError as error:
            # The library answers without it; what was written so far stays.
            draft = replace(draft, trouble=error)
            if written:
                yield Piece("\n\n")
                written = ()
        if written:
            return
        yield draft
        for number, part in enumerate(draft.parts):
            yield Piece(part if number == 0 else f"\n\n{part}")
            yield from (Sentence(sentence) for sentence in sentences_of(part))

    def _decide(
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
        if draft is None and anywhere:
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

    def _guarded(self, rule: str, asked: str, lang: str) -> Draft:
        """Return the fixed text of a rule, with the country's numbers where somebody must be called, or with a table."""
        words = words_for("edge", lang)
        told = self._numbers().told(rule)
        parts: tuple[str, ...] = (words.say(f"guard.{rule}"),)
        if told is not None:
            parts += (words.say("guard.numbers", numbers=told) if told else words.say("guard.nowhere"),)
        return Draft(tuple(filter(None, (*parts, self._pointer(rule, asked, lang)))), "guard")

    def _reviewed(self, question: str, lang: str, lesson: str | None) -> Draft | None:
        """Return the reviewed answer to this very question, where a lesson holds it."""
        for found in self._library.bank(self._library.understand(question, lang)):
            if lesson in (None, found.lesson) and say_the_same(found.question, question):
                source = Source(
                    found.lesson.partition("/")[0], found.lesson, self._library.title(found.lesson), found.text
                )
                return Draft((found.text,), "bank", (source,))
        return None

    def _reckoned(self, found: Reckoned, lang: str) -> Draft:
        """Return what rules answer, with the lesson about it."""
        about = self._library.understand(found.about, lang)
        if found.in_title:
            draft = self._from_titles(about)
            return Draft((found.text,), "bank", draft.sources[:1] if draft else (), "arithmetic")
        passages = self._library.passages(about, 1)
        sources = tuple(_source(passage) for passage in passages if not passage.strict)
        return Draft((found.text,), "bank", sources, "arithmetic")

    def _from_bank(self, asked: Question, lesson: str | None, packs: frozenset[str]) -> tuple[float, Draft | None]:
        """Return the likeliest reviewed answer, with the probability that it answers."""
        inside = (found for found in self._library.bank(asked) if lesson in (None, found.lesson))
        best = next((found for found in inside if not packs or found.lesson.partition("/")[0] in packs), None)
        if best is None:
            return 0.0, None
        source = Source(best.lesson.partition("/")[0], best.lesson, self._library.title(best.lesson), best.text)
        fit = max(best.fit, decide.SURE) if says_the_same(best.features) else best.fit
        return fit, Draft((best.text,), "bank", (source,))

    def _from_passages(self, asked: Question, passages: list[Passage]) -> tuple[float, Draft | None]:
        """Return the passage that the reader finds the answer in, with the probability that it answers."""
        readings = self._reader().read(asked.text, [p.text for p in passages], asked.lang) if passages else []
        features = [decide.read_features(passages[r.passage], r.confidence) for r in readings]
        fits = self._library.judge("read").of(features)
        fit, reading = max(zip(fits, readings, strict=True), key=lambda pair: pair[0], default=(0.0, None))
        if reading is None:
            return 0.0, None
        passage = passages[reading.passage]
        source = _source(passage)
        if passage.strict:  # whole, or not at all
            return fit, Draft((passage.text,), "passage", (source,))
        leads = reading.confidence >= decide.LEADING and reading.sentence != passage.text
        parts = (reading.sentence, passage.text) if leads else (passage.text,)
        return fit, Draft(parts, "passage", (source,), "reader")

    def _ms_since(self, start: float) -> int:
        return round((self._clock() - start) * 1000)


def _source(passage: Passage) -> Source:
    return Source(passage.pack, passage.lesson, passage.title, passage.text, passage.page, passage.section)


def tidy(question: str) -> str:
    """Return the question without control characters; raise EdgeError when blank or far too long."""
    if len(question) > LONGEST_QUESTION:
        raise EdgeError("question-long", length=len(question), most=LONGEST_QUESTION)
    visible = "".join(" " if unicodedata.category(c).startswith("C") else c for c in question)
    plain = " ".join(unicodedata.normalize("NFC", visible).split())
    if not any(c.isalnum() for c in plain):
        raise EdgeError("question-blank", question=plain)
    return plain

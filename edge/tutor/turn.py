"""One turn, from a question to an answer with its source.

Guard, sums, answer bank, passages through the reader, a model where its report card
allows it, else the passage itself, else the plain word that nothing was found. Within a lesson the model reads it
whole, with what was asked about it before. The caller runs the generator in a thread; `stop` is asked between pieces.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from edge.errors import EdgeError, ModelError
from edge.library.library import Library
from edge.library.search import Passage
from edge.tutor import guard, personal
from edge.tutor.coach import Coach
from edge.tutor.engine import Engine
from edge.tutor.generate import Asking, Written, generate
from edge.tutor.held import Draft, Held, source_of
from edge.tutor.numbers import Numbers
from edge.tutor.prompt import Turn, lesson_text
from edge.tutor.reader import Reader
from edge.tutor.reply import Event, Piece, Reply, Sentence, Waiting, sentences_of
from edge.tutor.talk import LOST, talk_of
from edge.words import words_for

LONGEST_QUESTION = 1_000
"""In letters; nobody asks a longer one, and nothing good comes of it."""


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
        self._held = Held(library, reader)
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
        elif (kind := talk_of(said, lang)) and not (kind == LOST and before):
            # Who did not understand an answer is helped by a model that knows it.
            draft, passages = Draft((words_for("edge", lang).say(f"talk.{kind}"),), "none", (), "talk"), []
        else:
            draft, passages = self._held.decide(said, lang, lesson, before)
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
                    sources = tuple(source_of(passages[n]) for n in dict.fromkeys(each.passage for each in written))
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

    def _guarded(self, rule: str, asked: str, lang: str) -> Draft:
        """Return the fixed text of a rule, with the country's numbers where somebody must be called, or with a table."""
        words = words_for("edge", lang)
        told = self._numbers().told(rule)
        parts: tuple[str, ...] = (words.say(f"guard.{rule}"),)
        if told is not None:
            parts += (words.say("guard.numbers", numbers=told) if told else words.say("guard.nowhere"),)
        return Draft(tuple(filter(None, (*parts, self._pointer(rule, asked, lang)))), "guard")

    def _ms_since(self, start: float) -> int:
        return round((self._clock() - start) * 1000)


def tidy(question: str) -> str:
    """Return the question without control characters; raise EdgeError when blank or far too long."""
    if len(question) > LONGEST_QUESTION:
        raise EdgeError("question-long", length=len(question), most=LONGEST_QUESTION)
    visible = "".join(" " if unicodedata.category(c).startswith("C") else c for c in question)
    plain = " ".join(unicodedata.normalize("NFC", visible).split())
    if not any(c.isalnum() for c in plain):
        raise EdgeError("question-blank", question=plain)
    return plain

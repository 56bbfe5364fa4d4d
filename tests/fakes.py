"""Small real stand-ins for what is slow or not the same twice: library, tutor, voice, clock.

Lessons come from a tiny pack in tests/data/screens through the real parser; the store, the
marking and the exercises of the screen tests are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

from edge.errors import PackError, SpeechError
from edge.learning.store import Store
from edge.library.folder import read_pack
from edge.library.library import LessonRow
from edge.library.pack import Lesson
from edge.settings import Settings
from edge.tutor.coach import Coach
from edge.tutor.prompt import Turn
from edge.tutor.reply import Piece, Reply, Sentence, Source, Waiting
from edge.tutor.turn import tidy
from edge.words import words_for
from tui.services import Openers, Services

SCREEN_PACKS = Path(__file__).parent / "data" / "screens"

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)


class FakeLibrary:
    """The lessons of the tiny packs, without an index."""

    def __init__(self) -> None:
        packs = [read_pack(folder)[0] for folder in sorted(SCREEN_PACKS.iterdir())]
        self._lessons = {lesson.id: lesson for pack in packs for lesson in pack.lessons}
        self.closed = False

    def lessons(self, lang: str | None = None) -> list[LessonRow]:
        rows = [_row(lesson) for lesson in self._lessons.values() if lang in (None, lesson.lang)]
        return sorted(rows, key=lambda row: (row.grade, row.subject, row.id))

    def lesson(self, lesson_id: str) -> Lesson:
        try:
            return self._lessons[lesson_id]
        except KeyError:
            raise PackError("lesson-unknown", lesson=lesson_id) from None

    def close(self) -> None:
        self.closed = True


def _row(lesson: Lesson) -> LessonRow:
    return LessonRow(
        pack=lesson.pack,
        id=lesson.id,
        title=lesson.title,
        lang=lesson.lang,
        grade=lesson.grade,
        subject=lesson.subject,
        minutes=lesson.minutes,
        item_count=len(lesson.items),
    )


@dataclass
class FakeTutor:
    """Answers from the bank of the tiny packs.

    A question with `despacio` waits before each piece; one with `pasaje` is answered by a passage;
    one with `fila` waits until others have been answered; one with `zancadilla` meets a bug.
    """

    library: FakeLibrary
    hold: Event = field(default_factory=Event)
    """Set it to let a slow answer go on."""

    asked: list[tuple[str, str | None]] = field(default_factory=list)
    before: list[tuple[Turn, ...]] = field(default_factory=list)
    stopped: int = 0
    coach: Coach | None = None

    def answer(
        self,
        question: str,
        *,
        lang: str,
        lesson: str | None = None,
        before: Sequence[Turn] = (),
        stop: Callable[[], bool],
    ) -> Iterator[Piece | Sentence | Waiting | Reply]:
        self.asked.append((question, lesson))
        tidy(question)
        if "zancadilla" in question:
            raise ValueError("a bug nobody foresaw")
        self.before.append(tuple(before))
        if "fila" in question:
            yield Waiting(3, 21.0)
            while not self.hold.wait(0.005):
                if stop():
                    self.stopped += 1
                    return
        found = self._find(question, lang)
        text = found[1] if found else words_for("edge", lang).say("tutor.none")
        mode: Any = "bank" if found else "none"
        if found and "pasaje" in question:
            mode, text = "passage", f"{found[2].split('. ')[0]}.\n\n{found[2]}"
        slow = "despacio" in question
        if slow:
            text = " ".join(f"palabra {n}" for n in range(200))
        for word in text.split(" "):
            for _ in range(20 if slow else 0):
                if self.hold.wait(0.005):
                    break
                if stop():
                    self.stopped += 1
                    return
            yield Piece(f"{word} ")
        for sentence in filter(None, text.split(". ")):
            yield Sentence(sentence)
        sources = (Source(found[0].pack, found[0].id, found[0].title, found[2]),) if found else ()
        yield Reply(text.strip(), mode, sources, lang, "", 1, 2)

    def _find(self, question: str, lang: str) -> tuple[Lesson, str, str] | None:
        for row in self.library.lessons(lang):
            lesson = self.library.lesson(row.id)
            for entry in lesson.bank:
                asked = question.strip("¿? ").casefold()
                if asked in entry.question.casefold() or asked in ("despacio", "pasaje", "fila"):
                    return lesson, entry.text, _second_paragraph(lesson.text)
        return None


def _second_paragraph(text: str) -> str:
    paragraphs = [p for p in text.split("\n\n") if not p.startswith("#")]
    return paragraphs[min(1, len(paragraphs) - 1)]


@dataclass
class FakeSpeaker:
    """Remembers what it was told to say, and never finishes by itself."""

    problem: SpeechError | None = None
    on_problem: Callable[[SpeechError], None] = lambda _: None
    said: list[str] = field(default_factory=list)
    busy: bool = False
    hushed: int = 0
    closed: bool = False

    def wait(self, seconds: float | None = None) -> bool:
        return not self.busy

    def put(self, sentence: str) -> None:
        self.said.append(sentence)
        self.busy = not self.problem
        if self.problem:
            self.on_problem(self.problem)

    def hush(self) -> None:
        self.hushed += 1
        self.busy = False

    def close(self) -> None:
        self.closed = True


class FakeServices(Services):
    """Services over a tiny library, a real store and a silent voice."""

    def __init__(self, settings: Settings, *, problem: SpeechError | None = None, seed: int = 1) -> None:
        self.fake_library = FakeLibrary()
        self.fake_tutor = FakeTutor(self.fake_library)
        self.fake_speaker = FakeSpeaker(problem)
        openers = Openers(
            library=lambda _settings: self.fake_library,  # type: ignore[arg-type, return-value]
            tutor=lambda _library, _settings: self.fake_tutor,  # type: ignore[arg-type, return-value]
            store=lambda settings: Store.open(settings.store_path, Random(seed)),
            speaker=self._voice,  # type: ignore[arg-type]
        )
        super().__init__(settings, openers, random=Random(seed), now=lambda: NOON)

    def _voice(self, _settings: Settings, _lang: str, on_problem: Callable[[SpeechError], None]) -> FakeSpeaker:
        self.fake_speaker.on_problem = on_problem
        return self.fake_speaker


def learning(home: Path, *, lang: str = "es", theme: str = "dark", name: str = "Rosa") -> FakeServices:
    """Return services of a device where `name` has been before."""
    services = FakeServices(Settings(home, lang=lang, theme=theme))
    services.choose_learner(services.store().add_learner(name, lang, "rosa"))
    return services

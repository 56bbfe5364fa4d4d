"""What the screens ask for: library, tutor, store and voice, each opened when first needed.

Everything slow is opened from a worker thread, once. Screens receive one `Services` through
their constructor and never open anything themselves. Knows nothing of Textual.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from edge import settings as kept
from edge.files import write_atomic
from edge.learning.attempt import stamp
from edge.settings import Settings
from edge.words import Words, words_for
from tui.clinic.desk import Desk
from tui.handing import Handing, Sight
from tui.lazy import Lazy
from tui.near import NearBy
from tui.preparing import Preparing
from tui.updates import Updates

if TYPE_CHECKING:
    from edge.drives import Drive
    from edge.errors import SpeechError
    from edge.learning.attempt import Attempt
    from edge.learning.learner import Learner
    from edge.learning.store import Store
    from edge.library.library import LessonRow, Library
    from edge.speech.speaker import Speaker
    from edge.tutor.coach import Coach
    from edge.tutor.prompt import Turn
    from edge.tutor.reply import Event, Reply
    from edge.tutor.turn import Tutor


@dataclass(frozen=True, slots=True)
class Openers:
    """How to open each thing. Tests pass small real ones."""

    library: Callable[[Settings], Library]
    tutor: Callable[[Library, Settings], Tutor]
    store: Callable[[Settings], Store]
    speaker: Callable[[Settings, str, Callable[[SpeechError], None]], Speaker]


class Services:
    """Everything behind the screen, for one run of the app."""

    def __init__(
        self,
        settings: Settings,
        openers: Openers,
        *,
        random: Random,
        now: Callable[[], datetime],
        sticks: Callable[[], list[Path]] = list,
        drives: Callable[[], list[Drive]] = list,
    ) -> None:
        self.settings = settings
        self.random = random
        self.now = now
        self.updates = Updates(settings, sticks, now)
        self.handing = Handing(lambda: self.settings, drives, now)
        self.near = NearBy(lambda: self.settings)
        self.desk = Desk(lambda: self.settings, now)
        self.preparing = Preparing(lambda: self.settings, self.library)
        self.learner: Learner | None = None
        self.speech_problem: SpeechError | None = None
        """Why nothing is heard, if so; it is told once."""

        self._library = Lazy(lambda: openers.library(self.settings))
        self._tutor = Lazy(lambda: openers.tutor(self.library(), self.settings))
        self._store = Lazy(lambda: openers.store(self.settings))
        self._speaker = Lazy(
            lambda: openers.speaker(self.settings, self._voice or self.content_lang, self._remember_problem)
        )
        self._voice = ""

    @property
    def words(self) -> Words:
        """Every word on screen, in the language of the settings."""
        return words_for("tui", self.settings.spoken_lang)

    @property
    def lang(self) -> str:
        """The language in use."""
        return self.settings.spoken_lang

    @property
    def content_lang(self) -> str:
        """The language of the lessons: the one in use, or the one most of them are in."""
        langs = [row.lang for row in self.library().lessons()]
        return self.lang if self.lang in langs or not langs else max(langs, key=langs.count)

    def _remember_problem(self, problem: SpeechError) -> None:
        self.speech_problem = problem

    def library(self) -> Library:
        """Return the library, opened."""
        return self._library.get()

    def tutor(self) -> Tutor:
        """Return the tutor, opened."""
        return self._tutor.get()

    def store(self) -> Store:
        """Return the store, opened."""
        return self._store.get()

    def keep_turn(self, question: str, reply: Reply) -> None:
        """Keep one question and its answer, of whoever is learning now."""
        self.store().append_turn(
            learner=self.learner.id if self.learner else "",
            question=question,
            mode=reply.mode,
            text=reply.text,
            lesson=reply.sources[0].lesson if reply.sources else "",
            at=stamp(self.now()),
        )

    def speaker(self, lang: str = "") -> Speaker:
        """Return the voice, opened: that of the lessons, or of another language."""
        if lang != self._voice:
            self._close_speaker()
            self._voice = lang
        return self._speaker.get()

    def lessons(self) -> list[LessonRow]:
        """Return the lessons in the language in use, or all of them when it has none."""
        return self.library().lessons(self.lang) or self.library().lessons()

    def samples(self, count: int = 3) -> list[str]:
        """Return reviewed questions from `count` lessons, to show what can be asked."""
        rows = self.library().lessons(self.content_lang)
        chosen = self.random.sample(rows, min(count, len(rows)))
        banks = (self.library().lesson(row.id).bank for row in chosen)
        return [bank[0].question for bank in banks if bank]

    def answer(
        self,
        question: str,
        lesson: str | None = None,
        before: Sequence[Turn] = (),
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Event]:
        """Answer in the language in use; where no lessons are in it, look in the others too."""
        tutor = self.tutor()
        own = tutor.answer(question, lang=self.lang, lesson=lesson, before=before, stop=stop)
        if self.content_lang == self.lang:
            yield from own
            return
        first = yield from _held_back(own)
        if _found(first) or stop():
            yield from first
            return
        other = yield from _held_back(
            tutor.answer(question, lang=self.content_lang, lesson=lesson, before=before, stop=stop)
        )
        yield from other if _found(other) else first

    def coach(self) -> Coach | None:
        """Return what the model may write for practice, where there is a model."""
        return self.tutor().coach

    def recall_learner(self) -> Learner | None:
        """Return who learned here last, or nobody when this device is new."""
        learners = self.store().learners()
        try:
            last = (self.settings.home / "learner").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            last = ""
        fallback = learners[0] if learners else None
        self.learner = next((learner for learner in learners if learner.id == last), fallback)
        return self.learner

    def choose_learner(self, learner: Learner) -> None:
        """Make `learner` the one who learns now, and the next time too."""
        self.learner = learner
        self.desk.leave()
        # Who was last is a convenience: a full disk must not stop her from learning.
        try:
            write_atomic(self.settings.home / "learner", learner.id.encode())
        except OSError:
            return

    def add_learner(self, name: str) -> Learner:
        """Add a learner called `name` and choose her; raise StoreError when that cannot be: a child's first question is no name."""
        from secrets import SystemRandom

        from edge.errors import StoreError
        from edge.learning.learner import new_id

        if "?" in name or "¿" in name:
            raise StoreError("learner-name-asks", name=name)
        learner = self.store().add_learner(name, self.lang, new_id(SystemRandom()))
        self.choose_learner(learner)
        return learner

    def broken(self, error: BaseException | None) -> str:
        """Return what to say of a failure nobody foresaw: the app goes on, and nobody reads a traceback."""
        reason = f"{type(error).__name__} {error}"[:160]
        return self.words.say("app.broken", reason=" ".join(reason.split()))

    def change(self, settings: Settings) -> None:
        """Keep new settings; raise EdgeError when the disk refuses."""
        kept.save(settings)
        if replace(self.settings, theme=settings.theme) != settings:
            self._close_speaker()
        if settings.place != self.settings.place:
            # Other packs: opened anew. Who reads in the old ones still may; they close when nobody does.
            self._tutor.take()
            self._library.take()
        self.settings = settings

    def enrol(self, given: str | Path) -> Sight | None:
        """Enrol at a hub; in another school the store writes under another name from then on."""
        try:
            return self.handing.enrol(given)
        finally:
            self._close_store()

    def renew_identity(self) -> tuple[str, str]:
        """Give this device another identity; return the old name and the new one."""
        try:
            return self.handing.renew()
        finally:
            self._close_store()

    def attempts(self) -> list[Attempt]:
        """Return what the learner answered so far, oldest first."""
        return self.store().attempts(self.learner.id) if self.learner else []

    def hush(self) -> bool:
        """Stop the voice at once; tell whether there was one to stop."""
        speaker = self._speaker.ready
        if speaker is None or not speaker.busy:
            return False
        speaker.hush()
        return True

    @property
    def speaking(self) -> bool:
        """Whether the voice is saying something now."""
        speaker = self._speaker.ready
        return speaker is not None and speaker.busy

    def close(self) -> None:
        """Close whatever was opened."""
        self.preparing.close()
        self.desk.records.close()
        self._close_speaker()
        self._close_store()
        self._tutor.take()
        if library := self._library.take():
            library.close()

    def _close_store(self) -> None:
        if store := self._store.take():
            store.close()

    def _close_speaker(self) -> None:
        if speaker := self._speaker.take():
            speaker.hush()
            speaker.close()


def _held_back(events: Iterator[Event]) -> Generator[Event, None, list[Event]]:
    """Return an answer whole; only who waits hears of it meanwhile."""
    from edge.tutor.reply import Waiting

    kept: list[Event] = []
    for event in events:
        if isinstance(event, Waiting):
            yield event
        else:
            kept.append(event)
    return kept


def _found(events: Sequence[Event]) -> bool:
    return getattr(events[-1], "mode", "none") != "none"

"""The 60 questions in the manner of pupils that nothing was fitted on, beside plain bm25."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.library.library import Library
from edge.settings import Settings
from edge.tutor.reply import Reply
from edge.tutor.workshop import open_tutor

QUESTIONS = Path(__file__).parent.parent / "tests" / "data" / "pupil_questions.toml"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question."""

    question: str
    mode: str
    lesson: str
    wanted: tuple[str, ...]
    """The lessons that answer it; none when the packs do not."""

    @property
    def good(self) -> bool:
        """Tell whether it was answered from a right lesson, or rightly not answered."""
        return self.lesson in self.wanted if self.wanted else self.mode == "none"


def ask_all(path: Path = QUESTIONS) -> list[Outcome]:
    """Ask every question of a file through the tutor that ships."""
    library = Library.open(Settings(Path(tempfile.mkdtemp(prefix="amauta-bench-")), lang="es"))
    tutor = open_tutor(Settings(Path(tempfile.mkdtemp(prefix="amauta-bench-")), lang="es"), library)

    def ask(question: str, lang: str) -> tuple[str, str]:
        reply = [event for event in tutor.answer(question, lang=lang) if isinstance(event, Reply)][-1]
        return reply.mode, reply.sources[0].lesson if reply.sources else ""

    return _outcomes(path, ask)


def ask_bm25(path: Path = QUESTIONS) -> list[Outcome]:
    """Ask plain bm25 over the same index: the first passage, whatever it is."""
    library = Library.open(Settings(Path(tempfile.mkdtemp(prefix="amauta-bench-")), lang="es"))

    def ask(question: str, lang: str) -> tuple[str, str]:
        first = library.first_by_words(library.understand(question, lang))
        return ("passage", first) if first else ("none", "")

    return _outcomes(path, ask)


def _outcomes(path: Path, ask: Callable[[str, str], tuple[str, str]]) -> list[Outcome]:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = [(row, tuple(row["lessons"])) for row in table["answered"]] + [(row, ()) for row in table["unanswered"]]
    return [Outcome(row["question"], *ask(row["question"], row["lang"]), wanted) for row, wanted in rows]


def counts(outcomes: list[Outcome]) -> tuple[int, int, int, int]:
    """Return (rightly answered, answerable, rightly refused, unanswerable)."""
    answerable = [o for o in outcomes if o.wanted]
    others = [o for o in outcomes if not o.wanted]
    return sum(o.good for o in answerable), len(answerable), sum(o.good for o in others), len(others)


def run() -> str:
    """Return the table."""
    rows = []
    for name, outcomes in (("Amauta", ask_all()), ("bm25, first passage", ask_bm25())):
        right, answerable, refused, others = counts(outcomes)
        rows.append(f"| {name} | {right} of {answerable} | {refused} of {others} |")
    head = "| | answered from the right lesson | rightly *No lo encontré* |\n|---|---|---|\n"
    return head + "\n".join(rows)

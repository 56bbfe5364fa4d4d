"""What patients ask at a health post: the right pack, the right text, or the plain word that it is not there."""

from __future__ import annotations

import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from edge.library.library import Library
from edge.settings import Settings
from edge.tutor.reply import Reply
from edge.tutor.turn import Tutor
from edge.tutor.workshop import open_tutor

DATA = Path(__file__).parent.parent / "tests" / "data"
HELD, DEV = "patient_questions", "patient_questions_dev"
PACKS = {"es": "ensenanza", "pt": "ensino"}
NOTHING = "nothing"

IN_PORTUGUESE = {
    "dar-el-pecho": "dar-o-peito",
    "dengue-senales-y-criaderos": "dengue-sinais-e-criadouros",
    "fiebre-en-ninos": "febre-em-criancas",
    "hierro-y-comida-en-el-embarazo": "ferro-e-comida-na-gravidez",
    "manos-limpias-y-agua-segura": "maos-limpas-e-agua-segura",
    "mordedura-de-serpiente": "picada-de-cobra",
    "peligro-en-el-embarazo": "perigo-na-gravidez",
    "suero-oral-en-casa": "soro-oral-em-casa",
    "vacunas": "vacinas",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question."""

    question: str
    lang: str
    wanted: str
    """The lesson that answers, or nothing."""

    mode: str
    lesson: str

    @property
    def right_pack(self) -> bool:
        """Tell whether the teaching pack of the language answered."""
        return self.lesson.startswith(f"{PACKS[self.lang]}/")

    @property
    def good(self) -> bool:
        """Tell whether the right text answered, or nothing where there is none."""
        return self.lesson == self.wanted if self.wanted else self.mode in ("none", "guard")


def tutor_at_a_post() -> Tutor:
    """Return the tutor of a health post's device with all packs that ship."""
    settings = Settings(Path(tempfile.mkdtemp(prefix="amauta-bench-")), lang="es", place="clinic")
    return open_tutor(settings, Library.open(settings))


def ask_all(tutor: Tutor, half: str = HELD) -> list[Outcome]:
    """Ask every question."""
    outcomes = []
    for name, rows in tomllib.loads((DATA / f"{half}.toml").read_text(encoding="utf-8")).items():
        for lang, questions in rows.items():
            for question in questions:
                reply = [event for event in tutor.answer(question, lang=lang) if isinstance(event, Reply)][-1]
                lesson = reply.sources[0].lesson if reply.sources else ""
                outcomes.append(Outcome(question, lang, _lesson(name, lang), reply.mode, lesson))
    return outcomes


def _lesson(name: str, lang: str) -> str:
    if name == NOTHING:
        return ""
    if lang == "es":
        return f"{PACKS[lang]}/2-salud-{name}"
    return f"{PACKS[lang]}/2-saude-{IN_PORTUGUESE[name]}"


def counts(outcomes: list[Outcome]) -> dict[str, tuple[int, int]]:
    """Return how many of how many: right pack, right text, rightly nothing."""
    answerable = [one for one in outcomes if one.wanted]
    others = [one for one in outcomes if not one.wanted]
    return {
        "right pack": (sum(one.right_pack for one in answerable), len(answerable)),
        "right text": (sum(one.good for one in answerable), len(answerable)),
        "rightly nothing": (sum(one.good for one in others), len(others)),
    }


def run() -> str:
    """Return the table."""
    outcomes = ask_all(tutor_at_a_post())
    found = {lang: counts([one for one in outcomes if one.lang == lang]) for lang in PACKS}
    lines = ["| | Spanish | Portuguese |", "|---|---|---|"]
    for name in found["es"]:
        cells = [f"{found[lang][name][0]} of {found[lang][name][1]}" for lang in PACKS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)

"""What to do for this patient: the most urgent first, each with its source and that approval is pending."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from edge.triage.parts import in_language
from tui import wishes
from tui.clinic.told import Line, approval_line, finding_lines, read_aloud
from tui.screens.lesson import Pages
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar

if TYPE_CHECKING:
    from tui.clinic.visit import Walk

STYLES = {
    "emergency": "bold reverse $error",
    "urgent": "bold $error",
    "soon": "bold $secondary",
    "home": "bold $success",
    "title": "bold",
    "dose": "bold $primary",
    "quiet": "$muted",
    "pending": "bold $secondary",
}


class Findings(Pages):
    """What was found; that the arrows scroll it needs no room among the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("up", "scroll_up", "scroll", show=False)]


class ResultScreen(Screen[None]):
    """All that was found of this patient, to scroll through."""

    AUTO_FOCUS: ClassVar[str] = "Pages"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "problem", "other"),
        Binding("escape", "step_back", "back"),
        Binding("f4", "source", "source"),
        Binding("f5", "speak", "speak"),
        Binding("f8", "patient", "patient"),
        Binding("g", "keep", "save"),
    ]

    def __init__(self, services: Services, walk: Walk | None = None) -> None:
        super().__init__(name="clinic-result")
        self.services = services
        self.walk = walk
        """The way that led here, to step back on it; none where the result was opened again."""

    def compose(self) -> ComposeResult:
        """One page."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("clinic.result"), learner.name if learner else "")
        pending = [finding.table for finding in self.services.desk.visit.findings if finding.table.approval is None]
        if pending:
            yield Static(approval_line(pending[0], words)[1], classes="approval", markup=False)
        with Findings(classes="page"):
            yield from shown(self._lines())
        yield KeyBar(words)

    def _lines(self) -> list[Line]:
        words = self.services.words
        findings = self.services.desk.visit.most_urgent_first()
        lines: list[Line] = []
        for number, finding in enumerate(findings, 1):
            if len(findings) > 1:
                title = in_language(finding.table.title, words.lang)
                heading = words.say("clinic.problem", number=number, total=len(findings), title=title)
                lines += [("gap", "")] if lines else []
                lines.append(("quiet", heading))
            before = {text for kind, text in lines if kind == "dose"}
            for kind, text in finding_lines(finding, words):
                again = words.say("clinic.repeated") if kind == "dose" and text in before else ""
                lines.append((kind, f"{text}{again}"))
        return lines

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what works now."""
        if action == "speak":
            silent = read_aloud(self.services.desk.visit.most_urgent_first(), self.services.words)[1] is None
            return self.services.settings.sound and not silent and not getattr(self.app, "speaking", False)
        return True

    def action_problem(self) -> None:
        """Go to the list of problems, with this patient."""
        self.app.pop_screen()

    def action_patient(self) -> None:
        """Forget this patient and go to the list."""
        self.services.desk.new_patient()
        self.app.pop_screen()

    def action_keep(self) -> None:
        """Keep this visit in the records, or show the one that is being kept."""
        from tui.clinic.keeping import keep
        from tui.screens.clinic_dialogue import DialogueScreen

        self.app.push_screen(DialogueScreen(self.services, keep(self.services)), self._kept)

    def _kept(self, result: str | None) -> None:
        """Go to the list of problems where that was wanted, or where this patient is done with."""
        if result or not self.services.desk.visit.findings:
            self.app.pop_screen()

    def action_step_back(self) -> None:
        """Silence the voice; else go back to the last question, to answer it otherwise."""
        from tui.screens.clinic_question import QuestionScreen

        if getattr(self.app, "speaking", False):
            self.app.call_later(self.app.run_action, "hush")
        elif self.walk is not None and self.walk.back():
            self.app.switch_screen(QuestionScreen(self.services, self.walk))
        else:
            self.app.pop_screen()

    def action_source(self) -> None:
        """Open the rows that held, and the guidelines they come from."""
        from tui.screens.clinic_source import RowScreen

        findings = self.services.desk.visit.most_urgent_first()
        self.app.push_screen(RowScreen(self.services, [(one.table, one.decision) for one in findings]))

    def action_speak(self) -> None:
        """Read aloud what to do, the most urgent first."""
        from edge.speech.plain import sentences

        text, lang = read_aloud(self.services.desk.visit.most_urgent_first(), self.services.words)
        self.post_message(wishes.SpeechWanted(sentences(text), lang=lang or ""))


def shown(lines: list[Line]) -> list[Static]:
    """Return lines as they stand on a page; steps and doses hang under their number."""
    return [Static(Content.styled(text, STYLES.get(kind, "")), classes=f"told {kind}") for kind, text in lines]

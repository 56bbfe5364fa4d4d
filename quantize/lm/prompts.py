"""The conversations the model is taught: the same words that the tutor uses on a device."""

from __future__ import annotations

from dataclasses import dataclass

from edge.tutor import prompt
from edge.tutor.engine import Message
from edge.words import words_for

Lang = str

NOT_SAID = {"es": "El texto no lo dice.", "pt": "O texto não diz."}
STORY = {"es": "Cuenta un cuento: {title}", "pt": "Conte uma história: {title}"}
HINT = {"es": "Da una pista para este ejercicio: {prompt}", "pt": "Dê uma dica para este exercício: {prompt}"}
REPHRASE = {"es": "Dilo con otras palabras: {text}", "pt": "Diga com outras palavras: {text}"}


@dataclass(frozen=True, slots=True)
class Example:
    """One exchange: what is said to the model, and what it should answer."""

    kind: str
    lang: Lang
    system: str
    user: str
    answer: str
    held: bool = False
    gold: tuple[str, ...] = ()
    """Shorter texts that also count as the right answer, for evaluation."""

    passage: str = ""

    def messages(self) -> list[Message]:
        """Return what is said to the model, without the answer."""
        return [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}]


def grounded(
    kind: str,
    lang: Lang,
    passage: str,
    question: str,
    answer: str,
    held: bool = False,
    gold: tuple[str, ...] = (),
) -> Example:
    """Ask about a passage; the right answer is in it."""
    system, user = (message["content"] for message in prompt.grounded(question, [passage], lang))
    return Example(kind, lang, system, user, answer, held, gold, passage)


def unguided(kind: str, lang: Lang, request: str, answer: str, held: bool = False) -> Example:
    """Ask without any passage."""
    return Example(kind, lang, words_for("edge", lang).say("models.system"), request, answer, held, (answer,))

"""The messages a language model gets: a system line, a text, the question.

Pure. The text is a few passages, or the whole lesson where one is talked about: then everybody's conversation about
it begins with the same words, which are read once, and what was asked before stands between. The models trained by
`quantize` learn exactly this shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.library.index import passages_of
from edge.tutor.engine import Message

SYSTEM = {
    "es": "Eres Amauta. Responde en pocas palabras y solo con lo que dice el texto.",
    "pt": "Você é Amauta. Responda em poucas palavras e só com o que diz o texto.",
    "en": "You are Amauta. Answer in a few words and only with what the text says.",
}
TEXT = {"es": "Texto", "pt": "Texto", "en": "Text"}
QUESTION = {"es": "Pregunta", "pt": "Pergunta", "en": "Question"}

LETTERS_A_TOKEN = 3
"""Cautious: in Spanish and Portuguese a token has nearer to four."""

FRAME_TOKENS = 64
"""The system line and the marks between messages."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked before in this conversation, and what was answered."""

    question: str
    answer: str


def lesson_text(markdown: str) -> str:
    """Return what a lesson says as its passages say it."""
    return "\n".join(passages_of(markdown))


def grounded(question: str, passages: Sequence[str], lang: str) -> list[Message]:
    """Ask a model to answer from these passages only."""
    text = "\n".join(passages)
    content = f"{_text(text, lang)}{_question(question, lang)}"
    return [_system(lang), {"role": "user", "content": content}]


def about_lesson(question: str, lesson: str, before: Sequence[Turn], lang: str) -> list[Message]:
    """Ask a model to answer from a whole lesson, after what was asked about it before."""
    text = _text(lesson, lang)
    first, *later = [_question(asked, lang) for asked in (*(turn.question for turn in before), question)]
    messages: list[Message] = [_system(lang), {"role": "user", "content": f"{text}{first}", "stable": len(text)}]
    for turn, asked in zip(before, later, strict=True):
        messages += [{"role": "assistant", "content": turn.answer}, {"role": "user", "content": asked}]
    return messages


def fits(question: str, lesson: str, room_tokens: int, answer_tokens: int) -> bool:
    """Tell whether a lesson surely leaves room for a question about it and its answer."""
    return len(lesson) + len(question) <= (room_tokens - answer_tokens - FRAME_TOKENS) * LETTERS_A_TOKEN


def _system(lang: str) -> Message:
    return {"role": "system", "content": SYSTEM.get(lang, SYSTEM["es"])}


def _text(text: str, lang: str) -> str:
    return f"{_label(TEXT, lang)}: {text}\n"


def _question(question: str, lang: str) -> str:
    return f"{_label(QUESTION, lang)}: {question}"


def _label(labels: dict[str, str], lang: str) -> str:
    return labels.get(lang, labels["es"])

"""The messages a language model gets: a system line, the passages, the question.

Pure. The models trained by `quantize` learn exactly this shape.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.tutor.engine import Message

SYSTEM = {
    "es": "Eres Amauta. Responde en pocas palabras y solo con lo que dice el texto.",
    "pt": "Você é Amauta. Responda em poucas palavras e só com o que diz o texto.",
    "en": "You are Amauta. Answer in a few words and only with what the text says.",
}
TEXT = {"es": "Texto", "pt": "Texto", "en": "Text"}
QUESTION = {"es": "Pregunta", "pt": "Pergunta", "en": "Question"}


def grounded(question: str, passages: Sequence[str], lang: str) -> list[Message]:
    """Ask a model to answer from these passages only."""
    text = "\n".join(passages)
    return [
        {"role": "system", "content": SYSTEM.get(lang, SYSTEM["es"])},
        {"role": "user", "content": f"{TEXT.get(lang, 'Texto')}: {text}\n{QUESTION.get(lang, 'Pregunta')}: {question}"},
    ]

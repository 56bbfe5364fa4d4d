"""What lesson a pupil means who names a topic and asks nothing: *fracciones*, *háblame de los volcanes*.

Pure. An opening that says nothing about the topic is left out; a lesson is meant when its title holds every word that remains.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.library.library import LessonRow
from edge.library.question import Question
from edge.library.terms import Term, content_terms, fold

SIGNS = "¿?¡!.,;:«»\"'()"
MOST_LESSONS = 3

LIKE = 8
"""Letters of a stem, with the two of its language, that say enough where only the ending differs."""

_OPENINGS = {
    "es": """
        explica, explicame, explique, me explicas, me puedes explicar, puedes explicarme, podrias explicarme,
        habla de, hablame de, hablame sobre, cuentame de, cuentame sobre, cuentame, enseñame, enseñame sobre,
        quiero saber, quiero saber de, quiero saber sobre, quiero aprender, quiero aprender a, quiero aprender de,
        quiero aprender sobre, necesito aprender, necesito saber, necesito ayuda con, ayudame con, ayudame a entender,
        no entiendo, no entiendo lo de, tengo tarea de, tengo tarea sobre, tengo una tarea de, tengo una tarea sobre,
        mi tarea es de, mi tarea es sobre, la tarea es de, la tarea es sobre, tarea de, tarea sobre, el tema de, tema de,
        leccion de, leccion sobre, la leccion de, una leccion de, una leccion sobre, informacion de, informacion sobre,
        resumen de, un resumen de, que sabes de, que sabes sobre, dime, dime sobre, me dices, por favor, porfa,
        profe, profesora, profesor, maestra, maestro, amauta, oye, oiga, hola""",
    "pt": """
        explica, explique, me explica, me explique, pode me explicar, voce pode me explicar, voce pode explicar,
        fala de, fala sobre, fale de, fale sobre, me fala de, me fala sobre, me fale de, me fale sobre,
        conta sobre, conte sobre, me conta sobre, me conte sobre, me ensina, me ensine, me ensina sobre, ensina sobre,
        quero saber, quero saber de, quero saber sobre, quero aprender, quero aprender a, quero aprender sobre,
        preciso aprender, preciso saber, preciso de ajuda com, me ajuda com, me ajude com, me ajuda a entender,
        nao entendo, nao entendi, tenho tarefa de, tenho tarefa sobre, tenho licao de, tenho licao sobre,
        tenho uma tarefa de, tenho uma tarefa sobre, minha tarefa e de, minha tarefa e sobre, a tarefa e sobre,
        tarefa de, tarefa sobre, o tema, tema, licao de, licao sobre, a licao de, uma licao de, uma licao sobre,
        informacao sobre, informacoes sobre, resumo de, resumo sobre, um resumo de, o que voce sabe de,
        o que voce sabe sobre, diga, me diga, por favor, profe, professora, professor, amauta, oi, ola""",
}  # fmt: skip
OPENINGS = {lang: frozenset(tuple(opening.split()) for opening in text.split(",")) for lang, text in _OPENINGS.items()}
"""What pupils say before they come to the point, word by word, without accents."""

LONGEST = max(len(opening) for openings in OPENINGS.values() for opening in openings)


def without_opening(question: str, lang: str) -> str:
    """Return what a question is about, without the openings it begins with; what is nothing else stays as it is.

    >>> without_opening("Profe, ¿me puedes explicar las fracciones?", "es")
    'las fracciones?'
    """
    words = question.split()
    plain = [fold(word).strip(SIGNS) for word in words]
    openings = OPENINGS.get(lang, frozenset[tuple[str, ...]]())
    start = 0
    while size := next((n for n in range(LONGEST, 0, -1) if tuple(plain[start : start + n]) in openings), 0):
        start += size
    return " ".join(words[start:]) if any(plain[start:]) else question


def lessons_about(asked: Question, lessons: Sequence[LessonRow]) -> list[LessonRow]:
    """Return the lessons whose title holds every word of a question that carries meaning, those that say the least else first."""
    wanted = [word.term for word in asked.words]
    if not wanted:
        return []
    titles = [(content_terms(lesson.title, lesson.lang), lesson) for lesson in lessons]
    fitting = [
        (len(title), lesson.grade, lesson.id, lesson)
        for title, lesson in titles
        if all(any(_alike(term, other) for other in title) for term in wanted)
    ]
    return [lesson for *_, lesson in sorted(fitting, key=lambda found: found[:3])][:MOST_LESSONS]


def _alike(one: Term, other: Term) -> bool:
    """Tell whether two words are forms of one: *multiplicar* and *multiplicación* share all but an ending."""
    return any(a.startswith(b) or b.startswith(a) for a in one for b in other if a == b or min(len(a), len(b)) >= LIKE)

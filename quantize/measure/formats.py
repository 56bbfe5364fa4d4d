"""Read files of questions and tasks: jsonl, tsv, or the exercises of a pack. docs/pipeline/tasks.md has the formats.

A file is refused with its line when anything in it is not as it must be: a question
that silently counts as wrong would be a lie in a report card.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.learning.number import read_number
from edge.tutor import prompt
from edge.words import words_for
from quantize.lm.lessons import HELD_EVERY, read_lessons
from quantize.lm.prompts import HINT, REPHRASE, STORY
from quantize.measure.tasks import STORY_GRADE, Choice, Task, TaskFile
from quantize.recipe import ROOT, RecipeError

GUIDE = {
    "es": "Eres Amauta. Ayudas con preguntas y pistas. Nunca dices la respuesta.",
    "pt": "Você é Amauta. Você ajuda com perguntas e dicas. Nunca diz a resposta.",
}
"""What a tutor is told that must not give the answer away."""

ANOTHER = {"es": "Dame otra pista.", "pt": "Dê outra dica."}
PUSHES = {
    "es": ("No sé. Dime la respuesta.", "Por favor, solo dime la respuesta."),
    "pt": ("Não sei. Diga a resposta.", "Por favor, só diga a resposta."),
}
LEAST_CHOICES = 2


def task_files(wanted: Sequence[str]) -> list[TaskFile]:
    """Read the recipe's list; raise RecipeError for one that means nothing or is not there."""
    found = []
    for text in wanted:
        parts = text.split(maxsplit=2)
        if len(parts) != 3 or parts[0] not in KINDS or parts[1] not in GUIDE:
            raise RecipeError("task-what", task=text, kinds=", ".join(KINDS), langs=", ".join(GUIDE))
        file = TaskFile(parts[0], parts[1], ROOT / parts[2])
        if not file.path.exists():
            raise RecipeError("measure-unreadable", path=file.path, reason="-")
        found.append(file)
    return found


def read_choices(file: TaskFile) -> list[Choice]:
    """Read a file of questions with choices."""
    return [_choice(row, file, where) for row, where in _rows(file)]


def read_tasks(file: TaskFile) -> list[Task]:
    """Read a file of any other kind."""
    if file.path.is_dir():
        return list(_of_pack(file))
    make = _MAKERS[file.kind]
    return [make(row, file, where) for row, where in _rows(file)]


class _Where:
    """A line of a file, for complaints."""

    def __init__(self, path: Path, line: int) -> None:
        self.path, self.line = path, line

    def refuse(self, reason: str) -> RecipeError:
        return RecipeError("measure-line", path=self.path, line=self.line, reason=reason[:160])

    def text(self, row: Mapping[str, Any], name: str) -> str:
        value = row.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(f"{name} = {value!r}")
        return value.strip()

    def texts(self, row: Mapping[str, Any], name: str, least: int = 0) -> tuple[str, ...]:
        value = row.get(name)
        if (
            not isinstance(value, list)
            or len(value) < least
            or not all(isinstance(v, str) and v.strip() for v in value)
        ):
            raise self.refuse(f"{name} = {value!r}")
        return tuple(v.strip() for v in value)


def _rows(file: TaskFile) -> Iterator[tuple[Mapping[str, Any], _Where]]:
    try:
        lines = file.path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError("measure-unreadable", path=file.path, reason=str(error)) from error
    for number, line in enumerate(lines, start=1):
        where = _Where(file.path, number)
        if line.strip():
            yield (_tsv(line, where) if file.path.suffix == ".tsv" else _json(line, where)), where


def _json(line: str, where: _Where) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise where.refuse(str(error)) from error
    if not isinstance(row, dict):
        raise where.refuse(line)
    return row


def _tsv(line: str, where: _Where) -> Mapping[str, Any]:
    question, tab, answer = line.rpartition("\t")
    if not tab:
        raise where.refuse(line)
    return {"question": question, "answer": answer}


def _id(row: Mapping[str, Any], where: _Where) -> str:
    return str(row.get("id", f"{where.path.stem}:{where.line}"))


def _choice(row: Mapping[str, Any], file: TaskFile, where: _Where) -> Choice:
    question, choices, answer = row.get("question"), row.get("choices"), row.get("answer")
    if isinstance(question, dict):  # the format of ARC and EXAMS: labels, and the key of the right one
        try:
            labels = [choice["label"] for choice in question["choices"]]
            choices = [choice["text"] for choice in question["choices"]]
            answer = labels.index(row["answerKey"])
        except (KeyError, TypeError, ValueError) as error:
            raise where.refuse(f"answerKey = {row.get('answerKey')!r}") from error
        question = question.get("stem")
    texts = where.texts({"choices": choices}, "choices", LEAST_CHOICES)
    if type(answer) is not int or not 0 <= answer < len(texts):
        raise where.refuse(f"answer = {answer!r}")
    return Choice(_id(row, where), file.lang, where.text({"question": question}, "question"), texts, answer)


def _arithmetic(row: Mapping[str, Any], file: TaskFile, where: _Where) -> Task:
    answer = where.text(row, "answer")
    if read_number(answer) is None:
        raise where.refuse(f"answer = {answer!r}")
    return _task(row, file, where, where.text(row, "question"), golds=(answer,))


def _grounded(row: Mapping[str, Any], file: TaskFile, where: _Where) -> Task:
    passage, question = where.text(row, "passage"), where.text(row, "question")
    golds = where.texts(row, "answers")
    if absent := [gold for gold in golds if gold not in passage]:
        raise where.refuse(f"answers: {absent[0]!r}")
    system, user = (message["content"] for message in prompt.grounded(question, [passage], file.lang))
    return Task(_id(row, where), file.kind, file.lang, system, user, golds, passage)


def _free(row: Mapping[str, Any], file: TaskFile, where: _Where) -> Task:
    return _task(row, file, where, where.text(row, "question"), golds=where.texts(row, "answers", 1))


def _rephrase(row: Mapping[str, Any], file: TaskFile, where: _Where) -> Task:
    text = where.text(row, "text")
    return _task(row, file, where, REPHRASE[file.lang].format(text=text), passage=text)


def _story(row: Mapping[str, Any], file: TaskFile, where: _Where) -> Task:
    grade = row.get("grade", STORY_GRADE)
    if type(grade) is not int or not 1 <= grade <= 12:
        raise where.refuse(f"grade = {grade!r}")
    return _task(row, file, where, STORY[file.lang].format(title=where.text(row, "title")), grade=grade)


def _hint(row: Mapping[str, Any], file: TaskFile, where: _Where) -> Task:
    golds = where.texts(row, "hints") if "hints" in row else ()
    return _hinting(_id(row, where), file, where.text(row, "exercise"), where.text(row, "answer"), golds)


def _hinting(name: str, file: TaskFile, exercise: str, answer: str, golds: tuple[str, ...]) -> Task:
    system, user = words_for("edge", file.lang).say("models.system"), HINT[file.lang].format(prompt=exercise)
    return Task(name, file.kind, file.lang, system, user, golds, exercise, (ANOTHER[file.lang],), answer)


def _socratic(row: Mapping[str, Any], file: TaskFile, where: _Where) -> Task:
    pushes = where.texts(row, "pushes") if "pushes" in row else PUSHES[file.lang]
    exercise, answer = where.text(row, "exercise"), where.text(row, "answer")
    return Task(_id(row, where), file.kind, file.lang, GUIDE[file.lang], exercise, (), exercise, pushes, answer)


def _task(
    row: Mapping[str, Any],
    file: TaskFile,
    where: _Where,
    user: str,
    golds: tuple[str, ...] = (),
    passage: str = "",
    grade: int = STORY_GRADE,
) -> Task:
    system = words_for("edge", file.lang).say("models.system")
    return Task(_id(row, where), file.kind, file.lang, system, user, golds, passage, grade=grade)


def _of_pack(file: TaskFile) -> Iterator[Task]:
    """Yield the exercises of a pack whose hints were held out of training (`quantize.lm.lessons`)."""
    if file.kind not in ("hint", "socratic"):
        raise RecipeError("task-what", task=str(file.path), kinds="hint, socratic", langs=file.lang)
    for lesson in read_lessons([file.path]):
        for number, item in enumerate(lesson.items):
            if number % HELD_EVERY != HELD_EVERY // 2 or lesson.lang != file.lang:
                continue
            answer = next((option.text for option in item.options if option.right), "") or item.keys[0]
            if file.kind == "hint":
                yield _hinting(item.id, file, item.prompt, answer, item.hints)
            else:
                yield Task(
                    item.id, file.kind, file.lang, GUIDE[file.lang], item.prompt, (), item.prompt,
                    PUSHES[file.lang], answer,
                )  # fmt: skip


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], TaskFile, _Where], Task]] = {
    "arithmetic": _arithmetic,
    "grounded_answer": _grounded,
    "free_chat": _free,
    "rephrase": _rephrase,
    "story": _story,
    "hint": _hint,
    "socratic": _socratic,
}
KINDS = ("choice", *_MAKERS)
"""What a file may hold, named after the capability that its results open where there is one."""

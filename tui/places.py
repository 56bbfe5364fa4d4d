"""The parts of the line mode beyond asking: lessons, practice, progress, people, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.learning.exercise import SKILLS, title
from edge.learning.grade import LETTERS
from edge.learning.mastery import lesson_mastery
from edge.speech.plain import plain
from edge.words import words_for
from tui.drill import Drill, LessonSource, Outcome, Source, SumSource
from tui.extra import Extras
from tui.lines import Lines, same_word
from tui.passage import split_at
from tui.plain_extra import asks_for_source, model_hint, one_more, show_passage
from tui.services import Services
from tui.values import changed, shown

if TYPE_CHECKING:
    from edge.library.library import LessonRow
    from edge.tutor.coach import LastHint


def lessons(services: Services, lines: Lines) -> None:
    """Choose a lesson and read it."""
    rows = services.lessons()
    chosen = lines.pick([_lesson_line(row, services) for row in rows], services.words)
    if chosen is None:
        return
    read_lesson(services, lines, rows[chosen].id)
    if rows[chosen].item_count:
        given = lines.ask(services.words.say("plain.practise_it"))
        if same_word(given, services.words.say("plain.yes_word")):
            _drill(services, lines, LessonSource(services.library().lesson(rows[chosen].id)))


def _lesson_line(row: LessonRow, services: Services) -> str:
    subject = services.words.say(f"subjects.{row.subject}")
    return services.words.say("plain.lesson_line", title=row.title, subject=subject, grade=row.grade)


def read_lesson(services: Services, lines: Lines, lesson_id: str, passage: str = "") -> None:
    """Write a lesson as plain lines; with a passage, only the paragraph it stands in."""
    words = services.words
    lesson = services.library().lesson(lesson_id)
    lines.say()
    lines.say(lesson.title)
    parts = split_at(lesson.text, passage)
    if parts.cited:
        lines.say(f"{words.say('lesson.cited' if parts.exact else 'lesson.near')}:")
        lines.say(plain(parts.cited))
        return
    lines.say(plain(lesson.text))
    lines.say(words.say("lesson.checked", sources="; ".join(lesson.sources)))


def practise(services: Services, lines: Lines) -> None:
    """Choose sums or a lesson, and do a round."""
    rows = [row for row in services.lessons() if row.item_count]
    names = [title(skill, services.lang) for skill in SKILLS] + [_lesson_line(row, services) for row in rows]
    chosen = lines.pick(names, services.words)
    if chosen is None:
        return
    if chosen < len(SKILLS):
        _drill(services, lines, SumSource(SKILLS[chosen], services.lang))
    else:
        _drill(services, lines, LessonSource(services.library().lesson(rows[chosen - len(SKILLS)].id)))


def _drill(services: Services, lines: Lines, source: Source) -> None:
    learner = services.learner.id if services.learner else ""
    drill = Drill(source, services.store(), learner, random=services.random, now=services.now)
    extras = Extras(services, source)
    extras.look()
    words = services.words
    while _ask_item(drill, extras, services, lines):
        if drill.finished:
            key = "exercise.score_one" if drill.total == 1 else "exercise.score"
            lines.say(words.say("exercise.done"))
            lines.say(words.say(key, total=drill.total, right=drill.right_first))
            if not drill.source.counts:
                lines.say(words.say("extra.not_counted"))
            if (more := one_more(extras, drill, services, lines)) is None:
                return
            drill = more
        elif same_word(lines.ask(words.say("plain.go_on")), words.say("plain.back_word")):
            return
        else:
            drill.go_on()


def _ask_item(drill: Drill, extras: Extras, services: Services, lines: Lines) -> bool:
    """Ask one item until it is done; False when the learner goes back."""
    words = services.words
    cited = drill.extra.source if drill.extra else None
    _show_item(drill, services, lines)
    while not drill.done:
        given = lines.ask(words.say("plain.answer"))
        if not given:
            return False
        if same_word(given, words.say("plain.hint_word")):
            hint = _show_hint(drill, extras, services, lines)
            cited = hint.source if hint else cited
        elif cited and asks_for_source(given, drill, services):
            read_lesson(services, lines, cited.lesson, cited.passage)
        else:
            _show_outcome(drill.answer(given), services, lines)
    return True


def _show_item(drill: Drill, services: Services, lines: Lines) -> None:
    lines.say()
    if drill.extra:
        show_passage(drill, services, lines)
    else:
        lines.say(services.words.say("exercise.place", number=drill.number, total=drill.total))
    lines.say(drill.item.prompt)
    for letter, option in zip(LETTERS, drill.item.options, strict=False):
        lines.say(f"  {letter}) {option.text}")


def _show_hint(drill: Drill, extras: Extras, services: Services, lines: Lines) -> LastHint | None:
    """Show one more hint; return it where it is the model's, after those of the lesson."""
    if extras.has_hint(drill):
        return model_hint(extras, drill, services, lines)
    hint, words = drill.hint(), services.words
    if hint is None:
        lines.say(words.say("exercise.no_hint"))
    else:
        total = len(drill.item.hints)
        lines.say(words.say("exercise.hint", number=drill.hints_shown, total=total, hint=hint))
    return None


def _show_outcome(outcome: Outcome, services: Services, lines: Lines) -> None:
    for line in verdict(outcome, services):
        lines.say(line)


def verdict(outcome: Outcome, services: Services) -> list[str]:
    """Say whether it was right, what was wrong with it, and why the right answer is right."""
    words, mark = services.words, outcome.mark
    if mark.right:
        said = [words.say("exercise.right" if outcome.first else "exercise.right_late")]
    else:
        said = [words.say("exercise.wrong_last" if outcome.final else "exercise.wrong")]
    if mark.feedback:
        said.append(mark.feedback)
    if mark.note and (outcome.final or mark.note == "number"):
        note = words_for("edge", services.lang).say(f"mark.note.{mark.note}", answer=mark.answer)
        said.append(note)
    if outcome.final:
        if not mark.right:
            said.append(words.say("exercise.solution", answer=mark.answer))
        said.append(mark.because)
    return said


def progress(services: Services, lines: Lines) -> None:
    """Say how far the learner is in each lesson."""
    words, learner = services.words, services.learner
    rows = services.store().progress(learner.id) if learner else []
    if not rows:
        lines.say(words.say("progress.empty_plain"))
        return
    known = {row.id: row for row in services.library().lessons()}
    made = services.attempts()
    for row in rows:
        lesson = known.get(row.lesson)
        mine = [attempt for attempt in made if attempt.lesson == row.lesson]
        percent = round(100 * lesson_mastery(mine, lesson.item_count if lesson else 0))
        name = lesson.title if lesson else practice_name(row.lesson, services)
        tries = words.say("progress.tries", right=row.right, attempts=row.attempts)
        lines.say(f"{name}: {words.say('practise.known', percent=percent)}, {tries}")


def practice_name(lesson: str, services: Services) -> str:
    """Return what to call practice that is not in the library."""
    for skill in SKILLS:
        if lesson.startswith(f"exercise/{skill}-"):
            level = services.words.say("practise.level", level=lesson.rpartition("-")[2])
            return f"{title(skill, services.lang)}, {level}"
    return services.words.say("progress.unknown")


def change_learner(services: Services, lines: Lines) -> None:
    """Choose who learns, or add someone."""
    words = services.words
    learners = services.store().learners()
    names = [learner.name for learner in learners]
    chosen = lines.pick([*names, words.say("who.new")], words)
    if chosen is None:
        return
    if chosen < len(learners):
        services.choose_learner(learners[chosen])
    elif name := lines.ask(f"{words.say('who.name_hint')}: "):
        services.add_learner(name)
    if services.learner:
        lines.say(words.say("plain.welcome", name=services.learner.name))


def change_settings(services: Services, lines: Lines) -> None:
    """Change settings one by one; each is kept at once."""
    while True:
        words = services.words
        values = shown(services.settings, words)
        names = list(values)
        chosen = lines.pick([f"{words.say(f'settings.{n}')}: {values[n]}" for n in names], words)
        if chosen is None:
            return
        services.change(changed(services.settings, names[chosen], 1))
        words = services.words
        value = shown(services.settings, words)[names[chosen]]
        lines.say(words.say("plain.changed", name=words.say(f"settings.{names[chosen]}"), value=value))


def update(services: Services, lines: Lines) -> None:
    """Install what a stick brings, saying ten times how far it is."""
    words, offer = services.words, services.updates.offer
    if offer is None:
        return
    lines.say(words.say("updating.safe"))
    said = -1

    def moved(done: int, total: int) -> None:
        nonlocal said
        tenth = 10 * done // max(total, 1)
        if tenth > said:
            said = tenth
            lines.say(f"{10 * tenth} %")

    done = services.updates.install(offer, moved)
    lines.say(words.say("updating.done_plain", number=done.number))

"""Handing over in lines: the same states, sticks and decisions as on the screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from edge.drives import Drive
from edge.errors import EdgeError
from edge.learning.learner import Learner
from tui import deeds, places
from tui.handing import Sight
from tui.handing_words import about_lines, delivered_lines, head_lines, marks_of, state_lines
from tui.lines import Lines, same_word
from tui.plain_near import receive, send, upload
from tui.services import Services


def hand_over(services: Services, lines: Lines) -> None:
    """Say how far everything is, and do what is chosen until the person goes back."""
    while True:
        services.handing.look()
        options = _options(services, lines, _show(services, lines))
        chosen = lines.pick([name for name, _ in options], services.words)
        if chosen is None:
            return
        try:
            options[chosen][1]()
        except EdgeError as error:
            lines.say(error.say(services.lang))


def _show(services: Services, lines: Lines) -> Sight | None:
    """Say how far everything is, and return it."""
    lines.say()
    words = services.words
    try:
        sight = services.handing.sight()
        about = about_lines(services, sight)
    except EdgeError as error:
        lines.say(error.say(services.lang))
        return None
    for line in (*head_lines(words, sight), *state_lines(words, sight), *about):
        lines.say(line)
    return sight


def _options(services: Services, lines: Lines, sight: Sight | None) -> list[tuple[str, Callable[[], None]]]:
    """Return what can be done now, each with the deed."""
    words, handing = services.words, services.handing
    found: list[tuple[str, Callable[[], None]]] = []
    for drive in handing.drives:
        if handing.delivers:
            name = words.say("plain.deliver", name=", ".join([drive.name, *marks_of(words, drive)]))
            found.append((name, partial(_deliver, services, lines, drive)))
        elif given := drive.enrolment:
            name = words.say("handing.enrol_stick", name=drive.name)
            found.append((name, partial(_enrol_with, services, lines, given)))
    if handing.delivers and not handing.drives:
        lines.say(words.say("handing.no_stick"))
    if offer := services.updates.offer:
        name = words.say("handing.update", number=offer.contents.number)
        found.append((name, partial(places.update, services, lines)))
    ways = {
        "upload": upload,
        "send": send,
        "receive": receive,
        "chats": _chats,
        "people": _people,
        "enrol": _enrol,
        "renew": _renew,
    }
    for deed in (*deeds.by_network(services, sight), *deeds.offered(services)):
        found.append((deeds.label(services, deed), partial(ways[deed], services, lines)))
    return found


def _deliver(services: Services, lines: Lines, drive: Drive) -> None:
    words = services.words
    done = services.handing.deliver(drive, lambda step: lines.say(words.say(f"handing.step.{step}").capitalize()))
    for line in delivered_lines(services, drive, done):
        lines.say(line)


def _confirmed(services: Services, lines: Lines, question: str, about: str, word: str) -> bool:
    """Ask for a word to be typed; Enter alone goes back."""
    lines.say(question)
    lines.say(about)
    while given := lines.ask(f"{services.words.say('confirm.type', word=word)}: "):
        if same_word(given, word):
            return True
        lines.say(services.words.say("confirm.different", word=word))
    return False


def _confirmed_deed(services: Services, lines: Lines, deed: str) -> bool:
    words = services.words
    return _confirmed(services, lines, *(words.say(f"confirm.{deed}{part}") for part in ("", "_about", "_word")))


def _chats(services: Services, lines: Lines) -> None:
    allowed = not services.settings.share_turns
    if not allowed or _confirmed_deed(services, lines, "chats"):
        lines.say(deeds.allow_chats(services, allowed=allowed))


def _renew(services: Services, lines: Lines) -> None:
    if _confirmed_deed(services, lines, "renew"):
        lines.say(deeds.renew(services))


def _enrol(services: Services, lines: Lines) -> None:
    """Take a stick, a path or the text of a QR code."""
    words = services.words
    bringing = [drive for drive in services.handing.drives if drive.enrolment]
    lines.say(words.say("enrolling.about"))
    for number, drive in enumerate(bringing, 1):
        lines.say(f"{number:>3}. {words.say('enrolling.stick', name=drive.name)}")
    given: str | Path | None = lines.ask(f"{words.say('enrolling.hint')}: ")
    if isinstance(given, str) and given.isdecimal() and 0 < int(given) <= len(bringing):
        given = bringing[int(given) - 1].enrolment
    if given:
        _enrol_with(services, lines, given)


def _enrol_with(services: Services, lines: Lines, given: str | Path) -> None:
    lines.say(deeds.enrol(services, given))


def _people(services: Services, lines: Lines) -> None:
    """Choose a person, then a copy or the end."""
    words = services.words
    learners = services.store().learners()
    lines.say(words.say("person.choose" if learners else "person.nobody"))
    chosen = lines.pick([learner.name for learner in learners], words) if learners else None
    if chosen is not None:
        _person(services, lines, learners[chosen])


def _person(services: Services, lines: Lines, learner: Learner) -> None:
    words = services.words
    lines.say(deeds.kept_about(services, learner))
    drives = services.handing.drives
    copies = [*(words.say("person.copy_stick", name=drive.name) for drive in drives), words.say("person.copy_here")]
    chosen = lines.pick([*copies, words.say("person.erase")], words)
    if chosen is None:
        return
    if chosen < len(copies):
        lines.say(deeds.copy(services, learner, drives[chosen] if chosen < len(drives) else None))
        return
    question = words.say("confirm.erase", name=learner.name)
    if _confirmed(services, lines, question, deeds.erase_about(services, learner), learner.name):
        lines.say(deeds.erase(services, learner))

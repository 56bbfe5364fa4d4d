"""What to say of handing over, for the screen and for the line mode alike. Knows nothing of Textual."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from edge.drives import Drive
from edge.words import Words, words_for
from tui.handing import STEPS, Delivered, Sight, Step
from tui.near_words import load_lines, trouble_lines
from tui.services import Services

if TYPE_CHECKING:
    from edge.sync.handing import Taken

BAR_CELLS = 24


def head_lines(words: Words, sight: Sight | None) -> list[str]:
    """Say where this device hands over, or what the hub must give first."""
    if sight is None:
        return [words.say("handing.nowhere"), words.say("handing.ask_hub")]
    at = words.say("handing.at", school=sight.school, hub=sight.hub)
    return [at, words.say("handing.device", device=sight.device)]


def state_lines(words: Words, sight: Sight | None) -> list[str]:
    """Say how much is in each state, and what each state means."""
    if sight is None:
        return []
    core = words_for("edge", words.lang)
    return [
        f"{core.say(f'sync.state.{name}'):<13}{count:>7}   {core.say(f'sync.means.{name}')}"
        for name, count in asdict(sight.states).items()
    ]


def about_lines(services: Services, sight: Sight | None) -> list[str]:
    """Say what leaves, when the hub was last heard from, and what the staff should look after; may raise EdgeError."""
    words, carried = services.words, load_lines(services)
    if sight is None:
        return carried
    lines = [words.say("handing.with_turns" if services.settings.share_turns else "handing.attempts_only")]
    lines.append(words.say("handing.last_ack", day=sight.last_ack) if sight.last_ack else words.say("handing.no_ack"))
    if sight.waiting_weeks:
        lines.append(words.say("handing.waiting", weeks=sight.waiting_weeks))
    return [*lines, *carried]


def marks_of(words: Words, drive: Drive) -> list[str]:
    """Say what is special about a stick."""
    marks = [("brings_acks", drive.acks), ("brings_enrolment", bool(drive.enrolment)), ("locked", not drive.writable)]
    return [words.say(f"handing.{name}") for name, true in marks if true]


def bar_line(words: Words, step: Step) -> str:
    """Say how far handing over is."""
    place, steps = STEPS.index(step), len(STEPS)
    full = BAR_CELLS * place // steps
    bar = "█" * full + "░" * (BAR_CELLS - full)
    return words.say("handing.bar", bar=bar, step=place + 1, steps=steps, doing=words.say(f"handing.step.{step}"))


def delivered_lines(services: Services, drive: Drive, done: Delivered) -> list[str]:
    """Say what was handed over and taken in, and that the stick may be removed, or why it was not written to."""
    words = services.words
    lines: list[str] = []
    if done.count:
        facts = {"count": done.count, "files": done.files, "kilobytes": -(-done.bytes // 1000)}
        lines.append(words.say("handing.exported", name=drive.name, **facts))
    elif not done.trouble and not done.carried:
        lines.append(words.say("handing.nothing"))
    if done.carried:
        lines.append(words.say("carrying.carried", files=done.carried.files, there=done.carried.there))
    if done.taken:
        lines += taken_lines(services, done.taken)
    if done.others_acks:
        lines.append(words.say("carrying.acks", count=done.others_acks))
    return [*lines, done.trouble.say(services.lang) if done.trouble else words.say("handing.remove")]


def taken_lines(services: Services, taken: Taken) -> list[str]:
    """Say what a stick brought back."""
    words = services.words
    lines: list[str] = []
    if taken.acks:
        key = "handing.taken" if taken.acknowledged else "handing.taken_none"
        lines.append(words.say(key, count=taken.acknowledged))
    return [*lines, *trouble_lines(services, taken.refused, cloned=taken.cloned)]

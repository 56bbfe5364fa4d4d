"""The school's network in lines: deliver to the computer that receives, or be it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import EdgeError
from tui.lines import Lines
from tui.near_words import Received, handed_lines, receive_lines, sent_lines, step_line, wire_line
from tui.services import Services

if TYPE_CHECKING:
    from edge.sync.lan.events import Event
    from edge.sync.lan.sender import Progress
    from edge.sync.wire.sending import Progress as WireProgress

NOT_FOUND = ("near-none", "near-several", "near-address")
"""Then an address has to be typed."""


def send(services: Services, lines: Lines) -> None:
    """Ask for the six digits, for an address where it must be, and deliver."""
    words = services.words
    lines.say(words.say("sending.about", other=words.say("receiving.choice")))
    code, address = lines.ask(f"{words.say('sending.code')}: "), ""
    while code:
        try:
            _send(services, lines, code, address)
            return
        except EdgeError as error:
            lines.say(error.say(services.lang))
            if error.key in NOT_FOUND:
                address = lines.ask(f"{words.say('sending.address')}: ")
                code = code if address else ""
            else:
                code = lines.ask(f"{words.say('sending.code')}: ")


def _send(services: Services, lines: Lines, code: str, address: str) -> None:
    said = ""

    def moved(progress: Progress) -> None:
        nonlocal said
        if progress.step != said:
            said = progress.step
            lines.say(step_line(services.words, progress))

    for line in sent_lines(services, services.near.send(code, address, moved, lambda: False)):
        lines.say(line)


def upload(services: Services, lines: Lines) -> None:
    """Deliver to the hub over the internet; Ctrl+C stops, and what got through stays."""
    lines.say(services.words.say("uploading.begun"))
    last = (0, -1)

    def moved(progress: WireProgress) -> None:
        nonlocal last
        here = (progress.bundle, 10 * progress.done // max(progress.total, 1))
        if here != last:
            last = here
            lines.say(wire_line(services.words, progress))

    for line in handed_lines(services, services.near.upload(moved, lambda: False)):
        lines.say(line)


def receive(services: Services, lines: Lines) -> None:
    """Be open until Enter; who delivers is told meanwhile."""
    words = services.words
    received = Received()

    def told(event: Event) -> None:
        nonlocal received
        received = received.after(event)
        for line in receive_lines(words, event):
            lines.say(line)
        if event.code:
            lines.say(words.say("receiving.code", code=_spaced(event.code)))

    with services.near.receive(told) as courier:
        lines.say(words.say("receiving.code", code=_spaced(courier.code)))
        lines.say(words.say("receiving.about", other=words.say("sending.choice"), label=courier.label))
        found = "receiving.by_itself" if courier.announced else "receiving.typed"
        lines.say(words.say(found, addresses="   ".join(courier.addresses[:3])))
        lines.ask(words.say("receiving.stop"))
    lines.say(received.say(words, "receiving.closed"))


def _spaced(code: str) -> str:
    return f"{code[:3]} {code[3:]}"

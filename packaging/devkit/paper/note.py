"""The delivery note (acta de entrega): what was handed over, how it was tried, and who signed."""

from __future__ import annotations

from devkit.paper.facts import DeviceFacts, StickFacts, qr_text
from devkit.paper.ink import Ink
from devkit.paper.label import Paper
from edge.words import Words

SIZES = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
MARGIN, NAME_WIDTH, ROW = 18.0, 52.0, 5.6
MOST_CONTENTS = 260
"""Characters of a list; the receipt has the whole."""


def draw_note(stick: StickFacts, device: DeviceFacts, paper: Paper, words: Words) -> Ink:
    """Return one page about one stick."""
    ink = Ink(paper)
    ink.page()
    width = SIZES[paper][0] - 2 * MARGIN
    ink.qr(MARGIN + width - 32, 12, 34, qr_text(stick))
    ink.text(MARGIN, 18, words.say("paper.note.title"), 18, bold=True)
    ink.text(MARGIN, 27, stick.site or " ", 12, width=width - 40)
    ink.text(MARGIN, 34, words.say("paper.note.stick", stick=stick.stick), 11, bold=True, width=width - 40)
    y = 48.0
    y = _rows(ink, y, width, words.say("paper.note.what"), _about_stick(stick, words))
    y = _rows(ink, y, width, words.say("paper.note.contents"), _contents(stick, words))
    y = _rows(ink, y, width, words.say("paper.note.tried"), _about_device(device, words))
    y += 1 + ink.paragraph(MARGIN, y, words.say("paper.note.promise"), 8.5, width)
    _signatures(ink, y + 4, width, words)
    return ink


def _about_stick(stick: StickFacts, words: Words) -> list[tuple[str, str]]:
    say = words.say
    return [
        (say("paper.note.kind"), say(f"paper.note.{stick.kind}") if stick.kind in ("data", "image") else stick.kind),
        (say("paper.note.disk"), f"{stick.model or '-'}, {stick.size}"),
        (say("paper.note.serial"), stick.serial or "-"),
        (say("paper.note.volume"), stick.volume or stick.source),
        (say("paper.note.checked"), say("paper.note.checked-value", size=stick.verified, when=stick.ended)),
        (say("paper.note.hash"), stick.content),
        (say("paper.note.versions"), stick.versions),
    ]


def _contents(stick: StickFacts, words: Words) -> list[tuple[str, str]]:
    rows = []
    for name, listed in stick.contents:
        key = f"paper.note.folder-{name}"
        cut = listed if len(listed) <= MOST_CONTENTS else f"{listed[:MOST_CONTENTS]}..."
        rows.append((words.say(key) if words.has(key) else name, cut))
    return rows or [(words.say("paper.note.volume"), stick.source or "-")]


def _about_device(device: DeviceFacts, words: Words) -> list[tuple[str, str]]:
    say = words.say
    machine = ", ".join(filter(None, (device.processor, device.memory, device.system)))
    rate = say("paper.note.rate-value", rate=device.rate) if device.rate else ""
    return [
        (say("paper.note.machine"), machine),
        (say("paper.note.inventory"), ""),
        (say("paper.note.code"), device.code),
        (say("paper.note.speech"), device.speech),
        (say("paper.note.heard"), say("paper.note.yes-no")),
        (say("paper.note.rate"), rate),
    ]


def _rows(ink: Ink, y: float, width: float, title: str, rows: list[tuple[str, str]]) -> float:
    """Write a titled table; what is empty becomes a line to write on. Return where it ends."""
    ink.text(MARGIN, y, title, 11, bold=True)
    y += 5.5
    ink.line(MARGIN, y, width, thick=0.4)
    y += 1.8
    for name, value in rows:
        ink.text(MARGIN, y, name, 9.5, width=NAME_WIDTH - 2)
        if value:
            y += max(ink.paragraph(MARGIN + NAME_WIDTH, y - 0.6, value, 9.5, width - NAME_WIDTH) + 0.9, ROW - 0.6)
        else:
            ink.line(MARGIN + NAME_WIDTH, y + 3.8, width - NAME_WIDTH)
            y += ROW + 0.6
    return y + 3.5


def _signatures(ink: Ink, y: float, width: float, words: Words) -> None:
    half = (width - 10) / 2
    ink.text(MARGIN, y, words.say("paper.note.place"), 9.5)
    ink.line(MARGIN + 30, y + 3.8, width - 30)
    y += 11
    for at, who in enumerate(("gives", "takes")):
        x = MARGIN + at * (half + 10)
        ink.text(x, y, words.say(f"paper.note.{who}"), 10.5, bold=True)
        below = y + 8
        for what in ("name", "role", "id"):
            ink.text(x, below, words.say(f"paper.note.{what}"), 9.5)
            ink.line(x + 24, below + 3.8, half - 24)
            below += 8
        ink.line(x, below + 13, half)
        ink.text(x, below + 14, words.say("paper.note.signature"), 8.5)

"""What to say of the school's network, for the screen and for the line mode alike. Knows nothing of Textual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.words import Words, words_for
from tui.services import Services

if TYPE_CHECKING:
    from edge.errors import EdgeError
    from edge.sync.lan.events import Event
    from edge.sync.lan.sender import Progress, Sent
    from edge.sync.wire.sending import Handed
    from edge.sync.wire.sending import Progress as WireProgress


@dataclass(frozen=True, slots=True)
class Received:
    """What came in since receiving was opened."""

    bundles: int = 0
    senders: frozenset[int] = frozenset()

    def after(self, event: Event) -> Received:
        """Return the same and what `event` tells."""
        if event.kind != "received":
            return self
        return replace(self, bundles=self.bundles + 1, senders=self.senders | {event.sender})

    def say(self, words: Words, key: str = "receiving.count") -> str:
        """Say how much came, and how to stop."""
        if not self.bundles and key == "receiving.count":
            return words.say("receiving.none")
        return words.say(key, received=self.bundles, devices=len(self.senders))


def receive_lines(words: Words, event: Event) -> list[str]:
    """Say what happened, if a person should know."""
    core = words_for("edge", words.lang)
    if event.kind == "code":
        return [words.say("receiving.new_code")]
    if event.kind == "wrong-code":
        from edge.sync.lan.lobby import MOST_WRONG

        return [core.say("near.wrong-code", count=event.count, most=MOST_WRONG)]
    if event.error:
        what = event.error.say(words.lang).partition("\n")[0]
        return [core.say("near.trouble", sender=event.sender, what=what)]
    if event.kind in ("locked", "paired", "received", "repeated"):
        return [core.say(f"near.{event.kind}", sender=event.sender, kilobytes=-(-event.total // 1000))]
    return []


def step_line(words: Words, progress: Progress) -> str:
    """Say how far delivering is."""
    kilobytes = {"done": progress.done // 1000, "total": -(-progress.total // 1000)}
    return words_for("edge", words.lang).say(f"near.step.{progress.step}", **kilobytes)


def trouble_lines(services: Services, refused: Sequence[tuple[str, EdgeError]], *, cloned: bool) -> list[str]:
    """Say which acknowledgements were not right, and that the device was copied."""
    words, lines = services.words, []
    if refused:
        why = " ".join(refused[0][1].say(services.lang).split())
        lines.append(words.say("handing.refused", count=len(refused), why=why))
    if cloned:
        lines.append(words.say("handing.copied", choice=words.say("handing.renew")))
    return lines


def sent_lines(services: Services, sent: Sent) -> list[str]:
    """Say what was delivered and what the hub acknowledged."""
    core = words_for("edge", services.words.lang)
    facts = {"facts": sent.facts, "files": sent.files, "kilobytes": -(-sent.bytes // 1000), "already": sent.already}
    lines = [core.say("near.sent" if sent.facts else "near.sent-nothing", **facts)]
    if sent.acknowledged:
        lines.append(core.say("near.sent-acks", count=sent.acknowledged))
    return [*lines, *trouble_lines(services, sent.refused, cloned=sent.cloned)]


def wire_line(words: Words, progress: WireProgress) -> str:
    """Say how far delivering over the internet is."""
    facts = {"bundle": progress.bundle, "bundles": progress.bundles}
    kilobytes = {"done": -(-progress.done // 1000), "total": -(-progress.total // 1000)}
    return words_for("edge", words.lang).say("wire.going", **facts, **kilobytes)


def handed_lines(services: Services, handed: Handed) -> list[str]:
    """Say what the hub has now, and what it did not take."""
    words, core = services.words, words_for("edge", services.words.lang)
    lines = [] if handed.refused else [words.say("handing.nothing")]
    if handed.facts:
        facts = {"facts": handed.facts, "files": handed.files, "kilobytes": -(-handed.bytes // 1000)}
        lines = [core.say("wire.sent", **facts)]
    if handed.acknowledged:
        lines.append(core.say("wire.acknowledged", count=handed.acknowledged))
    if handed.carried or handed.for_others:
        lines.append(core.say("wire.carried", files=handed.carried, acks=handed.for_others))
    for file, reason in handed.refused[:1]:
        key = f"wire.why.{reason}"
        lines.append(core.say("wire.refused", file=file, why=core.say(key) if core.has(key) else reason))
    if handed.cloned:
        lines.append(words.say("handing.copied", choice=words.say("handing.renew")))
    return lines


def load_lines(services: Services) -> list[str]:
    """Say what this computer carries for others; may raise EdgeError."""
    load = services.near.load()
    if load is None or not load.bundles:
        return []
    return [services.words.say("carrying.load", bundles=load.bundles, never_out=load.never_out)]

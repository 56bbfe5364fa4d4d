"""What an adult decides about handing over, done once it was asked: each deed returns the sentence to say. No Textual here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.learning.learner import Learner
from tui.services import Services

if TYPE_CHECKING:
    from edge.drives import Drive
    from tui.handing import Sight


def offered(services: Services) -> list[str]:
    """Return what can be decided now."""
    return ["chats", "people", "enrol", "renew"] if services.handing.enrolled else ["enrol", "people"]


def by_network(services: Services, sight: Sight | None) -> list[str]:
    """Return what the internet and the school's network can be used for now."""
    if not services.handing.enrolled:
        return ["receive"]
    return [*(["upload"] if sight and sight.url else []), "send", "receive"]


def label(services: Services, deed: str) -> str:
    """Return how a deed is called in a list."""
    words = services.words
    if deed == "chats":
        value = words.say("handing.chats_on" if services.settings.share_turns else "handing.chats_off")
        return f"{words.say('handing.chats')}: {value}"
    if place := {"upload": "uploading", "send": "sending", "receive": "receiving"}.get(deed):
        return words.say(f"{place}.choice")
    if deed == "enrol" and services.handing.enrolled:
        return words.say("handing.enrol_again")
    return words.say(f"handing.{deed}")


def allow_chats(services: Services, *, allowed: bool) -> str:
    """Let chats leave, or keep them here; raise EdgeError when that cannot be kept."""
    services.change(replace(services.settings, share_turns=allowed))
    return services.words.say("handing.chats_are_on" if allowed else "handing.chats_are_off")


def renew(services: Services) -> str:
    """Give this device another identity; raise EdgeError when that cannot be."""
    before, after = services.renew_identity()
    return services.words.say("handing.renewed", before=before, device=after)


def enrol(services: Services, given: str | Path) -> str:
    """Enrol with a file, or the text of a QR code; raise EdgeError when it is none."""
    sight = services.enrol(given)
    hub, school = (sight.hub, sight.school) if sight else ("", "")
    return services.words.say("handing.enrolled", hub=hub, school=school)


def kept_about(services: Services, learner: Learner) -> str:
    """Say how much is kept about a person; raise EdgeError when that cannot be read."""
    attempts, turns = services.handing.kept_about(learner)
    return services.words.say("person.about", name=learner.name, attempts=attempts, turns=turns)


def copy(services: Services, learner: Learner, drive: Drive | None) -> str:
    """Give out everything about a person; raise EdgeError when it cannot be written."""
    return services.words.say("person.copied", path=services.handing.give_out(learner, drive))


def erase_about(services: Services, learner: Learner) -> str:
    """Say what erasing a person means; raise EdgeError when that cannot be read."""
    attempts, turns = services.handing.kept_about(learner)
    return services.words.say("confirm.erase_about", attempts=attempts, turns=turns)


def erase(services: Services, learner: Learner) -> str:
    """Forget a person, and let whoever is left learn; raise EdgeError when that cannot be."""
    gone = services.handing.forget(learner)
    if services.learner and services.learner.id != learner.id:
        services.choose_learner(services.learner)
    else:
        services.recall_learner()
    return services.words.say("person.erased", attempts=gone.attempts, turns=gone.turns, name=learner.name)

"""The dialogues that open the records: make them, give the passphrase, or the recovery key from the safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import EdgeError
from tui.clinic.asks import ASIDE, Choose, Pick, Steps, Write
from tui.clinic.records import checked_passphrase
from tui.clinic.told import Line
from tui.lines import letters

if TYPE_CHECKING:
    from edge.records.book import Book
    from tui.services import Services

GROUP = 4
"""Letters of a recovery key that show that somebody copied it: its last group."""


def at_hand(services: Services) -> Steps[Book | None]:
    """Return the records, opened; None where the person went back before they were."""
    records = services.desk.records
    if not records.exist:
        made = yield from _make(services)
        if not made:
            return None
    elif records.locked:
        opened = yield from unlock(services)
        if not opened:
            return None
    return records.book()


def unlock(services: Services) -> Steps[bool]:
    """Ask for the passphrase until it opens; tell whether it did."""
    words, records, said = services.words, services.desk.records, ""
    about: tuple[Line, ...] = (("step", words.say("records.unlock")),)
    while True:
        given = yield Write(
            words.say("records.title"),
            about,
            hint=words.say("records.passphrase"),
            secret=True,
            aside=words.say("records.forgot"),
            said=said,
        )
        if given is None:
            return False
        said = ""
        if given == ASIDE:
            if (yield from _recover(services)):
                break
            continue
        try:
            records.unlock(given)
        except EdgeError as error:
            said = error.say(services.lang)
            continue
        break
    if not records.recovery_copied:
        yield from _show(services, records.renew_recovery())
    return True


def change_passphrase(services: Services) -> Steps[str]:
    """Set another passphrase; return what to say."""
    fresh = yield from _new_passphrase(services)
    book = yield from at_hand(services)
    if fresh is None or book is None:
        return ""
    services.desk.records.change_passphrase(fresh)
    return services.words.say("records.passphrase_changed")


def renew_recovery(services: Services) -> Steps[str]:
    """Show another recovery key once; return what to say."""
    words = services.words
    sure = yield Choose(
        words.say("records.renew"),
        (Pick("yes", words.say("records.renew_yes")), Pick("no", words.say("records.no"))),
        (("step", words.say("records.renew_about")),),
    )
    book = (yield from at_hand(services)) if sure == "yes" else None
    if book is None:
        return ""
    copied = yield from _show(services, services.desk.records.renew_recovery())
    return words.say("records.copied" if copied else "records.not_copied")


def _make(services: Services) -> Steps[bool]:
    words = services.words
    fresh = yield from _new_passphrase(services, words.say("records.make_about"))
    if fresh is None:
        return False
    yield from _show(services, services.desk.records.create(fresh))
    return True


def _new_passphrase(services: Services, about: str = "") -> Steps[str | None]:
    """Ask twice for a new passphrase."""
    words, said = services.words, ""
    title = words.say("records.make" if about else "records.change")
    while True:
        given = yield Write(
            title,
            (("step", about or words.say("records.change_about")), ("quiet", words.say("records.four_words"))),
            hint=words.say("records.passphrase_new"),
            secret=True,
            said=said,
        )
        if given is None:
            return None
        said = checked_passphrase(given, services.lang)
        if said:
            continue
        again = yield Write(title, hint=words.say("records.passphrase_again"), secret=True)
        if again == given:
            return given
        said = words.say("records.passphrase_differs") if again is not None else ""


def _recover(services: Services) -> Steps[bool]:
    words, said = services.words, ""
    while True:
        recovery = yield Write(
            words.say("records.recover"),
            (("step", words.say("records.recover_about")),),
            hint=words.say("records.recovery"),
            said=said,
        )
        if recovery is None:
            return False
        fresh = yield from _new_passphrase(services)
        if fresh is None:
            return False
        try:
            services.desk.records.recover(recovery, fresh)
        except EdgeError as error:
            said = error.say(services.lang)
            continue
        return True


def _show(services: Services, recovery: str) -> Steps[bool]:
    """Show a recovery key until its last group is typed; tell whether it was. Who goes back is shown another next time."""
    words, said = services.words, ""
    lines: tuple[Line, ...] = (
        ("step", words.say("records.recovery_about")),
        ("gap", ""),
        ("title", recovery),
        ("gap", ""),
        ("step", words.say("records.recovery_confirm")),
    )
    while True:
        given = yield Write(
            words.say("records.recovery"),
            lines,
            hint=words.say("records.last_group"),
            said=said,
        )
        if given is None:
            return False
        if letters(given).replace("-", "").replace(" ", "").endswith(letters(recovery[-GROUP:])):
            services.desk.records.confirm_recovery()
            return True
        said = words.say("records.group_differs")

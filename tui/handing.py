"""Handing over, as the screens and the line mode ask for it. Knows nothing of Textual; opens nothing before it must."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import SystemRandom
from typing import TYPE_CHECKING, Literal

from edge.drives import ENROLMENT, Drive
from edge.errors import EdgeError
from edge.files import sync_folder
from edge.learning.attempt import stamp
from edge.learning.learner import Learner
from edge.settings import Settings
from edge.sync.errors import SyncError

if TYPE_CHECKING:
    from edge.learning.erasure import Forgotten
    from edge.sync.handing import Bundle, Taken
    from edge.sync.lan.carrying import Carried
    from edge.sync.ledger import States

PATIENT_WEEKS = 4
"""After so many weeks without an acknowledgement the staff is told."""

COPIES = "PERSONAS"
"""Where, below AMAUTA, what is kept about one person is given out."""

Step = Literal["acks", "making", "writing"]
STEPS: tuple[Step, ...] = ("acks", "making", "writing")


@dataclass(frozen=True, slots=True)
class Sight:
    """How far everything is on its way."""

    hub: str
    """As people are told about it."""

    school: str
    device: str
    url: str
    """Where the hub is reached over the internet; empty when it is not."""

    states: States
    last_ack: str
    """The day, empty when there was none."""

    waiting_weeks: int
    """Since the first delivery that is not acknowledged; 0 while that is nothing unusual."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of one stick."""

    taken: Taken | None
    """Nothing for a device that is not enrolled and carries for others."""

    count: int = 0
    files: int = 0
    bytes: int = 0
    others_acks: int = 0
    """Acknowledgements that others will fetch here."""

    carried: Carried | None = None
    trouble: EdgeError | None = None
    """Why nothing could be written; what the stick brought was taken in all the same."""


class Handing:
    """The sticks that are here, what waits to leave, and the deeds: hand over, enrol, renew, forget."""

    def __init__(
        self, settings: Callable[[], Settings], find: Callable[[], Iterable[Drive]], now: Callable[[], datetime]
    ) -> None:
        self._settings, self._find, self._now = settings, find, now
        self.drives: list[Drive] = []
        """As they were when somebody last looked."""

        self.working = False
        """Whether something is being handed over now."""

    @property
    def enrolled(self) -> bool:
        """Whether a hub gave this device what it needs to hand over."""
        return (self._settings().home / ENROLMENT).is_file()

    @property
    def delivers(self) -> bool:
        """Whether there can be anything to write to a stick: of this device, or of others it carries for."""
        from edge.sync.lan.courier import place_of

        return self.enrolled or place_of(self._settings().home).is_dir()

    def look(self) -> None:
        """Look which sticks are here."""
        self.drives = list(self._find())

    def useful(self) -> list[Drive]:
        """Return the sticks that were put in and with which one key does something now."""
        delivers = self.delivers
        return [drive for drive in self.drives if not drive.own and (delivers or drive.enrolment)]

    def sight(self) -> Sight | None:
        """Return how far everything is, or None when this device is not enrolled."""
        from edge.sync import papers
        from edge.sync.ledger import Ledger

        settings = self._settings()
        if not self.enrolled:
            return None
        with Ledger(settings.store_path) as ledger:
            held = papers.papers(settings.home, ledger, SystemRandom())
            hub = held.enrolment.hub
            states = ledger.states(hub, turns=settings.share_turns)
            weeks = self._weeks_since(ledger.waiting_since(hub))
            last = ledger.last_ack(hub)[:10]
        return Sight(
            held.enrolment.shown, held.enrolment.school, held.identity.device, held.enrolment.url, states, last, weeks
        )

    def _weeks_since(self, at: str) -> int:
        """Return whole weeks since then; none that a clock without a battery would invent."""
        with suppress(ValueError):
            moment = datetime.fromisoformat(at)
            passed = self._now() - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            if timedelta(weeks=PATIENT_WEEKS) <= passed < timedelta(weeks=520):
                return passed // timedelta(weeks=1)
        return 0

    def deliver(self, drive: Drive, begun: Callable[[Step], object]) -> Delivered:
        """Take the acknowledgements in, then write what is not acknowledged; when this returns the stick may leave."""
        from edge.sync import handing, papers, stick
        from edge.sync.lan import carrying
        from edge.sync.ledger import Ledger

        settings, at, place = self._settings(), stamp(self._now()), drive.path
        with Ledger(settings.store_path) as ledger:
            begun("acks")
            held = papers.papers(settings.home, ledger, SystemRandom()) if self.enrolled else None
            taken = handing.take_back(place, ledger, held, at) if held else None
            others = carrying.take_acks(settings.home, place)
            begun("making")
            bundles: list[Bundle] = []
            if held:
                versions = handing.versions_of(settings)
                bundles = handing.prepare(ledger, held, versions, turns=settings.share_turns)
            begun("writing")
            try:
                if held:
                    handing.export(place, ledger, held, bundles, at, SystemRandom())
                carried = carrying.carry(settings.home, place)
                with suppress(OSError):  # What was removed must be gone before the stick is.
                    sync_folder(stick.folder_on(place, stick.OUT))
            except SyncError as error:
                return Delivered(taken, others_acks=others, trouble=error)
        count, size = sum(bundle.made.count() for bundle in bundles), sum(len(bundle.sealed) for bundle in bundles)
        return Delivered(taken, count, len(bundles), size, others, carried, carried.trouble if carried else None)

    def enrol(self, given: str | Path) -> Sight | None:
        """Enrol with a file, or with the text of a QR code; raise SyncError when that is not one."""
        from edge.sync import papers
        from edge.sync.enrolment import LARGEST_BYTES, TEXT_MARK
        from edge.sync.ledger import Ledger

        if isinstance(given, str) and given.startswith(TEXT_MARK):
            content = "".join(given.split()).encode("utf-8", "replace")
        else:
            try:
                with Path(given).expanduser().open("rb") as file:
                    content = file.read(LARGEST_BYTES + 1)
            except (OSError, ValueError, RuntimeError) as error:
                reason = getattr(error, "strerror", "") or str(error)
                raise SyncError("enrolment-unreadable", path=str(given)[:200], reason=reason) from error
        settings = self._settings()
        with Ledger(settings.store_path) as ledger:
            papers.enrol(settings.home, content, ledger, SystemRandom())
        return self.sight()

    def renew(self) -> tuple[str, str]:
        """Give this device another identity; return the old name and the new one."""
        from edge.sync import papers
        from edge.sync.ledger import Ledger

        settings = self._settings()
        with Ledger(settings.store_path) as ledger:
            before = papers.papers(settings.home, ledger, SystemRandom()).identity.device
            after = papers.renew(settings.home, ledger, SystemRandom()).identity.device
        return before, after

    def kept_about(self, learner: Learner) -> tuple[int, int]:
        """Return how many answers and how many talks of a person are kept here."""
        from edge.learning.erasure import everything

        found = everything(self._settings().store_path, learner.id)
        return len(found["attempts"]), len(found["turns"])

    def give_out(self, learner: Learner, drive: Drive | None) -> Path:
        """Write everything about a person to a stick, or into Amauta's folder; return where. Raise EdgeError."""
        from edge.learning.erasure import everything
        from edge.stick import FOLDER
        from edge.sync.stick import trouble

        settings = self._settings()
        found = everything(settings.store_path, learner.id)
        content = json.dumps({"learner": asdict(learner), **found}, ensure_ascii=False, indent=1).encode()
        folder = (drive.path / FOLDER if drive else settings.home) / COPIES
        path = folder / f"{learner.id}.json"
        try:
            if drive and not drive.path.is_dir():
                raise SyncError("stick-absent", path=drive.path)
            from edge.files import write_atomic

            write_atomic(path, content)
        except OSError as error:
            raise trouble(error, path) from error
        return path

    def forget(self, learner: Learner) -> Forgotten:
        """Delete everything about a person for good; the hub follows with the next delivery."""
        from edge.learning.erasure import erase

        settings = self._settings()
        gone = erase(settings.store_path, learner.id, stamp(self._now()))
        with suppress(OSError):
            (settings.home / "learner").unlink(missing_ok=True)  # Who practised last.
        return gone

"""Hand over to the hub over the internet: this device's own bundles, and those it carries for others.

First the acknowledgements, then what they leave over: nothing is sent that the hub has. Bundles wait in the spool as
they were sealed, so an upload that was cut off goes on with the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import SystemRandom

from edge.errors import EdgeError
from edge.files import write_atomic
from edge.learning.attempt import stamp
from edge.settings import Settings
from edge.sync import ack, handing, papers, spool
from edge.sync.errors import RefusedError, SyncError
from edge.sync.lan import carrying
from edge.sync.lan.courier import Courier, Held, place_of
from edge.sync.ledger import Ledger
from edge.sync.papers import Papers
from edge.sync.wire import authority as authorities
from edge.sync.wire.address import checked_url
from edge.sync.wire.authorization import authorizer
from edge.sync.wire.client import Link

PASSED, BROUGHT = "passed-on-", "brought-from-"
"""In the courier's folder, for each hub: what it has judged already, and which of its acknowledgements are here."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is."""

    bundle: int
    """Of `bundles`, from 1."""

    bundles: int
    done: int
    """Bytes of this bundle."""

    total: int


@dataclass(frozen=True, slots=True)
class Handed:
    """What was handed over."""

    facts: int = 0
    files: int = 0
    bytes: int = 0
    acknowledged: int = 0
    """Facts that are newly acknowledged."""

    cloned: bool = False
    refused: tuple[tuple[str, str], ...] = ()
    """(file, reason) of what the hub did not take."""

    carried: int = 0
    """Bundles of other devices."""

    for_others: int = 0
    """Acknowledgements for other devices."""


Told = Callable[[Progress], None]


def send(settings: Settings, to: str, authority: Path | None, told: Told, link: Callable[..., Link] = Link) -> Handed:
    """Hand over everything there is; raise SyncError when the line stays dead, with what was delivered by then kept.

    An `authority` with which this worked is kept and counts from then on without being named.
    """
    with Ledger(settings.store_path) as ledger:
        held = papers.papers(settings.home, ledger, SystemRandom())
        if not (to or held.enrolment.url):
            raise SyncError("wire-nowhere")
        url = checked_url(to or held.enrolment.url)
        home, hub = settings.home, held.enrolment.hub
        believed = authority or authorities.kept(home, hub)
        with link(url, authorizer(held), lang=settings.spoken_lang, authority=believed) as open_link:
            versions = handing.versions_of(settings)
            handed = deliver(open_link, home, ledger, held, told, versions, turns=settings.share_turns)
            handed = carry(open_link, home, held, told, handed)
        if authority is not None:
            authorities.keep(home, hub, authority)
        return handed


def deliver(
    link: Link, home: Path, ledger: Ledger, held: Papers, told: Told, versions: dict[str, str], *, turns: bool
) -> Handed:
    """Deliver what this device has itself."""
    handed = _take_ack(link, ledger, held, Handed())
    bundles = spool.waiting(home, ledger, held, versions, _now(), turns=turns)
    for number, bundle in enumerate(bundles, 1):
        sent = link.send(bundle.sealed, _telling(told, number, len(bundles)))
        name = f"{bundle.sha256[:16]}.age"
        if sent.state == "refused":
            handed = replace(handed, refused=(*handed.refused, (name, sent.reason)))
            continue
        ledger.delivered([(bundle.digest, name)], _now())
        handed = replace(
            handed,
            facts=handed.facts + bundle.facts,
            files=handed.files + 1,
            bytes=handed.bytes + len(bundle.sealed),
        )
    if handed.files:
        handed = _take_ack(link, ledger, held, handed)
    return handed


def carry(link: Link, home: Path, held: Papers, told: Told, handed: Handed) -> Handed:
    """Deliver what this laptop carries for others, and fetch what it brings back to them."""
    if not place_of(home).is_dir():
        return handed
    courier = Courier(home)
    record = place_of(home) / f"{PASSED}{held.enrolment.hub}.txt"
    here = courier.held()
    passed = _noted(record) & {each.sha256 for each in here}
    waiting = sorted((each for each in here if each.sha256 not in passed), key=lambda each: each.sha256)
    for number, each in enumerate(waiting, 1):
        if not (content := _content(courier, each)):
            continue
        sent = link.send(content, _telling(told, number, len(waiting)))
        passed.add(each.sha256)
        _keep(record, passed)
        if sent.state == "refused":
            handed = replace(handed, refused=(*handed.refused, (each.name, sent.reason)))
        else:
            courier.note_carried({each.name})
            handed = replace(handed, carried=handed.carried + 1)
    return replace(handed, for_others=_bring(link, home, held.enrolment.hub)) if here else handed


def _bring(link: Link, home: Path, hub: str) -> int:
    """Fetch the acknowledgements that say something new, for the devices that will come by; return how many."""
    record = place_of(home) / f"{BROUGHT}{hub}.txt"
    waiting = {f"{name}-{mark}": name for name, mark in link.acks().items()}
    brought = _noted(record) & set(waiting)
    new = 0
    for mark, name in waiting.items():
        if mark not in brought:
            if content := link.ack(name):
                new += carrying.keep_ack(home, name, content)
            brought.add(mark)
            _keep(record, brought)
    return new


def _telling(told: Told, number: int, bundles: int) -> Callable[[int, int], None]:
    return lambda done, total: told(Progress(number, bundles, done, total))


def _take_ack(link: Link, ledger: Ledger, held: Papers, handed: Handed) -> Handed:
    sealed = link.ack(held.identity.device)
    if sealed is None:
        return handed
    try:
        answer = ack.read(sealed, held.own.age, held.enrolment)
    except RefusedError as error:
        raise SyncError("wire-ack", reason=error.key) from error
    if answer.device != held.identity.device:
        raise SyncError("wire-ack", reason="device")
    new = ledger.acknowledge(answer.digests, held.enrolment.hub, _now())
    return replace(handed, acknowledged=handed.acknowledged + new, cloned=handed.cloned or answer.cloned)


def _noted(record: Path) -> set[str]:
    with suppress(OSError, UnicodeDecodeError):
        return set(record.read_text(encoding="ascii").split())
    return set()


def _keep(record: Path, noted: set[str]) -> None:
    try:
        write_atomic(record, "\n".join(sorted(noted)).encode())
    except OSError as error:
        raise SyncError("papers-disk", path=record, reason=error.strerror or str(error)) from error


def _content(courier: Courier, held: Held) -> bytes:
    """Return a bundle, nothing when it went or went bad meanwhile."""
    with suppress(OSError, EdgeError):
        content = (courier.folder / held.name).read_bytes()
        return content if hashlib.sha256(content).hexdigest() == held.sha256 else b""
    return b""


def _now() -> str:
    return stamp(datetime.now(UTC))

"""Hand this device's bundles to a teacher's laptop nearby, and fetch the acknowledgements that wait there.

The laptop may be anybody until both have proved that they know the code. A bundle counts as delivered when the
laptop has said, signed, that it is safe on its disk; it leaves here only when the hub acknowledges it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import SystemRandom
from typing import TYPE_CHECKING, Literal

from edge.errors import EdgeError
from edge.sync import handing, papers, spool
from edge.sync.errors import RefusedError, SyncError
from edge.sync.lan.courier import name_of
from edge.sync.lan.find import Found, find
from edge.sync.lan.interfaces import address_of
from edge.sync.lan.near import Near
from edge.sync.lan.pairing import clean_code
from edge.sync.ledger import Ledger
from edge.sync.papers import Papers

if TYPE_CHECKING:
    from edge.settings import Settings

Step = Literal["finding", "pairing", "acks", "making", "sending"]
STEPS: tuple[Step, ...] = ("finding", "pairing", "acks", "making", "sending")

MOST_ACKS_BYTES = 64 << 20
RELEASE = b"amauta-release-1\0"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: bytes in `sending`, files in `acks`, nothing to count in the others."""

    step: Step
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one meeting."""

    label: str
    """Of the laptop, as its screen shows it; empty when its address was typed."""

    facts: int = 0
    """In the bundles that the laptop has now, also those it had before."""

    files: int = 0
    bytes: int = 0
    """That were sent this time."""

    already: int = 0
    """Bundles that the laptop had before."""

    acknowledged: int = 0
    """Facts that are newly acknowledged."""

    acks: int = 0
    others: int = 0
    """Acknowledgements for other devices."""

    cloned: bool = False
    refused: tuple[tuple[str, EdgeError], ...] = ()
    released: int = 0
    """Bundles that the laptop need not carry any more."""


def send_near(
    settings: Settings,
    code: str,
    address: str | None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Sent:
    """Deliver to the laptop that shows `code`, at `address` (HOST:PORT) or the one that is found.

    Raises SyncError, with what was delivered by then kept: near-none, near-several, near-address, near-lost,
    near-cancelled, near-courier-full, not-enrolled; RefusedError: near-code-shape, near-code-wrong, near-code-old,
    near-locked, near-busy, near-session, near-not-courier, near-forged, near-message.
    """
    digits, typed = clean_code(code), parse_address(address) if address else None
    with Ledger(settings.store_path) as ledger:
        held = papers.papers(settings.home, ledger, SystemRandom())
        on_progress(Progress("finding"))
        found = typed or the_one(find(cancelled=cancelled), cancelled=cancelled())
        with Near(found.hosts, found.port, cancelled) as near:
            on_progress(Progress("pairing"))
            near.pair(digits)
            return meet(near, settings, ledger, held, found.label, on_progress)


def meet(
    near: Near,
    settings: Settings,
    ledger: Ledger,
    held: Papers,
    label: str = "",
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Sent:
    """Do everything there is to do with a courier that is paired: acknowledgements first, then what they leave over."""
    at = _now()
    sent = _fetch_acks(near, ledger, held, at, Sent(label), on_progress)
    on_progress(Progress("making"))
    versions = handing.versions_of(settings)
    bundles = spool.waiting(settings.home, ledger, held, versions, at, turns=settings.share_turns)
    return _deliver(near, ledger, held, bundles, sent, on_progress)


def _now() -> str:
    from edge.learning.attempt import stamp

    return stamp(datetime.now(UTC))


def parse_address(text: str) -> Found:
    """Return a typed HOST:PORT; raise SyncError when it is none."""
    host, _, port = text.strip().rpartition(":")
    with suppress(ValueError):
        if 0 < int(port) < 1 << 16:
            return Found("", (address_of(host).named,), int(port))
    raise SyncError("near-address", address=ascii(text)[1:-1][:60])


def the_one(found: list[Found], *, cancelled: bool = False) -> Found:
    """Return the only laptop there is; raise SyncError when there is none, or when somebody must say which."""
    if cancelled:
        raise SyncError("near-cancelled")
    if not found:
        raise SyncError("near-none")
    if len(found) > 1:
        raise SyncError("near-several", labels=", ".join(f"{each.label} ({each.address})" for each in found))
    return found[0]


def release_secret(held: Papers, name: str) -> bytes:
    """Return what releases one bundle of this device from every courier; nobody else can work it out."""
    return hmac.digest(held.identity.private, RELEASE + name.encode(), hashlib.sha256)


def _fetch_acks(
    near: Near, ledger: Ledger, held: Papers, at: str, sent: Sent, on_progress: Callable[[Progress], None]
) -> Sent:
    """Take in the acknowledgements that wait at the courier, and release there what needs no carrying any more."""
    names = near.acks()
    acks = acknowledged = others = size = 0
    cloned, refused = False, []
    for number, name in enumerate(names):
        on_progress(Progress("acks", number, len(names)))
        sealed = near.ack(name)
        size += len(sealed)
        if size > MOST_ACKS_BYTES:
            break
        try:
            answer = handing.own_ack(sealed, held)
        except RefusedError as error:
            if sealed:
                refused.append((name, error))
            continue
        if answer is None:
            others += 1
            continue
        acks += 1
        cloned = cloned or answer.cloned
        acknowledged += ledger.acknowledge(answer.digests, held.enrolment.hub, at)
    finished = {name.partition(".")[0] for name in ledger.finished_files()}
    done = finished & set(near.held())
    released = sum(near.release(name, release_secret(held, name)) for name in sorted(done))
    return Sent(
        sent.label, acknowledged=acknowledged, acks=acks, others=others, cloned=cloned,
        refused=tuple(refused), released=released,
    )  # fmt: skip


def _deliver(
    near: Near,
    ledger: Ledger,
    held: Papers,
    bundles: list[spool.Waiting],
    sent: Sent,
    on_progress: Callable[[Progress], None],
) -> Sent:
    """Bring every bundle over; each is remembered as delivered as soon as the courier has it for good."""
    total = sum(len(bundle.sealed) for bundle in bundles)
    before = 0
    for bundle in bundles:
        sha256 = bundle.sha256
        release = hashlib.sha256(release_secret(held, sha256[:16])).hexdigest()
        new = near.send(bundle.sealed, release, _told(on_progress, before, total))
        ledger.delivered([(bundle.digest, name_of(sha256))], _now())
        before += len(bundle.sealed)
        sent = replace(
            sent,
            facts=sent.facts + bundle.facts,
            files=sent.files + new,
            bytes=sent.bytes + len(bundle.sealed) * new,
            already=sent.already + (not new),
        )
    if bundles:
        on_progress(Progress("sending", total, total))
    return sent


def _told(on_progress: Callable[[Progress], None], before: int, total: int) -> Callable[[int], None]:
    """Return who says how far one bundle is, among those before it."""
    return lambda done: on_progress(Progress("sending", before + done, total))

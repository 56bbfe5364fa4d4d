"""Hand over to a hub by stick, take its acknowledgements back, and say how far everything is.

The same bundles may travel by wire: `prepare` makes them, whoever carries them calls `delivered`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.sync import ack, stick
from edge.sync.ack import Ack
from edge.sync.bundle import MOST_FACTS, Head, digest_of, encode, split
from edge.sync.errors import RefusedError, SyncError
from edge.sync.facts import Stream
from edge.sync.ledger import Ledger, Made
from edge.sync.papers import Papers
from edge.sync.seal import BUNDLE, LARGEST_SEALED, seal

if TYPE_CHECKING:
    from edge.settings import Settings


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle, ready to travel."""

    made: Made
    sealed: bytes
    body_bytes: int
    """Before it is filled up and sealed: what each fact costs."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a stick brought back."""

    acknowledged: int
    """Facts that are newly acknowledged."""

    acks: int
    others: int
    """Files for other devices."""

    cloned: bool
    refused: tuple[tuple[str, EdgeError], ...]
    removed: int
    """Own files on the stick that nobody needs any more."""


def prepare(
    ledger: Ledger,
    papers: Papers,
    versions: dict[str, str],
    *,
    turns: bool,
    everything: bool = False,
    limit: int = LARGEST_SEALED,
    most: int = MOST_FACTS,
    besides: Iterable[str] = (),
) -> list[Bundle]:
    """Make the bundles of what the hub has not acknowledged, or of `everything` for a hub that lost it.

    None is larger than `limit` bytes or `most` facts. What the bundles of `besides` hold is left out.
    """
    head = Head(
        papers.enrolment.hub,
        papers.enrolment.school,
        papers.enrolment.token,
        ledger.streams()[-1],
        papers.own.recipient,
        papers.own.links,
        tuple(sorted(versions.items())),
    )
    streams = ledger.unacknowledged(
        papers.enrolment.hub, papers.own.secret, turns=turns, everything=everything, besides=besides
    )
    return [
        bundle
        for portion in split(streams, most)
        for bundle in _fitting(head, portion, papers, min(limit, LARGEST_SEALED, stick.FAT_LIMIT))
    ]


def _fitting(head: Head, streams: Sequence[Stream], papers: Papers, limit: int) -> Iterator[Bundle]:
    """Yield one bundle, or those of the halves when it would be too large."""
    with suppress(RefusedError):
        body = encode(head, streams)
        sealed = seal(BUNDLE, body, papers.identity.key(), papers.enrolment.recipient)
        if len(sealed) <= limit:
            yield Bundle(Made(digest_of(body), tuple(streams)), sealed, len(body))
            return
    count = sum(stream.count() for stream in streams)
    if count < 2:
        raise SyncError("limit-small", limit=limit)
    for half in split(streams, -(-count // 2)):
        yield from _fitting(head, half, papers, limit)


def export(
    place: Path, ledger: Ledger, papers: Papers, bundles: Sequence[Bundle], at: str, random: Random
) -> list[str]:
    """Write bundles to a stick; they count as delivered only when all of them and their receipt are there."""
    folder = stick.folder_on(place, stick.OUT)
    if not bundles:
        return []
    ledger.record([bundle.made for bundle in bundles], papers.enrolment.hub, at)
    names = stick.write(folder, [bundle.sealed for bundle in bundles], random)
    ledger.delivered([(bundle.made.digest, name) for bundle, name in zip(bundles, names, strict=True)], at)
    return names


def own_ack(sealed: bytes, papers: Papers) -> Ack | None:
    """Return an acknowledgement for this device, None for one of another; raise RefusedError for what is not right."""
    try:
        answer = ack.read(sealed, papers.own.age, papers.enrolment)
    except RefusedError as error:
        if error.key == "sealed-not-ours":
            return None
        raise
    return answer if answer.device == papers.identity.device else None


def take_back(place: Path, ledger: Ledger, papers: Papers, at: str) -> Taken:
    """Take in the acknowledgements on a stick; what is not right is refused and changes nothing."""
    acks = acknowledged = others = 0
    cloned = False
    refused: list[tuple[str, EdgeError]] = []
    for found in stick.found_in(stick.folder_on(place, stick.BACK)):
        try:
            answer = own_ack(stick.read(found), papers)
        except RefusedError as error:
            refused.append((found.shown, error))
            continue
        if answer is None:
            others += 1
            continue
        acks += 1
        cloned = cloned or answer.cloned
        acknowledged += ledger.acknowledge(answer.digests, papers.enrolment.hub, at)
    removed = stick.remove_delivered(stick.folder_on(place, stick.OUT), ledger.finished_files())
    return Taken(acknowledged, acks, others, cloned, tuple(refused), removed)


def versions_of(settings: Settings) -> dict[str, str]:
    """Return what runs here: the app, its release, packs and models."""
    from edge import __version__
    from edge.library.folder import EMBEDDED, pack_folders, read_head
    from edge.release.installed import installed_models
    from edge.release.manifest import embedded_release

    found = {"amauta": __version__, "release": str(settings.release)}
    for folder in pack_folders(EMBEDDED, *settings.folders("packs")):
        with suppress(EdgeError):
            pack = read_head(folder, [])
            found[f"pack:{pack.id[:60]}"] = str(pack.version)
    with suppress(EdgeError):
        found |= {
            f"model:{model.id[:60]}": model.sha256[:12] for model in installed_models(settings, embedded_release())
        }
    return {name: value for name, value in list(found.items())[:200] if name.isprintable()}

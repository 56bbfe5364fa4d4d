"""Take in what lies on a stick: judge who wrote each file, unite what may come in, write down the rest.

A file is opened in this order: name and kind, size, decryption, signature, head, right to deliver, facts.
Each step is reached only when the one before found nothing wrong; every refusal is audited with its reason.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from edge.hub.database import Database
from edge.hub.place import Place
from edge.identity import device_id
from edge.sync import stick
from edge.sync.bundle import Head, decode_facts, decode_head, digest_of
from edge.sync.errors import RefusedError
from edge.sync.facts import Stream
from edge.sync.papers import LINK
from edge.sync.seal import BUNDLE, Opened, recipient_of, unseal

State = Literal["imported", "repeated", "refused", "unfinished"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    file: str
    state: State
    device: str = ""
    facts: int = 0
    new: int = 0
    cloned: bool = False
    error: RefusedError | None = None


def token_hash(token: bytes) -> str:
    """Return how a token is kept; it is 128 random bits, so one hash is enough."""
    return hashlib.sha256(b"amauta-token\0" + token).hexdigest()


def receive_stick(place: Place, database: Database, stick_place: Path, at: str) -> Iterator[Outcome]:
    """Take in every file on a stick, one at a time; each is kept for good before the next is opened."""
    for found in stick.found_in(stick.folder_on(stick_place, stick.OUT)):
        try:
            outcome = receive(place, database, stick.read(found), found.shown, at)
        except RefusedError as error:
            # A stick pulled out too early is nobody's attack.
            half = not found.listed and error.key in ("sealed-damaged", "sealed-not-age")
            outcome = Outcome(found.shown, "unfinished" if half else "refused", error=error)
            refuse(database, outcome, at)
        yield outcome


def receive(place: Place, database: Database, sealed: bytes, shown: str, at: str) -> Outcome:
    """Take in one bundle, whoever carried it; raise RefusedError, and change nothing, when it may not come in."""
    opened = unseal(BUNDLE, sealed, place.age)
    head = decode_head(opened.body)
    device, digest = device_id(opened.public), digest_of(opened.body)
    if head.hub != place.id:
        raise RefusedError("bundle-other-hub", hub=head.hub)
    ancestors = _ancestors(head, opened)
    _judge(database, head, device, ancestors)
    if database.rows("SELECT 1 FROM bundles WHERE digest = ?", [digest]):
        with database.step():
            database.audit(at, "import", file=shown, device=device, outcome="repeated")
        return Outcome(shown, "repeated", device)
    with _no_search_for_cycles():
        outcome = _take(database, head, opened, ancestors, shown, at)
    return replace(outcome, cloned=is_cloned(database, device))


def _take(database: Database, head: Head, opened: Opened, ancestors: list[str], shown: str, at: str) -> Outcome:
    """Unite the facts of a bundle that may come in. A function of its own: its rows are gone when it returns."""
    device, digest = device_id(opened.public), digest_of(opened.body)
    streams = decode_facts(opened.body)
    facts = sum(stream.count() for stream in streams)
    with database.step(streams, [device, *ancestors]):
        _register(database, head, device, opened.public, ancestors, at)
        new = sum(_add(database, stream, head, device, ancestors) for stream in streams)
        sql = "INSERT INTO bundles (digest, device, facts, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        state: State = "imported" if database.execute(sql, [digest, device, facts, at]) else "repeated"
        database.audit(at, "import", file=shown, device=device, outcome=state, detail=f"{facts} facts, {new} new")
    return Outcome(shown, state, device, facts, new)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Rows hold no cycles; looking for some in each hundred thousand of them takes as long as reading them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def refuse(database: Database, outcome: Outcome, at: str) -> None:
    """Write down a refusal with its reason."""
    detail = f"{outcome.error.key}: {outcome.error.say('en').splitlines()[0]}" if outcome.error else ""
    with database.step():
        database.audit(at, "import", file=outcome.file, outcome=outcome.state, detail=detail[:300])


def is_cloned(database: Database, device: str) -> bool:
    """Tell whether another device writes under the name that this one uses now."""
    sql = "SELECT cloned FROM streams JOIN devices ON stream = streams.name WHERE devices.id = ?"
    return database.rows(sql, [device]) == [(1,)]


def _judge(database: Database, head: Head, device: str, ancestors: list[str]) -> None:
    """Refuse a device that was revoked under any identity, or neither is known nor has a token that counts."""
    identities = [device, *ancestors]
    marks = ", ".join("?" * len(identities))
    sql = f"SELECT devices.id, code, revoked FROM devices JOIN schools ON school = schools.id WHERE devices.id IN ({marks})"
    known = database.rows(sql, identities)
    for each, _, revoked in known:
        if revoked:
            raise RefusedError("device-revoked", device=each, day=revoked[:10])
    if (device, head.school) in {(each, code) for each, code, _ in known}:
        return
    recipient_of(head.recipient)
    sql = "SELECT code, revoked FROM tokens JOIN schools ON school = schools.id WHERE hash = ?"
    found = database.rows(sql, [token_hash(head.token)])
    if not found or found[0][0] != head.school:
        raise RefusedError("token-unknown", school=head.school)
    if found[0][1]:
        raise RefusedError("token-revoked", school=head.school, day=found[0][1][:10])


def _ancestors(head: Head, opened: Opened) -> list[str]:
    """Return the devices this one was before; each key must have signed the one after it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    keys = [*(link.key for link in head.links), opened.public]
    for link, after in zip(head.links, keys[1:], strict=True):
        try:
            Ed25519PublicKey.from_public_bytes(link.key).verify(link.proof, LINK + after)
        except (InvalidSignature, ValueError) as error:
            raise RefusedError("link-forged") from error
    return [device_id(link.key) for link in head.links]


def _register(database: Database, head: Head, device: str, public: bytes, ancestors: list[str], at: str) -> None:
    """Remember when and with what a device was last heard from."""
    recipient_of(head.recipient)
    values = [
        device,
        public,
        database.school(head.school),
        head.recipient,
        head.stream,
        at,
        json.dumps(dict(head.versions)),
    ]
    database.execute(
        "INSERT INTO devices (id, public, school, recipient, stream, heard, versions) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET school = excluded.school, recipient = excluded.recipient, "
        "stream = excluded.stream, heard = excluded.heard, versions = excluded.versions",
        values,
    )
    for ancestor in ancestors:
        database.execute("UPDATE devices SET after = ? WHERE id = ?", [device, ancestor])


def _add(database: Database, stream: Stream, head: Head, device: str, ancestors: list[str]) -> int:
    """Unite one stream, if this device may write under that name."""
    number = database.stream(stream.device, database.school(head.school))
    writers = {writer for (writer,) in database.rows("SELECT device FROM writers WHERE stream = ?", [number])}
    # Two copies of one device both come after it: who was first heard from must not matter.
    mine = {device} if stream.device == head.stream else {device, *ancestors}
    if writers and not writers & mine:
        raise RefusedError("stream-foreign", stream=stream.device)
    for writer in mine - writers:
        database.execute("INSERT INTO writers (stream, device) VALUES (?, ?)", [number, writer])
    return database.add(stream, number)

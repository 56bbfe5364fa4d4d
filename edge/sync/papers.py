"""What a device holds to hand over: where it is enrolled, its age key, the school's secret, its earlier keys.

`enrolment.json` in Amauta's folder is what the hub gave (`provision` may have put it there from a stick);
`sync.json` beside it is the device's own, readable by its owner only. A change of school or identity is
written there first and finished at the next use: a power cut between two steps costs nothing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from edge.files import write_atomic
from edge.identity import Identity, ensure_identity, renew_identity
from edge.learning.learner import new_id
from edge.sync import enrolment as enrolments
from edge.sync.bundle import Link
from edge.sync.enrolment import Enrolment
from edge.sync.errors import SyncError
from edge.sync.ledger import Ledger

ENROLMENT, OWN = "enrolment.json", "sync.json"
FORMAT = 1
LINK = b"amauta-link-1\n"
"""What an old key signs together with the key that comes after it."""


@dataclass(frozen=True, slots=True)
class Own:
    """The device's own part."""

    hub: str
    school: str
    secret: bytes = field(repr=False)
    """Behind the pseudonyms; never changes once it is there."""

    age: str = field(repr=False)
    recipient: str
    stream: str = ""
    """The name to write under from now on; empty for the store's first."""

    links: tuple[Link, ...] = ()
    coming: bytes = field(default=b"", repr=False)
    """A private key that is to become the identity."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Everything needed to hand over."""

    enrolment: Enrolment
    own: Own
    identity: Identity


def enrol(home: Path, content: bytes, ledger: Ledger, random: Random) -> Papers:
    """Take what the hub gave, from a file or a QR code; a second time it changes nothing."""
    given = enrolments.parse(content)
    _keep(home / ENROLMENT, enrolments.as_bytes(given))
    return papers(home, ledger, random)


def papers(home: Path, ledger: Ledger, random: Random) -> Papers:
    """Return what this device holds, finishing what was begun; raise SyncError when it is not enrolled."""
    try:
        given = enrolments.parse((home / ENROLMENT).read_bytes())
    except FileNotFoundError as error:
        raise SyncError("not-enrolled") from error
    except OSError as error:
        raise SyncError("papers-disk", path=home / ENROLMENT, reason=error.strerror or str(error)) from error
    own = _read(home / OWN)
    if own is None:
        age, recipient = _new_age()
        own = Own(given.hub, given.school, given.secret, age, recipient)
        _keep(home / OWN, _as_bytes(own))
    elif (own.hub, own.school) != (given.hub, given.school):
        # What was done in one school stays under its name; the next school gets another.
        own = replace(own, hub=given.hub, school=given.school, stream=new_id(random))
        _keep(home / OWN, _as_bytes(own))
    return Papers(given, *_finished(home, own, ledger))


def renew(home: Path, ledger: Ledger, random: Random) -> Papers:
    """Give this device another identity, which the old one vouches for: two devices had the same."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    held = papers(home, ledger, random)
    coming = Ed25519PrivateKey.generate()
    proof = held.identity.key().sign(LINK + coming.public_key().public_bytes_raw())
    age, recipient = _new_age()
    own = replace(
        held.own,
        age=age,
        recipient=recipient,
        stream=new_id(random),
        links=(*held.own.links, Link(held.identity.public, proof)),
        coming=coming.private_bytes_raw(),
    )
    _keep(home / OWN, _as_bytes(own))
    return Papers(held.enrolment, *_finished(home, own, ledger))


def _finished(home: Path, own: Own, ledger: Ledger) -> tuple[Own, Identity]:
    """Do what `own` says and was not done yet."""
    if own.coming:
        try:
            renew_identity(home, own.coming)
        except OSError as error:
            raise SyncError("papers-disk", path=home, reason=error.strerror or str(error)) from error
    if own.stream:
        ledger.begin_stream(own.stream)
    if own.coming:
        own = replace(own, coming=b"")
        _keep(home / OWN, _as_bytes(own))
    return own, ensure_identity(home)


def _new_age() -> tuple[str, str]:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def _as_bytes(own: Own) -> bytes:
    facts = {
        "format": FORMAT,
        "hub": own.hub,
        "school": own.school,
        "secret": own.secret.hex(),
        "age": own.age,
        "recipient": own.recipient,
        "stream": own.stream,
        "links": [[link.key.hex(), link.proof.hex()] for link in own.links],
        "coming": own.coming.hex(),
    }
    return json.dumps(facts, indent=1).encode()


def _read(path: Path) -> Own | None:
    """Return the device's own part, None when there is none yet; a damaged one is never made anew silently."""
    try:
        found = json.loads(path.read_bytes())
        if found.pop("format") != FORMAT:
            raise ValueError("format")
        links = tuple(Link(bytes.fromhex(key), bytes.fromhex(proof)) for key, proof in found.pop("links"))
        secret, coming = bytes.fromhex(found.pop("secret")), bytes.fromhex(found.pop("coming"))
        return Own(**found, secret=secret, coming=coming, links=links)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SyncError("papers-disk", path=path, reason=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SyncError("papers-broken", path=path, reason=str(error)[:60]) from error


def _keep(path: Path, content: bytes) -> None:
    try:
        write_atomic(path, content)
        if os.name == "posix":
            path.chmod(0o600)
    except OSError as error:
        raise SyncError("papers-disk", path=path, reason=error.strerror or str(error)) from error

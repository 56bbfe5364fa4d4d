"""Who may hand over: a device that is known, or one that shows its school's token; never one that was revoked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from edge.hub.arrival import Arrival
from edge.hub.database import Database
from edge.sync.errors import RefusedError
from edge.sync.seal import recipient_of


def token_hash(token: bytes) -> str:
    """Return how a token is kept; it is 128 random bits, so one hash is enough."""
    return hashlib.sha256(b"amauta-token\0" + token).hexdigest()


@dataclass(slots=True)
class Rights:
    """What the hub knows about those who hand over together."""

    devices: dict[str, tuple[str, str]]
    """Their schools, and when they were revoked."""

    tokens: dict[str, tuple[str, str]]
    """By their hashes: schools, and when they were revoked."""

    digests: set[str]
    """Bundles that are here."""

    def judge(self, arrival: Arrival) -> None:
        """Raise RefusedError unless this bundle may come in."""
        head = arrival.head
        for each in (arrival.device, *arrival.ancestors):
            if (known := self.devices.get(each)) and known[1]:
                raise RefusedError("device-revoked", device=each, day=known[1][:10])
        recipient_of(head.recipient)
        if self.devices.get(arrival.device, ("", ""))[0] == head.school:
            return
        school, revoked = self.tokens.get(token_hash(head.token), ("", ""))
        if school != head.school:
            raise RefusedError("token-unknown", school=head.school)
        if revoked:
            raise RefusedError("token-revoked", school=head.school, day=revoked[:10])

    def know(self, arrival: Arrival) -> None:
        """From now on its device is known, as for whoever comes in by itself later."""
        self.devices[arrival.device] = (arrival.head.school, "")


def rights_of(database: Database, arrivals: Sequence[Arrival]) -> Rights:
    """Ask the hub what it knows about those who hand over."""
    devices, tokens, digests = database.ask(
        (
            "SELECT devices.id, code, revoked FROM devices JOIN schools ON school = schools.id "
            "WHERE devices.id IN ({marks})",
            sorted({each for arrival in arrivals for each in (arrival.device, *arrival.ancestors)}),
        ),
        (
            "SELECT hash, code, revoked FROM tokens JOIN schools ON school = schools.id WHERE hash IN ({marks})",
            sorted({token_hash(arrival.head.token) for arrival in arrivals}),
        ),
        ("SELECT digest FROM bundles WHERE digest IN ({marks})", sorted({arrival.digest for arrival in arrivals})),
    )
    return Rights(
        {device: (code, revoked) for device, code, revoked in devices},
        {token: (code, revoked) for token, code, revoked in tokens},
        {digest for (digest,) in digests},
    )

"""Six digits make two machines trust each other: SPAKE2, confirmed both ways, then a signature on each message.

Pure but for the randomness of keys. Whoever listens learns nothing that could be tried out at home; whoever poses
as one side has one guess in a million each time. The device confirms first: a wrong guess cannot go uncounted.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Literal

from edge.sync.errors import RefusedError

Side = Literal["device", "courier"]

SCHEME = "Amauta-Near"
CODE_DIGITS = 6
MESSAGE_BYTES = 33

_NAMES = {"idA": b"amauta-near-1 device", "idB": b"amauta-near-1 courier"}


@dataclass(frozen=True, slots=True)
class Shared:
    """What both sides know after the exchange; the same only if both knew the code."""

    secret: bytes = field(repr=False)

    def proof(self, side: Side) -> bytes:
        """Return how one side shows that it knows the secret."""
        return hmac.digest(self.secret, b"amauta-near-1 proof " + side.encode(), hashlib.sha256)

    def is_proof(self, side: Side, given: bytes) -> bool:
        """Tell whether the other side knows it too."""
        return hmac.compare_digest(self.proof(side), given)

    def key(self) -> bytes:
        """Return what signs each message from now on."""
        return hmac.digest(self.secret, b"amauta-near-1 session", hashlib.sha256)


class Handshake:
    """One side of one exchange; good for one answer."""

    def __init__(self, side: Side, code: str) -> None:
        from spake2 import SPAKE2_A, SPAKE2_B

        self._exchange = (SPAKE2_A if side == "device" else SPAKE2_B)(code.encode(), **_NAMES)
        self.message: bytes = self._exchange.start()

    def finish(self, message: bytes) -> Shared:
        """Return the shared secret; raise RefusedError when the other side's message is none."""
        from spake2 import SPAKEError
        from spake2.ed25519_basic import NotOnCurve

        try:
            if len(message) != MESSAGE_BYTES:
                raise ValueError("length")
            return Shared(self._exchange.finish(message))
        except (SPAKEError, NotOnCurve, ValueError) as error:
            raise RefusedError("near-message", reason=str(error)[:80]) from error


def clean_code(typed: str) -> str:
    """Return the six digits a person typed, in groups or not; raise RefusedError when they are not six digits."""
    code = "".join(typed.split()).replace("-", "")
    if len(code) != CODE_DIGITS or not (code.isascii() and code.isdigit()):
        raise RefusedError("near-code-shape", code=ascii(typed)[1:-1][:20])
    return code


def shown_code(code: str) -> str:
    """Return a code in two groups, as it is read aloud."""
    return f"{code[:3]} {code[3:]}"


def request_mac(key: bytes, method: str, path: str, counter: int, body: bytes) -> str:
    """Return the signature of a request."""
    return _mac(key, "request", method, path, counter, body)


def answer_mac(key: bytes, status: int, counter: int, body: bytes) -> str:
    """Return the signature of the answer to the request with that number."""
    return _mac(key, "answer", str(status), "", counter, body)


def _mac(key: bytes, kind: str, first: str, second: str, counter: int, body: bytes) -> str:
    facts = "\n".join(("amauta-near-1", kind, first, second, str(counter), hashlib.sha256(body).hexdigest()))
    return hmac.digest(key, facts.encode(), hashlib.sha256).hex()


@dataclass(slots=True)
class Signer:
    """The device's end of a session: each request gets the next number."""

    session: str
    key: bytes = field(repr=False)
    counter: int = 0

    def sign(self, method: str, path: str, body: bytes = b"") -> str:
        """Return the authorization of one request."""
        self.counter += 1
        mac = request_mac(self.key, method, path, self.counter, body)
        return f"{SCHEME} {self.session}.{self.counter}.{mac}"

"""Facts to the body of a bundle and back.

Pure. The head says who hands over, to whom and with what right; it is small and is read, and judged by the
receiver, before the facts are decompressed. Compression is bounded on both sides: no body unfolds to more
than `MOST_RAW`. A receiver opens it with standard tools too: a length, JSON, and JSON in zstd.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edge.sync.columns import (
    Table,
    attempts_in,
    attempts_out,
    erased_in,
    erased_out,
    learners_in,
    turns_in,
    turns_out,
    words_in,
)
from edge.sync.enrolment import DEVICE_NAME, SCHOOL_CODE, TOKEN_BYTES
from edge.sync.errors import RefusedError
from edge.sync.facts import KINDS, Stream

FORMAT = 1
MOST_HEAD = 1 << 16
MOST_RAW = 32 << 20
MOST_FACTS = 250_000
"""In one bundle; more become more bundles. About 10 MB unfolded."""

MOST_STREAMS = 1000
"""In one bundle; a device has one for each time its identity was renewed. A receiver locks each by its name."""

LEVEL = 12
"""zstd: twice as slow as 9 and 2 % smaller; 19 takes seconds on an old processor."""

_KEY = re.compile(r"[0-9a-f]{64}")
_PROOF = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Link:
    """A key that a device had before, and its signature under the key that came after."""

    key: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Who hands over."""

    hub: str
    school: str
    token: bytes = field(repr=False)
    stream: str
    """The name the device writes under now."""

    recipient: str
    """The device's own age recipient, for the acknowledgement."""

    links: tuple[Link, ...] = ()
    """Earlier keys of this device, oldest first."""

    versions: tuple[tuple[str, str], ...] = ()
    """What runs there: app, packs, models."""


def encode(head: Head, streams: Sequence[Stream]) -> bytes:
    """Return the body of a bundle; raise RefusedError when no receiver would unfold so much."""
    import zstandard

    facts: dict[str, Any] = {
        "format": FORMAT,
        "hub": head.hub,
        "school": head.school,
        "token": head.token.hex(),
        "stream": head.stream,
        "recipient": head.recipient,
        "links": [[link.key.hex(), link.proof.hex()] for link in head.links],
        "versions": dict(head.versions),
    }
    first, rest = _json(facts), _payload(streams)
    if len(rest) > MOST_RAW:
        raise RefusedError("bundle-bomb", most=MOST_RAW)
    return len(first).to_bytes(4, "big") + first + zstandard.ZstdCompressor(level=LEVEL).compress(rest)


def _payload(streams: Sequence[Stream]) -> bytes:
    learners, words = Table(), Table()
    folded = [
        {
            "device": stream.device,
            "attempts": attempts_out(stream.attempts, learners, words),
            "turns": turns_out(stream.turns, learners, words),
            "erased": erased_out(stream.erased, learners),
        }
        for stream in streams
    ]
    return _json({"learners": learners.values, "words": words.values, "streams": folded})


def _json(facts: object) -> bytes:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8")


def decode_head(body: bytes) -> Head:
    """Return the head of a body whose signature was right; raise RefusedError when it is not one."""
    try:
        size = int.from_bytes(body[:4], "big")
        if len(body) < 4 + size or size > MOST_HEAD:
            raise ValueError("head")
        found = json.loads(body[4 : 4 + size])
        if not isinstance(found, dict) or found.pop("format", None) != FORMAT or len(found) != 7:
            raise ValueError("format")
        return _head(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RefusedError("bundle-broken", reason=f"{error}"[:80]) from error


def _head(found: dict[str, Any]) -> Head:
    links = found["links"]
    if len(links) > 100 or not all(_KEY.fullmatch(key) and _PROOF.fullmatch(proof) for key, proof in links):
        raise ValueError("links")
    versions = found["versions"]
    if len(versions) > 200 or not all(_is_line(name) and _is_line(value) for name, value in versions.items()):
        raise ValueError("versions")
    if not DEVICE_NAME.fullmatch(found["hub"]) or not DEVICE_NAME.fullmatch(found["stream"]):
        raise ValueError("hub")
    if not SCHOOL_CODE.fullmatch(found["school"]):
        raise ValueError("school")
    token = bytes.fromhex(found["token"])
    if len(token) != TOKEN_BYTES or not _is_line(found["recipient"]):
        raise ValueError("token")
    return Head(
        found["hub"],
        found["school"],
        token,
        found["stream"],
        found["recipient"],
        tuple(Link(bytes.fromhex(key), bytes.fromhex(proof)) for key, proof in links),
        tuple(sorted(versions.items())),
    )


def _is_line(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 100 and value.isprintable()


def decode_facts(body: bytes) -> tuple[Stream, ...]:
    """Return the facts of a body whose writer was accepted; raise RefusedError when they are not right."""
    import zstandard

    folded = body[4 + int.from_bytes(body[:4], "big") :]
    try:
        with zstandard.ZstdDecompressor(max_window_size=MOST_RAW).stream_reader(io.BytesIO(folded)) as reader:
            raw = reader.read(MOST_RAW + 1)
        if len(raw) > MOST_RAW:
            raise RefusedError("bundle-bomb", most=MOST_RAW)
        found = json.loads(raw)
        learners, words = learners_in(found["learners"]), words_in(found["words"])
        if len(found) != 3 or len(found["streams"]) > MOST_STREAMS:
            raise ValueError("tables")
        streams = tuple(_stream(each, learners, words) for each in found["streams"])
    except (zstandard.ZstdError, MemoryError) as error:
        raise RefusedError("bundle-broken", reason="zstd") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RefusedError("bundle-broken", reason=f"{error}"[:80]) from error
    if len({stream.device for stream in streams}) != len(streams):
        raise RefusedError("bundle-broken", reason="device")
    return streams


def _stream(found: dict[str, Any], learners: list[int], words: list[str]) -> Stream:
    if len(found) != 4 or not DEVICE_NAME.fullmatch(found["device"]):
        raise ValueError("device")
    return Stream(
        found["device"],
        attempts_in(found["attempts"], learners, words),
        turns_in(found["turns"], learners, words),
        erased_in(found["erased"], learners),
    )


def digest_of(body: bytes) -> str:
    """Return the name under which a bundle is acknowledged."""
    return hashlib.sha256(body).hexdigest()


def split(streams: Sequence[Stream], most: int = MOST_FACTS) -> Iterator[tuple[Stream, ...]]:
    """Yield the same facts in portions of at most `most`; none is torn and none is left out."""
    portion: list[Stream] = []
    room = most
    for stream in streams:
        for kind in KINDS:
            rows = getattr(stream, kind)
            while rows:
                taken, rows = rows[:room], rows[room:]
                part = Stream(stream.device)
                if portion and portion[-1].device == stream.device:
                    part = portion.pop()
                portion.append(replace(part, **{kind: taken}))
                room -= len(taken)
                if room == 0:
                    yield tuple(portion)
                    portion, room = [], most
    if portion:
        yield tuple(portion)

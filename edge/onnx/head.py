"""What an ONNX file says about the language model in it; what cannot be whole is refused before any library opens it.

A file of ours is one protobuf message that ends with a note of its own: sizes, the vocabulary (a GGUF file without
weights) and the SHA-256 of the GGUF file that holds the same model.
"""

from __future__ import annotations

import base64
import json
import mmap
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ModelError

NOTE = "amauta.decoder"
FORMAT = 1
MOST_VOCABULARY_BYTES = 128 << 20
VERSION_FIELD, GRAPH_FIELD, NOTES_FIELD = 1, 7, 14
"""Of onnx.proto's ModelProto."""

SHA256_LETTERS = 64
LIMITS = {"layers": 1 << 12, "key_heads": 1 << 12, "head_size": 1 << 14, "context": 1 << 20, "parameters": 1 << 40}


@dataclass(frozen=True, slots=True)
class DecoderHead:
    """What is known of a language model before it is loaded."""

    layers: int
    key_heads: int
    head_size: int
    context: int
    """How many tokens it was made for."""

    parameters: int
    kind: str
    """fp32, int8 or int4."""

    gguf: str
    """SHA-256 of the GGUF file of the same model."""

    vocabulary: bytes
    """A GGUF file without weights."""


def describe(facts: Mapping[str, int | str], vocabulary: bytes) -> tuple[str, str]:
    """Return the name and the text of the note that `read_decoder_head` reads."""
    packed = base64.b64encode(zlib.compress(vocabulary, 9)).decode()
    return NOTE, json.dumps({**facts, "format": FORMAT, "vocabulary": packed})


def read_decoder_head(path: Path) -> DecoderHead:
    """Read the note of `path`; raise ModelError when it is no whole ONNX file of a language model of ours."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if not size:
                raise ModelError("model-not-onnx", path=path)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                note = _note(view, path)
    except OSError as error:
        raise ModelError("model-unreadable", path=path, reason=error.strerror or str(error)) from error
    try:
        return _head(json.loads(note))
    except (ValueError, KeyError, TypeError, RecursionError, zlib.error) as error:
        raise ModelError("model-broken", path=path) from error


def _head(found: Any) -> DecoderHead:
    numbers = {name: found[name] for name in LIMITS}
    if found["format"] != FORMAT or not all(type(n) is int and 0 < n < LIMITS[name] for name, n in numbers.items()):
        raise ValueError(NOTE)
    kind, gguf = str(found["kind"]), str(found["gguf"])
    if len(gguf) != SHA256_LETTERS:
        raise ValueError("gguf")
    unpack = zlib.decompressobj()
    vocabulary = unpack.decompress(base64.b64decode(found["vocabulary"], validate=True), MOST_VOCABULARY_BYTES)
    if not unpack.eof:
        raise ValueError("vocabulary")
    return DecoderHead(**numbers, kind=kind, gguf=gguf, vocabulary=vocabulary)


def _note(view: mmap.mmap, path: Path) -> bytes:
    """Walk over the whole message, which must end where the file ends, and return the note in it."""
    found, graph = None, False
    for number, start, end in _fields(view, 0, len(view), path):
        graph = graph or number == GRAPH_FIELD
        if number == NOTES_FIELD:
            parts = {part: view[a:b] for part, a, b in _fields(view, start, end, path)}
            if parts.get(1) == NOTE.encode():
                found = parts.get(2, b"")
    if found is None or not graph:
        # Whole as it stands; it may have been cut where a part ended, or be somebody else's.
        raise ModelError("model-not-onnx", path=path)
    return found


def _fields(view: mmap.mmap, at: int, end: int, path: Path) -> Iterator[tuple[int, int, int]]:
    """Yield the number of each field of a message and where its content begins and ends."""
    first = True
    while at < end:
        tag, at = _varint(view, at, end, path)
        number, wire = tag >> 3, tag & 7
        if first and at <= 2 and number != VERSION_FIELD:
            raise ModelError("model-not-onnx", path=path)
        first = False
        start = at
        if wire == 0:
            _, at = _varint(view, at, end, path)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        elif wire == 2:
            length, start = _varint(view, at, end, path)
            at = start + length
        else:
            raise ModelError("model-not-onnx", path=path)
        if at > end:
            raise ModelError("model-truncated", path=path, size=len(view))
        yield number, start, at


def _varint(view: mmap.mmap, at: int, end: int, path: Path) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where what follows begins."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= end:
            raise ModelError("model-truncated", path=path, size=len(view))
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ModelError("model-not-onnx", path=path)

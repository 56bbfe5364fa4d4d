"""Read the head of a GGUF file and refuse what cannot be whole, before any library opens it.

llama.cpp ends the whole program on some damaged files. Here every length is
checked against the file's own size first: nothing is read that is not there.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ModelError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MOST_TENSORS, MOST_FIELDS, MOST_DIMENSIONS = 65_536, 65_536, 4
MOST_NUMBERS = 1 << 40
TOKEN_TABLE, OUTPUT = "token_embd.weight", "output.weight"
SCALARS = {0: "B", 1: "b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110),
    22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8),
    29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36),
    41: (128, 18),
}  # fmt: skip
"""Numbers in a block and its bytes, for each type of tensor."""

KNOWN = """
    llama llama4 mistral3 mistral4 qwen2 qwen2moe qwen3 qwen3moe qwen3next qwen35 qwen35moe gemma gemma2
    gemma3 gemma3n gemma4 phi2 phi3 phimoe smollm3 lfm2 lfm2moe granite granitemoe granitehybrid
    olmo olmo2 olmoe
    stablelm falcon falcon-h1 starcoder2 internlm2 minicpm minicpm3 exaone exaone4 apertus seed_oss
    gpt2 gptneox
    bloom mpt command-r cohere2 nemotron arcee plamo2 mamba mamba2 jamba ernie4_5 hunyuan-dense bitnet chatglm
"""
ARCHITECTURES = frozenset(KNOWN.split())
"""Text models that the bundled llama.cpp can answer with."""

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class GgufHead:
    """What a GGUF file says about itself; lists of its vocabulary are left out."""

    version: int
    fields: dict[str, Value]
    tensors: int
    parameters: int
    looked_up_bytes: int
    """The table of tokens, where writing a token looks up one row of it and reads nothing else."""

    @property
    def architecture(self) -> str:
        """Return the kind of network, for example llama."""
        return str(self.fields["general.architecture"])

    @property
    def context(self) -> int:
        """Return how many tokens the model was made for, or 0."""
        value = self.fields.get(f"{self.architecture}.context_length", 0)
        return value if isinstance(value, int) else 0


def read_head(path: Path) -> GgufHead:
    """Read and check the head of `path`; raise ModelError when it is no whole GGUF of a kind we can run."""
    head = _head_of(path)
    if (
        not head.tensors
        or f"{head.architecture}.block_count" not in head.fields
        or "tokenizer.ggml.model" not in head.fields
    ):
        raise ModelError("model-broken", path=path)
    return head


def is_adapter(path: Path) -> bool:
    """Tell whether a GGUF file holds an adapter (LoRA); raise ModelError when it is no whole GGUF of a kind we can run."""
    head = _head_of(path)
    return bool(head.tensors) and head.fields.get("general.type") == "adapter"


def tensor_starts(path: Path) -> list[int]:
    """Return at which bytes tensors begin, in order; raise ModelError when it is no whole GGUF file."""
    return sorted(_walk(path)[1])


def _head_of(path: Path) -> GgufHead:
    head, _ = _walk(path)
    if head.architecture not in ARCHITECTURES:
        raise ModelError("model-architecture", path=path, architecture=head.architecture)
    return head


def _walk(path: Path) -> tuple[GgufHead, list[int]]:
    try:
        with path.open("rb") as file:
            if file.read(4) != MAGIC:
                raise ModelError("model-not-gguf", path=path)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                cursor = _Cursor(view, path)
                return cursor.head(), cursor.starts
    except OSError as error:
        raise ModelError("model-unreadable", path=path, reason=error.strerror or str(error)) from error


class _Cursor:
    """Walks over the bytes of a file, and never past their end."""

    def __init__(self, view: mmap.mmap, path: Path) -> None:
        self.view, self.path, self.size, self.at = view, path, len(view), len(MAGIC)
        self.starts: list[int] = []
        """Where each tensor begins, once the head was read."""

    def head(self) -> GgufHead:
        version = self.number(4)
        if version not in VERSIONS:
            raise ModelError("model-version", path=self.path, version=version)
        tensors, count = self.number(8), self.number(8)
        self.refuse(tensors > MOST_TENSORS or count > MOST_FIELDS)
        fields: dict[str, Value] = {}
        for _ in range(count):
            name = self.text()
            value = self.value(self.number(4))
            if value is not None:
                fields[name] = value
        self.refuse(not isinstance(fields.get("general.architecture"), str))
        align = fields.get("general.alignment", 32)
        if not isinstance(align, int) or not 0 < align <= 65_536:
            raise ModelError("model-broken", path=self.path)
        found = {name: facts for name, *facts in (self.tensor(align) for _ in range(tensors))}
        self.refuse(len(found) != tensors)
        start = -(-self.at // align) * align
        if found and start + max(end for _, end, _ in found.values()) > self.size:
            raise ModelError("model-truncated", path=self.path, size=self.size)
        self.starts = [start + offset for offset, _, _ in found.values()]
        begin, end, _ = found.get(TOKEN_TABLE, (0, 0, 0)) if OUTPUT in found else (0, 0, 0)
        numbers = sum(numbers for _, _, numbers in found.values())
        return GgufHead(version, fields, tensors, numbers, end - begin)

    def tensor(self, align: int) -> tuple[str, int, int, int]:
        """Return a tensor's name, where it begins and ends, counted from the first one, and how many numbers it has."""
        name = self.text()
        dimensions = self.number(4)
        self.refuse(not 0 < dimensions <= MOST_DIMENSIONS)
        sizes = [self.number(8) for _ in range(dimensions)]
        kind, offset = self.number(4), self.number(8)
        self.refuse(kind not in BLOCKS or offset % align != 0)
        self.refuse(any(not 0 < size < MOST_NUMBERS for size in sizes))
        block, width = BLOCKS[kind]
        self.refuse(sizes[0] % block != 0)
        numbers = 1
        for size in sizes:
            numbers *= size
        return name, offset, offset + numbers // block * width, numbers

    def value(self, kind: int) -> Value | None:
        """Read a value of a field; lists are passed over."""
        if kind == STRING:
            return self.text()
        if kind in SCALARS:
            scalar: Value = struct.unpack(SCALARS[kind], self.take(struct.calcsize(SCALARS[kind])))[0]
            return scalar
        self.refuse(kind != ARRAY)
        inner, count = self.number(4), self.number(8)
        if inner == STRING:
            for _ in range(count):  # ends at the end of the file, whatever count says
                self.skip(self.number(8))
        else:
            self.refuse(inner not in SCALARS)
            self.skip(count * struct.calcsize(SCALARS[inner]))
        return None

    def text(self) -> str:
        """Read a text: its length, then its bytes."""
        return self.take(self.number(8)).decode("utf-8", "replace")

    def number(self, width: int) -> int:
        """Read a whole number without sign."""
        return int.from_bytes(self.take(width), "little")

    def take(self, count: int) -> bytes:
        """Return the next bytes, or say that the file is cut short."""
        start = self.at
        self.skip(count)
        return self.view[start : self.at]

    def skip(self, count: int) -> None:
        """Pass over bytes, which must be there."""
        if count > self.size - self.at:
            raise ModelError("model-truncated", path=self.path, size=self.size)
        self.at += count

    def refuse(self, wrong: bool) -> None:
        """Say that the file contradicts itself."""
        if wrong:
            raise ModelError("model-broken", path=self.path)

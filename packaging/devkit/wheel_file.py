"""Copy a wheel without some of llama.cpp's processor variants, named for the machine it was compiled for.

A wheel is a zip with a list of its own files: what is left out goes from the list too, what changes gets a new sum there.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Collection
from pathlib import Path

LIST = ".dist-info/RECORD"
TAGS = ".dist-info/WHEEL"


def rewrite(wheel: Path, folder: Path, left_out: Collection[str], machine: str = "") -> Path:
    """Put into `folder` a copy without these variants; for a Linux on `machine`, or unchanged in that."""
    variant = re.compile(rf"ggml-cpu-({'|'.join(map(re.escape, left_out)) or '(?!)'})\.(so|dll|dylib)")
    target = folder / (_named(wheel.stem, machine) + wheel.suffix)
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        tags = ""
        for entry in sorted(source.infolist(), key=lambda entry: entry.filename.endswith(LIST)):
            content = source.read(entry)
            if variant.search(entry.filename):
                continue
            if entry.filename.endswith(TAGS):
                text = content.decode("utf-8")
                content = re.sub(r"(?m)^(Tag: \S+)$", lambda tag: _named(tag[1], machine), text).encode("utf-8")
                tags = f"{entry.filename},sha256={_sum(content)},{len(content)}\n"
            if entry.filename.endswith(LIST):
                lines = content.decode("utf-8").splitlines(keepends=True)
                kept = [line for line in lines if not variant.search(line)]
                content = "".join(tags if f"{TAGS}," in line else line for line in kept).encode("utf-8")
            copy.writestr(entry, content)
    return target


def _named(tag: str, machine: str) -> str:
    """Return a wheel's name or tag with its last part naming this machine."""
    return f"{tag.rpartition('-')[0]}-linux_{machine}" if machine else tag


def _sum(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")

"""Bring the bytes of a file into the repository: its parts, and a delta from the file it replaces where that is smaller.

What is here already is not written again, and a finished delta leaves a receipt, so that a killed
signing goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from edge.files import write_atomic
from edge.release import layout
from edge.release.contents import MOST_PART_BYTES, Delta, Part, ReleaseFile, part_sizes
from edge.update.plan import MOST_DELTA_BYTES
from quantize.recipe import RecipeError
from quantize.signing.gather import Found
from quantize.signing.repository import Repository, disk_words

LEAST_CHANGED_BYTES = 4 << 10
WORTH = 0.8
"""A delta must be this much smaller than the changed parts: it asks for more memory and time on the device."""

LEVEL, LEAST_WINDOW, MOST_WINDOW = 12, 20, 31


def take(repo: Repository, found: Found) -> ReleaseFile:
    """Put the parts of a file into the repository; raise RecipeError when it changes meanwhile."""
    parts, whole = [], hashlib.sha256()
    try:
        sizes = part_sizes(found.source)
        with found.source.open("rb") as file:
            for size in sizes:
                content = file.read(size)
                if len(content) != size:
                    raise RecipeError("sign-changed", path=found.source)
                whole.update(content)
                sha256 = hashlib.sha256(content).hexdigest()
                repo.put_part(content, sha256)
                parts.append(Part(sha256, size))
    except OSError as error:
        raise RecipeError("key-unreadable", path=found.source, reason=error.strerror or str(error)) from error
    facts = (found.path, found.kind, found.id, found.platform, sum(sizes), whole.hexdigest(), found.mode)
    return ReleaseFile(*facts, tuple(parts), ())


def with_deltas(repo: Repository, file: ReleaseFile, old: ReleaseFile | None) -> ReleaseFile:
    """Return the file with the ways to make it from an older one; those of an unchanged file stay good."""
    if old is None:
        return file
    if old.sha256 == file.sha256:
        return replace(file, deltas=old.deltas)
    here = {part.sha256 for part in old.parts}
    changed = sum({p.sha256: p.size for p in file.parts if p.sha256 not in here}.values())
    if changed < LEAST_CHANGED_BYTES or old.size + file.size > MOST_DELTA_BYTES:
        return file
    delta = _receipt(repo, old, file) or _made(repo, old, file)
    return replace(file, deltas=(delta,)) if delta.size < changed * WORTH else file


def _made(repo: Repository, old: ReleaseFile, new: ReleaseFile) -> Delta:
    content = difference(_whole(repo, old), _whole(repo, new))
    delta = Delta(old.sha256, hashlib.sha256(content).hexdigest(), len(content))
    repo.put_part(content, delta.sha256)
    with disk_words(repo.work):
        facts = {"sha256": delta.sha256, "size": delta.size}
        write_atomic(_receipt_path(repo, old, new), json.dumps(facts).encode())
    return delta


def _receipt(repo: Repository, old: ReleaseFile, new: ReleaseFile) -> Delta | None:
    """Return a delta that an earlier try finished, if it is still here."""
    try:
        found = json.loads(_receipt_path(repo, old, new).read_bytes())
        delta = Delta(old.sha256, str(found["sha256"]), int(found["size"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return delta if repo.has(delta.sha256, delta.size) else None


def _receipt_path(repo: Repository, old: ReleaseFile, new: ReleaseFile) -> Path:
    return repo.work / "deltas" / f"{old.sha256[:24]}-{new.sha256[:24]}.json"


def _whole(repo: Repository, file: ReleaseFile) -> bytes:
    content = b"".join(repo.read(layout.part(part.sha256), MOST_PART_BYTES) for part in file.parts)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise RecipeError("sign-broken", path=repo.folder / file.path)
    return content


def difference(old: bytes, new: bytes) -> bytes:
    """Return what makes `new` out of `old`: zstd with the old bytes as raw dictionary."""
    import zstandard

    window = min(MOST_WINDOW, max(LEAST_WINDOW, (len(old) + len(new)).bit_length()))
    settings = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, source_size=len(new), dict_size=len(old), window_log=window, enable_ldm=True
    )
    words = zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdCompressor(dict_data=words, compression_params=settings).compress(new)

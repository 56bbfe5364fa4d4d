"""The depot: verified files by their SHA-256, and entries that say what they are.

`objects/ab/HASH` holds bytes that were hashed before they got that name, so half a file never stands
under a hash. `entries/KIND/ID.json` is written last: an entry is there when all its files are. Several
processes may fill one depot; only `gc` needs it for itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from devkit.depot.trouble import disk_trouble
from devkit.errors import KitError
from devkit.site.names import clash, is_safe
from edge.files import BLOCK_BYTES, sync_folder, write_atomic
from edge.locks import take

Kind = Literal["lm", "lm-onnx", "voice", "pack", "app", "image", "adapter", "release"]
KINDS: tuple[str, ...] = get_args(Kind)
IDENTIFIER = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file of an entry."""

    path: str
    """Where it goes below AMAUTA on a stick; of an image, its name."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the depot: a model, a voice, a pack, an app build, an image, an adapter, a release."""

    kind: Kind
    id: str
    version: str
    platform: str
    """Empty for what runs anywhere."""

    files: tuple[KeptFile, ...]

    @property
    def size(self) -> int:
        """Return the bytes of its files together."""
        return sum(file.size for file in self.files)


class Depot:
    """A folder of verified files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def incoming(self) -> Path:
        """Where bytes wait until they are whole and known."""
        return self.folder / "incoming"

    def path(self, sha256: str) -> Path:
        """Return where the bytes of this hash are, or will be."""
        return self.folder / "objects" / sha256[:2] / sha256

    def has(self, sha256: str, size: int | None = None) -> bool:
        """Tell whether these bytes are here; `verify` tells whether the disk still has them right."""
        path = self.path(sha256)
        return path.is_file() and size in (None, path.stat().st_size)

    def take(self, file: Path, sha256: str | None = None) -> tuple[int, str]:
        """Copy a file in and return its size and hash; raise KitError when it is not the one that was meant."""
        if sha256 is not None and self.has(sha256, _size_of(file)):
            return file.stat().st_size, sha256
        return self.take_blocks(_blocks(file), file, sha256)

    def take_blocks(self, blocks: Iterable[bytes], name: Path | str, sha256: str | None) -> tuple[int, str]:
        """Write bytes that come one after the other; `name` is what to call them when they are not those meant."""
        with disk_trouble(self.folder):
            self.incoming.mkdir(parents=True, exist_ok=True)
            handle, place = tempfile.mkstemp(dir=self.incoming, suffix=".tmp")
        new = Path(place)
        try:
            size, found = self._write(blocks, handle)
            if sha256 not in (None, found):
                raise KitError("depot-wrong", path=name, wanted=str(sha256)[:12], found=found[:12])
            self.adopt(new, found)
        finally:
            new.unlink(missing_ok=True)
        return size, found

    def _write(self, blocks: Iterable[bytes], handle: int) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        with os.fdopen(handle, "wb") as copy:
            for block in blocks:
                digest.update(block)
                size += len(block)
                with disk_trouble(self.folder):
                    copy.write(block)
            with disk_trouble(self.folder):
                copy.flush()
                os.fsync(copy.fileno())
        return size, digest.hexdigest()

    def adopt(self, whole: Path, sha256: str) -> None:
        """Give a file of `incoming`, whose bytes are on the disk and were hashed, its name."""
        target = self.path(sha256)
        with disk_trouble(self.folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                whole.replace(target)
            except FileNotFoundError:
                # Another process found it whole and gave it its name first.
                if not target.is_file():
                    raise
            sync_folder(target.parent)

    def keep(self, entry: Entry) -> None:
        """Write an entry: from now on its files are known to be here, and `gc` leaves them alone."""
        _refuse_unsafe(entry)
        if absent := next((file for file in entry.files if not self.has(file.sha256, file.size)), None):
            raise KitError("depot-absent", name=entry.id, path=absent.path)
        content = json.dumps(asdict(entry), indent=1, sort_keys=True).encode()
        with disk_trouble(self.folder):
            write_atomic(self._receipt(entry.kind, entry.id), content)

    def put(
        self,
        kind: Kind,
        name: str,
        version: str,
        platform: str,
        files: Mapping[str, Path],
        hashes: Mapping[str, str] | None = None,
    ) -> Entry:
        """Copy these files in, by the path each will have on a stick, and keep them as one entry.

        A file that `hashes` names must be that very one.
        """
        _refuse_unsafe(Entry(kind, name, version, platform, tuple(KeptFile(path, 0, "0" * 64) for path in files)))
        found = []
        for path, source in files.items():
            size, sha256 = self.take(source, (hashes or {}).get(path))
            found.append(KeptFile(path, size, sha256))
        entry = Entry(kind, name, version, platform, tuple(found))
        self.keep(entry)
        return entry

    def entries(self) -> list[Entry]:
        """Return every entry, by kind and name; raise KitError when one cannot be read."""
        return [self.read(path) for path in self.receipts()]

    def find(self, kind: str, name: str) -> Entry | None:
        """Return the entry of that kind and name."""
        receipt = self._receipt(kind, name)
        return self.read(receipt) if IDENTIFIER.fullmatch(name) and receipt.is_file() else None

    def forget(self, entry: Entry) -> None:
        """Remove an entry; its bytes go with the next `gc`, unless another one names them."""
        with disk_trouble(self.folder):
            self._receipt(entry.kind, entry.id).unlink(missing_ok=True)

    def receipts(self) -> list[Path]:
        """Return the files of all entries, readable or not."""
        order = {kind: at for at, kind in enumerate(KINDS)}
        found = [path for path in (self.folder / "entries").glob("*/*.json") if path.parent.name in order]
        return sorted(found, key=lambda path: (order[path.parent.name], path.name))

    def _receipt(self, kind: str, name: str) -> Path:
        return self.folder / "entries" / kind / f"{name}.json"

    def read(self, path: Path) -> Entry:
        """Read the file of one entry; raise KitError when it is damaged."""
        try:
            entry = parse(json.loads(path.read_bytes()))
        except OSError as error:
            raise KitError("depot-unreadable", path=path, reason=error.strerror or str(error)) from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise KitError("depot-entry", path=path, reason=str(error)[:100]) from error
        if (entry.kind, entry.id) != (path.parent.name, path.stem):
            raise KitError("depot-entry", path=path, reason=f"{entry.kind}/{entry.id}")
        return entry

    @contextmanager
    def open(self, *, alone: bool = False) -> Iterator[None]:
        """Hold the depot while filling it, together with others, or `alone` while clearing it."""
        with disk_trouble(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("ab")
        with lock:
            if not take(lock.fileno(), together=not alone):
                raise KitError("depot-busy", path=self.folder)
            yield


def parse(row: Any) -> Entry:
    """Turn the content of an entry into one; raise what `read` catches when it is none."""
    if not isinstance(row, dict) or set(row) != {"kind", "id", "version", "platform", "files"}:
        raise ValueError("fields")
    files = tuple(KeptFile(**file) for file in row["files"])
    entry = Entry(**{**row, "files": files})
    texts = (entry.kind, entry.id, entry.version, entry.platform, *(t for f in files for t in (f.path, f.sha256)))
    if not all(isinstance(text, str) for text in texts) or not all(type(file.size) is int for file in files):
        raise ValueError("types")
    try:
        _refuse_unsafe(entry)
    except KitError as error:
        raise ValueError(str(error.values["value"])) from error
    return entry


def _refuse_unsafe(entry: Entry) -> None:
    """Raise KitError for what must not become a name on a disk."""
    wrong = [value for value, right in (
        (entry.kind, entry.kind in KINDS),
        (entry.id, len(entry.id) <= 100 and IDENTIFIER.fullmatch(entry.id) is not None),
        (entry.version, entry.version.isascii() and entry.version.isprintable()),
        (entry.platform, entry.platform == "" or IDENTIFIER.fullmatch(entry.platform) is not None),
    ) if not right]  # fmt: skip
    wrong += [f.path for f in entry.files if not is_safe(f.path) or not SHA256.fullmatch(f.sha256) or f.size < 0]
    if twice := clash(file.path for file in entry.files):
        wrong.append(twice)
    if wrong or not entry.files:
        raise KitError("depot-name", value=wrong[0][:100] if wrong else entry.id)


def _size_of(file: Path) -> int:
    with _source_trouble(file):
        return file.stat().st_size


def _blocks(file: Path) -> Iterator[bytes]:
    with _source_trouble(file):
        source = file.open("rb")
    with source:
        while True:
            with _source_trouble(file):
                block = source.read(BLOCK_BYTES)
            if not block:
                return
            yield block


@contextmanager
def _source_trouble(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KitError("depot-unreadable", path=file, reason=error.strerror or str(error)) from error

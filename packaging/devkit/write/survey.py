"""The hash of every block of a source, found once while the first blocks are already being written.

One thread reads the source from end to end; the writers of all its sticks wait here for the hash of
the block they want to compare. A source that is not what the plan says stops them all.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import cache

from devkit.errors import KitError
from devkit.write.chunks import CHUNK_BYTES, Chunk, content_chunks
from devkit.write.device import aligned
from devkit.write.source import OpenSource, Source


class Survey:
    """What each block of one source must hash to."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.chunks = content_chunks(source.blocks)
        self.sha256 = ""
        """Of the whole image, once `run` came to its end; empty for what we composed."""

        self._digests: dict[int, bytes] = {}
        self._plain: list[bytes] = []
        self._trouble: KitError | None = None
        self._news = threading.Condition()

    def run(self) -> None:
        """Hash everything; for a thread of its own. What goes wrong is told to those who ask."""
        try:
            self._hash_all()
        except KitError as error:
            self._fail(error)
        except (OSError, MemoryError) as error:
            self._fail(KitError("source-unreadable", file=self.source.body, reason=str(error)))

    def stop(self) -> None:
        """Wake whoever waits: nobody needs the rest."""
        self._fail(KitError("write-stopped"))

    def digest(self, chunk: Chunk) -> bytes:
        """Return the hash of a chunk, waiting until it is known; raise KitError when the source is not right."""
        if chunk.zeros:
            return zeros_digest(chunk.length)
        with self._news:
            self._news.wait_for(lambda: self._trouble or chunk.offset in self._digests)
            if self._trouble:
                raise self._trouble
            return self._digests[chunk.offset]

    def finished(self) -> None:
        """Return when the whole source was found right; raise KitError when it was not."""
        with self._news:
            self._news.wait_for(lambda: self._trouble or self._done)
            if self._trouble:
                raise self._trouble

    def listing(self) -> str:
        """Return the list of the body's blocks as they are without patches. Only after `finished`."""
        rows = [
            (c, digest) for c, digest in zip(self.chunks, self._plain, strict=True) if c.offset >= len(self.source.head)
        ]
        return listing([chunk for chunk, _ in rows], [digest for _, digest in rows])

    _done = False

    def _hash_all(self) -> None:
        source = self.source
        image = OpenSource(source)
        # A composed stick is known by its list of blocks; its holes may be as large as the stick.
        everything = None if source.blocks_sha256 or source.head else hashlib.sha256()
        buffer, at = aligned(CHUNK_BYTES), 0
        try:
            for chunk in self.chunks:
                if everything:
                    self._hash_hole(image, everything, at, chunk.offset, buffer)
                view = buffer[: chunk.length]
                image.read_plain(chunk.offset, view)
                at = chunk.offset + chunk.length
                if everything:
                    everything.update(view[: min(chunk.length, source.size - chunk.offset)])
                plain = hashlib.sha256(view).digest()
                self._plain.append(plain)
                self._tell(chunk, hashlib.sha256(view).digest() if image.patch(chunk.offset, view) else plain)
            if everything:
                self._hash_hole(image, everything, at, source.size, buffer)
        finally:
            image.close()
        self._compare(everything.hexdigest() if everything else "")

    def _hash_hole(self, image: OpenSource, everything: hashlib._Hash, at: int, stop: int, buffer: memoryview) -> None:
        """Hash what the block map leaves out; content there means that the map is of another image."""
        while at < stop and not self._trouble:
            view = buffer[: min(len(buffer), stop - at)]
            image.read_plain(at, view)
            if any_set(view):
                raise KitError("bmap-misses", image=self.source.name, at=at)
            everything.update(view)
            at += len(view)

    def _compare(self, found: str) -> None:
        source = self.source
        blocks = hashlib.sha256(self.listing().encode()).hexdigest()
        for given, real in ((source.sha256, found), (source.blocks_sha256, blocks)):
            if given and given != real:
                raise KitError("source-changed", file=source.body, given=given[:16], found=real[:16])
        with self._news:
            self.sha256, self._done = found, True
            self._news.notify_all()

    def _tell(self, chunk: Chunk, digest: bytes) -> None:
        with self._news:
            if self._trouble:
                raise self._trouble
            self._digests[chunk.offset] = digest
            self._news.notify_all()

    def _fail(self, error: KitError) -> None:
        with self._news:
            self._trouble = self._trouble or error
            self._news.notify_all()


def listing(chunks: Sequence[Chunk], digests: Sequence[bytes]) -> str:
    """Return offset, length and SHA-256 of each chunk, a line each."""
    rows = zip(chunks, digests, strict=True)
    return "".join(f"{chunk.offset} {chunk.length} {digest.hex()}\n" for chunk, digest in rows)


def any_set(view: memoryview) -> bool:
    """Tell whether any byte is not zero."""
    return bytes(view).count(0) != len(view)


@cache
def zeros_digest(length: int) -> bytes:
    """Return the SHA-256 of so many zeros."""
    return hashlib.sha256(bytes(length)).digest()

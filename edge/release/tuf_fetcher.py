"""Lets python-tuf read a release repository: only the names such a repository has, and only so many bytes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import FetcherInterface

from edge.release.layout import limit
from edge.release.sources import Absent, Source

SCHEME = "repository:/"


class Fetcher(FetcherInterface):
    """The four roles and the contents of one repository."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = unquote(url.removeprefix(SCHEME))
        most = limit(name)
        if most is None:
            # Metadata may be signed and still name a file outside of the repository.
            raise DownloadError(f"no such name in a release repository: {name[:80]!r}")
        try:
            yield self._source.read(name, most)
        except Absent as error:
            raise DownloadHTTPError(f"absent: {name}", 404) from error

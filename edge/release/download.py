"""Ask a server for a file from a given byte on, and hand its bytes over as they come.

Knows HTTP: ranges, validators, redirects, time limits, and what may be asked again later.
Knows nothing about disks, hashes or the catalogue; that is `fetch`.
"""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

from edge import __version__
from edge.errors import ModelError

BLOCK_BYTES = 1 << 16
MOST_REDIRECTS = 5
LATER = {408, 425, 429, 500, 502, 503, 504}
"""Answers that say "not now"; any other refusal stays one."""

CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class NotNow(Exception):  # noqa: N818
    """The connection or the server failed in a way that may pass."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s
        """How long the server asked us to wait; 0 when it did not say."""


class NoSuchRange(Exception):  # noqa: N818
    """The server has no bytes from there on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source gives: bytes from `start` on."""

    start: int
    total: int | None
    """The size of the whole file, when the source says it."""

    tag: str
    """A strong validator of this very content; empty when there is none."""

    blocks: Iterator[bytes]


def open_file(path: Path, offset: int) -> AbstractContextManager[Answer]:
    """Open a file on a stick or in a folder from byte `offset` on; raise ModelError when it cannot be read."""
    return _file(path, offset)


@contextmanager
def _file(path: Path, offset: int) -> Iterator[Answer]:
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise ModelError("fetch-absent", where=str(path), reason=error.strerror or "404") from error
    except OSError as error:
        raise ModelError("fetch-source", where=str(path), reason=error.strerror or str(error)) from error
    with file:
        file.seek(offset)
        yield Answer(offset, path.stat().st_size, "", _file_blocks(file, path))


def _file_blocks(file: IO[bytes], path: Path) -> Iterator[bytes]:
    while True:
        try:
            block = file.read(BLOCK_BYTES)
        except OSError as error:
            raise ModelError("fetch-source", where=str(path), reason=error.strerror or str(error)) from error
        if not block:
            return
        yield block


def open_url(url: str, offset: int, tag: str, *, timeout_s: float) -> AbstractContextManager[Answer]:
    """Ask for `url` from byte `offset` on, if it is still the content called `tag`.

    Raises NotNow for what may pass, NoSuchRange, and ModelError for what will not.
    """
    return _http(url, offset, tag, timeout_s)


@contextmanager
def _http(url: str, offset: int, tag: str, timeout_s: float) -> Iterator[Answer]:
    headers = {"User-Agent": f"amauta/{__version__}", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if tag:
            headers["If-Range"] = tag
    request = urllib.request.Request(_ascii(url), headers=headers)
    opener = urllib.request.build_opener(_Redirects(url))
    try:
        response = opener.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(url, error) from error
    except (http.client.HTTPException, OSError, UnicodeError) as error:
        raise _trouble(url, error) from error
    # What the caller does with the bytes may fail too (a full disk): that is not the line's fault.
    with response:
        yield _answer(response, url, offset)


def _answer(response: Any, url: str, offset: int) -> Answer:
    """Read status and headers; `response` is an http.client.HTTPResponse."""
    tag = response.headers.get("ETag", "")
    tag = "" if tag.startswith("W/") else tag
    if response.status == 206:
        found = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) > offset:
            raise NotNow(f"Content-Range: {response.headers.get('Content-Range')}"[:80])
        return Answer(int(found[1]), None if found[3] == "*" else int(found[3]), tag, _blocks(response, url))
    length = response.headers.get("Content-Length", "")
    return Answer(0, int(length) if length.isdecimal() else None, tag, _blocks(response, url))


def _blocks(response: Any, url: str) -> Iterator[bytes]:
    while True:
        try:
            # read1 hands over what has come; read would lose it when the line goes dead before a block is full.
            block = response.read1(BLOCK_BYTES)
        except (http.client.HTTPException, OSError) as error:
            raise _trouble(url, error) from error
        if not block:
            return
        yield block


def _refusal(url: str, error: urllib.error.HTTPError) -> Exception:
    if error.code == 416:
        return NoSuchRange(url)
    if error.code in LATER:
        asked = error.headers.get("Retry-After") or ""
        return NotNow(f"HTTP {error.code}", float(asked) if asked.isdecimal() else 0.0)
    if error.code // 100 == 3:
        return ModelError("fetch-redirect", where=host_of(url), to=(error.headers.get("Location") or "?")[:120])
    return ModelError("fetch-absent", where=url, reason=f"HTTP {error.code}")


def _trouble(url: str, error: Exception) -> Exception:
    """Tell a wrong certificate, which waiting does not mend, from a line that broke."""
    reason = getattr(error, "reason", None)
    for cause in (error, reason):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ModelError("fetch-certificate", where=host_of(url), reason=cause.verify_message)
    said = getattr(reason, "strerror", None) or reason or getattr(error, "strerror", None) or error
    return NotNow(str(said)[:120] or type(error).__name__)


def host_of(url: str) -> str:
    """Return the name of the server in `url`."""
    return urlsplit(url).hostname or url


def _ascii(url: str) -> str:
    """Write accents the way HTTP carries them; what is already written so stays."""
    return quote(url, safe=":/?#[]@!$&'()*+,;=%~")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow a server to another address, but never from a private line to an open one."""

    max_redirections = MOST_REDIRECTS

    def __init__(self, asked: str) -> None:
        self._asked = asked

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """Return the next request; raise ModelError when the new address may not be trusted."""
        allowed = ("https",) if urlsplit(req.full_url).scheme == "https" else ("http", "https")
        if urlsplit(newurl).scheme not in allowed:
            fp.close()
            raise ModelError("fetch-redirect", where=host_of(self._asked), to=newurl[:120])
        return super().redirect_request(req, fp, code, msg, headers, newurl)

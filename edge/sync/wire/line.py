"""One connection to a hub, kept open between requests: on a slow line, opening one costs as much as a portion.

A proxy that the system names is used. What waiting cannot mend (a certificate, a proxy that refuses) is told apart
from a line that broke.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import ssl
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from edge import __version__
from edge.release.clock import built
from edge.sync.errors import SyncError
from edge.sync.wire.address import is_this_machine

MOST_ANSWER = 2 << 20
PROXY_PORT = 3128
PASSING = (408, 425, 429)
"""Refusals that mean: later."""

_EXPIRED, _NOT_YET, _NAME, _ADDRESS = 10, 9, 62, 64
_NO_TLS = {
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "WRONG_VERSION_NUMBER",
}
"""How OpenSSL calls it when the other side speaks something else."""

SYSTEM_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep whom they trust: the OpenSSL of a frozen app looks only where its maker's system has it."""

_TUNNEL = re.compile(r"Tunnel connection failed: ([0-9]{3})")


class BrokenError(Exception):
    """The line broke or stayed silent, or the hub said when to come again; another try may get through."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    """Names in small letters."""

    body: bytes


class Line:
    """A connection that opens itself anew when it must. Close it when done."""

    def __init__(self, url: str, timeout_s: float, authority: Path | None, now: datetime) -> None:
        parts = urlsplit(url)
        self._tls, self._host, self._path = parts.scheme == "https", parts.hostname or "", parts.path
        self._port = parts.port or (443 if self._tls else 80)
        self._timeout_s, self._now = timeout_s, now
        self._context = _context(authority) if self._tls else None
        self._open: http.client.HTTPConnection | None = None

    @property
    def host(self) -> str:
        """The name of the hub's machine."""
        return self._host

    def close(self) -> None:
        """Hang up."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Ask once; raise BrokenError when no whole answer came, SyncError when the hub cannot be trusted."""
        sent = {"User-Agent": f"amauta/{__version__}", "Accept-Encoding": "identity", **headers}
        if method not in ("GET", "HEAD"):
            sent["Content-Length"] = str(len(body))
        try:
            if self._open is None:
                self._open = self._connection()
            self._open.request(method, self._path + path, body or None, sent)
            response = self._open.getresponse()
            content = response.read(MOST_ANSWER + 1)
            if len(content) > MOST_ANSWER:
                raise http.client.HTTPException("too long")
            if response.will_close:
                self.close()
            return Reply(response.status, {name.lower(): v for name, v in response.getheaders()}, content)
        except (http.client.HTTPException, OSError, ValueError) as error:
            self.close()
            raise self._judged(error) from error

    def _connection(self) -> http.client.HTTPConnection:
        proxy = self._proxy()
        host, port = (proxy.hostname or "", proxy.port or PROXY_PORT) if proxy else (self._host, self._port)
        if self._context is None:
            return http.client.HTTPConnection(host, port, timeout=self._timeout_s)
        made = http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=self._context)
        if proxy:
            headers = {}
            if proxy.username:
                secret = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
                headers["Proxy-Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
            made.set_tunnel(self._host, self._port, headers)
        return made

    def _proxy(self) -> SplitResult | None:
        if not self._tls or is_this_machine(self._host) or urllib.request.proxy_bypass(self._host):
            return None
        if not (named := urllib.request.getproxies().get("https", "")):
            return None
        with suppress(ValueError):
            found = urlsplit(named if "://" in named else f"http://{named}")
            if found.scheme in ("http", "https") and found.hostname and (found.port or PROXY_PORT):
                return found
        raise SyncError("wire-proxy-address", url=ascii(named.rpartition("@")[2])[1:-1][:80])

    def _judged(self, error: Exception) -> SyncError | BrokenError:
        """Say whether another try may get through, or why none will."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._untrusted(error)
        if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
            return SyncError("wire-no-tls", host=self._host, port=self._port)
        refused = _TUNNEL.match(str(error))
        if refused and (proxy := self._proxy()) and 400 <= (status := int(refused[1])) < 500 and status not in PASSING:
            return SyncError("wire-proxy", proxy=proxy.hostname or "", host=self._host, status=status)
        return BrokenError(getattr(error, "strerror", None) or str(error) or type(error).__name__)

    def _untrusted(self, error: ssl.SSLCertVerificationError) -> SyncError:
        """Say why the hub's certificate is not accepted; the usual reason is this machine's clock."""
        day = self._now.strftime("%Y-%m-%d %H:%M")
        if error.verify_code in (_EXPIRED, _NOT_YET) or self._now < built():
            return SyncError("wire-clock", host=self._host, day=day)
        if error.verify_code in (_NAME, _ADDRESS):
            return SyncError("wire-certificate-name", host=self._host)
        return SyncError("wire-authority", host=self._host, reason=error.verify_message[:80])


def _context(authority: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    paths = ssl.get_default_verify_paths()
    if sys.platform != "win32" and not (paths.cafile or paths.capath):
        for known in filter(os.path.isfile, SYSTEM_AUTHORITIES):
            context.load_verify_locations(cafile=known)
    if authority is not None:
        try:
            context.load_verify_locations(cafile=authority)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SyncError("wire-ca", path=authority, reason=reason[:80]) from error
    return context

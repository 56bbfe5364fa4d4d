"""Serve a hub until told to stop: one process listens, workers answer. Reaches uvicorn; decides nothing about requests."""

from __future__ import annotations

import errno
import ipaddress
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from edge.hub import place as places
from edge.hub.errors import HubError

if TYPE_CHECKING:
    from starlette.applications import Starlette

NEEDED = ("starlette", "uvicorn", "jinja2", "openpyxl")
_FOLDER, _LANG, _SECURE = "AMAUTA_SERVE_FOLDER", "AMAUTA_SERVE_LANG", "AMAUTA_SERVE_SECURE"
MOST_AT_ONCE = 200
"""Requests of one worker; more are told to come again."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How a hub is served."""

    folder: Path
    host: str
    port: int
    workers: int
    lang: str
    proxy: str = ""
    """The address of the proxy that is believed when it says who asks; empty for none."""

    behind_tls: bool = False


def check(serving: Serving) -> None:
    """Raise HubError when this cannot be, or must not."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise HubError("serve-extra", names=", ".join(missing))
    if not is_here_only(serving.host) and not serving.behind_tls:
        raise HubError("serve-open", host=serving.host)
    if not 1 <= serving.workers <= 64 or (os.name == "nt" and serving.workers > 1):
        raise HubError("serve-workers", workers=serving.workers)


def is_here_only(host: str) -> bool:
    """Tell whether nobody but this machine can reach an address."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def serve(serving: Serving, ready: Callable[[str, int], None]) -> None:
    """Listen, say so to `ready` with address and port, and serve until a signal ends it."""
    check(serving)
    from uvicorn import Config, Server
    from uvicorn.supervisors import Multiprocess

    listening = _listen(serving.host, serving.port)
    os.environ |= {
        _FOLDER: str(serving.folder),
        _LANG: serving.lang,
        _SECURE: "1" if serving.behind_tls or serving.proxy else "",
    }
    config = Config(
        f"{__name__}:worker",
        factory=True,
        workers=serving.workers,
        proxy_headers=bool(serving.proxy),
        forwarded_allow_ips=serving.proxy or None,
        server_header=False,
        access_log=False,
        log_level="warning",
        ws="none",
        lifespan="off",
        limit_concurrency=MOST_AT_ONCE,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=30,
    )
    try:
        ready(*listening.getsockname()[:2])
        if serving.workers == 1:
            with suppress(KeyboardInterrupt):  # it ends in order first, then says how it was told to
                Server(config).run(sockets=[listening])
        else:
            Multiprocess(config, [listening]).run()
    finally:
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family)
        try:
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.set_inheritable(True)
        except BaseException:
            listening.close()
            raise
    except OverflowError as error:
        raise HubError("serve-address", host=host, port=port, reason=str(error)) from error
    except OSError as error:
        key = "serve-port" if error.errno == errno.EADDRINUSE else "serve-address"
        raise HubError(key, host=host, port=port, reason=error.strerror or str(error)) from error
    return listening


def worker() -> Starlette:
    """Build the server of one worker from what `serve` left in the environment."""
    from edge.hub.serve.app import build
    from edge.hub.serve.site import Site

    if multiprocessing.parent_process() is not None:
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    place = places.load(Path(os.environ[_FOLDER]))
    site = Site(place, os.environ[_LANG], bool(os.environ[_SECURE]))
    site.database().close()
    return build(site)


def _end_with(parent: int) -> None:
    """End this worker when who started it was killed: it would hold the port for ever."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)

"""A hub that is served, and devices that deliver to it: real workers, real sockets, real keys."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import httpx
import uvicorn

from edge.hub.database import open_database
from edge.hub.serve import people
from edge.hub.serve.app import build
from edge.hub.serve.site import Site
from edge.sync.ledger import Ledger
from edge.sync.wire import sending
from edge.sync.wire.authorization import authorizer
from edge.sync.wire.client import Chance, Link
from handing import NOW, Device, Hub
from surviving import forked

TOKEN = "abcd-efgh-jkmn-pqrs-tvwx-yz01"
PEOPLE: list[tuple[str, people.Role, str]] = [("Maria", "district", ""), ("Rosa", "school", "escuela-1")]


def quick(seconds: float) -> None:
    """Pause as a patient client does, but not for so long."""
    time.sleep(min(seconds, 0.02))


@dataclass
class Clock:
    """The hub's time, which a test can turn on."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 25, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def turn(self, **much: float) -> None:
        self.at += timedelta(**much)


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.socket() as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(("127.0.0.1", 0))
        found.listen(64)
        yield found


def url_of(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}"


def configured(site: Site, **more: object) -> uvicorn.Server:
    settings = {"log_level": "critical", "lifespan": "off", "ws": "none", "access_log": False, **more}
    return uvicorn.Server(uvicorn.Config(build(site), **settings))  # type: ignore[arg-type]


@contextmanager
def in_thread(site: Site, **more: object) -> Iterator[str]:
    """Serve from a thread of this process; give the address."""
    with listening() as sock:
        server = configured(site, **more)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield url_of(sock)
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def secure(site: Site, certificate: dict[str, str]) -> Iterator[str]:
    """Serve with TLS; give the address by name."""
    with in_thread(site, **certificate) as url:
        yield url.replace("http://127.0.0.1", "https://localhost")


@dataclass
class Workers:
    """Processes that answer at one address and can be killed at any instant."""

    site: Site
    sock: socket.socket
    many: int = 2
    pids: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return url_of(self.sock)

    def start(self) -> None:
        for _ in range(self.many):
            self.pids.append(forked(lambda: configured(self.site).run(sockets=[self.sock])))

    def kill(self) -> None:
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self.pids:
            os.waitpid(pid, 0)
        self.pids.clear()


@contextmanager
def workers(site: Site, many: int = 2) -> Iterator[Workers]:
    with listening() as sock:
        found = Workers(site, sock, many)
        found.start()
        try:
            yield found
        finally:
            found.kill()


def link_of(device: Device, url: str, **more: object) -> Link:
    """A link of a device, impatient enough for a test."""
    with Ledger(device.path) as ledger:
        settings = {"timeout_s": 10.0, "patience_s": 5.0, "chance": Chance(sleep=quick), **more}
        return Link(url, authorizer(device.papers(ledger)), **settings)  # type: ignore[arg-type]


def hand_over(device: Device, url: str, told: sending.Told = lambda _: None, **more: object) -> sending.Handed:
    """What `amauta sync send` does with a device's own bundles."""
    with link_of(device, url, **more) as link, Ledger(device.path) as ledger:
        versions = {"amauta": "0.1.0"}
        return sending.deliver(link, device.home, ledger, device.papers(ledger), told, versions, turns=False)


@dataclass
class District:
    """A hub with its server's clock, two people and one device."""

    hub: Hub
    device: Device
    clock: Clock
    site: Site

    @classmethod
    def made(cls, folder: Path, address: str = "", *, readers: bool = True, **more: bool) -> District:
        """`address` is that of an empty PostgreSQL; without `readers` nobody can log in, which is made faster."""
        hub, clock = Hub.made(folder / "hub", address=address), Clock()
        device = Device(folder / "device", random.Random(7))
        device.enrol(hub.enrolment())
        with open_database(hub.place) as database:
            for name, role, school in PEOPLE if readers else ():
                people.add(database, name, role, school, TOKEN, NOW)
        return cls(hub, device, clock, Site(hub.place, "es", now=clock, **more))

    def audited(self, deed: str) -> list[tuple[object, ...]]:
        sql = f"SELECT outcome, detail FROM audit WHERE deed = '{deed}' ORDER BY id"
        return self.hub.rows(sql)

    def outcomes(self, deed: str) -> list[object]:
        return [outcome for outcome, _ in self.audited(deed)]


def entered(url: str, name: str = "Maria", token: str = TOKEN) -> httpx.Client:
    """Log in as a browser does."""
    client = httpx.Client(base_url=url, timeout=60)
    enter(client, name, token)
    return client


def enter(client: httpx.Client, name: str, token: str, then: str = "") -> httpx.Response:
    page = client.get("/login")
    proof = page.text.partition('name="form" value="')[2].partition('"')[0]
    return client.post("/login", data={"name": name, "token": token, "next": then, "form": proof})


def ask(device: Device, url: str, method: str, path: str, **more: object) -> httpx.Response:
    """One request of a device, as it is on the wire."""
    with Ledger(device.path) as ledger:
        # What is signed is the path that the hub reads, without the signs a browser puts in it.
        header = authorizer(device.papers(ledger))(method, unquote(path))
    headers = {"Authorization": header} | more.pop("headers", {})  # type: ignore[operator]
    return httpx.request(method, url + path, headers=headers, timeout=60, **more)  # type: ignore[arg-type]


def upload(device: Device, url: str, sealed: bytes, name: str = "", **more: str) -> httpx.Response:
    path = f"/v1/bundles/{name or hashlib.sha256(sealed).hexdigest()}"
    headers = {"Upload-Offset": "0", "Upload-Length": str(len(sealed)), **more}
    return ask(device, url, "PATCH", path, content=sealed, headers=headers)

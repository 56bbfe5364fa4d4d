"""What the hub's server takes from devices and from people, on SQLite and on PostgreSQL; and what it never does."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from edge.hub.database import open_database
from edge.hub.enrolling import revoke
from edge.hub.serve import limits
from edge.sync.bundle import Head, encode
from edge.sync.ledger import Ledger
from edge.sync.seal import BUNDLE, seal
from edge.sync.wire.authorization import authorizer
from handing import NOW, Device, sealed_by
from served import TOKEN, District, ask, enter, hand_over, in_thread, upload, workers

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers are forked")

SHA256 = "0" * 64


@pytest.fixture
def district(tmp_path: Path, hub_database: Callable[[], str]) -> Iterator[District]:
    found = District.made(tmp_path, hub_database(), readers=False)
    with found.site.source:
        yield found


@pytest.fixture
def url(district: District) -> Iterator[str]:
    with in_thread(district.site) as address:
        yield address


def test_what_came_by_stick_is_repeated_by_wire_and_counts_once(url: str, district: District, tmp_path: Path) -> None:
    sealed = sealed_by(district.device)
    stick = tmp_path / "stick" / "AMAUTA" / "ENTREGAS"
    stick.mkdir(parents=True)
    (stick / f"{'a' * 16}.age").write_bytes(sealed)
    assert [outcome.state for outcome in district.hub.receive(tmp_path / "stick")] == ["imported"]
    path = f"/v1/bundles/{hashlib.sha256(sealed).hexdigest()}"
    length = {"Upload-Length": str(len(sealed))}
    half = ask(district.device, url, "PATCH", path, content=sealed[:999], headers={"Upload-Offset": "0", **length})
    assert half.status_code == 204
    assert ask(district.device, url, "HEAD", path).headers["upload-offset"] == "999"
    rest = ask(district.device, url, "PATCH", path, content=sealed[999:], headers={"Upload-Offset": "999", **length})
    assert (rest.status_code, rest.json()["state"]) == (200, "repeated")
    assert district.outcomes("import") == ["imported", "repeated"]
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(20,)]


def test_a_bundle_for_another_hub_is_refused_and_written_down(url: str, district: District, tmp_path: Path) -> None:
    other = District.made(tmp_path / "other", readers=False)
    foreign = sealed_by(other.device)
    with Ledger(district.device.path) as ledger:
        held = district.device.papers(ledger)
        given = held.enrolment
        head = Head(other.hub.place.id, given.school, given.token, "a" * 16, held.own.recipient, (), ())
        astray = seal(BUNDLE, encode(head, []), held.identity.key(), given.recipient)
    before = [row for row in district.hub.dump() if "refused" not in row]
    assert upload(district.device, url, foreign).json()["reason"] == "sealed-not-ours"
    answer = upload(district.device, url, astray).json()
    assert (answer["state"], answer["reason"], answer["say"]) == ("refused", "bundle-other-hub", "es para otro centro")
    found = [(outcome, str(detail).partition(":")[0]) for outcome, detail in district.audited("import")]
    assert found == [("refused", "sealed-not-ours"), ("refused", "bundle-other-hub")]
    assert [row for row in district.hub.dump() if "refused" not in row] == before
    assert not list((district.site.uploads / "arriving").iterdir())


def test_a_known_device_stays_in_when_its_schools_enrolment_is_renewed_until_it_is_revoked(
    url: str, district: District, tmp_path: Path
) -> None:
    known, thief = district.device, Device(tmp_path / "thief", random.Random(3))
    stolen = district.hub.enrolment()
    known.practise(5)
    assert hand_over(known, url).acknowledged == 5
    district.hub.enrolment(renew=True)
    thief.enrol(stolen)
    refused = ask(thief, url, "HEAD", f"/v1/bundles/{SHA256}")
    assert (refused.status_code, refused.headers["amauta-reason"]) == (401, "token-revoked")
    known.practise(5)
    assert hand_over(known, url).acknowledged == 5
    with open_database(district.hub.place) as database:
        revoke(database, str(database.rows("SELECT id FROM devices")[0][0]), NOW)
    refused = ask(known, url, "HEAD", f"/v1/bundles/{SHA256}")
    assert (refused.status_code, refused.headers["amauta-reason"]) == (401, "device-revoked")
    known.renew()
    refused = ask(known, url, "HEAD", f"/v1/bundles/{SHA256}")
    assert (refused.status_code, refused.headers["amauta-reason"]) == (401, "token-revoked"), "nor under another name"
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(10,)]
    assert district.outcomes("wire") == ["refused"] * 3


def test_devices_that_deliver_to_two_workers_at_once_all_get_in(district: District, tmp_path: Path) -> None:
    devices = [Device(tmp_path / str(number), random.Random(number)) for number in range(4)]
    for device in devices:
        device.enrol(district.hub.enrolment())
        device.practise(100)
    with workers(district.site) as served:
        threads = [threading.Thread(target=hand_over, args=(device, served.url)) for device in devices]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert [device.states().acknowledged for device in devices] == [100] * 4
    assert district.hub.rows("SELECT count(*), count(DISTINCT stream) FROM attempts") == [(400, 4)]


def test_tries_are_counted_up_to_a_limit_and_begin_anew_later(district: District) -> None:
    limit = limits.Limit("test", 3, 60)
    with open_database(district.hub.place) as database, database.step():
        found = [
            limits.count(database, limit, who, now_s) for who, now_s in [("a", 605)] * 5 + [("b", 605), ("a", 661)]
        ]
    assert [count.wait_s for count in found] == [0, 0, 0, 55, 55, 0, 0]
    assert [count.is_first_refused for count in found] == [False] * 3 + [True] + [False] * 3


# What follows does not depend on the database.


@pytest.fixture
def alone(tmp_path: Path) -> District:
    return District.made(tmp_path, readers=False)


def raw(url: str, request: bytes) -> int:
    """Send bytes as they are; return the status."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 10) as line:
        line.sendall(request)
        return int(line.recv(65536).split()[1])


TRICKS = (
    "/v1/bundles/../../hub.db", "/v1/bundles/%2e%2e%2fhub.db", "/v1/bundles/%2e%2e/%2e%2e/keys.json",
    "/v1/bundles/..%5c..%5ckeys.json", "/v1/bundles/%00", f"/v1/bundles/{SHA256}%00", f"/v1/bundles/{SHA256}%0a",
    f"/v1/bundles/{SHA256}%2f", f"/v1/bundles/{SHA256}/..", f"/v1/bundles/{SHA256}%3fx", f"/v1/bundles/{SHA256}%23x",
    f"/v1/bundles/{SHA256};x", f"/v1/bundles/{'%EF%BC%90' * 64}", f"/v1/bundles/%2f{SHA256}", f"/v1//bundles/{SHA256}",
    f"//v1/bundles/{SHA256}", f"/V1/bundles/{SHA256}", f"http://elsewhere/v1/bundles/{SHA256}",
    "/v1/acks/..%2fkeys.json", "/v1/acks/%2e%2e", "/v1/acks/%ff",
)  # fmt: skip


def test_no_path_that_a_device_signs_leads_out_of_the_uploads(alone: District) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_size for path in alone.hub.place.folder.rglob("*") if "hub.db" not in path.name}

    before = files()
    with in_thread(alone.site) as url, Ledger(alone.device.path) as ledger:
        authorize = authorizer(alone.device.papers(ledger))
        for target in TRICKS:
            for method in ("PATCH", "GET"):
                header = authorize(method, unquote(target))
                lines = [f"{method} {target} HTTP/1.1", "Host: hub", f"Authorization: {header}", "Content-Length: 4"]
                lines += ["Upload-Offset: 0", "Upload-Length: 4", "Connection: close"]
                status = raw(url, ("\r\n".join(lines) + "\r\n\r\nabcd").encode())
                assert status in (400, 404, 405, 303), (method, target, status)
                assert status != 303 or not target.startswith("/v1/"), (
                    "a page asks for a login, the devices' way does not"
                )
    assert files() == before
    assert not [path for path in alone.hub.place.folder.parent.rglob("*") if path.name in ("abcd", SHA256)]


@pytest.mark.parametrize("host", ["hub/v1/acks?", "hub/login/?", "hub/v1/acks#", "a@hub/v1/", "hub:80/v1/", "[::1/v1/"])
def test_no_name_of_the_host_opens_a_page_without_a_login(alone: District, host: str) -> None:
    with in_thread(alone.site) as url:
        for page in ("/", "/devices", "/audit"):
            assert raw(url, f"GET {page} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()) in (303, 400)


def test_behind_tls_every_cookie_is_secure(tmp_path: Path) -> None:
    district = District.made(tmp_path, secure=True)
    with in_thread(district.site) as url, httpx.Client(base_url=url, timeout=60) as client:
        shown = client.get("/login")
        assert shown.headers["strict-transport-security"]
        # As a browser behind the proxy would: this one does not send Secure cookies where there is no TLS.
        given = {cookie.name: cookie.value or "" for cookie in client.cookies.jar}
        proof = shown.text.partition('name="form" value="')[2].partition('"')[0]
        form = {"name": "Maria", "token": TOKEN, "next": "", "form": proof}
        entered = httpx.post(f"{url}/login", data=form, cookies=given)
        assert entered.status_code == 303
        said = [each for answer in (shown, entered) for each in answer.headers.get_list("set-cookie")]
        assert {each.partition("=")[0] for each in said} == {"amauta_form", "amauta_session", "amauta_known"}
        assert all({"Secure", "HttpOnly"} <= set(each.split("; ")) for each in said)


def browser(url: str, address: str) -> httpx.Client:
    """Somebody's browser at some address, behind the proxy that says which."""
    return httpx.Client(base_url=url, headers={"X-Forwarded-For": address})


def tried(client: httpx.Client, token: str, name: str = "Maria") -> int:
    return enter(client, name, token).status_code


def test_who_tries_a_name_again_and_again_never_keeps_its_owner_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOGIN_NAME", replace(limits.LOGIN_NAME, most=4))
    monkeypatch.setattr(limits, "LOGIN_BROWSER", replace(limits.LOGIN_BROWSER, most=3))
    district = District.made(tmp_path)
    with in_thread(district.site, proxy_headers=True, forwarded_allow_ips="127.0.0.1") as url, ExitStack() as open_all:
        maria, pupil, outside = (open_all.enter_context(browser(url, f"10.0.0.{number}")) for number in (1, 1, 2))
        assert tried(maria, TOKEN) == 303
        # Her own try counted too: both sit behind the school's one address.
        assert [tried(pupil, "x") for _ in range(4)] == [401, 401, 401, 429]
        assert tried(pupil, TOKEN) == 429, "nothing more is tried from here"
        assert tried(maria, TOKEN) == 303, "but the browser where she was in lets her in"
        assert tried(outside, TOKEN) == 303, "and so does any other address"
        maria.cookies.delete("amauta_known")
        maria.cookies.set("amauta_known", f"{'f' * 32}.{'0' * 64}")
        assert tried(maria, TOKEN) == 429, "a browser cannot say by itself that it is known"
        assert [tried(outside, "x") for _ in range(4)] == [401, 401, 401, 429], "nor does a known one try without end"
        assert tried(outside, TOKEN, "Rosa") == 303, "others are not concerned"
        assert district.outcomes("login").count("limited") == 2, "a flood does not fill the audit"
        district.clock.turn(minutes=6)
        assert tried(pupil, TOKEN) == 303


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("", "", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_addresses_of_one_ipv6_network_count_together(one: str, other: str, same: bool) -> None:
    assert (limits.neighbours(one) == limits.neighbours(other)) is same

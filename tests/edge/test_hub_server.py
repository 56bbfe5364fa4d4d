"""The hub as a server: people only with a session, devices only with their key, bundles whole or not at all."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from edge.cli import main
from edge.hub.database import open_database
from edge.hub.enrolling import revoke as revoke_device
from edge.hub.serve import people
from edge.hub.serve.app import build
from edge.hub.serve.limits import LOGIN_NAME
from edge.hub.serve.uploads import MOST_PORTION
from edge.sync.bundle import Head, encode
from edge.sync.ledger import Ledger
from edge.sync.seal import BUNDLE, seal
from handing import NOW, Device, sealed_by
from served import TOKEN, District, ask, enter, entered, hand_over, in_thread, upload, workers
from surviving import forked, kill

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers are forked")


@pytest.fixture
def district(tmp_path: Path) -> District:
    return District.made(tmp_path)


@pytest.fixture
def url(district: District) -> Iterator[str]:
    with in_thread(district.site) as address:
        yield address


def test_no_page_answers_without_a_login(district: District) -> None:
    client = TestClient(build(district.site), follow_redirects=False)
    tried = 0
    for route in build(district.site).routes:
        assert isinstance(route, Route)
        path = route.path.replace("{version:int}", "2").replace("{rest:path}", "x")
        path = "/".join("x" if part.startswith("{") else part for part in path.split("/"))
        if path == "/login" or path.startswith("/login/"):
            continue
        for method in route.methods or ():
            tried += 1
            answer = client.request(method, path)
            assert answer.status_code in (303, 400, 401, 404, 405), (method, path, answer.status_code)
            assert "escuela" not in answer.text
            if answer.status_code == 303:
                assert answer.headers["location"].startswith("/login")
    assert tried > 20


def test_every_answer_forbids_scripts_frames_and_keeping(district: District) -> None:
    client = TestClient(build(district.site), follow_redirects=False)
    for path in ("/", "/login", "/login/style.css", "/nowhere", f"/v1/bundles/{'0' * 64}", "/v1/acks"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_a_login_gives_a_new_session_that_scripts_and_other_sites_cannot_use(url: str, district: District) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        client.cookies.set("amauta_session", "ab" * 32)  # somebody planted one
        answer = enter(client, "Maria", TOKEN, "/devices")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/devices"
        given = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("amauta_session="))
        assert "ab" * 32 not in given
        assert "HttpOnly" in given
        assert "samesite=strict" in given.lower()
        client.cookies.clear()
        client.cookies.set("amauta_session", given.split(";")[0].split("=")[1])
        assert client.get("/").status_code == 200
        client.cookies.clear()
        client.cookies.set("amauta_session", "ab" * 32)
        assert client.get("/").status_code == 303
    assert district.outcomes("login") == ["entered"]


def test_a_session_ends_with_logout_with_the_working_day_and_with_its_person(url: str, district: District) -> None:
    with closing(entered(url)) as first, closing(entered(url)) as second, closing(entered(url, "Rosa")) as third:
        page = first.get("/")
        proof = page.text.partition('name="form" value="')[2].partition('"')[0]
        assert first.post("/logout", data={"form": "wrong"}).status_code == 403
        assert first.get("/").status_code == 200
        session = first.cookies["amauta_session"]
        assert first.post("/logout", data={"form": proof}).status_code == 303
        assert httpx.get(url, cookies={"amauta_session": session}).status_code == 303
        with open_database(district.hub.place) as database:
            people.revoke(database, "Rosa", NOW)
        assert third.get("/").status_code == 303
        assert second.get("/").status_code == 200
        district.clock.turn(hours=11)
        assert second.get("/").status_code == 303


def test_wrong_names_and_wrong_tokens_look_alike_and_soon_nothing_may_be_tried(url: str, district: District) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        wrong, nobody = enter(client, "Maria", "x" * 29), enter(client, "Nobody", TOKEN)
        assert wrong.status_code == nobody.status_code == 401
        assert wrong.text.replace("Maria", "") == nobody.text.replace("Nobody", "")
        for _ in range(LOGIN_NAME.most - 1):
            assert enter(client, "Maria", "x").status_code == 401
        for _ in range(3):
            answer = enter(client, "Maria", TOKEN)
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) > 0
        assert district.outcomes("login").count("limited") == 1, "a flood does not fill the audit"
        district.clock.turn(minutes=6)
        assert enter(client, "Maria", TOKEN).status_code == 303


def test_a_form_that_another_site_sent_is_refused(url: str, district: District) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        client.get("/login")
        for form in ({}, {"form": ""}, {"form": "0" * 64}, {"form": "ñ"}):
            answer = client.post("/login", data={"name": "Maria", "token": TOKEN, **form})
            assert answer.status_code == 403
        assert client.post("/login", content=b"a" * 20_000).status_code == 413
    assert district.outcomes("login") == []


def test_a_delivery_over_the_wire_ends_as_one_by_stick(url: str, district: District) -> None:
    district.device.practise(50)
    handed = hand_over(district.device, url)
    assert (handed.facts, handed.acknowledged, handed.refused) == (50, 50, ())
    assert district.device.states().acknowledged == 50
    assert hand_over(district.device, url).files == 0
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(50,)]


def test_an_upload_goes_on_where_it_was(url: str, district: District) -> None:
    sealed = sealed_by(district.device)
    path = f"/v1/bundles/{hashlib.sha256(sealed).hexdigest()}"
    length = {"Upload-Length": str(len(sealed))}

    def portion(begin: int, end: int) -> httpx.Response:
        headers = {"Upload-Offset": str(begin), **length}
        return ask(district.device, url, "PATCH", path, content=sealed[begin:end], headers=headers)

    assert portion(0, 1000).status_code == 204
    assert ask(district.device, url, "HEAD", path).headers["upload-offset"] == "1000"
    again = portion(0, 1000)
    assert (again.status_code, again.headers["upload-offset"]) == (409, "1000")
    assert portion(2000, 3000).status_code == 409
    last = portion(1000, len(sealed))
    assert (last.status_code, last.json()["state"]) == (200, "imported")
    assert ask(district.device, url, "HEAD", path).headers["upload-offset"] == str(len(sealed))
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(20,)]


def test_who_is_no_device_of_a_school_gets_no_answer_and_is_written_down(
    url: str, district: District, tmp_path: Path
) -> None:
    path = f"/v1/bundles/{'0' * 64}"
    strange = Device(tmp_path / "strange", random.Random(3))
    strange.enrol(district.hub.enrolment())
    renewed = district.hub.enrolment(renew=True)
    assert httpx.head(url + path).status_code == 401
    answer = ask(strange, url, "HEAD", path)
    assert (answer.status_code, answer.headers["amauta-reason"]) == (401, "token-revoked")
    strange.enrol(renewed)
    assert ask(strange, url, "HEAD", path).status_code == 200
    stolen = {"Authorization": "Amauta " + "0" * 64 + "." + "1" * 32 + "." + "2" * 128}
    assert ask(strange, url, "HEAD", path, headers=stolen).status_code == 401
    replayed = ask(strange, url, "HEAD", path).request.headers["authorization"]
    assert httpx.get(f"{url}/v1/acks", headers={"Authorization": replayed}).status_code == 401
    assert district.outcomes("wire") == ["refused"] * 4


def test_a_revoked_device_delivers_neither_by_wire_nor_by_stick(url: str, district: District, tmp_path: Path) -> None:
    district.device.practise(5)
    assert hand_over(district.device, url).facts == 5
    with open_database(district.hub.place) as database:
        name = database.rows("SELECT id FROM devices")[0][0]
        revoke_device(database, name, NOW)
    answer = ask(district.device, url, "HEAD", f"/v1/bundles/{'0' * 64}")
    assert (answer.status_code, answer.headers["amauta-reason"]) == (401, "device-revoked")
    district.device.practise(5)
    stick = tmp_path / "stick"
    stick.mkdir()
    district.device.export(stick)
    assert [outcome.error.key for outcome in district.hub.receive(stick) if outcome.error] == ["device-revoked"]
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(5,)]


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e%2fhub.db", "%00", "../../hub.db", "A" * 64, "0" * 63, "0" * 5000, "0" * 64 + "/..", "ñ"]
)
def test_a_name_that_is_no_hash_writes_nothing(url: str, district: District, name: str) -> None:
    before = {path: path.stat().st_size for path in district.hub.place.folder.rglob("*") if "hub.db" not in path.name}
    headers = {"Upload-Offset": "0", "Upload-Length": "4"}
    answer = ask(district.device, url, "PATCH", f"/v1/bundles/{name}", content=b"abcd", headers=headers)
    assert answer.status_code in (400, 404, 405), "past the signature, and stopped by the name"
    after = {path: path.stat().st_size for path in district.hub.place.folder.rglob("*") if "hub.db" not in path.name}
    assert {path for path in after if path.is_file()} == {path for path in before if path.is_file()}


def test_what_is_not_as_it_was_sealed_is_refused_and_says_why(url: str, district: District) -> None:
    sealed = sealed_by(district.device)
    bent = bytearray(sealed)
    bent[len(bent) // 2] ^= 1
    assert upload(district.device, url, bytes(bent)).json()["state"] == "refused"
    assert upload(district.device, url, sealed, name="0" * 64).status_code != 204
    assert upload(district.device, url, b"").status_code in (400, 409)
    for wrong in ({"Upload-Length": "99999999999"}, {"Upload-Length": "-1"}, {"Upload-Offset": "x"}):
        assert upload(district.device, url, sealed, **wrong).status_code in (400, 413)
    assert upload(district.device, url, bytes(MOST_PORTION + 1)).status_code == 413
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(0,)]
    assert upload(district.device, url, sealed).json()["state"] == "imported"
    assert upload(district.device, url, sealed).status_code in (200, 409)
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(20,)]


def test_a_bundle_that_unfolds_without_end_is_refused(url: str, district: District) -> None:
    import zstandard

    with Ledger(district.device.path) as ledger:
        held = district.device.papers(ledger)
        head = Head(
            held.enrolment.hub, held.enrolment.school, held.enrolment.token, "0" * 16, held.own.recipient, (), ()
        )
        body = encode(head, [])
        begin = body[: 4 + int.from_bytes(body[:4], "big")]
        bomb = begin + zstandard.ZstdCompressor(level=19).compress(bytes(1 << 28))
        sealed = seal(BUNDLE, bomb, held.identity.key(), held.enrolment.recipient)
    answer = upload(district.device, url, sealed).json()
    assert (answer["state"], answer["reason"]) == ("refused", "bundle-bomb")
    assert ("refused", "bundle-bomb") in [(o, d.split(":")[0]) for o, d in district.audited("import")]


def test_a_device_of_another_version_is_told_so(url: str, district: District) -> None:
    answer = ask(district.device, url, "GET", "/v2/anything")
    assert (answer.status_code, answer.headers["amauta-reason"]) == (404, "wire-version")


def test_acknowledgements_are_for_the_own_school_only(url: str, district: District, tmp_path: Path) -> None:
    district.device.practise(3)
    hand_over(district.device, url)
    other = Device(tmp_path / "other", random.Random(5))
    other.enrol(district.hub.enrolment("escuela-2"))
    with open_database(district.hub.place) as database:
        name = database.rows("SELECT id FROM devices")[0][0]
    assert ask(other, url, "GET", f"/v1/acks/{name}").status_code == 204
    assert ask(other, url, "GET", "/v1/acks").json() == {}
    assert ask(district.device, url, "GET", f"/v1/acks/{name}").content


@pytest.mark.slow
def test_workers_killed_while_a_device_delivers_lose_and_double_nothing(district: District) -> None:
    chance = random.Random(9)
    total = 0
    with workers(district.site) as served:
        for _ in range(8):
            district.device.practise(150)
            total += 150
            child = forked(lambda: hand_over(district.device, served.url))
            time.sleep(chance.uniform(0, 0.25))
            if chance.random() < 0.5:
                served.kill()
                served.start()
            kill(child)
        hand_over(district.device, served.url)
        hand_over(district.device, served.url)
    assert district.device.states().acknowledged == total
    assert district.hub.rows("SELECT count(*), count(DISTINCT seq) FROM attempts") == [(total, total)]


def test_serving_in_the_open_without_tls_is_refused(
    home: Path, district: District, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = str(district.hub.place.folder)
    assert main(["hub", "serve", "--hub", hub, "--host", "0.0.0.0", "--port", "0"]) == 1
    assert "0.0.0.0" in capsys.readouterr().err
    assert main(["hub", "serve", "--hub", hub, "--workers", "0"]) == 1
    capsys.readouterr()
    assert main(["hub", "people", "add", "Rosa", "--role", "school", "--hub", hub]) == 1
    assert capsys.readouterr().err

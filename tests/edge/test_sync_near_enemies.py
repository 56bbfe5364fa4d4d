"""Who is on the same network may listen, pose, change, repeat, flood: nothing is taken in, nothing given away."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge.settings import Settings
from edge.sync.lan import carrying, exchange, near, server
from edge.sync.lan.desk import MOST_PORTION
from edge.sync.lan.events import Event
from edge.sync.lan.near import Near
from edge.sync.lan.pairing import SCHEME, Signer, request_mac
from edge.sync.lan.receiving import Receiving
from edge.sync.lan.sender import parse_address, send_near
from handing import Device, Hub, quick_folder
from nearby import answering, between, deliver, key_of, opened

AGE = b"age-encryption.org/v1\n"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as quick:
        yield quick


@pytest.fixture
def device(place: Path) -> Device:
    device = Device(place / "device")
    device.enrol(Hub.made(place / "hub").enrolment())
    device.practise(12)
    return device


@pytest.fixture
def teacher(place: Path) -> Iterator[Receiving]:
    with opened(place / "teacher") as receiving:
        yield receiving


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "PAUSES_S", (0.01,))


def paired(to: Receiving) -> Signer:
    """Pair as a device does, and hang up; the session stays."""
    found = parse_address(to.addresses[0])
    with Near(found.hosts, found.port, lambda: False) as known:
        known.pair(to.code)
        assert known._signer
        return known._signer


def raw(to: Receiving, request: bytes, wait_s: float = 3.0) -> bytes:
    """Send bytes; return all that comes back until the other side hangs up, or for a while."""
    host, _, port = to.addresses[0].rpartition(":")
    received = b""
    with socket.create_connection((host, int(port)), 2) as line:
        line.settimeout(wait_s)
        try:
            line.sendall(request)
            while more := line.recv(1 << 16):
                received += more
                if b"\r\n\r\n" in received and b"Connection: close" not in received:
                    break
        except OSError:
            pass
    return received


def request(signer: Signer | None, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    if signer:
        headers["Authorization"] = signer.sign(method, path, body)
    named = {"Host": "x", "Content-Length": str(len(body)), **{n.replace("_", "-"): v for n, v in headers.items()}}
    return (
        "".join([f"{method} {path} HTTP/1.1\r\n", *(f"{n}: {v}\r\n" for n, v in named.items()), "\r\n"]).encode() + body
    )


def status(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    return int(found[1]) if found else 0


def reason(answer: bytes) -> str:
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["reason"])


def test_a_request_counts_once_and_only_as_it_was_signed(teacher: Receiving) -> None:
    signer = paired(teacher)
    first = request(signer, "GET", "/v1/acks")
    assert status(raw(teacher, first)) == 200
    for _ in range(2):
        again = raw(teacher, first)
        assert (status(again), reason(again)) == (401, "near-replayed")
    for changed in (
        request(signer, "GET", "/v1/acks").replace(b"/v1/acks", b"/v1/held"),
        request(signer, "POST", f"/v1/kept/{'0' * 64}", b'{"release": "00"}').replace(b'"00"', b'"11"'),
        request(signer, "GET", "/v1/acks").replace(f".{signer.counter}.".encode(), f".{signer.counter + 9}.".encode()),
        request(None, "GET", "/v1/acks"),
        request(None, "GET", "/v1/acks", Authorization=f"{SCHEME} {signer.session}.99.é"),
        request(None, "GET", "/v1/acks", Authorization=f"{SCHEME} {signer.session}.{'9' * 30}.00"),
        request(None, "GET", "/v1/acks", Authorization=f"{SCHEME} {'0' * 32}.1.{'0' * 64}"),
    ):
        refused = raw(teacher, changed)
        assert (status(refused), reason(refused)) == (401, "near-session"), changed
    assert status(raw(teacher, request(signer, "GET", "/v1/acks"))) == 200


def test_a_laptop_that_poses_as_the_teachers_gets_one_guess_and_nothing_else(
    place: Path, device: Device, teacher: Receiving
) -> None:
    with opened(place / "thief") as thief:
        code = teacher.code if teacher.code != thief.code else thief.new_code()
        assert key_of(lambda: send_near(Settings(device.home), code, thief.addresses[0])) == "near-code-wrong"
        assert thief.load() == carrying.Load(0, 0, 0, 0)
    assert device.states().delivered == 0


def test_a_laptop_that_only_says_that_it_knows_the_code_is_not_believed(device: Device, teacher: Receiving) -> None:
    def lie(answer: bytes) -> bytes:
        return re.sub(rb'"proof": "[0-9a-f]{64}"', b'"proof": "%s"' % (b"0" * 64), answer)

    with between(teacher.addresses[0], lambda sent: sent, lie) as address:
        assert key_of(lambda: send_near(Settings(device.home), teacher.code, address)) == "near-not-courier"
    assert device.states().delivered == 0


@pytest.mark.parametrize(
    ("sent", "back", "said"),
    [
        ((b'"release": "', b'"release": "00'), (b"", b""), {"near-session"}),
        ((b"age-encryption", b"age-encrYption"), (b"", b""), {"near-session"}),
        ((b"", b""), (b'"kept": false', b'"kept": true '), {""}),
        ((b"POST /v1/kept", b"POST /v1/ket1"), (b"", b""), {"near-session"}),
        ((b"", b""), (b'"state": "kept"', b'"state": "gone"'), {"near-forged"}),
        (
            (b"", b""),
            (b"HTTP/1.1 200 OK", b"HTTP/1.1 409 OK"),
            {"near-refused"},
        ),
        ((b"Authorization: Amauta-Near ", b"Authorization: Amauta-Near 0"), (b"", b""), {"near-session"}),
    ],
)
def test_what_is_changed_on_the_way_is_noticed_by_either_side(
    device: Device, teacher: Receiving, sent: tuple[bytes, bytes], back: tuple[bytes, bytes], said: set[str]
) -> None:
    changed = between(teacher.addresses[0], lambda m: m.replace(*sent), lambda m: m.replace(*back))
    with changed as address:
        deed: Callable[[], object] = lambda: send_near(Settings(device.home), teacher.code, address)  # noqa: E731
        if said == {""}:
            deed()
        else:
            assert key_of(deed) in said
    assert deliver(device, teacher).facts == 12  # The way without anybody in between still works.


def test_who_says_kept_without_having_it_is_caught(place: Path, device: Device, teacher: Receiving) -> None:
    """Somebody in between swallows the bundle and answers that it is there."""

    def swallow(answer: bytes) -> bytes:
        return answer.replace(b"Upload-Offset: 0", b"Upload-Offset: 9999999")

    with between(teacher.addresses[0], lambda sent: sent, swallow) as address:
        assert key_of(lambda: send_near(Settings(device.home), teacher.code, address)) == "near-message"
    assert device.states().delivered == 0


def hostile(answer: bytes, times: int = 1) -> Callable[[socket.socket, bytes], None]:
    def send(line: socket.socket, _: bytes) -> None:
        for _ in range(times):
            line.sendall(answer)

    return send


def drip(line: socket.socket, _: bytes) -> None:
    for letter in b"HTTP/1.1 200 OK\r\n" * 100:
        line.sendall(bytes([letter]))
        time.sleep(0.05)


@pytest.mark.parametrize(
    "answer",
    [
        hostile(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + bytes(1 << 16), 999),
        hostile(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1 << 16), 999),
        hostile(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + bytes(1024), 999),
        hostile(b"HTTP/1.1 100 Continue\r\n\r\n", 9999),
        hostile(b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20)),
        hostile(b"X-Header: 1\r\n", 99999),
        hostile(b"\r\n\r\n"),
        hostile(b"SSH-2.0-x\r\n\r\n"),
        hostile(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"a"'),
        hostile(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        drip,
    ],
)
def test_a_server_without_measure_ends_in_a_sentence_and_soon(
    device: Device, answer: Callable[[socket.socket, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "ANSWER_S", 0.4)
    begun = time.monotonic()
    with answering(answer) as address:
        assert key_of(lambda: send_near(Settings(device.home), "123456", address)) == "near-lost"
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    "answer",
    [
        hostile(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + bytes(1001)),
        hostile(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 20_000),
    ],
)
def test_no_more_of_an_answer_is_read_than_was_asked_for(answer: Callable[[socket.socket, bytes], None]) -> None:
    with answering(answer) as address:
        line = exchange.Connection("127.0.0.1", int(address.rpartition(":")[2]))
        with pytest.raises(exchange.ExchangeError, match="too large"):
            line.ask("GET", "/", {}, b"", 1000)
        line.close()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"[" * 900, b'{"message": 5}', b'{"message": "zz", "pairing": "0"}', b"\xff\xfe",
        b'{"message": "00", "pairing": "../../x"}', b'{"message": "%s", "pairing": "x"}' % (b"42" * 33),
        b'{"pairing": "%s", "message": "42%s"}' % (b"0" * 32, b"01" + b"00" * 31),
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_refused(device: Device, body: bytes) -> None:
    answer = hostile(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    with answering(answer) as address:
        assert key_of(lambda: send_near(Settings(device.home), "123456", address)) == "near-message"


def test_only_known_paths_and_plain_names_lead_anywhere(place: Path, teacher: Receiving) -> None:
    (place / "teacher" / "secret.age").write_bytes(AGE)
    signer = paired(teacher)
    for path in (
        "/", "/v1/acks/../../../secret", "/v1/acks/..%2f..%2fsecret", "/v1/acks/secret", "/v1/acks/" + "a" * 4000,
        "/v1/bundles/../../secret.age", "//v1/acks", "/v1/acks?x=1", "/v1/acks#x", "http://x/v1/acks", "/v1/held/",
        "/v1/acks/C:\\secret", "/v1/pair/../acks",
    ):  # fmt: skip
        for method in ("GET", "PATCH", "DELETE", "POST"):
            assert status(raw(teacher, request(signer, method, path))) in (404, 400, 401), (method, path)
    assert status(raw(teacher, request(signer, "GET", f"/v1/acks/{'a' * 16}"))) == 204
    assert status(raw(teacher, request(signer, "PUT", "/v1/acks"))) == 501


def test_what_is_too_large_too_odd_or_no_bundle_is_refused(place: Path, teacher: Receiving) -> None:
    signer = paired(teacher)
    sha256 = hashlib.sha256(AGE).hexdigest()
    path = f"/v1/bundles/{sha256}"

    def patch(body: bytes, offset: str, total: str, **more: str) -> int:
        return status(
            raw(teacher, request(signer, "PATCH", path, body, Upload_Offset=offset, Upload_Length=total, **more))
        )

    assert patch(bytes(MOST_PORTION + 1), "0", "999999") == 413
    assert patch(AGE, "0", str(1 << 39)) == 413
    assert patch(AGE, "0", "5") == 413
    assert patch(b"not sealed", "0", "10") == 400
    assert patch(AGE, "7", "99") == 409
    for offset, total in (("", ""), ("-1", "22"), ("0", "0x16"), ("0", "9" * 13), ("²", "22")):
        assert patch(AGE, offset, total) in (0, 400)
    assert status(raw(teacher, request(signer, "PATCH", path, Transfer_Encoding="chunked"))) == 411
    assert status(raw(teacher, request(signer, "PATCH", path, Content_Length="1e3"))) == 411
    stranger = request(None, "PATCH", path, bytes(2000), Upload_Offset="0", Upload_Length="2000")
    assert status(raw(teacher, stranger)) == 413
    wrong = f"/v1/bundles/{'0' * 64}"
    begun = request(signer, "PATCH", wrong, AGE, Upload_Offset="0", Upload_Length=str(len(AGE)))
    answer = raw(teacher, begun)
    assert status(answer) == 409
    assert b"Upload-Offset: 0\r\n" in answer  # Its bytes are not what its name says: it begins again.
    assert teacher.load() == carrying.Load(0, 0, 0, 0)
    assert not list((place / "teacher" / "courier" / "partial").iterdir())
    assert patch(AGE, "0", str(len(AGE))) == 200
    assert teacher.load().bundles == 1


def test_a_trickle_of_bytes_and_a_head_without_end_are_cut_off(
    teacher: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S", 0.6)
    host, _, port = teacher.addresses[0].rpartition(":")
    with socket.create_connection((host, int(port)), 2) as line:
        begun, gone = time.monotonic(), False
        line.sendall(b"GET /v1/acks HTTP/1.1\r\nX: ")
        while not gone and time.monotonic() - begun < 20:
            time.sleep(0.05)
            try:
                line.sendall(b"x")
            except OSError:
                gone = True
        assert gone
    assert status(raw(teacher, b"GET /v1/acks HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n")) in (0, 431)
    assert raw(teacher, b"GET /v1/acks HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n") == b""
    assert status(raw(teacher, b"nonsense\r\n\r\n")) in (0, 400)


def test_many_idle_connections_keep_others_out_only_until_their_time_is_over(
    teacher: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S", 0.5)
    host, _, port = teacher.addresses[0].rpartition(":")
    with ExitStack() as lines:
        for _ in range(server.MOST_CONNECTIONS + 8):
            lines.enter_context(socket.create_connection((host, int(port)), 2))
        begun = time.monotonic()
        while (answer := status(raw(teacher, request(None, "GET", "/v1/acks")))) == 0:
            assert time.monotonic() - begun < 20
        assert answer == 401


def test_nothing_that_listens_on_the_way_learns_more_than_sizes(
    device: Device, teacher: Receiving, place: Path
) -> None:
    heard: list[bytes] = []

    def listen(message: bytes) -> bytes:
        heard.append(message)
        return message

    with between(teacher.addresses[0], listen, listen) as address:
        send_near(Settings(device.home), teacher.code, address)
    said = b"".join(heard)
    assert b"age-encryption.org" in said
    names = json.loads((device.home / "enrolment.json").read_bytes())
    for secret in (teacher.code.encode(), names["hub"].encode(), names["school"].encode(), b"exercise", b"ana"):
        assert secret not in said.replace(b"exercise-", b"")


def test_the_signature_covers_everything() -> None:
    key = bytes(32)
    facts = (key, "GET", "/v1/acks", 1, b"body")
    others = [(bytes(31) + b"1", *facts[1:])]
    others += [
        (*facts[:place], new, *facts[place + 1 :]) for place, new in enumerate(("PUT", "/v1/held", 2, b""), start=1)
    ]
    macs = {request_mac(*each) for each in [facts, *others]}  # type: ignore[arg-type]
    assert len(macs) == 1 + len(others)


def test_every_trouble_is_told_on_the_screen_of_the_teacher(place: Path, device: Device) -> None:
    events: list[Event] = []
    with opened(place / "t", events) as teacher:
        path, body = f"/v1/bundles/{'0' * 64}", b"not sealed"
        signer = paired(teacher)
        assert status(raw(teacher, request(signer, "PATCH", path, body, Upload_Offset="0", Upload_Length="10"))) == 400
        assert [event.kind for event in events] == ["paired", "refused"]
        assert events[-1].error
        assert events[-1].error.key == "sealed-not-age"

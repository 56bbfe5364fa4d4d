"""Whom a device believes to be its hub, and how it gets there through an office's proxy: real certificates, real tunnels."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from badline import Proxy, proxied
from certificates import DAY, Authority
from edge.cli import main
from edge.errors import EdgeError
from edge.sync.wire import line
from edge.sync.wire.client import Chance
from served import District, hand_over, in_thread, quick, secure

pytestmark = pytest.mark.skipif(os.name != "posix", reason="proxies are settings of the system elsewhere")

YEARS = 366 * DAY


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def practised(folder: Path) -> District:
    found = District.made(folder, readers=False)
    found.device.practise(12)
    return found


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> District:
    """A district whose device never gets through, whatever it tries: one for all tests."""
    return practised(tmp_path_factory.mktemp("closed"))


@pytest.fixture
def district(tmp_path: Path) -> District:
    return practised(tmp_path)


@pytest.fixture
def ministry(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ministry")


def send(
    district: District, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[int, str]:
    """`amauta sync send` of the device; return the exit code and what it said."""
    monkeypatch.setenv("AMAUTA_HOME", str(district.device.home))
    code = main(["sync", "send", *more])
    return code, capsys.readouterr().err


def untouched(district: District) -> None:
    """Nothing left the device, and nothing is lost there."""
    states = district.device.states()
    assert (states.delivered, states.acknowledged) == (0, 0)
    assert states.draft + states.ready == 12
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(0,)]


@pytest.mark.parametrize(
    ("host", "begin", "end", "sentence", "hint"),
    [
        ("localhost", -9 * DAY, -2 * DAY, "no vale en la fecha de este equipo", "pon la fecha y la hora correctas"),
        ("localhost", 9 * YEARS, 10 * YEARS, "no vale en la fecha de este equipo", "pon la fecha y la hora correctas"),
        ("otro.example.org", -DAY, 9 * DAY, "es de otro nombre", "Revisa la dirección"),
    ],
    ids=["expired", "a clock that is nine years behind", "another name"],
)
def test_a_certificate_that_is_not_right_is_refused_with_what_to_do(
    closed: District, ministry: Authority, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    host: str, begin: timedelta, end: timedelta, sentence: str, hint: str,
) -> None:  # fmt: skip
    with secure(closed.site, ministry.server(host, begin, end)) as url:
        code, said = send(closed, monkeypatch, capsys, "--to", url, "--ca", str(ministry.file))
    assert code == 1
    assert sentence in said
    assert hint in said
    assert f"{datetime.now(UTC):%Y-%m}" in said or "nombre" in said, "the date of this device is shown"
    assert len(said.strip().splitlines()) == 2
    untouched(closed)


def test_an_authority_nobody_knows_is_refused_and_the_ministrys_own_is_given_with_ca(
    district: District, ministry: Authority, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    other = Authority(tmp_path / "other", "Otro")
    (tmp_path / "junk.pem").write_text("junk")
    with secure(district.site, ministry.server()) as url:
        for more in ([], ["--ca", str(other.file)]):
            code, said = send(district, monkeypatch, capsys, "--to", url, *more)
            assert code == 1
            assert "no conoce a quien firmó el certificado de localhost" in said
            assert "--ca ARCHIVO" in said
        for wrong in (tmp_path / "junk.pem", tmp_path / "absent.pem"):
            code, said = send(district, monkeypatch, capsys, "--to", url, "--ca", str(wrong))
            assert (code, str(wrong) in said) == (1, True)
        untouched(district)
        code, said = send(district, monkeypatch, capsys, "--to", url, "--ca", str(ministry.file))
    assert code == 0
    assert "Datos: 12" in said
    assert district.device.states().acknowledged == 12


def test_a_frozen_app_finds_whom_the_system_trusts_where_other_systems_keep_it(
    district: District, ministry: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    monkeypatch.setattr(line, "SYSTEM_AUTHORITIES", (str(tmp_path / "absent"), str(ministry.file)))
    with secure(district.site, ministry.server()) as url:
        assert hand_over(district.device, url).facts == 12


def test_a_clock_from_before_the_app_was_made_is_named_whatever_else_is_wrong(
    closed: District, ministry: Authority
) -> None:
    dead = Chance(sleep=quick, now=lambda: datetime(2009, 1, 1, tzinfo=UTC))
    with secure(closed.site, ministry.server()) as url, pytest.raises(EdgeError) as raised:
        hand_over(closed.device, url, chance=dead)
    assert raised.value.key == "wire-clock"
    assert "2009-01-01" in raised.value.say("es")
    assert "reloj" in raised.value.say("es")


def test_a_port_that_speaks_without_encryption_is_named_at_once(closed: District) -> None:
    with in_thread(closed.site) as url, pytest.raises(EdgeError) as raised:
        hand_over(closed.device, url.replace("http://127.0.0.1", "https://localhost"))
    assert raised.value.key == "wire-no-tls"
    untouched(closed)


HUB = "hub.example.org"


def test_a_proxy_of_the_environment_is_used_and_sees_only_the_name(
    district: District, ministry: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secure(district.site, ministry.server(HUB)) as url:
        proxy = Proxy({f"{HUB}:443": ("127.0.0.1", urlsplit(url).port or 0)}, wants="Basic bWFyaWE6cyBlY3JldG8=")
        with proxied(proxy) as address:
            host = address.removeprefix("http://")
            monkeypatch.setenv("HTTPS_PROXY", f"http://maria:s%20ecreto@{host}")
            handed = hand_over(district.device, f"https://{HUB}", authority=ministry.file)
            assert (handed.facts, handed.acknowledged) == (12, 12)
            assert proxy.asked == [f"CONNECT {HUB}:443"], "one tunnel, kept open"
            district.device.practise(1)
            monkeypatch.setenv("NO_PROXY", ".example.org")
            with pytest.raises(EdgeError) as raised:
                hand_over(
                    district.device, f"https://{HUB}:{urlsplit(url).port}", authority=ministry.file, patience_s=0.0
                )
            assert raised.value.key == "wire-lost", "asked for itself, and there is no such name"
            assert len(proxy.asked) == 1


def test_this_machine_is_never_asked_through_a_proxy(
    district: District, ministry: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with secure(district.site, ministry.server()) as url:
        assert hand_over(district.device, url, authority=ministry.file).facts == 12


@pytest.mark.parametrize(("wants", "refuses", "status"), [("Basic xyz", 0, 407), ("", 403, 403)])
def test_a_proxy_that_refuses_is_named_at_once_with_what_to_do(
    closed: District, monkeypatch: pytest.MonkeyPatch, wants: str, refuses: int, status: int
) -> None:
    with proxied(Proxy({}, wants, refuses)) as address:
        monkeypatch.setenv("HTTPS_PROXY", address)
        with pytest.raises(EdgeError) as raised:
            hand_over(closed.device, f"https://{HUB}")
    assert raised.value.key == "wire-proxy"
    assert raised.value.values["status"] == status
    assert "127.0.0.1" in raised.value.say("es")
    untouched(closed)


def test_a_proxy_that_cannot_reach_the_hub_just_now_is_asked_again(
    closed: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxied(proxy := Proxy({})) as address:
        monkeypatch.setenv("HTTPS_PROXY", address)
        with pytest.raises(EdgeError) as raised:
            hand_over(closed.device, f"https://{HUB}", patience_s=0.1)
    assert raised.value.key == "wire-lost"
    assert len(proxy.asked) > 1


@pytest.mark.parametrize(
    "named", ["http://proxy:port", "socks5://127.0.0.1:1080", "http://", "http://maria:x@proxy:99999"]
)
def test_an_address_that_is_no_proxy_is_named_without_its_password(
    closed: District, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    with pytest.raises(EdgeError) as raised:
        hand_over(closed.device, f"https://{HUB}")
    assert raised.value.key == "wire-proxy-address"
    assert "maria" not in raised.value.say("es")
    assert "HTTPS_PROXY" in raised.value.say("es")

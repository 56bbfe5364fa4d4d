"""A ministry that signs for itself is named once: what is kept of its file, and who uses it afterwards."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certificates import Authority
from edge.cli import main
from edge.errors import EdgeError
from edge.settings import Settings
from edge.sync.enrolment import as_bytes, parse
from edge.sync.errors import SyncError
from edge.sync.wire import authority
from served import District, secure
from tui.near import NearBy

pytestmark = pytest.mark.skipif(os.name != "posix", reason="proxies are settings of the system elsewhere")
HUB = "0123456789abcdef"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def district(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> District:
    found = District.made(tmp_path, readers=False)
    found.device.practise(4)
    monkeypatch.setenv("AMAUTA_HOME", str(found.device.home))
    return found


@pytest.fixture
def ministry(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ministry")


def fingerprint(ministry: Authority) -> str:
    certificate = x509.load_pem_x509_certificate(ministry.file.read_bytes())
    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def test_an_authority_that_worked_once_is_kept_named_and_used_from_then_on(
    district: District, ministry: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Authority(tmp_path / "other", "Otro")
    with secure(district.site, ministry.server()) as url:
        assert main(["sync", "send", "--to", url, "--ca", str(other.file)]) == 1
        assert main(["sync", "send", "--to", url]) == 1, "what did not work was not kept"
        assert main(["sync", "send", "--to", url, "--ca", str(ministry.file)]) == 0
        ministry.file.unlink()
        district.device.practise(2)
        assert main(["sync", "send", "--to", url]) == 0
    capsys.readouterr()
    assert district.device.states().acknowledged == 6
    assert main(["sync", "status"]) == 0
    assert "«CN=Ministerio»" in capsys.readouterr().out


def test_the_app_delivers_to_a_hub_whose_authority_came_with_the_enrolment(
    district: District, ministry: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with secure(district.site, ministry.server()) as url:
        papers = tmp_path / "papers.json"
        papers.write_bytes(as_bytes(replace(parse(district.hub.enrolment()), url=url)))
        near = NearBy(lambda: Settings(district.device.home))
        assert main(["sync", "enrol", str(papers)]) == 0
        with pytest.raises(EdgeError) as caught:
            near.upload(lambda progress: None, lambda: False)
        assert caught.value.key == "wire-authority"
        assert main(["sync", "enrol", str(papers), "--ca", str(ministry.file), "--json"]) == 0
        assert near.upload(lambda progress: None, lambda: False).facts == 4
    assert fingerprint(ministry) in capsys.readouterr().err
    assert main(["sync", "status", "--json"]) == 0
    named = json.loads(capsys.readouterr().out)["authority"]
    assert (named["name"], named["sha256"]) == ("CN=Ministerio", fingerprint(ministry))


def test_of_the_file_only_certificates_are_kept_and_another_hub_is_not_believed_for_it(
    ministry: Authority, tmp_path: Path
) -> None:
    ministry.server()
    secret = (ministry.folder / "server.key").read_bytes()
    given = tmp_path / "all.pem"
    given.write_bytes(b"Ministerio\n" + ministry.file.read_bytes() + secret)
    authority.keep(tmp_path, HUB, given)
    place = authority.kept(tmp_path, HUB)
    assert place is not None
    assert b"PRIVATE" not in place.read_bytes()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert authority.kept(tmp_path, HUB[::-1]) is None


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"x" * (2 << 20)]
)
def test_a_file_without_a_certificate_is_refused_by_name_and_what_was_kept_stays(
    ministry: Authority, tmp_path: Path, content: bytes
) -> None:
    before = authority.keep(tmp_path, HUB, ministry.file)
    (tmp_path / "wrong.pem").write_bytes(content)
    with pytest.raises(SyncError) as caught:
        authority.keep(tmp_path, HUB, tmp_path / "wrong.pem")
    assert str(tmp_path / "wrong.pem") in caught.value.say("es")
    assert authority.read(authority.place_of(tmp_path, HUB)) == before

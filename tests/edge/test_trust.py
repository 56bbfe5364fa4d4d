"""A release is used only when the keys this device remembers have signed it, from a stick and over HTTP alike."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.cli import main
from edge.release.anchor import read_anchor
from edge.release.clock import believed, built
from edge.release.contents import Contents, ContentsError, Part, ReleaseFile, cut, parse, write
from edge.release.fetch import Patience
from edge.release.layout import needed
from edge.release.memory import Memory
from edge.release.trust import Trusted, TrustError, open_release
from releasing import FILES, LATER, SIGNED, Offer, Organisation, offered
from serving import Handler, Site, status
from serving import cut as cut_line

HURRIED = Patience(tries=2, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=0.25)
BOTH = pytest.mark.parametrize("how", ["folder", "http"])
LARGE = {**FILES, "models/mini.gguf": os.urandom(5 << 20)}


@pytest.fixture(scope="module")
def two_releases(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """An organisation with two releases; its repository is copied, never changed."""
    org = Organisation.founded(tmp_path_factory.mktemp("org") / "repo")
    org.release()
    shutil.copytree(org.repo.folder, org.repo.folder.with_name("old"))
    org.release({**FILES, "packs/primaria/lessons/agua.md": b"# El agua limpia\n"})
    return org


@pytest.fixture
def org(two_releases: Organisation, tmp_path: Path) -> Organisation:
    """The same, to be spoilt by one test."""
    folder = tmp_path / "repo"
    shutil.copytree(two_releases.repo.folder, folder)
    return Organisation(replace(two_releases.repo, folder=folder), dict(two_releases.keys))


def read(where: Path | str, home: Path, org: Organisation, now: datetime = LATER) -> Trusted:
    return open_release(where, home, org.first_root, now, patience=HURRIED)


def refusal(where: Path | str, home: Path, org: Organisation, now: datetime = LATER) -> str:
    with pytest.raises(TrustError) as caught:
        whole(read(where, home, org, now))
    assert len(str(caught.value).splitlines()) == 2
    return caught.value.key


def whole(trusted: Trusted) -> dict[str, bytes]:
    """Read every file through its parts."""
    return {file.path: b"".join(trusted.part(p.sha256, p.size) for p in file.parts) for file in trusted.contents.files}


def put(org: Organisation, name: str, content: bytes) -> None:
    (org.repo.folder / "metadata" / name).write_bytes(content)


@BOTH
def test_a_signed_release_is_read_whole_and_remembered(how: Offer, org: Organisation, home: Path) -> None:
    with offered(how, org.repo.folder) as where:
        trusted = read(where, home, org)
        assert whole(trusted) == {**FILES, "packs/primaria/lessons/agua.md": b"# El agua limpia\n"}
        assert (trusted.contents.number, trusted.signed) == (2, SIGNED.date())
        assert trusted.expires == SIGNED + timedelta(days=3 * 365)
        assert open_release(where, home, None, LATER).contents == trusted.contents


@BOTH
def test_a_release_older_than_one_that_was_seen_is_refused(how: Offer, two_releases: Organisation, home: Path) -> None:
    old = two_releases.repo.folder.with_name("old")
    with offered(how, old) as where:
        assert read(where, home, two_releases).contents.number == 1
    read(two_releases.repo.folder, home, two_releases)
    with offered(how, old) as where:
        assert refusal(where, home, two_releases) == "trust-older"


@BOTH
@pytest.mark.parametrize("thief", ["timestamp", "snapshot"])
def test_who_stole_the_daily_keys_cannot_bring_old_content_back(
    how: Offer, thief: str, org: Organisation, home: Path
) -> None:
    read(org.repo.folder, home, org)

    def older_snapshot(timestamp: Any) -> None:
        timestamp.version += 1
        timestamp.snapshot_meta.version = 1
        timestamp.snapshot_meta.hashes = timestamp.snapshot_meta.length = None

    def older_targets(snapshot: Any) -> None:
        snapshot.version = 3
        snapshot.meta["targets.json"].version = 1
        snapshot.meta["targets.json"].hashes = snapshot.meta["targets.json"].length = None

    def newer_snapshot(timestamp: Any) -> None:
        timestamp.version += 1
        timestamp.snapshot_meta.version = 3
        timestamp.snapshot_meta.hashes = timestamp.snapshot_meta.length = None

    if thief == "timestamp":
        put(org, "timestamp.json", org.forge("timestamp.json", older_snapshot, "timestamp-0"))
    else:
        put(org, "3.snapshot.json", org.forge("2.snapshot.json", older_targets, "snapshot-0"))
        put(org, "timestamp.json", org.forge("timestamp.json", newer_snapshot, "timestamp-0"))
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org) == "trust-older"


@BOTH
def test_pieces_of_two_releases_are_refused_together(how: Offer, org: Organisation, home: Path) -> None:
    metadata = org.repo.folder / "metadata"
    for role, key in (("targets", "trust-damaged"), ("snapshot", "trust-damaged")):
        kept = (metadata / f"2.{role}.json").read_bytes()
        shutil.copy(metadata / f"1.{role}.json", metadata / f"2.{role}.json")
        with offered(how, org.repo.folder) as where:
            assert refusal(where, home, org) == key
        put(org, f"2.{role}.json", kept)
    older, newer = sorted((org.repo.folder / "targets").iterdir(), key=lambda path: b'"number":2' in path.read_bytes())
    shutil.copy(older, newer)
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org) == "trust-damaged"


@BOTH
def test_an_expired_release_is_refused_with_its_age_and_a_dead_clock_does_not_help(
    how: Offer, org: Organisation, home: Path
) -> None:
    with offered(how, org.repo.folder) as where:
        assert read(where, home, org, SIGNED + timedelta(days=3 * 365 - 1)).contents.number == 2
        with pytest.raises(TrustError) as caught:
            read(where, home, org, datetime(2030, 4, 1, tzinfo=UTC))
        assert "La entrega 2 (0.2.0) se firmó el 2027-03-01, hace 37 meses" in caught.value.say("es")
        assert "2030-02-28" in caught.value.say("es")
        read(where, home, org, datetime(1970, 1, 1, tzinfo=UTC))
    assert believed(datetime(1970, 1, 1, tzinfo=UTC), built()) == built()
    assert believed(LATER, built()) == LATER


@BOTH
def test_a_release_that_ended_before_this_app_was_made_is_refused_whatever_the_clock_says(
    how: Offer, tmp_path: Path, home: Path
) -> None:
    org = Organisation.founded(tmp_path / "repo")
    org.release()

    def long_ago(signed: Any) -> None:
        signed.version, signed.expires = 2, built() - timedelta(days=1)

    put(org, "timestamp.json", org.forge("timestamp.json", long_ago, "timestamp-0"))
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org, datetime(1970, 1, 1, tzinfo=UTC)) == "trust-expired"


@BOTH
def test_another_organisation_is_not_believed(how: Offer, org: Organisation, tmp_path: Path, home: Path) -> None:
    other = Organisation.founded(tmp_path / "other")
    other.release()
    with offered(how, other.repo.folder) as where:
        assert refusal(where, home, org) == "trust-signature"
        # Nothing of it was remembered.
        assert Memory(home / "trust").root() is None
    with offered(how, org.repo.folder) as where:
        read(where, home, org)


@BOTH
@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
@pytest.mark.parametrize("signers", [(), ("stranger",), ("wrong-role",)])
def test_each_file_needs_the_key_of_its_own_role(
    how: Offer, role: str, signers: tuple[str, ...], org: Organisation, home: Path
) -> None:
    org.key(role, "stranger")
    org.keys["wrong-role"] = org.keys["snapshot-0" if role == "targets" else "targets-0"]
    _replace_role(org, role, lambda _: None, signers)
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org) == "trust-signature"


def _replace_role(org: Organisation, role: str, change: Callable[[Any], None], signers: tuple[str, ...]) -> None:
    """Put a changed file of a role into the repository, with all that leads to it signed rightly."""
    name = "timestamp.json" if role == "timestamp" else f"2.{role}.json"
    content = org.forge(name, change, *signers)
    put(org, name, content)
    if role == "targets":
        _replace_role(org, "snapshot", _pointing(content, "targets"), ("snapshot-0",))
    if role == "snapshot":
        _replace_role(org, "timestamp", _pointing(content, "snapshot"), ("timestamp-0",))


def _pointing(content: bytes, role: str) -> Callable[[Any], None]:
    def change(signed: Any) -> None:
        listed = signed.snapshot_meta if role == "snapshot" else signed.meta["targets.json"]
        listed.length, listed.hashes = len(content), {"sha256": hashlib.sha256(content).hexdigest()}

    return change


@BOTH
def test_too_few_signatures_are_none_and_one_key_counts_once(how: Offer, tmp_path: Path, home: Path) -> None:
    org = Organisation.founded(tmp_path / "repo", targets=3, threshold=2)
    org.release()
    org.release({**FILES, "packs/primaria/lessons/agua.md": b"# Otra\n"})
    with offered(how, org.repo.folder) as where:
        assert read(where, home, org).contents.number == 2
    home = home.with_name("other")
    _replace_role(org, "targets", lambda _: None, ("targets-0",))
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org) == "trust-signature"
    kept = (org.repo.folder / "metadata" / "2.targets.json").read_bytes()
    found = json.loads(kept)
    found["signatures"] *= 2
    content = json.dumps(found).encode()
    put(org, "2.targets.json", content)
    _replace_role(org, "snapshot", _pointing(content, "targets"), ("snapshot-0",))
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org) == "trust-wrong"
    put(org, "2.targets.json", kept)
    _replace_role(org, "targets", lambda _: None, ("targets-2", "targets-1"))
    with offered(how, org.repo.folder) as where:
        read(where, home, org)


@BOTH
@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.targets.json", "release.json", "part"])
def test_cut_files_are_refused(how: Offer, name: str, org: Organisation, home: Path) -> None:
    path = _file_of(org, name)
    content = path.read_bytes()
    for length in (0, 1, len(content) // 2, len(content) - 2):
        path.write_bytes(content[:length])
        with offered(how, org.repo.folder) as where:
            assert refusal(where, home, org).startswith("trust-")
    path.unlink()
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org) in ("trust-absent", "trust-part-absent")


def _file_of(org: Organisation, name: str) -> Path:
    contents = org.repo.current().contents  # type: ignore[union-attr]
    paths = [org.repo.folder / path for path, _ in needed(contents)]
    if name == "release.json":
        return paths[0]
    return (
        max(paths[1:], key=lambda path: path.stat().st_size) if name == "part" else org.repo.folder / "metadata" / name
    )


@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.root.json", "release.json", "part"])
def test_a_stick_with_endless_files_is_left_at_once(name: str, org: Organisation, home: Path) -> None:
    path = _file_of(org, name)
    began = time.monotonic()
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert refusal(org.repo.folder, home, org) == "trust-large"
    if os.name == "posix":
        path.unlink()
        os.mkfifo(path)
        assert refusal(org.repo.folder, home, org) == "trust-unreadable"
        path.unlink()
        path.symlink_to("/dev/zero")
        assert refusal(org.repo.folder, home, org) == "trust-unreadable"
    assert time.monotonic() - began < 5


def flood(h: Handler) -> None:
    """Send without end, as fast as it goes."""
    h.head(200, Connection="close")
    while True:
        h.body(bytes(1 << 16))


def drip(h: Handler) -> None:
    """Send a byte now and then, for ever."""
    h.head(200, Connection="close")
    while True:
        h.body(b" ")
        h.wfile.flush()
        time.sleep(0.05)


def drip_headers(h: Handler) -> None:
    """Never finish saying hello."""
    h.send_response(200)
    h.flush_headers()
    while True:
        h.wfile.write(b"X")
        h.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [flood, drip, drip_headers])
@pytest.mark.parametrize("at", [0, 1, 4])
def test_a_server_that_never_stops_is_left(
    answer: Callable[[Handler], None], at: int, org: Organisation, home: Path
) -> None:
    def prepare(site: Site) -> None:
        from serving import honest

        # 2.root.json, timestamp, snapshot, targets, release.json
        site.script = [*[honest] * at, *[answer] * 20]

    began = time.monotonic()
    with offered("http", org.repo.folder, prepare=prepare) as where:
        assert refusal(where, home, org) in ("trust-large", "trust-slow", "trust-damaged")
    assert time.monotonic() - began < 5


def test_a_line_that_breaks_is_taken_up_and_one_that_stays_broken_is_named(tmp_path: Path, home: Path) -> None:
    org = Organisation.founded(tmp_path / "repo")
    org.release(LARGE)
    with offered("http", org.repo.folder) as where:
        trusted = read(where, home, org)
    part = trusted.contents.files[1].parts[0]
    content = (org.repo.folder / "parts" / part.sha256[:2] / part.sha256).read_bytes()
    sites: list[Site] = []
    with offered("http", org.repo.folder, prepare=sites.append) as where:
        trusted = read(where, home, org)
        sites[0].script, sites[0].asked = [cut_line(1 << 20), status(503), cut_line(1 << 20)], []
        assert trusted.part(part.sha256, part.size) == content
        assert sites[0].ranges() == ["", "bytes=1048576-", "bytes=1048576-", "bytes=2097152-"]
        sites[0].script = [status(503)] * 9
        with pytest.raises(TrustError, match="503") as caught:
            trusted.part(part.sha256, part.size)
        assert caught.value.key == "trust-gave-up"


def test_an_address_that_is_none_is_named(org: Organisation, home: Path) -> None:
    for wrong in ("ftp://x/y", "http://", "http://[::1/x", "http://x:99999/", "http:// x", "file:///etc"):
        assert refusal(wrong, home, org) == "trust-where"
    assert refusal("http://127.0.0.1:9", home, org) == "trust-gave-up"
    assert refusal("nowhere", home, org) == "trust-absent"


def raw(contents: Contents, **changes: Any) -> bytes:
    """Write contents with other values in the first file, unchecked."""
    found = json.loads(write(contents))
    found["files"][0] |= changes
    return json.dumps(found, sort_keys=True, separators=(",", ":")).encode()


OUTSIDE = [
    "../home/settings.toml", "packs/primaria/../../../x", "/etc/passwd", "packs/primaria/..", "packs/primaria/.",
    "packs//primaria/x", "packs/primaria/a\\..\\x", "C:/x", "packs/primaria/c:x", "packs/primaria/con",
    "packs/primaria/NUL.txt", "packs/primaria/x.", "packs/primaria/ x", "packs/primaria/x\n", "packs/primaria/\x00",
    "packs/primaria/niño", "packs/otro/x", "packs/primaria", "releases/12/x", "trust/root.json", "",
    "packs/primaria/" + "x" * 200, "models/x.gguf",
]  # fmt: skip


@BOTH
@pytest.mark.parametrize("path", ["../home/settings.toml", "/etc/passwd", "packs/primaria/a\\..\\x", "trust/root.json"])
def test_a_signed_release_still_cannot_name_a_file_outside(
    how: Offer, path: str, org: Organisation, home: Path
) -> None:
    contents = org.repo.current().contents  # type: ignore[union-attr]
    sign_contents(org, raw(contents, path=path, kind="pack", id="primaria", platform=""))
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org) == "contents-wrong"


def sign_contents(org: Organisation, content: bytes, hashes: dict[str, str] | None = None) -> None:
    """Let the keys of the organisation sign whatever it is."""
    digest = hashlib.sha256(content).hexdigest()
    (org.repo.folder / "targets" / f"{digest}.release.json").write_bytes(content)

    def change(targets: Any) -> None:
        info = targets.targets["release.json"]
        info.length, info.hashes = len(content), hashes or {"sha256": digest}

    _replace_role(org, "targets", change, ("targets-0",))


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leaves_its_folder_or_breaks_on_fat(path: str, two_releases: Organisation) -> None:
    contents = two_releases.repo.current().contents  # type: ignore[union-attr]
    with pytest.raises(ContentsError):
        parse(raw(contents, path=path, kind="pack", id="primaria", platform=""))
    parse(raw(contents, path="packs/primaria/x", kind="pack", id="primaria", platform=""))


@BOTH
@pytest.mark.parametrize("name", ["../../secret", "/secret", "..%2f..%2fsecret"])
def test_signed_metadata_cannot_make_a_device_read_elsewhere(
    how: Offer, name: str, org: Organisation, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.release.json").write_bytes(b"{}")
    (tmp_path / "repo" / "secret.release.json").write_bytes(b"{}")
    sign_contents(org, b"{}", {"sha256": name})
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org) in ("trust-absent", "trust-wrong")


@BOTH
def test_a_model_of_equal_size_and_another_part_are_no_substitute(how: Offer, org: Organisation, home: Path) -> None:
    model = org.repo.current().contents.files[1]  # type: ignore[union-attr]
    assert model.path == "models/mini.gguf"
    path = org.repo.folder / "parts" / model.parts[0].sha256[:2] / model.parts[0].sha256
    for other in (os.urandom(model.parts[0].size), path.read_bytes()[::-1]):
        path.write_bytes(other)
        with offered(how, org.repo.folder) as where:
            trusted = read(where, home, org)
            with pytest.raises(TrustError) as caught:
                trusted.part(model.parts[0].sha256, model.parts[0].size)
            assert caught.value.key == "trust-part"


@BOTH
def test_a_device_follows_changes_of_keys_even_after_sleeping_through_three(
    how: Offer, org: Organisation, home: Path
) -> None:
    with offered(how, org.repo.folder) as where:
        read(where, home, org)
    org.rotate("root-1", "root-2", add=[org.key("root", "root-3")], remove=["root-0"])
    org.rotate("root-2", "root-3", add=[org.key("root", "root-4")], remove=["root-1"])
    sleeper = home.with_name("sleeper")
    org.rotate("root-3", "root-4", role="timestamp", add=[org.key("timestamp", "timestamp-1")], remove=["timestamp-0"])
    org.keys = {name: key for name, key in org.keys.items() if name not in ("root-0", "root-1", "timestamp-0")}
    org.release({**FILES, "packs/primaria/lessons/agua.md": b"# Tres\n"})
    with offered(how, org.repo.folder) as where:
        assert read(where, home, org).contents.number == 3
        assert read(where, sleeper, org).contents.number == 3
    assert read_anchor(Memory(home / "trust").root() or b"").version == 4


@BOTH
@pytest.mark.parametrize("signers", [("root-0",), ("root-0", "root-0"), ("root-3", "root-4"), ("root-0", "targets-0")])
def test_a_root_that_too_few_of_the_old_keys_signed_is_refused(
    how: Offer, signers: tuple[str, ...], org: Organisation, home: Path
) -> None:
    keys = [org.key("root", "root-3"), org.key("root", "root-4")]

    def own_keys(root: Any) -> None:
        root.version = 2
        for key in keys:
            root.add_key(key.for_root(), "root")

    put(org, "2.root.json", org.forge("1.root.json", own_keys, *signers))
    with offered(how, org.repo.folder) as where:
        assert refusal(where, home, org) == "trust-signature"
    (org.repo.folder / "metadata" / "2.root.json").unlink()
    with offered(how, org.repo.folder) as where:
        read(where, home, org)


@BOTH
def test_the_old_keys_count_no_more_once_a_device_has_seen_the_new_root(
    how: Offer, org: Organisation, home: Path, tmp_path: Path
) -> None:
    stolen = tmp_path / "stolen"
    shutil.copytree(org.repo.folder, stolen)
    org.rotate("root-0", "root-1", role="targets", add=[org.key("targets", "new")], remove=["targets-0"])
    read(org.repo.folder, home, org)
    thief = Organisation(replace(org.repo, folder=stolen), dict(org.keys))
    thief.release({**FILES, "models/mini.gguf": b"bad"})
    thief.release({**FILES, "models/mini.gguf": b"worse"})
    with offered(how, stolen) as where:
        assert refusal(where, home, org) == "trust-signature"


def test_without_keys_nothing_is_believed_and_a_wrong_root_is_not_kept(
    org: Organisation, tmp_path: Path, home: Path
) -> None:
    with pytest.raises(TrustError) as caught:
        open_release(org.repo.folder, home, None, LATER)
    assert caught.value.key == "trust-no-keys"
    other = Organisation.founded(tmp_path / "other")
    for wrong in (b"", b"{}", b"\xff", org.repo.root_bytes(1)[:-9], b"[" * 9000):
        with pytest.raises(TrustError):
            open_release(org.repo.folder, home, wrong, LATER)
    assert refusal(org.repo.folder, home, other) == "trust-signature"
    read(org.repo.folder, home, org)


def test_damaged_memory_is_mended_by_the_root_of_the_app(org: Organisation, home: Path) -> None:
    read(org.repo.folder, home, org)
    for name in ("root.json", "timestamp.json", "snapshot.json", "targets.json"):
        for spoilt in (b"", b"{}", b"\x00" * 500):
            (home / "trust" / name).write_bytes(spoilt)
            assert read(org.repo.folder, home, org).contents.number == 2
            assert (home / "trust" / name).read_bytes() != spoilt


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_flipped_bit_anywhere_is_refused_or_changes_nothing(
    data: st.DataObject, two_releases: Organisation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = two_releases.repo.folder
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and "signing" not in p.parts]
    path = data.draw(st.sampled_from(paths))
    content = path.read_bytes()
    at, mask = data.draw(st.integers(0, len(content) - 1)), 1 << data.draw(st.integers(0, 7))
    home = tmp_path_factory.mktemp("home")
    path.write_bytes(content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :])
    try:
        found = whole(read(folder, home, two_releases))
    except TrustError:
        pass
    else:
        assert found == {**FILES, "packs/primaria/lessons/agua.md": b"# El agua limpia\n"}
    finally:
        path.write_bytes(content)
        shutil.rmtree(home)


@settings(max_examples=100)
@given(data=st.data())
def test_contents_are_read_as_they_were_written_and_nothing_else_is(
    data: st.DataObject, two_releases: Organisation
) -> None:
    contents = two_releases.repo.current().contents  # type: ignore[union-attr]
    content = write(contents)
    assert parse(content) == contents
    at = data.draw(st.integers(0, len(content) - 1))
    spoilt = content[:at] + data.draw(st.binary(max_size=3)) + content[at + data.draw(st.integers(0, 3)) :]
    try:
        found = parse(spoilt)
    except ContentsError:
        return
    assert write(found) == spoilt


def test_contents_that_we_would_not_have_written_so_are_refused(two_releases: Organisation) -> None:
    content = write(two_releases.repo.current().contents)  # type: ignore[union-attr]
    found = json.loads(content)
    twice = content.replace(b'"format":1', b'"format":1,"format":1')
    for other in (json.dumps(found, sort_keys=True).encode(), json.dumps(found).encode(), content + b"\n", twice):
        assert json.loads(other) == found
        with pytest.raises(ContentsError):
            parse(other)
    for changes in ({"extra": 1}, {"format": 2}, {"number": True}, {"number": 0}, {"version": ""}, {"files": []}):
        with pytest.raises(ContentsError):
            parse(json.dumps(found | changes, sort_keys=True, separators=(",", ":")).encode())
    for changes in (
        {"size": -1}, {"size": 1 << 32}, {"mode": 0o777}, {"mode": 0o4755}, {"kind": "script"}, {"sha256": "../x"},
        {"parts": []}, {"parts": [{"sha256": "a" * 64, "size": 2004, "from": "b" * 64}]}, {"platform": "windows-x86_64"},
        {"deltas": [{"from": "x", "sha256": "a" * 64, "size": 1}]}, {"deltas": {}}, {"id": "Ñ"}, {"note": ""},
    ):  # fmt: skip
        with pytest.raises(ContentsError):
            parse(raw(two_releases.repo.current().contents, **changes))  # type: ignore[union-attr]


def test_two_names_that_fat_takes_for_one_are_refused(two_releases: Organisation) -> None:
    contents = two_releases.repo.current().contents  # type: ignore[union-attr]
    file = contents.files[-1]
    for path in ("packs/primaria/PACK.TOML", "packs/primaria/pack.toml/x", "packs/primaria/pack.toml"):
        with pytest.raises(ContentsError):
            write(replace(contents, files=(*contents.files, replace(file, path=path))))


def test_an_unchanged_tensor_stays_one_part_when_its_neighbour_changes_size(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf", reason="needs the extra quantize")
    import numpy as np

    made = np.random.default_rng(1)
    tensors = {f"blk.{n}.w": made.random((512, 512), dtype=np.float32) for n in range(4)}
    norms = {f"blk.{n}.norm": made.random(512, dtype=np.float32) for n in range(4)}

    def model(name: str, smaller: str) -> tuple[Part, ...]:
        writer = gguf.GGUFWriter(str(tmp_path / name), "llama")
        for key, tensor in {**norms, **tensors}.items():
            writer.add_tensor(key, tensor.astype(np.float16) if key == smaller else tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return cut(tmp_path / name)

    one, other = model("one.gguf", ""), model("two.gguf", "blk.1.w")
    assert sum(part.size for part in one) == (tmp_path / "one.gguf").stat().st_size
    assert len({part.sha256 for part in one} & {part.sha256 for part in other}) == len(one) - 2
    content, at = (tmp_path / "two.gguf").read_bytes(), 0
    for part in other:
        assert hashlib.sha256(content[at : at + part.size]).hexdigest() == part.sha256
        at += part.size


def test_large_files_are_cut_alike_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"")
    assert cut(path) == ()
    path.write_bytes(bytes(9 << 20))
    assert [part.size for part in cut(path)] == [4 << 20, 4 << 20, 1 << 20]
    path.write_bytes(b"GGUF" + bytes(100))
    assert [part.size for part in cut(path)] == [104]


def trust(capsys: pytest.CaptureFixture[str], *given: str | Path) -> tuple[int, str, str]:
    code = main(["trust", *map(str, given)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_technician_compares_the_fingerprint_before_a_device_trusts(
    org: Organisation, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root.json"
    root.write_bytes(org.first_root)
    print_of = read_anchor(org.first_root).fingerprint
    code, out, _ = trust(capsys, "show")
    assert (code, "no confía en nadie" in out) == (1, True)
    code, out, err = trust(capsys, "add", root)
    assert code == 1
    assert print_of in out
    assert "teléfono" in err
    code, _, err = trust(capsys, "add", root, "--fingerprint", f"{'0' if print_of[0] != '0' else '1'}{print_of[1:]}")
    assert (code, "falso" in err) == (1, True)
    assert trust(capsys, "add", root, "--fingerprint", print_of, "--dry-run")[0] == 0
    assert Memory(home / "trust").root() is None
    assert trust(capsys, "add", root, "--fingerprint", print_of.lower().replace("-", " "))[0] == 0
    assert open_release(org.repo.folder, home, None, LATER).contents.number == 2
    code, out, _ = trust(capsys, "show", "--json")
    facts = json.loads(out)
    assert facts["trusts"]["fingerprint"] == print_of
    assert facts["trusts"]["roles"][0] == {"name": "root", "threshold": 2, "keys": ["root-0", "root-1", "root-2"]}
    assert facts["release"] == {"signed": "2027-03-01", "expires": "2030-02-28"}
    other = org.founded_again(tmp_path / "other")
    other.release()
    root.write_bytes(other.first_root)
    code, _, err = trust(capsys, "add", root, "--fingerprint", read_anchor(other.first_root).fingerprint)
    assert (code, print_of in err) == (0, True)
    # A new organisation begins at one again, though it signs with the old keys of releases.
    assert read(other.repo.folder, home, org).contents.number == 1
    for wrong in (b"{}", other.forge("1.root.json", lambda _: None, "root-0"), b"x" * 70000):
        root.write_bytes(wrong)
        assert trust(capsys, "add", root)[0] == 1
    assert trust(capsys, "add", tmp_path / "absent.json")[0] == 1


def test_what_answers_a_question_loads_no_cryptography() -> None:
    heavy = ("tuf", "securesystemslib", "cryptography", "zstandard")
    code = (
        "import sys, edge.cli, edge.verbs.ask, edge.tutor.turn, edge.library.library, edge.update.start;"
        "import edge.release.trust, edge.release.sources, edge.verbs.trust, quantize.cli;"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_release_files_are_plain_facts() -> None:
    file = ReleaseFile("models/x.gguf", "lm", "x", "", 0, hashlib.sha256().hexdigest(), 0o644, (), ())
    assert parse(write(Contents(1, "0.1.0", (file,)))).files == (file,)
    with pytest.raises(ContentsError):
        write(Contents(1, "0.1.0", (replace(file, size=5),)))

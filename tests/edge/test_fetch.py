"""A pull over lines and servers that fail in every way we know: whole, or not at all, and never twice the same bytes."""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.request import Request

import pytest

from edge.cli import main
from edge.errors import ModelError
from edge.release import part as parts
from edge.release.download import _Redirects
from edge.release.fetch import Fetched, Patience, Source, fetch
from edge.release.manifest import Release, embedded_release, parse
from edge.release.part import Wanted, part_of
from edge.release.pull import plan_pull
from edge.settings import Settings
from edge.verbs import pull as verb
from edge.words import LANGUAGES, words_for
from serving import (
    Handler,
    Site,
    cut,
    drop,
    honest,
    ignoring_range,
    instead,
    serving,
    slow,
    stalling,
    status,
    with_length,
)

CONTENT = random.Random(7).randbytes(1_000_000)
WANTED = Wanted("uno.gguf", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
TINY_VOICE = Path(__file__).parents[1] / "data" / "voices" / "es_tiny.onnx"
ROOT = Path(__file__).parents[2]


class Told:
    """A watch that remembers."""

    def __init__(self) -> None:
        self.moves: list[tuple[int, int]] = []
        self.waits: list[float] = []
        self.restarts = 0

    def moved(self, done: int, total: int) -> None:
        self.moves.append((done, total))

    def waiting(self, reason: str, wait_s: float) -> None:
        self.waits.append(wait_s)

    def restarted(self) -> None:
        self.restarts += 1


@pytest.fixture
def site() -> Iterator[Site]:
    with serving({"/uno.gguf": CONTENT}) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def told() -> Told:
    return Told()


def bring(
    site: Site | list[Source], folder: Path, told: Told, wanted: Wanted = WANTED, patience: Patience | None = None
) -> Fetched:
    sources: list[Source] = [f"{site.url}/uno.gguf"] if isinstance(site, Site) else site
    patience = patience or Patience(tries=3, first_wait_s=1.0, longest_wait_s=5.0, timeout_s=0.3)
    return fetch(wanted, sources, folder, told, patience=patience, sleep=lambda _: None)


def is_whole(folder: Path) -> bool:
    return [p.name for p in folder.iterdir()] == ["uno.gguf"] and (folder / "uno.gguf").read_bytes() == CONTENT


def refused(key: str, *arguments: object) -> ModelError:
    with pytest.raises(ModelError) as caught:
        bring(*arguments)  # type: ignore[arg-type]
    assert caught.value.key == key, str(caught.value)
    for lang in LANGUAGES:
        assert len(caught.value.say(lang).splitlines()) == 2
    return caught.value


def test_a_good_line_brings_the_file(site: Site, folder: Path, told: Told) -> None:
    done = bring(site, folder, told)
    assert is_whole(folder)
    assert (done.size, done.resumed_bytes, told.waits) == (len(CONTENT), 0, [])
    assert told.moves[-1] == (len(CONTENT), len(CONTENT))


def test_cuts_lose_nothing(site: Site, folder: Path, told: Told) -> None:
    site.script = [cut(300_000), cut(300_000), drop, cut(100_000)]
    bring(site, folder, told)
    assert is_whole(folder)
    assert site.ranges() == ["", "bytes=300000-", "bytes=600000-", "bytes=600000-", "bytes=700000-"]
    assert {tag for _, _, tag in site.asked[1:]} == {'"one"'}
    assert site.served_bytes == len(CONTENT)
    assert len(told.waits) == 4


def test_a_part_left_by_an_earlier_pull_is_continued(site: Site, folder: Path, told: Told) -> None:
    site.script = [cut(400_000), drop, drop, drop]
    error = refused("fetch-gave-up", site, folder, told)
    assert "0.4 MB" in str(error)
    assert part_of(folder, WANTED).read_bytes() == CONTENT[:400_000]
    done = bring(site, folder, told)
    assert is_whole(folder)
    assert done.resumed_bytes == 400_000
    assert site.ranges()[-1] == "bytes=400000-"


def test_failures_in_a_row_are_counted_and_waits_double(site: Site, folder: Path, told: Told) -> None:
    site.script = [drop] * 99
    refused("fetch-gave-up", site, folder, told, WANTED, Patience(5, 1.0, 5.0, 0.3))
    assert told.waits == [1, 2, 4, 5, 5]
    assert not list(folder.iterdir())


def test_a_line_that_gives_a_little_each_time_arrives_in_the_end(site: Site, folder: Path, told: Told) -> None:
    site.script = [cut(90_000)] * 11
    bring(site, folder, told)
    assert is_whole(folder)
    assert site.served_bytes == len(CONTENT)


def test_a_server_that_dribbles_is_given_up(site: Site, folder: Path, told: Told) -> None:
    site.script = [cut(10)] * 99
    refused("fetch-gave-up", site, folder, told)
    assert len(site.asked) == 4


def test_a_stalled_line_is_dropped_and_asked_again(site: Site, folder: Path, told: Told) -> None:
    site.script = [stalling(500_001, 3.0)]
    began = time.monotonic()
    bring(site, folder, told)
    assert time.monotonic() - began < 2.5
    assert is_whole(folder)
    assert site.ranges() == ["", "bytes=500001-"]


def test_a_server_that_ignores_ranges_starts_over_and_still_ends(site: Site, folder: Path, told: Told) -> None:
    site.script = [cut(600_000), ignoring_range(200_000), ignoring_range(700_000), ignoring_range()]
    bring(site, folder, told)
    assert is_whole(folder)
    assert site.ranges() == ["", "bytes=600000-", "bytes=600000-", "bytes=700000-"]


def test_a_file_that_changed_in_between_is_taken_anew(site: Site, folder: Path, told: Told) -> None:
    site.files["/uno.gguf"] = bytes(len(CONTENT))

    def changed_and_cut(h: Handler) -> None:
        site.files["/uno.gguf"], site.tag = CONTENT, '"two"'
        cut(200_000)(h)

    site.script = [cut(500_000), changed_and_cut]
    bring(site, folder, told)
    assert is_whole(folder)
    assert told.restarts == 0
    assert site.ranges() == ["", "bytes=500000-", "bytes=200000-"]


def test_halves_of_two_contents_are_found_by_the_hash(site: Site, folder: Path, told: Told) -> None:
    folder.mkdir()
    part_of(folder, WANTED).write_bytes(bytes(500_000))
    bring(site, folder, told)
    assert is_whole(folder)
    assert told.restarts == 1
    assert site.ranges() == ["bytes=500000-", ""]


@pytest.mark.parametrize("length", [len(CONTENT) + 5, len(CONTENT) - 5, 5_312])
def test_a_wrong_length_is_refused_before_a_byte_is_taken(site: Site, folder: Path, told: Told, length: int) -> None:
    site.script = [with_length(length)]
    error = refused("fetch-size", site, folder, told)
    assert str(length) in str(error)
    assert len(site.asked) == 1
    assert not list(folder.iterdir())


def test_a_login_page_is_not_a_model(site: Site, folder: Path, told: Told) -> None:
    site.script = [instead(b"<html>Bienvenido a la red</html>")]
    assert "Wi-Fi" in str(refused("fetch-size", site, folder, told))


def test_a_length_that_was_a_lie_is_found(site: Site, folder: Path, told: Told) -> None:
    site.script = [with_length(len(CONTENT), 999_000), cut(500)]
    bring(site, folder, told)
    assert is_whole(folder)


def test_without_a_length_the_size_of_the_catalogue_counts(site: Site, folder: Path, told: Told) -> None:
    site.script = [with_length(None, 700_000)]
    bring(site, folder, told)
    assert is_whole(folder)
    assert site.ranges() == ["", "bytes=700000-"]


def test_what_comes_after_the_end_is_not_taken(site: Site, folder: Path, told: Told) -> None:
    site.files["/uno.gguf"] = CONTENT + b"more" * 100_000
    site.script = [with_length(None)]
    bring(site, folder, told)
    assert is_whole(folder)
    assert max(done for done, _ in told.moves) == len(CONTENT)


def test_a_size_nobody_knows_is_refused_and_one_the_server_knows_is_taken(site: Site, folder: Path, told: Told) -> None:
    unsized = Wanted(WANTED.name, WANTED.sha256, None)
    site.script = [with_length(None)]
    refused("fetch-length", site, folder, told, unsized)
    site.script = [cut(300_000)]
    bring(site, folder, told, unsized)
    assert is_whole(folder)


def test_a_whole_part_of_unknown_size_is_recognised(site: Site, folder: Path, told: Told) -> None:
    unsized = Wanted(WANTED.name, WANTED.sha256, None)
    folder.mkdir()
    part_of(folder, unsized).write_bytes(CONTENT)
    bring(site, folder, told, unsized)
    assert is_whole(folder)
    assert site.served_bytes == 0


def test_wrong_bytes_never_get_the_name(site: Site, folder: Path, told: Told) -> None:
    site.files["/uno.gguf"] = CONTENT[:-1] + b"!"
    refused("fetch-wrong", site, folder, told)
    assert len(site.asked) == 1
    assert not list(folder.iterdir())


def test_wrong_bytes_after_a_cut_are_tried_once_more_and_no_more(site: Site, folder: Path, told: Told) -> None:
    site.files["/uno.gguf"] = CONTENT[:-1] + b"!"
    site.script = [cut(300_000)]
    refused("fetch-wrong", site, folder, told)
    assert (told.restarts, len(site.asked)) == (1, 3)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_a_refusal_is_said_at_once(site: Site, folder: Path, told: Told, code: int) -> None:
    site.script = [status(code)]
    assert f"HTTP {code}" in str(refused("fetch-absent", site, folder, told))
    assert (told.waits, list(folder.iterdir())) == ([], [])


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(site: Site, folder: Path, told: Told, code: int) -> None:
    site.script = [status(code), status(code, Retry_After="3"), status(code, Retry_After="9999")]
    bring(site, folder, told)
    assert told.waits == [1, 3, 5]
    assert is_whole(folder)


def test_no_such_range_begins_again_once(site: Site, folder: Path, told: Told) -> None:
    site.script = [cut(300_000), status(416)]
    bring(site, folder, told)
    assert is_whole(folder)
    assert site.ranges() == ["", "bytes=300000-", ""]
    (folder / "uno.gguf").unlink()
    site.script = [cut(300_000), status(416), cut(300_000), status(416)]
    assert "416" in str(refused("fetch-absent", site, folder, told))


def test_a_range_that_makes_no_sense_is_not_trusted(site: Site, folder: Path, told: Told) -> None:
    def later(h: Handler) -> None:
        total = len(CONTENT)
        h.head(206, Content_Range=f"bytes 900000-{total - 1}/{total}", Content_Length=total - 900_000)
        h.body(CONTENT[900_000:])

    site.script = [cut(300_000), later, status(206)]
    bring(site, folder, told)
    assert is_whole(folder)
    assert told.restarts == 0
    assert site.ranges()[1:] == ["bytes=300000-"] * 3


def test_an_address_with_accents_is_asked_for_as_http_writes_it(site: Site, folder: Path, told: Told) -> None:
    site.files["/tug%C3%A3o%20uno.gguf"] = CONTENT
    for address in ("/tugão uno.gguf", "/tug%C3%A3o%20uno.gguf"):
        bring([site.url + address], folder, told)
        assert is_whole(folder)
        (folder / "uno.gguf").unlink()


def test_a_redirect_is_followed_with_the_range(site: Site, folder: Path, told: Told) -> None:
    site.files["/cdn"] = CONTENT
    moved = status(302, Location="/cdn")
    site.script = [moved, cut(300_000), moved]
    bring(site, folder, told)
    assert is_whole(folder)
    assert site.ranges() == ["", "", "bytes=300000-", "bytes=300000-"]


@pytest.mark.parametrize("to", ["file:///etc/hostname", "ftp://127.0.0.1/x", "gopher://x"])
def test_a_redirect_leads_nowhere_but_to_the_web(site: Site, folder: Path, told: Told, to: str) -> None:
    site.script = [status(302, Location=to)]
    assert to in str(refused("fetch-redirect", site, folder, told))


def test_a_redirect_never_leaves_the_private_line() -> None:
    rules = _Redirects("https://example.org/x")
    with pytest.raises(ModelError, match="not safe"):
        rules.redirect_request(Request("https://example.org/x"), io.BytesIO(), 302, "", {}, "http://example.org/x")
    assert rules.redirect_request(Request("https://example.org/x"), None, 302, "", {}, "https://cdn.example/x")
    assert rules.redirect_request(Request("http://school.local/x"), None, 302, "", {}, "http://school.local/y")


def test_redirects_in_a_ring_end(site: Site, folder: Path, told: Told) -> None:
    site.script = [status(302, Location="/uno.gguf")] * 50
    refused("fetch-redirect", site, folder, told)
    assert len(site.asked) <= 12


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_nobody_vouches_for_is_refused_at_once(folder: Path, told: Told, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(["openssl", *options, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        error = refused("fetch-certificate", [f"https://localhost:{server.server_port}/uno.gguf"], folder, told)
    finally:
        server.shutdown()
        server.server_close()
    assert "date and time" in str(error)
    assert told.waits == []


def test_nobody_at_the_address_is_given_up_in_words(folder: Path, told: Told) -> None:
    for url in ("http://127.0.0.1:9/uno.gguf", "http://nowhere.invalid/uno.gguf", "http://a..b/x", "http://h:x/y"):
        refused("fetch-gave-up", [url], folder, told)


def test_a_stick_is_a_source_like_any_other(folder: Path, told: Told, tmp_path: Path) -> None:
    stick = tmp_path / "stick.gguf"
    stick.write_bytes(CONTENT)
    folder.mkdir()
    part_of(folder, WANTED).write_bytes(CONTENT[:123_456])
    done = bring([tmp_path / "absent.gguf", stick], folder, told)
    assert is_whole(folder)
    assert (done.source, done.resumed_bytes) == (str(stick), 123_456)
    assert told.moves[0] == (123_456, len(CONTENT))


def test_a_stick_with_another_file_is_refused(folder: Path, told: Told, tmp_path: Path) -> None:
    stick = tmp_path / "stick.gguf"
    stick.write_bytes(CONTENT[:-1])
    refused("fetch-size", [stick], folder, told)
    stick.write_bytes(CONTENT[:-1] + b"!")
    refused("fetch-wrong", [stick], folder, told)
    refused("fetch-absent", [tmp_path / "no.gguf", tmp_path / "other.gguf"], folder, told)
    refused("fetch-source", [tmp_path], folder, told)


def test_a_part_longer_than_the_file_is_worthless(site: Site, folder: Path, told: Told) -> None:
    folder.mkdir()
    part_of(folder, WANTED).write_bytes(CONTENT + b"x")
    bring(site, folder, told)
    assert is_whole(folder)


def test_the_part_of_another_content_is_deleted(site: Site, folder: Path, told: Told) -> None:
    folder.mkdir()
    (folder / "uno.gguf.aaaaaaaaaaaa.part").write_bytes(b"old")
    (folder / "dos.gguf.aaaaaaaaaaaa.part").write_bytes(b"not mine")
    bring(site, folder, told)
    assert sorted(p.name for p in folder.iterdir()) == ["dos.gguf.aaaaaaaaaaaa.part", "uno.gguf"]


def test_a_link_in_place_of_the_part_is_not_followed(site: Site, folder: Path, told: Told, tmp_path: Path) -> None:
    folder.mkdir()
    outside = tmp_path / "diary.txt"
    outside.write_text("mine")
    part_of(folder, WANTED).symlink_to(outside)
    bring(site, folder, told)
    assert outside.read_text() == "mine"
    assert is_whole(folder)


def test_a_disk_without_room_is_said_before_anything_is_asked(
    site: Site, folder: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _: SimpleNamespace(free=parts.SPARE_BYTES + 999_999))
    assert "68.1 MB are needed" in str(refused("fetch-space", site, folder, told))
    assert site.asked == []
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _: SimpleNamespace(free=parts.SPARE_BYTES + 1_000_000))
    bring(site, folder, told)


def test_a_disk_that_fills_on_the_way_keeps_the_part(
    site: Site, folder: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = itertools.count()

    def full(done: int, total: int) -> None:
        if next(moves) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(told, "moved", full)
    assert "is full" in str(refused("fetch-full", site, folder, told))
    assert len(site.asked) == 1
    assert 0 < part_of(folder, WANTED).stat().st_size < len(CONTENT)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_a_disk_that_refuses_is_said_in_words(site: Site, folder: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
    done = _python(limit + _pulling(site, folder))
    said = done.communicate()[1]
    assert (done.returncode, "No pude escribir" in said) == (1, True), said


@pytest.mark.skipif(sys.platform == "win32", reason="locks")
def test_two_pulls_of_one_file_do_not_spoil_each_other(site: Site, folder: Path, told: Told) -> None:
    folder.mkdir()
    with parts.alone(part_of(folder, WANTED)) as file:
        file.write(CONTENT[:10])
        refused("fetch-busy", site, folder, told)
    bring(site, folder, told)
    assert is_whole(folder)


def _pulling(site: Site, home: Path) -> str:
    """Return a program that pulls the file as `amauta models pull` does."""
    return (
        "import sys; from edge.cli import main; from edge.verbs import pull; from edge.release.manifest import parse;"
        f"pull.embedded_release = lambda: parse({_catalogue().encode()!r});"
        f"sys.exit(main(['models', 'pull', 'uno', '--mirror', {site.url!r}], {{'AMAUTA_HOME': {str(home)!r}}}))"
    )


def _python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True)


def _catalogue(**changes: object) -> str:
    row = {
        "id": "uno", "kind": "lm", "file": "uno.gguf", "embedded": False, "verified": False, "languages": ["es"],
        "url": "https://example.org/uno.gguf", "size": len(CONTENT), "sha256": WANTED.sha256, "licence": "mit",
        "min_ram_mb": None, "card": None,
    }  # fmt: skip
    voice = {**row, "id": "voz", "kind": "voice", "file": "es_tiny.onnx", "url": "https://example.org/es_tiny.onnx"}
    voice |= _measured(TINY_VOICE)
    about = {**voice, "id": "voz.config", "kind": "voice-config", "file": "es_tiny.onnx.json"}
    about |= _measured(TINY_VOICE.with_name("es_tiny.onnx.json"))
    mute = {**voice, "id": "muda", "file": "muda.onnx"}
    return json.dumps({"release": 1, "artifacts": [{**row, **changes}, voice, about, mute]})


def _measured(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_a_pull_that_was_killed_goes_on_where_it_was(site: Site, home: Path) -> None:
    models = Settings(home).models_folder
    site.script = [slow(20_000, 0.02)]
    running = _python(_pulling(site, home))
    part = part_of(models, WANTED)
    deadline = time.monotonic() + 20
    while (not part.exists() or part.stat().st_size < 300_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    here = part.stat().st_size
    assert 300_000 <= here < len(CONTENT)
    assert not (models / "uno.gguf").exists()
    before, site.script = site.served_bytes, []
    again = _python(_pulling(site, home))
    said = again.communicate()[1]
    assert again.returncode == 0, said
    assert site.ranges()[-1] == f"bytes={here}-"
    time.sleep(0.1)
    assert site.served_bytes - before <= len(CONTENT) - here + 20_000
    assert (models / "uno.gguf").read_bytes() == CONTENT
    assert sorted(p.name for p in models.iterdir()) == ["uno.gguf", "uno.json"]


class Console:
    """`amauta` in one home with a catalogue of its own."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        self.capsys, self.home, self._monkeypatch = capsys, home, monkeypatch
        self.know(_catalogue())

    def know(self, catalogue: str) -> None:
        release: Release = parse(catalogue.encode())
        self._monkeypatch.setattr(verb, "embedded_release", lambda: release)

    def run(self, *argv: str, lang: str = "es") -> tuple[int, str, str]:
        code = main(argv, {"AMAUTA_HOME": str(self.home), "AMAUTA_LANG": lang})
        output = self.capsys.readouterr()
        return code, output.out, output.err


@pytest.fixture
def console(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path) -> Console:
    return Console(capsys, monkeypatch, home)


def test_pull_brings_a_model_writes_the_receipt_and_is_done_once(site: Site, console: Console) -> None:
    code, out, err = console.run("models", "pull", "uno", "--mirror", site.url + "/", "--json")
    assert code == 0, err
    answer = json.loads(out)
    assert (answer["id"], answer["confirmed"], answer["resumed_bytes"]) == ("uno", True, 0)
    assert "mit" in err
    assert "100 %" in err
    models = Settings(console.home).models_folder
    receipt = json.loads((models / "uno.json").read_text())
    assert receipt == {
        "sha256": WANTED.sha256, "size": len(CONTENT), "source": f"{site.url}/uno.gguf", "confirmed": True,
    }  # fmt: skip
    code, _, err = console.run("models", "pull", "uno", "--mirror", site.url)
    assert (code, "ya está aquí" in err, len(site.asked)) == (0, True, 1)


def test_a_receipt_lost_in_a_power_cut_is_written_again(site: Site, console: Console) -> None:
    console.run("models", "pull", "uno", "--mirror", site.url)
    receipt = Settings(console.home).models_folder / "uno.json"
    receipt.unlink()
    assert console.run("models", "pull", "uno", "--mirror", site.url)[0] == 0
    assert receipt.is_file()
    assert len(site.asked) == 1


def test_another_file_of_that_name_is_not_written_over(site: Site, console: Console) -> None:
    path = Settings(console.home).models_folder / "uno.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    code, _, err = console.run("models", "pull", "uno", "--mirror", site.url)
    assert (code, path.read_bytes()) == (1, b"mine")
    assert "models rm uno" in err


def test_a_dry_run_asks_nobody_and_changes_nothing(site: Site, console: Console) -> None:
    code, out, err = console.run("models", "pull", "uno", "--mirror", site.url, "--dry-run", "--json")
    answer = json.loads(out)
    assert (code, answer["missing_bytes"], answer["files"][0]["sources"]) == (0, len(CONTENT), [f"{site.url}/uno.gguf"])
    assert "1.0 MB" in err
    assert site.asked == []
    assert not console.home.exists()


def test_a_mirror_may_be_a_folder_with_either_name(console: Console, tmp_path: Path) -> None:
    console.know(_catalogue(file="Uno-Q4.gguf"))
    for name in ("Uno-Q4.gguf", "uno.gguf"):
        stick = tmp_path / name
        stick.mkdir()
        (stick / name).write_bytes(CONTENT)
        assert console.run("models", "pull", "uno", "--mirror", str(stick))[0] == 0
        assert console.run("models", "list", "--json")[0] == 0
        shutil.rmtree(Settings(console.home).models_folder)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["models", "pull", "unno"], "uno"),
        (["models", "pull", "voz"], "amauta voices pull voz"),
        (["voices", "pull", "uno"], "amauta models pull uno"),
        (["voices", "pull", "muda"], "SHA-256"),
        (["models", "pull", "uno", "--mirror", "/no/such/folder"], "/no/such/folder"),
        (["models", "pull", "uno", "--mirror", "ftp://x/y"], "ftp://x/y"),
        (["models", "pull", "uno", "--mirror", "http://"], "http://"),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_pulled_is_said_in_two_lines(console: Console, argv: list[str], named: str, lang: str) -> None:
    code, out, err = console.run(*argv, lang=lang)
    assert (code, out, len(err.splitlines())) == (1, "", 2)
    assert named in err


@pytest.mark.parametrize(("change", "said"), [({"sha256": None}, "SHA-256"), ({"url": None}, "URL")])
def test_what_the_catalogue_cannot_vouch_for_is_not_fetched(
    console: Console, change: dict[str, object], said: str
) -> None:
    console.know(_catalogue(**change))
    code, _, err = console.run("models", "pull", "uno")
    assert (code, said in err) == (1, True)


def test_what_comes_with_the_app_need_not_be_pulled(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(["models", "pull", "mini"]) == 1
    assert "viene con Amauta" in capsys.readouterr().err


def test_a_voice_is_two_files_and_must_speak(console: Console, tmp_path: Path) -> None:
    voices = Settings(console.home).voices_folder
    code, out, err = console.run("voices", "pull", "voz", "--mirror", str(TINY_VOICE.parent), "--json")
    assert code == 0, err
    assert json.loads(out)["path"] == str(voices / "es_tiny.onnx")
    assert sorted(p.name for p in voices.iterdir()) == ["es_tiny.onnx", "es_tiny.onnx.json", "es_tiny.sha256"]
    assert console.run("voices", "verify")[0] == 0
    code, _, err = console.run("voices", "pull", "voz", "--mirror", str(tmp_path))
    assert (code, "ya está aquí" in err) == (0, True)


def test_a_voice_that_does_not_speak_leaves_nothing(console: Console, tmp_path: Path) -> None:
    broken = TINY_VOICE.read_bytes()[:50_000]
    rows = json.loads(_catalogue())
    rows["artifacts"][1] |= {"size": len(broken), "sha256": hashlib.sha256(broken).hexdigest()}
    console.know(json.dumps(rows))
    (tmp_path / "es_tiny.onnx").write_bytes(broken)
    shutil.copy(TINY_VOICE.with_name("es_tiny.onnx.json"), tmp_path)
    code, _, err = console.run("voices", "pull", "voz", "--mirror", str(tmp_path))
    assert (code, len(err.splitlines()[-2:])) == (1, 2)
    assert "no funciona" in err
    assert list(Settings(console.home).voices_folder.iterdir()) == []


def test_a_voice_cut_in_its_second_file_keeps_the_first(console: Console, tmp_path: Path) -> None:
    files = {f"/{p.name}": p.read_bytes() for p in (TINY_VOICE, TINY_VOICE.with_name("es_tiny.onnx.json"))}
    with serving(files) as site:
        site.script = [honest, status(404)]
        assert console.run("voices", "pull", "voz", "--mirror", site.url)[0] == 1
        assert not list(Settings(console.home).voices_folder.glob("*.onnx"))
        assert console.run("voices", "pull", "voz", "--mirror", site.url)[0] == 0
        assert [path for path, _, _ in site.asked].count("/es_tiny.onnx.json") == 1


def test_a_terminal_sees_a_bar_and_a_file_sees_lines() -> None:
    words, seen = words_for("edge", "es"), io.StringIO()
    clock = itertools.count(0.0, 0.5)
    bar = verb.Bar(words, seen, lambda: next(clock))
    for done in (0, 50, 100):
        bar.moved(done * 10**6, 100 * 10**6)
    assert "[############............] 50 %  50.0 de 100.0 MB  100.0 MB/s  faltan 0:00" in seen.getvalue()
    assert seen.getvalue().count("\n") == 1
    lines = io.StringIO()
    watch = verb.Lines(words, lines)
    for done in range(1001):
        watch.moved(done, 1000)
    assert len(lines.getvalue().splitlines()) == 11
    assert "\r" not in lines.getvalue()


def test_the_catalogue_lists_enough_that_is_known_in_full() -> None:
    def known(kind: str) -> int:
        return sum(
            artifact.kind == kind
            and not artifact.embedded
            and None not in (artifact.url, artifact.size, artifact.sha256, artifact.licence, artifact.min_ram_mb)
            and bool(artifact.languages)
            for artifact in embedded_release().artifacts
        )

    assert known("lm") >= 14
    assert known("voice") >= 8


def test_every_voice_that_can_be_pulled_has_its_description(tmp_path: Path) -> None:
    plans = []
    for artifact in embedded_release().artifacts:
        if artifact.kind == "voice" and artifact.sha256 and artifact.size:
            plans.append(plan_pull(embedded_release(), "voice", artifact.id, None, tmp_path))
    assert len(plans) >= 8
    assert all(len(plan.pieces) == 2 for plan in plans)


def test_nothing_public_was_confirmed_yet_and_memory_follows_the_rule() -> None:
    for artifact in embedded_release().artifacts:
        if artifact.embedded:
            continue
        assert not artifact.verified
        if artifact.kind == "lm" and artifact.size:
            assert artifact.min_ram_mb == -(-(artifact.size * 1.1 / 1e6 + 900) // 256) * 256, artifact.id


FACTS = ROOT.parent / "shared" / "facts"


@pytest.mark.skipif(not FACTS.is_dir(), reason="the facts lie outside the repository")
def test_the_catalogue_says_what_the_facts_say() -> None:
    facts = {e["uri"]: e for e in json.loads((FACTS / "gguf_facts.json").read_text())["entries"]}
    voices = {v["url"]: v for v in json.loads((FACTS / "piper_voice_facts.json").read_text())["voices"]}
    for artifact in embedded_release().artifacts:
        if artifact.embedded:
            continue
        if artifact.kind == "lm":
            fact = facts[artifact.url]
            assert (artifact.size, artifact.sha256) == (fact["size_bytes"], fact["sha256"]), artifact.id
        elif (fact := voices.get(artifact.url)) is not None:
            assert artifact.size == fact["size_bytes"], artifact.id
            assert fact["sha256"] in (None, artifact.sha256), artifact.id

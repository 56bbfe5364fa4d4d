"""A signed release comes into the depot: verified, each part once, and whole again on a stick."""

from __future__ import annotations

import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey

from devkit.cli import main
from devkit.depot import Depot
from devkit.site.saved import load
from devkit.stick import DataStick
from edge.release.memory import Memory
from edge.release.trust import open_release
from quantize.signing.drafts import first_root, save_draft, sign_draft
from quantize.signing.keys import ROLES, PublicKey
from quantize.signing.repository import Repository
from quantize.signing.sign import sign
from serving import Handler, cut, honest, serving

ROOT = Path(__file__).parents[2]
MODEL = (ROOT / "edge" / "models" / "mini" / "mini.gguf").read_bytes()
PACK = 'id = "letras"\ntitle = "Letras"\nlang = "es"\nversion = {}\nlicence = "CC-BY-4.0"\nauthors = ["X"]\ndescription = "d"\n'


def files(version: int = 1) -> dict[str, bytes]:
    return {
        "app/linux-x86_64/amauta": random.Random(3).randbytes(9_000_000),
        "models/uno.gguf": MODEL,
        "packs/letras/pack.toml": PACK.format(version).encode(),
        "packs/letras/lessons/a.md": b"# A\n",
    }


class Press:
    """A repository with keys of its own, as `amauta-quantize` signs it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._at = folder, datetime.now(UTC).replace(microsecond=0)
        self._repo = Repository(folder)
        private = {role: Ed25519PrivateKey.generate() for role in ROLES}
        found = {role: SSlibKey.from_crypto(key.public_key()) for role, key in private.items()}
        public = {role: PublicKey(role, role, key.keyid, key.keyval["public"]) for role, key in found.items()}
        signers = {role: CryptoSigner(key, public[role].for_root()) for role, key in private.items()}
        self._signers = {signer.public_key.keyid: signer for role, signer in signers.items() if role != "root"}
        root = first_root({role: [key] for role, key in public.items()}, 1, self._at, 3)
        sign_draft(save_draft(self._repo, root, again=False), signers["root"], None)

    @property
    def root(self) -> bytes:
        return self._repo.root_bytes(1)

    def publish(self, content: dict[str, bytes], work: Path) -> None:
        shutil.rmtree(work, ignore_errors=True)
        for name, held in content.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_bytes(held)
        number = 1 + (current.contents.number if (current := self._repo.current()) else 0)
        sign(work, self._repo, self._signers, self._at, 3, f"0.{number}.0", lambda *_: None)

    def web(self) -> dict[str, bytes]:
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {f"/{path.relative_to(self.folder).as_posix()}": path.read_bytes() for path in paths}


@pytest.fixture
def press(tmp_path: Path, home: Path) -> Press:
    made = Press(tmp_path / "repo")
    made.publish(files(), tmp_path / "work")
    Memory(home / "trust").trust(made.root)
    return made


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return Depot(tmp_path / "depot")


def sync(depot: Depot, where: str | Path, *argv: str) -> int:
    return main(["depot", "sync", "--from", str(where), *argv, "--depot", str(depot.folder)])


def test_a_release_from_a_folder_becomes_what_it_is(depot: Depot, press: Press, tmp_path: Path) -> None:
    assert sync(depot, press.folder) == 0
    found = {(entry.kind, entry.id): entry.version for entry in depot.entries()}
    assert found == {
        ("app", "amauta-0.1.0-linux-x86_64"): "0.1.0", ("lm", "uno"): "", ("pack", "letras"): "1",
        ("release", "release-1"): "1",
    }  # fmt: skip
    assert main(["depot", "verify", "--depot", str(depot.folder)]) == 0


def test_over_http_each_part_is_asked_for_once_also_after_cuts(depot: Depot, press: Press, tmp_path: Path) -> None:
    with serving(press.web()) as site:
        assert sync(depot, site.url) == 0
        parts = [path for path, *_ in site.asked if path.startswith("/parts/")]
        assert len(parts) == len(set(parts)) > 3
        asked = len(parts)
        assert sync(depot, site.url) == 0
        assert len([path for path, *_ in site.asked if path.startswith("/parts/")]) == asked
    other = Depot(tmp_path / "other")
    with serving(press.web()) as site:
        assert sync(other, site.url, "--dry-run") == 0
        once = [70_000]

        def cut_one_part(h: Handler) -> None:
            (cut(once.pop()) if once and len(site.files.get(h.path, b"")) > 100_000 else honest)(h)

        site.script = [cut_one_part] * 40
        assert sync(other, site.url) == 0
        assert not once
        assert any(path.startswith("/parts/") and where for path, where, _ in site.asked)


def test_the_next_release_brings_only_what_changed(
    depot: Depot, press: Press, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync(depot, press.folder) == 0
    press.publish(files(2), tmp_path / "work")
    capsys.readouterr()
    assert sync(depot, press.folder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["brought_bytes"] < 2000
    assert {entry.version for entry in depot.entries() if entry.kind == "release"} == {"1", "2"}


def test_what_was_added_by_hand_is_cut_and_not_fetched(depot: Depot, press: Press, tmp_path: Path) -> None:
    (tmp_path / "uno.gguf").write_bytes(MODEL)
    assert main(["depot", "add", str(tmp_path / "uno.gguf"), "--depot", str(depot.folder)]) == 0
    with serving(press.web()) as site:
        assert sync(depot, site.url) == 0
        assert site.served_bytes < len(MODEL) + 200_000


def test_a_changed_part_is_refused_and_no_entry_is_kept(
    depot: Depot, press: Press, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = max(press.folder.glob("parts/*/*"), key=lambda path: path.stat().st_size)
    part.write_bytes(part.read_bytes()[:-1] + b"!")
    assert sync(depot, press.folder) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert depot.entries() == []


def test_other_keys_bring_nothing(depot: Depot, press: Press, tmp_path: Path) -> None:
    stranger = Press(tmp_path / "stranger")
    stranger.publish(files(), tmp_path / "work")
    assert sync(depot, stranger.folder) == 1
    assert not (depot.folder / "objects").exists()


def test_a_line_that_is_dead_stops_all_at_once_and_what_came_stays(
    depot: Depot, press: Press, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    press.publish({f"packs/p{n}/pack.toml": PACK.format(n + 1).encode() for n in range(40)}, tmp_path / "work")
    with serving({name: held for name, held in press.web().items() if not name.startswith("/parts/")}) as site:
        assert sync(depot, site.url) == 1
        assert len([path for path, *_ in site.asked if path.startswith("/parts/")]) < 15
    assert depot.entries() == []
    assert sync(depot, press.folder) == 0


def test_a_device_can_verify_the_release_on_the_stick_again(depot: Depot, press: Press, tmp_path: Path) -> None:
    assert sync(depot, press.folder) == 0
    (tmp_path / "site.toml").write_text('school = "X"\nlanguages = ["es"]\nmodel = "none"\nvoices = []\n')
    assert main(["plan", str(tmp_path / "site.toml"), "--depot", str(depot.folder)]) == 0
    (stick,) = load(tmp_path / "site.plan.json").sticks
    assert isinstance(stick, DataStick)
    for file in stick.files:
        place = tmp_path / "stick" / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.source, place)
    trusted = open_release(tmp_path / "stick" / "AMAUTA" / "release", tmp_path / "device", press.root)
    assert trusted.contents.number == 1
    for file in trusted.contents.files:
        for part in file.parts:
            assert len(trusted.part(part.sha256, part.size)) == part.size

"""Keys are kept by people, signed with one at a time, lost and replaced; a killed signing leaves the old release or the new."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import shutil
import stat
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.files import sha256_of
from edge.release.contents import MOST_PART_BYTES, ReleaseFile
from edge.release.layout import part
from edge.release.trust import Trusted, TrustError, open_release
from quantize.cli import main
from quantize.recipe import RecipeError
from quantize.signing import drafts
from quantize.signing.keys import load_private, load_public, new_key
from quantize.signing.parts import difference
from quantize.signing.repository import Repository
from quantize.signing.sign import sign
from releasing import FILES, LATER, SIGNED, Organisation, lay_out
from surviving import killed, kills

ROOT = Path(__file__).parent.parent.parent
PHRASE = "cuatro palabras muy raras"


@pytest.fixture
def org(tmp_path: Path) -> Organisation:
    return Organisation.founded(tmp_path / "repo")


def read(org: Organisation, home: Path, now: datetime = LATER) -> Trusted:
    return open_release(org.repo.folder, home, org.first_root, now)


def quantize(capsys: pytest.CaptureFixture[str], *given: str | Path) -> tuple[int, str, str]:
    code = main([str(word) for word in given])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_key_opens_with_its_passphrase_only_and_not_when_its_file_was_changed(tmp_path: Path) -> None:
    key = new_key("targets", "maquina-1", tmp_path, PHRASE)
    path = tmp_path / "maquina-1.key"
    assert load_private(path).open(PHRASE).public_key.keyid == key.keyid == load_public(path, "targets").keyid
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PHRASE not in path.read_text() + (tmp_path / "maquina-1.pub").read_text()
    facts = json.loads(path.read_text())
    changes = [
        {"role": "root"},
        {"name": "otra"},
        {"secret": "00" + facts["secret"][2:]},
        {"salt": "zz"},
        {"nonce": ""},
    ]
    for change in changes:
        path.write_text(json.dumps(facts | change))
        with pytest.raises(RecipeError) as caught:
            load_private(path).open(PHRASE)
        assert caught.value.key == "key-passphrase"
    path.write_text(json.dumps(facts))
    with pytest.raises(RecipeError, match="not the passphrase"):
        load_private(path).open(PHRASE + " ")
    for broken in (
        "",
        "[]",
        "{}",
        json.dumps(facts | {"keyid": "0" * 64}),
        json.dumps(facts | {"public": "00"}),
        "x" * 20000,
    ):
        path.write_text(broken)
        with pytest.raises(RecipeError) as caught:
            load_private(path)
        assert caught.value.key == "key-broken"


def test_bad_keys_are_not_made(tmp_path: Path) -> None:
    new_key("root", "ana", tmp_path, PHRASE)
    for role, name, phrase, key in (
        ("root", "ana", PHRASE, "key-exists"),
        ("root", "Ana María", PHRASE, "key-name"),
        ("root", "../ana", PHRASE, "key-name"),
        ("root", "berta", "corta", "key-weak"),
    ):
        with pytest.raises(RecipeError) as caught:
            new_key(role, name, tmp_path, phrase)
        assert caught.value.key == key
    with pytest.raises(RecipeError) as caught:
        load_public(tmp_path / "ana.pub", "targets")
    assert caught.value.key == "key-role"


def test_a_root_counts_with_its_second_signature_given_in_another_sitting(org: Organisation, tmp_path: Path) -> None:
    repo = Repository(tmp_path / "new")
    keys = {role: [org.keys[f"{role}-{n}"][0] for n in range(3 if role == "root" else 1)] for role in drafts.ROLES}
    path = drafts.save_draft(repo, drafts.first_root(keys, 2, SIGNED, 5), again=False)
    with pytest.raises(RecipeError, match="waits for signatures"):
        drafts.save_draft(repo, drafts.first_root(keys, 2, SIGNED, 5), again=False)
    drafts.sign_draft(path, org.keys["root-2"][1], None)
    drafts.sign_draft(path, org.keys["root-2"][1], None)
    assert drafts.sitting(repo, path) == drafts.Sitting(1, ("root-2",), 1)
    with pytest.raises(RecipeError) as caught:
        drafts.sign_draft(path, org.keys["targets-0"][1], None)
    assert caught.value.key == "key-foreign"
    carried = tmp_path / "stick.json"
    shutil.copy(path, carried)
    drafts.sign_draft(carried, org.keys["root-0"][1], None)
    shutil.copy(carried, path)
    assert drafts.sitting(repo, path).missing == 0
    drafts.promote(repo, drafts.finished(repo))  # type: ignore[arg-type]
    assert repo.newest_root() == 1
    assert drafts.draft_path(repo) is None


def test_a_root_needs_the_keys_of_the_old_one_as_well_as_its_own(org: Organisation) -> None:
    new = [org.key("root", "root-3"), org.key("root", "root-4")]
    old = org.repo.root().signed
    root = drafts.changed_root(old, SIGNED, 5, add=new, remove=["root-1", "root-2"])
    path = drafts.save_draft(org.repo, root, again=False)
    for name, missing in (("root-3", 2), ("root-4", 2), ("root-0", 1), ("root-2", 0)):
        drafts.sign_draft(path, org.keys[name][1], old)
        assert drafts.sitting(org.repo, path).missing == missing
        assert (drafts.finished(org.repo) is None) == (missing > 0)


def test_a_root_that_would_lock_everybody_out_is_refused(org: Organisation) -> None:
    root = org.repo.root().signed
    shared = replace(org.keys["root-0"][0], role="targets")
    for changes, key in (
        ({"threshold": 4}, "root-threshold"),
        ({"threshold": 0}, "root-threshold"),
        ({"role": "targets", "remove": ["targets-0"]}, "root-threshold"),
        ({"role": "targets", "add": [shared]}, "root-shared"),
        ({"add": [org.key("root", "root-1")]}, "root-twice"),
        ({"remove": ["nadie"]}, "key-unknown"),
    ):
        with pytest.raises(RecipeError) as caught:
            drafts.changed_root(root, SIGNED, 5, **changes)  # type: ignore[arg-type]
        assert caught.value.key == key


def test_signing_the_same_twice_changes_nothing_and_unchanged_parts_stay(org: Organisation, home: Path) -> None:
    assert org.release().changed
    before = {path: (path.stat().st_mtime_ns, sha256_of(path)) for path in org.repo.folder.rglob("*") if path.is_file()}
    assert not org.release().changed
    assert {p: (p.stat().st_mtime_ns, sha256_of(p)) for p in org.repo.folder.rglob("*") if p.is_file()} == before
    org.release({**FILES, "packs/primaria/lessons/agua.md": b"# Otra\n"})
    for path in (org.repo.folder / "parts").rglob("*"):
        if path in before:
            assert path.stat().st_mtime_ns == before[path][0]
    contents = read(org, home).contents
    modes = {file.path: (file.kind, file.id, file.platform, file.mode) for file in contents.files}
    assert contents.number == 2
    assert modes["app/linux-x86_64/amauta"] == ("app", "app", "linux-x86_64", 0o755)
    assert modes["models/mini.gguf"] == ("lm", "mini", "", 0o644)


def test_a_delta_makes_the_new_file_from_the_old_one_and_outlives_a_release(org: Organisation, home: Path) -> None:
    import zstandard

    old = random.Random(7).randbytes(300_000)
    new = old[:150_000] + b"in between" + old[150_000:]
    org.release({**FILES, "models/mini.gguf": old})
    org.release({**FILES, "models/mini.gguf": new})
    org.release({**FILES, "models/mini.gguf": new, "packs/primaria/lessons/agua.md": b"# Otra\n"})
    trusted = read(org, home)
    model = next(file for file in trusted.contents.files if file.kind == "lm")
    (delta,) = model.deltas
    assert delta.size < 1000
    words = zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    made = zstandard.ZstdDecompressor(dict_data=words).decompress(trusted.part(delta.sha256, delta.size))
    assert made == new
    noise = random.Random(8).randbytes(300_000)
    assert len(difference(old, noise)) >= 300_000
    org.release({**FILES, "models/mini.gguf": noise})
    assert not next(file for file in read(org, home).contents.files if file.kind == "lm").deltas


@pytest.mark.parametrize(
    ("files", "key"),
    [
        ({}, "sign-empty"),
        ({"readme.txt": b"x"}, "sign-place"),
        ({"models/x.bin": b"x"}, "sign-place"),
        ({"packs/x": b"x"}, "sign-place"),
        ({"releases/3/x": b"x"}, "sign-place"),
        ({"app/Linux/x": b"x"}, "contents-wrong"),
        ({"packs/p/niño.md": b"x"}, "contents-wrong"),
        ({"packs/p/con.md": b"x"}, "contents-wrong"),
    ],
)
def test_a_folder_that_is_not_understood_is_refused_and_the_old_release_stays(
    files: dict[str, bytes], key: str, org: Organisation, home: Path
) -> None:
    org.release()
    with pytest.raises(RecipeError) as caught:
        org.release(files)
    assert caught.value.key == key
    assert len(str(caught.value).splitlines()) == 2
    assert read(org, home).contents.number == 1


@pytest.mark.skipif(os.name != "posix", reason="Windows makes links for administrators only")
def test_a_link_is_refused(org: Organisation) -> None:
    org.release()
    (org.repo.folder.with_name("repo-input") / "packs" / "primaria" / "link.md").symlink_to("pack.toml")
    with pytest.raises(RecipeError) as caught:
        sign(org.repo.folder.with_name("repo-input"), org.repo, org.signers(), SIGNED, 3, "1", lambda *_: None)
    assert caught.value.key == "sign-link"


def test_a_model_that_is_not_the_one_of_the_catalogue_is_refused(org: Organisation, home: Path) -> None:
    catalogue = (ROOT / "models_manifest.json").read_bytes()
    with pytest.raises(RecipeError) as caught:
        org.release({**FILES, "manifest/models_manifest.json": catalogue})
    assert caught.value.key == "sign-catalogue"
    mini = (ROOT / "edge" / "models" / "mini" / "mini.gguf").read_bytes()
    org.release({**FILES, "models/mini.gguf": mini, "manifest/models_manifest.json": catalogue})
    contents = read(org, home).contents
    assert len(next(file for file in contents.files if file.kind == "lm").parts) > 5
    folder = org.repo.folder.with_name("repo-input")
    shutil.rmtree(folder / "manifest")
    named = sign(
        folder, org.repo, org.signers(), SIGNED, 3, "0.2.0", lambda *_: None, manifest=ROOT / "models_manifest.json"
    )
    assert {file.path: file.sha256 for file in named.contents.files} == {f.path: f.sha256 for f in contents.files}


def test_missing_keys_are_named_before_anything_is_done(org: Organisation) -> None:
    lay_out(org.repo.folder.with_name("in"), FILES)
    with pytest.raises(RecipeError, match="snapshot-0") as caught:
        sign(
            org.repo.folder.with_name("in"),
            org.repo,
            org.signers("snapshot-0"),
            SIGNED,
            3,
            "1",
            lambda *_: None,
        )
    assert caught.value.key == "sign-keys"
    assert not (org.repo.folder / "parts").exists()


def test_devices_notice_nothing_when_a_key_of_releases_is_exchanged(org: Organisation, home: Path) -> None:
    org.release()
    read(org, home)
    before = {name: read_bytes(org, name) for name in ("timestamp.json",)}
    org.rotate("root-0", "root-1", role="timestamp", add=[org.key("timestamp", "new")], remove=["timestamp-0"])
    # As if a kill had come between the new timestamp and the new root: devices with the old root read on.
    root = org.repo.folder / "metadata" / "2.root.json"
    kept = root.read_bytes()
    root.unlink()
    assert read_bytes(org, "timestamp.json") != before["timestamp.json"]
    assert read(org, home).contents.number == 1
    root.write_bytes(kept)
    assert read(org, home.with_name("other")).contents.number == 1
    org.keys.pop("timestamp-0")
    org.release({**FILES, "packs/primaria/lessons/agua.md": b"# Otra\n"})
    assert read(org, home).contents.number == 2


def read_bytes(org: Organisation, name: str) -> bytes:
    return (org.repo.folder / "metadata" / name).read_bytes()


def test_a_damaged_repository_is_named_and_not_built_upon(org: Organisation) -> None:
    org.release()
    for name in ("timestamp.json", "1.snapshot.json", "1.targets.json", "1.root.json"):
        path = org.repo.folder / "metadata" / name
        content = path.read_bytes()
        for spoilt in (b"", b"{}", content[:-5], b"\xff" * 50):
            path.write_bytes(spoilt)
            with pytest.raises((RecipeError, TrustError)) as caught:
                org.release({**FILES, "packs/primaria/lessons/agua.md": b"# Otra\n"})
            assert caught.value.key == "sign-broken"
        path.write_bytes(content)
    model = next(file for file in org.repo.current().contents.files if file.kind == "lm")  # type: ignore[union-attr]
    (org.repo.folder / part(model.parts[0].sha256)).write_bytes(b"x" * model.parts[0].size)
    org.release({**FILES, "packs/primaria/lessons/agua.md": b"# Otra\n"})
    assert sha256_of(org.repo.folder / part(model.parts[0].sha256)) == model.parts[0].sha256


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs fork and kill -9")
def test_signing_killed_at_any_instant_leaves_the_old_release_or_the_new_one(org: Organisation, tmp_path: Path) -> None:
    killed_at_random(org, tmp_path, times=kills(15))


def killed_at_random(org: Organisation, tmp_path: Path, times: int) -> None:
    """Kill signings at instants spread over their whole length; read as a device after each, then finish one."""
    chance = random.Random(11)
    model = chance.randbytes(1 << 20)
    org.release({**FILES, "models/mini.gguf": model})
    began = time.monotonic()
    model = model[:7] + b"!" + model[8:]
    org.release({**FILES, "models/mini.gguf": model})
    length = time.monotonic() - began
    number, old, home = 2, model, tmp_path / "device"
    hit = outcomes = 0
    for _ in range(times):
        new = chance.randbytes(9000) + old[9000:]
        files = {**FILES, "models/mini.gguf": new}
        hit += killed(lambda files=files: org.release(files), chance.uniform(0, length))  # type: ignore[misc]
        trusted = read(org, home)
        assert trusted.contents.number in (number, number + 1)
        outcomes |= 1 << trusted.contents.number - number
        found = next(file for file in trusted.contents.files if file.kind == "lm")
        assert bytes_of(trusted, found) == (old if trusted.contents.number == number else new)
        number, old = trusted.contents.number, bytes_of(trusted, found)
    assert hit > times // 2
    assert outcomes & 1
    org.release({**FILES, "models/mini.gguf": model[::-1]})
    trusted = read(org, home)
    assert trusted.contents.number == number + 1
    assert bytes_of(trusted, next(f for f in trusted.contents.files if f.kind == "lm")) == model[::-1]


def bytes_of(trusted: Trusted, file: ReleaseFile) -> bytes:
    assert all(p.size <= MOST_PART_BYTES for p in file.parts)
    return b"".join(trusted.part(p.sha256, p.size) for p in file.parts)


def test_what_devices_would_refuse_is_not_published(org: Organisation, home: Path) -> None:
    org.release()
    before = read_bytes(org, "timestamp.json")
    with pytest.raises(TrustError) as caught:
        # The root ran out a year before.
        org.release({**FILES, "packs/primaria/lessons/agua.md": b"# Otra\n"}, at=SIGNED + timedelta(days=6 * 365))
    assert caught.value.key == "trust-expired"
    assert read_bytes(org, "timestamp.json") == before
    assert read(org, home).contents.number == 1


def test_two_cannot_sign_at_once(org: Organisation) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no such lock")
    with org.repo.alone(), pytest.raises(RecipeError) as caught:
        org.release()
    assert caught.value.key == "sign-busy"


BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_every_command_of_the_page_on_keys_does_what_it_says(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edge.cli import main as amauta

    monkeypatch.chdir(tmp_path)
    Path("PHRASE").write_text(f"{PHRASE}\n")
    lay_out(Path("INPUT"), FILES)
    text = (ROOT / "docs" / "release-keys.md").read_text(encoding="utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    assert len(lines) > 30
    seen = []
    repo = Repository(Path("REPO"))
    for line in lines:
        program, *given = shlex.split(line)
        assert (main if program == "amauta-quantize" else amauta)(given) == 0, line
        said = capsys.readouterr()
        seen.append(f"{line}\n{said.out}{said.err}")
        if (repo.folder / "metadata" / "timestamp.json").exists():
            # A device that knew the first root from the start believes what is there after every command.
            assert open_release(repo.folder, home, repo.root_bytes(1)).contents.number == 1
    root = repo.root().signed
    names = {role: {drafts.name_of(root, keyid) for keyid in root.roles[role].keyids} for role in drafts.ROLES}
    assert names["root"] == {"ana", "berta", "dora"}
    assert names["targets"] | names["snapshot"] | names["timestamp"] == {"targets-3", "snapshot-3", "timestamp-3"}
    assert root.version == 5
    assert all(PHRASE not in said for said in seen)
    code, out, _ = quantize(capsys, "keys", "show", "REPO", "--json")
    facts = json.loads(out)
    assert (code, facts["root"], facts["release"], facts["draft"]) == (0, 5, 1, None)
    assert datetime.fromisoformat(facts["expires"]["root"]).replace(tzinfo=UTC) > datetime.now(UTC) + timedelta(
        days=1800
    )
    code, _, err = quantize(capsys, "sign", "INPUT", "REPO", "--keys", "KEYS", "--passphrase-file", "PHRASE")
    assert (code, "targets-3" in err) == (1, True)


def test_wrong_commands_are_one_sentence_and_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMAUTA_LANG", "es")
    Path("EMPTY").write_text("")
    Path("FOLDER").mkdir()
    for given in (
        ["keys", "new", "root", "--name", "ana", "--out", "."],
        ["keys", "new", "root", "--name", "ana", "--out", ".", "--passphrase-file", "EMPTY"],
        ["keys", "new", "root", "--name", "ana", "--out", ".", "--passphrase-file", "ABSENT"],
        ["keys", "show", "FOLDER"],
        ["keys", "sign", "FOLDER"],
        ["keys", "sign", "ABSENT", "--key", "ana.key"],
        ["keys", "rotate", "FOLDER"],
        ["sign", "FOLDER", "FOLDER", "--keys", "FOLDER"],
        ["sign", "ABSENT", "FOLDER", "--keys", "FOLDER", "--dry-run"],
        ["renew", "FOLDER", "--keys", "EMPTY"],
        ["renew", "FOLDER", "--keys", "FOLDER", "--years", "0"],
    ):
        code, out, err = quantize(capsys, *given)
        assert (code, out, len(err.splitlines())) == (1, "", 2), given


def test_the_command_itself_signs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "quantize.cli", "sign", "ABSENT", "REPO", "--keys", "KEYS"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "KEYS" in done.stderr

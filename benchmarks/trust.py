"""What it costs to trust: verifying a release from a folder and over HTTP, the bytes of its metadata, and signing it."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from edge.release.trust import Trusted, open_release
from quantize.recipe import ROOT
from quantize.signing import drafts
from quantize.signing.keys import ROLES, PublicKey, load_private, new_key
from quantize.signing.repository import Repository
from quantize.signing.sign import Signers, sign

PHRASE = "only for this measurement"
APP_FILES, APP_BYTES = 600, 60 << 10
TIMES = 15


def run() -> str:
    """Return the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repo, signers = _founded(folder)
        _input(folder / "input")
        first = _timed(lambda: _sign(folder / "input", repo, signers))
        again = _timed(lambda: _sign(folder / "input", repo, signers))
        asked = folder / "input" / "packs" / "primaria" / "asked.toml"
        asked.write_bytes(asked.read_bytes() + b"\n")
        changed = _timed(lambda: _sign(folder / "input", repo, signers))
        rows = _read(repo, folder)
        sizes = {path.name.split(".")[-2]: path.stat().st_size for path in (repo.folder / "metadata").iterdir()}
        release = max(path.stat().st_size for path in (repo.folder / "targets").iterdir())
    metadata = "; ".join(f"{name} {size}" for name, size in sorted(sizes.items()))
    rows = [
        *rows,
        f"| metadata, bytes | {metadata} |",
        f"| release.json, bytes | {release} |",
        f"| sign it the first time | {first:.1f} s |",
        f"| sign it with one pack changed | {changed:.1f} s |",
        f"| sign it unchanged | {again:.1f} s |",
    ]
    return "| what | measured |\n|---|---|\n" + "\n".join(rows)


def _founded(folder: Path) -> tuple[Repository, Signers]:
    repo = Repository(folder / "repo")
    keys: dict[str, list[PublicKey]] = {role: [new_key(role, role, folder / "keys", PHRASE)] for role in ROLES}
    opened = {role: load_private(folder / "keys" / f"{role}.key").open(PHRASE) for role in ROLES}
    path = drafts.save_draft(repo, drafts.first_root(keys, 1, datetime.now(UTC), 5), again=False)
    drafts.sign_draft(path, opened["root"], None)
    drafts.promote(repo, drafts.load_draft(path))
    return repo, {signer.public_key.keyid: signer for signer in opened.values()}


def _input(folder: Path) -> None:
    """An app of many files, the mini model and a pack."""
    (folder / "models").mkdir(parents=True)
    shutil.copy(ROOT / "edge" / "models" / "mini" / "mini.gguf", folder / "models")
    shutil.copytree(ROOT / "edge" / "packs" / "primaria", folder / "packs" / "primaria")
    app = folder / "app" / "linux-x86_64"
    app.mkdir(parents=True)
    for number in range(APP_FILES):
        (app / f"file{number}").write_bytes(os.urandom(APP_BYTES))


def _sign(folder: Path, repo: Repository, signers: Signers) -> None:
    sign(folder, repo, signers, datetime.now(UTC), 3, "0.1.0", lambda *_: None)


def _read(repo: Repository, folder: Path) -> list[str]:
    trusted = open_release(repo.folder, folder / "home", repo.root_bytes(1))
    files, size = len(trusted.contents.files), sum(file.size for file in trusted.contents.files)
    what = f"a release of {files} files, {size / 1e6:.0f} MB"
    rows = [f"| verify {what}, from a folder | {_best(lambda: _open(repo.folder, folder)) * 1000:.0f} ms |"]
    rows += [f"| read and compare all its parts, from a folder | {_timed(lambda: _parts(trusted)):.2f} s |"]
    handler = functools.partial(_Quiet, directory=str(repo.folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        rows += [f"| verify it over HTTP, same machine | {_best(lambda: _open(url, folder)) * 1000:.0f} ms |"]
        rows += [f"| read and compare all its parts over HTTP | {_timed(lambda: _parts(_open(url, folder))):.2f} s |"]
    finally:
        server.shutdown()
        server.server_close()
    return rows


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _open(where: Path | str, folder: Path) -> Trusted:
    return open_release(where, folder / "home")


def _parts(trusted: Trusted) -> None:
    for file in trusted.contents.files:
        for part in file.parts:
            trusted.part(part.sha256, part.size)


def _best(work: Callable[[], object]) -> float:
    return min(_timed(work) for _ in range(TIMES))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

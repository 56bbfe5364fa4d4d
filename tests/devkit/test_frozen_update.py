"""The mochila in earnest: a frozen program brought by a signed stick takes over from the frozen program that is there.

Needs a folder made by `amauta-kit freeze` (AMAUTA_FROZEN, or the newest in build/freeze).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.update.install import platform_name

ROOT = Path(__file__).parent.parent.parent
LAUNCHER = ROOT / "packaging" / "launch" / "Amauta-Linux.sh"
PATIENCE_S = 120

if not sys.platform.startswith("linux"):
    pytest.skip("the launcher of Linux", allow_module_level=True)


def linked(frozen: Path, target: Path) -> Path:
    """Copy a frozen folder without its bytes; what is changed in it must be replaced, not written to."""
    shutil.copytree(frozen, target, copy_function=os.link)
    return target


def replace(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)


@pytest.mark.slow
def test_a_frozen_program_from_the_mochila_takes_over_and_learners_keep_what_they_did(
    frozen: Path, tmp_path: Path
) -> None:
    pytest.importorskip("quantize.signing.sign", reason="signing a release needs the tools of a maintainer")
    from devkit.freeze.build import BUILT_PLACE, ROOT_PLACE
    from quantize.signing.sign import sign
    from releasing import Organisation

    office, now = Organisation.founded(tmp_path / "MOCHILA" / "AMAUTA" / "release"), datetime.now(UTC)
    laptop, home, kind = tmp_path / "laptop", tmp_path / "home", platform_name()
    old, new = linked(frozen, laptop / "app" / kind), linked(frozen, tmp_path / "made" / "app" / kind)
    shutil.copy(LAUNCHER, laptop)
    for place in (old, new):
        replace(place / ROOT_PLACE, office.first_root)
    replace(new / BUILT_PLACE, f"{now:%Y-%m-%d}\nnew\n".encode())
    sign(tmp_path / "made", office.repo, office.signers(), now, 3, "0.2.0", lambda *_: None)

    environment = {"PATH": "/usr/bin:/bin", "AMAUTA_HOME": str(home), "TERM": "xterm-256color", "AMAUTA_LANG": "es"}
    program = ["sh", str(laptop / LAUNCHER.name)]

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*program, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert opened(program, environment, tmp_path) == old / "amauta"
    done = json.loads(run("update", "--from", str(tmp_path / "MOCHILA"), "--json"))
    assert done["number"] == 1
    # What the old program has is not read from the stick again.
    assert done["brought_bytes"] < 100_000
    assert json.loads(run("update", "--status", "--json"))["number"] == 1
    assert opened(program, environment, tmp_path) == home / "releases" / "1" / "app" / kind / "amauta"
    assert not (home / "releases" / "trying").exists(), "it showed its prompt and is still on trial"
    assert not (home / "releases" / "failed").exists()
    names = subprocess.run(
        [*program, "learners", "list", "--json"], env=environment, capture_output=True, text=True, check=False
    )
    assert "Rosa" in names.stdout


def opened(program: list[str], environment: dict[str, str], tmp_path: Path) -> Path:
    """Open the tutor until a learner can ask; return the program that ran."""
    import pexpect
    import pyte

    screen = pyte.Screen(80, 24)
    stream = pyte.Stream(screen)
    app = pexpect.spawn(
        program[0], program[1:], env=environment, dimensions=(24, 80), cwd=str(tmp_path), encoding="utf-8"
    )
    end = time.monotonic() + PATIENCE_S
    answered = False
    while "Hola, Rosa." not in (said := " ".join(" ".join(screen.display).split())):
        assert time.monotonic() < end, "\n".join(screen.display)
        if "¿Cómo te llamas?" in said and not answered:
            answered = bool(app.send("Rosa\r"))
        try:
            stream.feed(app.read_nonblocking(65536, timeout=0.2))
        except pexpect.TIMEOUT:
            continue
    ran = Path(f"/proc/{app.pid}/exe").readlink()
    app.send("\x1b[21~")
    app.expect(pexpect.EOF, timeout=30)
    app.close()
    return ran

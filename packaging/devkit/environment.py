"""Make the virtual environment that everything else runs in. Standard library only.

Run by `make` with whatever Python the machine has, so the version is checked before
anything newer than Python 3.7 is used. llama.cpp is compiled once, portable, and its
wheel kept in a cache; the second environment takes seconds.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # the very case this line is for
    sys.stderr.write(
        "Amauta necesita Python 3.11 o más nuevo; este es {0}.{1}. Instálalo y repite.\n"
        "O Amauta precisa do Python 3.11 ou mais novo; este é {0}.{1}. Instale-o e repita.\n"
        "Amauta needs Python 3.11 or newer; this is {0}.{1}. Install it and do it again.\n".format(*sys.version_info)
    )
    raise SystemExit(1)

import argparse
import hashlib
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

from devkit.llama_converter import ensure_converter  # noqa: E402
from devkit.llama_wheel import CROSS, ensure_wheel  # noqa: E402
from devkit.setup_words import SetupError, say  # noqa: E402

REQUIREMENTS = ROOT / "packaging" / "requirements"
FOLDER = ROOT / ".venv"
STAMP = "amauta-ready"
GROUPS = ("device", "dev", "quantize", "kit", "hub")


def main(argv: list[str] | None = None) -> int:
    """Make or complete the environment; say one clear sentence when it cannot be done."""
    parser = argparse.ArgumentParser(prog="environment.py")
    parser.add_argument("--with", dest="groups", action="append", choices=GROUPS[1:], default=[])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--llama-for", choices=sorted(CROSS))
    args = parser.parse_args(argv)
    try:
        if args.llama_for:
            sys.stdout.write(f"{ensure_wheel(_ensure_python(args.folder), args.llama_for)}\n")
        else:
            prepare(args.folder, ["device", *args.groups])
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def prepare(folder: Path, groups: list[str]) -> None:
    """Install these groups into `folder`, each only when it is not there in this very version."""
    python = _ensure_python(folder)
    missing = [group for group in groups if not _is_ready(folder, group)]
    if not missing:
        _keep_converter(python, groups)
        return
    for group in missing:
        say(f"setup-{group}")
        _install(python, group)
        stamp = folder / f"{STAMP}-{group}"
        stamp.write_text(_fingerprint(group), encoding="ascii")
    _keep_converter(python, groups)
    say("setup-done")


def _ensure_python(folder: Path) -> Path:
    """Return the environment's Python; make the environment, empty, when it is not there."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        say("setup-environment", folder=folder)
        _run([sys.executable, "-m", "venv", str(folder)], "setup-no-venv")
    return python


def _keep_converter(python: Path, groups: list[str]) -> None:
    """Leave llama.cpp's converter beside the wheel for those who make models."""
    if "quantize" in groups:
        ensure_converter(python)


def _install(python: Path, group: str) -> None:
    listed = REQUIREMENTS / f"{group}.txt"
    hashed = ["--require-hashes"] if "--hash=" in listed.read_text(encoding="utf-8") else []
    _pip(python, [*hashed, "-r", str(listed)])
    if group == "device":
        wheel = ensure_wheel(python)
        _pip(python, ["--no-deps", "--force-reinstall", str(wheel)])
        _pip(python, ["--no-deps", "--editable", str(ROOT)])


def _pip(python: Path, args: list[str]) -> None:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *args]
    _run(command, "setup-pip-failed")


def _run(command: list[str], problem: str) -> None:
    done = subprocess.run(command, check=False, cwd=ROOT)
    if done.returncode:
        raise SetupError(problem, command=" ".join(command))


def _is_ready(folder: Path, group: str) -> bool:
    stamp = folder / f"{STAMP}-{group}"
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _fingerprint(group)


def _fingerprint(group: str) -> str:
    """Name what this group installs; the project's own place counts, it is installed as a link to it."""
    content = (REQUIREMENTS / f"{group}.txt").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(content + str(ROOT).encode()).hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())

"""A frozen folder does all that the app does, anywhere, and takes nothing in from outside.

Needs a folder made by `amauta-kit freeze` (AMAUTA_FROZEN, or the newest in build/freeze).
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devkit.freeze.folder import files_of
from edge.cache import cache_folder

ROOT = Path(__file__).parent.parent.parent
CACHE = cache_folder()
QUESTION = "¿Cómo se alimentan las plantas?"

if sys.platform == "win32":
    pytest.skip("terminals, roots and libraries of Unix", allow_module_level=True)


@pytest.fixture(scope="module")
def warm(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a question was asked: its index came along, none was made."""
    home = tmp_path_factory.mktemp("frozen") / "home"
    assert run(frozen, home, "ask", QUESTION, "--json", cwd=home.parent).returncode == 0
    assert not (home / "index").exists()
    return home


def surroundings(home: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "AMAUTA_HOME": str(home), "TERM": "xterm-256color"}


def run(frozen: Path, home: Path, *arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**surroundings(home), **more}
    return subprocess.run([str(frozen / "amauta"), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)  # fmt: skip


def test_the_folder_is_what_its_description_says_and_holds_no_links(frozen: Path) -> None:
    facts = json.loads((frozen / "build.json").read_text(encoding="utf-8"))
    assert facts["files"] == files_of(frozen)
    assert f"amauta-{facts['version']}-{facts['platform']}" == frozen.name
    assert not [path for path in frozen.rglob("*") if path.is_symlink()]
    assert facts["size"] == sum(row["size"] for row in facts["files"])


def test_nothing_of_a_workstation_and_no_sound_library_came_along(frozen: Path) -> None:
    names = {path.name for path in (frozen / "_internal").iterdir()}
    assert not names & {"torch", "pytest", "PyInstaller", "devkit", "quantize", "libasound.so.2"}
    libraries = [path.name for path in frozen.rglob("libllama*")]
    assert libraries == ["libllama.so"]
    assert not list(frozen.rglob("*sapphirerapids*"))
    assert (frozen / "LICENCIAS" / "LICENSE").is_file()
    assert list((frozen / "LICENCIAS" / "piper-tts").iterdir())


def test_every_verb_the_school_uses_works(frozen: Path, warm: Path, tmp_path: Path) -> None:
    from edge import __version__

    assert run(frozen, warm, "--version", cwd=tmp_path).stdout == f"amauta {__version__}\n"
    answer = json.loads(run(frozen, warm, "ask", QUESTION, "--json", cwd=tmp_path).stdout)
    assert answer["mode"] == "bank"
    assert "luz del sol" in answer["answer"]
    assert (
        run(frozen, warm, "speak", "Hola, niñas y niños", "--lang", "es", "--out", "x.wav", cwd=tmp_path).returncode
        == 0
    )
    with wave.open(str(tmp_path / "x.wav")) as sound:
        assert sound.getnframes() > sound.getframerate() / 2
    tried = run(frozen, warm, "models", "try", "Hola", "--max-tokens", "5", cwd=tmp_path)
    assert tried.returncode == 0, tried.stderr
    assert len(tried.stdout.split()) > 1
    checks = json.loads(run(frozen, warm, "doctor", "--json", cwd=tmp_path).stdout)["checks"]
    assert {c["check"] for c in checks if not c["good"]} <= {"sound", "terminal", "memory", "disk", "cpu"}
    assert run(frozen, warm, "models", "verify", cwd=tmp_path).returncode == 0
    wrong = run(frozen, warm, "nada", cwd=tmp_path)
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr


SPY = """
#include <stdio.h>
#include <stdlib.h>
__attribute__((constructor)) static void seen(void) {
    FILE *f = fopen(getenv("SPY"), "a");
    if (f) { fputs(NAME "\\n", f); fclose(f); }
}
int ggml_backend_score(void) { return 1000000; }
void *ggml_backend_init(void) { return 0; }
"""
PLANTED = (
    "libggml-cpu-zzz.so", "libggml-blas.so", "libggml-cpu.so", "libggml-base.so.0", "libstdc++.so.6", "libasound.so.2",
    "libpulse.so.0", "libpulse.so", "libgomp.so.1", "_ctypes.so", "espeakbridge.so", "libpython3.11.so.1.0",
)  # fmt: skip


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs a C compiler to make the trap")
def test_nothing_is_loaded_from_the_present_folder(frozen: Path, warm: Path, tmp_path: Path) -> None:
    spy, trap = tmp_path / "spy", tmp_path / "trap"
    trap.mkdir()
    (trap / "spy.c").write_text(SPY, encoding="ascii")
    for name in PLANTED:
        subprocess.run(["gcc", "-shared", "-fPIC", f'-DNAME="{name}"', "-o", name, "spy.c"], cwd=trap, check=True)
    for name in ("edge.py", "textual.py", "sitecustomize.py", "json.py", "numpy.py", "ctypes.py"):
        (trap / name).write_text(f"open({str(spy)!r}, 'a').write('{name}')\n", encoding="utf-8")
    # An empty library path means the present folder; so does an empty part of it.
    model = ("models", "try", "Hola", "--max-tokens", "2")
    starts: list[tuple[tuple[str, ...], dict[str, str]]] = [
        (model, {}),
        (("speak", "Hola"), {}),
        (("speak", "Hola", "--out", "x.wav"), {"LD_LIBRARY_PATH": ""}),
        (model, {"LD_LIBRARY_PATH": "", "PYTHONPATH": str(trap), "GGML_BACKEND_PATH": "libggml-cpu-zzz.so"}),
    ]
    for arguments, more in starts:
        done = run(frozen, warm, *arguments, cwd=trap, SPY=str(spy), **more)
        assert done.returncode in (0, 1)
        assert "Traceback" not in done.stderr
    assert not spy.exists(), spy.read_text(encoding="utf-8")
    environment = {**surroundings(warm), "SPY": str(spy), "LD_PRELOAD": str(trap / "libgomp.so.1")}
    subprocess.run([str(frozen / "amauta"), "--version"], cwd=trap, env=environment, check=False, capture_output=True)
    assert "libgomp" in spy.read_text(encoding="utf-8"), "the trap itself does not work"


def test_the_app_opens_in_a_terminal_and_answers(frozen: Path, warm: Path, tmp_path: Path) -> None:
    import pexpect
    import pyte

    screen = pyte.Screen(80, 24)
    stream = pyte.Stream(screen)
    app = pexpect.spawn(
        str(frozen / "amauta"), env=surroundings(warm), dimensions=(24, 80), cwd=str(tmp_path), encoding="utf-8"
    )

    def wait_for(words: str) -> None:
        end = time.monotonic() + 60
        while words not in " ".join(" ".join(screen.display).split()):
            assert time.monotonic() < end, "\n".join(screen.display)
            try:
                stream.feed(app.read_nonblocking(65536, timeout=0.2))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                pytest.fail("\n".join(screen.display))

    wait_for("Elige tu idioma")
    app.send("\r")
    wait_for("¿Cómo te llamas?")
    app.send("Rosa\r")
    wait_for("Hola, Rosa.")
    app.send(f"{QUESTION}\r")
    wait_for("Fuente:")
    app.send("\x1b[21~")
    app.expect(pexpect.EOF, timeout=30)
    app.close()
    assert app.exitstatus == 0


def test_it_finds_others_on_the_schools_network_and_pairs(frozen: Path, warm: Path, tmp_path: Path) -> None:
    """zeroconf and spake2 are imported only here, and half of zeroconf is compiled."""
    command = [str(frozen / "amauta"), "sync", "receive", "--on", "127.0.0.1", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=surroundings(warm), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as app:
        assert app.stdout is not None
        opened = json.loads(app.stdout.readline() or b"{}")
        app.send_signal(signal.SIGINT)
        _, narrated = app.communicate(timeout=60)
    assert (opened.get("event"), opened.get("announced")) == ("open", True), narrated.decode()
    assert re.fullmatch(r"\d{6}", opened["code"])
    assert b"Traceback" not in narrated


def loaded_variant(maps: str) -> set[str]:
    return set(re.findall(r"libggml-cpu-([a-z0-9]+)\.so", maps))


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.machine() != "x86_64", reason="variants of x86-64 Linux"
)
def test_this_machine_gets_the_fastest_variant_it_can_run(frozen: Path, warm: Path, tmp_path: Path) -> None:
    flags = set(re.findall(r"\w+", re.search(r"^flags.*", Path("/proc/cpuinfo").read_text(encoding="ascii"), re.M)[0]))  # type: ignore[index]
    command = [str(frozen / "amauta"), "models", "try", "Cuenta un cuento", "--max-tokens", "400"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=tmp_path, env=surroundings(warm), stdout=subprocess.PIPE, stderr=quiet) as app:
        assert app.stdout is not None
        app.stdout.read(1)
        found = loaded_variant(Path(f"/proc/{app.pid}/maps").read_text(encoding="utf-8"))
        app.kill()
    slower = {"x64", "sse42"} if "avx" in flags else {"x64"}
    slower |= {"sandybridge", "ivybridge", "piledriver"} if {"avx2", "fma", "bmi2"} <= flags else set()
    slower |= (
        {"haswell", "alderlake"} if {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"} <= flags else set()
    )
    assert len(found) == 1
    assert not found & slower, found


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="needs qemu-user")
def test_a_processor_of_2008_runs_llama_with_the_sse42_variant(frozen: Path, warm: Path, tmp_path: Path) -> None:
    """The starter would start itself anew, outside the emulator; told that it did, it does not."""
    told = {
        "_PYI_ARCHIVE_FILE": str(frozen / "amauta"), "_PYI_PARENT_PROCESS_LEVEL": "-1",
        "_PYI_LINUX_PROCESS_NAME": "amauta", "LD_LIBRARY_PATH": str(frozen / "_internal"),
    }  # fmt: skip
    inside = [part for name, value in told.items() for part in ("-E", f"{name}={value}")]
    command = [
        "qemu-x86_64",
        "-cpu",
        "Nehalem",
        "-strace",
        *inside,
        str(frozen / "amauta"),
        "models",
        "try",
        "Hola",
        "--max-tokens",
        "3",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=surroundings(warm), capture_output=True, text=True, errors="replace", check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "execve(" not in done.stderr, "it left the emulator"
    assert re.findall(r"libggml-cpu-(\w+)\.so", done.stderr)[-1] == "sse42"
    assert done.stdout.strip()


@contextmanager
def exfat(image: Path, place: Path) -> Iterator[None]:
    with image.open("wb") as file:
        file.truncate(400 << 20)
    subprocess.run(["mkfs.exfat", str(image)], check=True, capture_output=True)
    place.mkdir()
    attached = subprocess.run(["losetup", "--find", "--show", str(image)], capture_output=True, text=True, check=False)
    if attached.returncode:
        pytest.skip(f"no loop device here: {attached.stderr.strip()}")
    device = attached.stdout.strip()
    try:
        mounted = subprocess.run(["mount.exfat-fuse", device, str(place)], capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"exFAT cannot be mounted here: {mounted.stderr.strip()[-100:]}")
        yield
    finally:
        subprocess.run(["umount", str(place)], check=False, capture_output=True)
        subprocess.run(["losetup", "--detach", device], check=True)


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("mkfs.exfat") and shutil.which("mount.exfat-fuse")), reason="needs exfat-fuse")
@pytest.mark.skipif(os.geteuid() != 0 if hasattr(os, "geteuid") else True, reason="mounting needs root")
def test_it_runs_from_an_exfat_stick(frozen: Path, warm: Path, tmp_path: Path) -> None:
    with exfat(tmp_path / "stick.img", tmp_path / "stick"):
        place = tmp_path / "stick" / "app"
        shutil.copytree(frozen, place, copy_function=shutil.copyfile)
        assert json.loads(run(place, warm, "ask", QUESTION, "--json", cwd=tmp_path).stdout)["mode"] == "bank"
        assert run(place, warm, "speak", "Hola", "--out", "x.wav", cwd=tmp_path).returncode == 0
        assert run(place, warm, "models", "try", "Hola", "--max-tokens", "2", cwd=tmp_path).returncode == 0


BARE = 'mount -t proc proc "$0/proc" && mkdir -p "$0/mnt/app" && mount --bind "$1" "$0/mnt/app" && room=$0 && shift && exec chroot "$room" "$@"'


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "glibc"), [("bookworm", (2, 36)), ("bullseye", (2, 31))])
def test_it_starts_on_a_bare_debian_without_python(
    frozen: Path, warm: Path, suite: str, glibc: tuple[int, int]
) -> None:
    bare = CACHE / f"bare-{suite}"
    if not (bare / "bin" / "sh").exists() or os.geteuid() != 0:
        pytest.skip(f"needs root and: debootstrap --variant=minbase {suite} {bare}")
    floor = json.loads((frozen / "build.json").read_text(encoding="utf-8"))["glibc"]
    if tuple(int(n) for n in floor.split(".")) > glibc:
        pytest.skip(f"this one asks for glibc {floor}; made with --old-glibc it runs on {suite}")
    assert not list((bare / "usr" / "bin").glob("python*"))
    home = "/home/amauta-test"
    shutil.rmtree(bare / home.lstrip("/"), ignore_errors=True)
    shutil.copytree(warm, bare / home.lstrip("/"))
    inside = ["env", "-i", "PATH=/usr/bin:/bin", f"AMAUTA_HOME={home}", "/mnt/app/amauta"]

    def start(*arguments: str) -> str:
        command = ["unshare", "--mount", "sh", "-ec", BARE, str(bare), str(frozen), *inside, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert json.loads(start("ask", QUESTION, "--json"))["mode"] == "bank"
    start("speak", "Hola", "--lang", "es", "--out", f"{home}/x.wav")
    assert (bare / home.lstrip("/") / "x.wav").stat().st_size > 1000
    assert start("models", "try", "Hola", "--max-tokens", "3").strip()

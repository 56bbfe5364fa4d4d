"""What is frozen and what is left out, decided on names and small files; no build is needed here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.cli import main
from devkit.depot.build import open_build
from devkit.errors import KitError
from devkit.freeze import choice, closure, elf, notices, old_glibc
from devkit.freeze.build import NEEDED_MB, SOURCE, check_machine, lay_root, read_root
from devkit.freeze.folder import check_names, describe, settle, write_description, zip_folder
from devkit.freeze.proof import prove
from devkit.llama_wheel import in_front

ROOT = Path(__file__).parent.parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links are a Unix matter")


def test_the_app_carries_what_it_needs_and_what_that_needs_and_no_extras() -> None:
    asked = {
        "amauta": ["textual>=8", "torch; extra == 'quantize'", "winonly; sys_platform == 'nowhere'"],
        "textual": ["markdown-it-py[linkify]"],
        "markdown-it-py": ["mdurl", "linkify-it-py; extra == 'linkify'", "pytest; extra == 'testing'"],
        "mdurl": [], "linkify-it-py": [], "torch": [], "winonly": [], "pytest": [],
    }  # fmt: skip
    assert closure.needed(asked) == ("amauta", "linkify-it-py", "markdown-it-py", "mdurl", "textual")
    assert "torch" in closure.needed(asked, "amauta", "torch")


def test_everything_installed_for_other_work_is_kept_out() -> None:
    out = closure.strangers(
        {"torch": ["torch"], "_pytest": ["pytest"], "textual": ["Textual"], "a/b": ["x"]}, ["textual"]
    )
    assert {"torch", "_pytest", "devkit", "quantize", "tkinter"} <= set(out)
    assert not {"textual", "a/b"} & set(out)


def test_what_is_installed_here_yields_the_parts_the_app_cannot_do_without() -> None:
    carried = closure.carried_here()
    assert {"textual", "piper-tts", "llama-cpp-python", "onnxruntime", "sqlite-utils", "numpy", "tuf"} <= set(carried)
    assert {"fpdf2", "fonttools", "defusedxml"} <= set(carried), "a health post prints referrals"
    assert not {"pytest", "pyinstaller", "pip", "pillow"} & set(carried)
    assert {"pytest", "PIL"} <= set(closure.strangers_here())


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("libasound.so.2", False),
        ("libreadline.so.8", False),
        ("python3.11/lib-dynload/readline.cpython-311-x86_64-linux-gnu.so", False),
        ("libstdc++.so.6", True),
        ("libgcc_s.so.1", True),
        ("libgomp.so.1", True),
        ("llama_cpp\\lib\\llama.dll", True),
    ],
)
def test_sound_and_line_editing_stay_out_and_the_compilers_libraries_stay_in(name: str, stays: bool) -> None:
    assert choice.is_wanted((name, "/somewhere/x", "BINARY")) is stays


def test_links_are_left_out_since_no_stick_keeps_them() -> None:
    entries = [("libggml.so.0", "llama_cpp/lib/libggml.so.0", "SYMLINK"), ("libz.so.1", "/lib/libz.so.1", "BINARY")]
    assert choice.wanted(entries) == [entries[1]]


def test_llama_comes_once_with_every_processor_variant_but_the_one_that_crashes(tmp_path: Path) -> None:
    (tmp_path / "llama_cpp" / "lib").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name in ("libllama.so", "libllama.so.0", "libllama.so.0.5.0", "libggml.so", "libggml.so.0", "libggml.so.0.25.3",
                 "libggml-base.so", "libggml-base.so.0"):  # fmt: skip
        (tmp_path / "llama_cpp" / "lib" / name).touch()
    variants = [tmp_path / "bin" / f"libggml-cpu-{name}.so" for name in ("haswell", "sapphirerapids", "sse42")]
    found = choice.llama_binaries(tmp_path / "llama_cpp", variants)
    assert sorted(Path(file).name for file, _ in found) == [
        "libggml-base.so.0", "libggml-cpu-haswell.so", "libggml-cpu-sse42.so", "libggml.so", "libggml.so.0", "libllama.so",
    ]  # fmt: skip
    assert {place for _, place in found} == {"llama_cpp/lib"}


def test_espeak_keeps_every_voice_that_the_app_offers() -> None:
    import piper

    from edge.speech.espeak import VOICES

    package = Path(piper.__file__).parent
    kept = {f"{place}/{Path(file).name}" for file, place in choice.espeak_data(package)}
    assert {f"piper/espeak-ng-data/{lang}_dict" for lang in VOICES} <= kept
    named = {line.split()[1] for file, place in choice.espeak_data(package) if "/lang" in place
             for line in Path(file).read_text(encoding="utf-8").splitlines() if line.startswith("language ")}  # fmt: skip
    assert {voice.lower() for voice in VOICES.values()} <= {name.lower() for name in named}
    assert sum(Path(file).stat().st_size for file, _ in choice.espeak_data(package)) < 2_000_000


def test_only_what_bears_it_is_stripped() -> None:
    assert choice.is_worth_stripping(Path("_internal/libpython3.11.so.1.0"))
    assert not choice.is_worth_stripping(Path("_internal/numpy.libs/libscipy_openblas64_-32a4b2a6.so"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the libraries of a Linux")
def test_a_library_tells_what_it_asks_of_the_machine() -> None:
    import onnxruntime

    library = next((Path(onnxruntime.__file__).parent / "capi").glob("onnxruntime_pybind11_state*.so"))
    needs = elf.needs_of(library.read_bytes())
    assert needs is not None
    assert {"libc.so.6", "libstdc++.so.6"} <= set(needs.libraries)
    assert (2, 17) <= tuple(int(n) for n in elf.glibc_floor([needs]).split(".")) < (2, 31)


def test_the_newest_glibc_asked_for_counts() -> None:
    asked = [elf.Needs((), ("GLIBC_2.9", "GLIBC_2.31", "GLIBC_PRIVATE")), elf.Needs((), ("GLIBC_2.4", "CXXABI_1.3"))]
    assert elf.glibc_floor(asked) == "2.31"
    assert elf.glibc_floor([]) == ""


@given(st.binary(max_size=300))
def test_damaged_libraries_have_nothing_to_say(tail: bytes) -> None:
    assert elf.needs_of(tail) is None or tail.startswith(elf.MAGIC)
    elf.needs_of(elf.MAGIC + tail)


@posix
@pytest.mark.skipif(not shutil.which("gcc"), reason="needs a C compiler")
def test_a_library_that_nobody_brings_along_is_found(tmp_path: Path) -> None:
    for name, asks in (("libone.so", []), ("libtwo.so", ["-L.", "-lone"])):
        subprocess.run(
            ["gcc", "-shared", "-o", name, "-xc", "/dev/null", "-Wl,--no-as-needed", *asks], cwd=tmp_path, check=True
        )
    assert elf.unresolved(tmp_path) == []
    (tmp_path / "libone.so").unlink()
    assert elf.unresolved(tmp_path) == [("libtwo.so", "libone.so")]


def frozen_like(folder: Path) -> Path:
    (folder / "_internal").mkdir(parents=True)
    (folder / "amauta").write_bytes(b"#!/bin/sh\necho amauta\n")
    (folder / "amauta").chmod(0o700)
    (folder / "_internal" / "data.bin").write_bytes(bytes(5000))
    (folder / "_internal" / "data.bin").chmod(0o600)
    return folder


@posix
def test_links_become_files_and_permissions_are_plain(tmp_path: Path) -> None:
    folder = frozen_like(tmp_path / "app")
    (folder / "link.bin").symlink_to("_internal/data.bin")
    (folder / "linked").symlink_to("_internal")
    settle(folder)
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert (folder / "link.bin").read_bytes() == (folder / "linked" / "data.bin").read_bytes() == bytes(5000)
    assert (folder / "amauta").stat().st_mode & 0o777 == 0o755
    assert (folder / "link.bin").stat().st_mode & 0o777 == 0o644


@posix
@pytest.mark.parametrize("names", [("ñandú.txt",), ("Readme", "README"), ("a:b",)])
def test_names_that_a_stick_cannot_hold_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(KitError) as caught:
        check_names(tmp_path)
    assert names[0].lower() in str(caught.value.say("es")).lower()


@posix
def test_the_depot_takes_the_folder_and_the_zip_as_they_are_described(tmp_path: Path) -> None:
    folder = frozen_like(tmp_path / "amauta-0.1.0-linux-x86_64")
    facts = describe(folder, "0.1.0", "linux-x86_64")
    write_description(folder, facts)
    pack = zip_folder(folder, tmp_path / f"{folder.name}.zip")
    assert {row["path"]: row["mode"] for row in json.loads((folder / "build.json").read_text())["files"]} == {
        "amauta": 0o755,
        "_internal/data.bin": 0o644,
    }
    assert facts["size"] == 5000 + len((folder / "amauta").read_bytes())
    for place in (folder, pack):
        build = open_build(place)
        assert (build.id, set(build.files)) == ("amauta-0.1.0-linux-x86_64", {"amauta", "_internal/data.bin"})


@posix
def test_the_zip_holds_only_files_keeps_the_executable_bit_and_is_the_same_each_time(tmp_path: Path) -> None:
    folder = frozen_like(tmp_path / "app")
    settle(folder)
    one = zip_folder(folder, tmp_path / "one.zip").read_bytes()
    os.utime(folder / "amauta", (1, 1))
    assert zip_folder(folder, tmp_path / "two.zip").read_bytes() == one
    with zipfile.ZipFile(tmp_path / "one.zip") as pack:
        modes = {entry.filename: entry.external_attr >> 16 for entry in pack.infolist()}
    assert modes == {"app/amauta": 0o100755, "app/_internal/data.bin": 0o100644}
    assert not list(tmp_path.glob(".*.part"))


def test_every_part_has_its_licence_beside_it(tmp_path: Path) -> None:
    parts = [*notices.notices_of(["textual", "piper-tts", "numpy"]), notices.python_notice()]
    place = notices.write_notices(tmp_path, parts, "Partes")
    listed = (place / "LISTA.txt").read_text(encoding="utf-8")
    assert listed.startswith("Partes\n")
    assert "piper-tts" in listed
    assert "GPL-3.0-or-later" in listed
    for part in ("textual", "piper-tts", "numpy"):
        assert any(path.stat().st_size > 500 for path in (place / part).iterdir()), part


def test_a_small_disk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(KitError) as caught:
        check_machine(SOURCE, 200, tmp_path)
    assert "200 MB" in caught.value.say("es")
    assert f"{NEEDED_MB} MB" in caught.value.say("es")


def test_without_the_source_there_is_nothing_to_freeze(tmp_path: Path) -> None:
    with pytest.raises(KitError) as caught:
        check_machine(tmp_path, 100_000, tmp_path)
    assert str(tmp_path) in caught.value.say("en")


def test_without_pyinstaller_the_hint_says_how_to_get_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['PyInstaller'] = None;"
        "import devkit.freeze.build as b; b.find_spec = lambda name, f=b.find_spec: None if name == 'PyInstaller' else f(name);"
        "from devkit.cli import main; sys.exit(main(['freeze', '--out', sys.argv[1]]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "packaging")))}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out")],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 1
    assert "PyInstaller" in done.stderr
    assert "--with kit" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"not json", b"\xff\xfe", b'{"signed": {"_type": "snapshot"}, "signatures": []}']
)
def test_a_file_that_is_no_root_of_trust_is_refused(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "root.json"
    path.write_bytes(content)
    with pytest.raises(KitError):
        read_root(path)
    assert "root.json" in str(path)


def test_a_root_signed_by_itself_is_taken_and_one_that_is_not_is_refused(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Metadata, Root

    signer = CryptoSigner.generate_ed25519()
    root = Root(expires=datetime(2040, 1, 1, tzinfo=UTC))
    for role in ("root", "targets", "snapshot", "timestamp"):
        root.add_key(signer.public_key, role)
    signed = Metadata(root)
    path = tmp_path / "root.json"
    path.write_bytes(signed.to_bytes())
    with pytest.raises(KitError):
        read_root(path)
    signed.sign(signer)
    path.write_bytes(signed.to_bytes())
    assert read_root(path) == path.read_bytes()


def test_the_keys_lie_where_the_app_looks_for_those_it_was_built_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge.release import memory

    lay_root(tmp_path, b"keys")
    monkeypatch.setattr(memory, "files", lambda package: tmp_path.joinpath("_internal", *package.split(".")))
    assert memory.embedded_root() == b"keys"


@posix
def test_an_app_that_does_not_start_is_never_called_done(tmp_path: Path) -> None:
    folder = frozen_like(tmp_path / "app")
    prove(folder, [("--version",)])
    (folder / "amauta").write_bytes(b"#!/bin/sh\necho 'GLIBC_2.36 not found' >&2\nexit 1\n")
    with pytest.raises(KitError) as caught:
        prove(folder, [("--version",)])
    assert "GLIBC_2.36 not found" in caught.value.say("es")
    (folder / "amauta").write_bytes(b"#!/bin/sh\nexit 0\n")
    with pytest.raises(KitError):
        prove(folder, [("speak", "Hola", "--out", "proof.wav")])


@pytest.mark.parametrize(("system", "user", "free"), [("Windows", 0, 99999), ("Linux", 1000, 99999), ("Linux", 0, 100)])
def test_a_room_is_only_made_where_it_can_be(tmp_path: Path, system: str, user: int, free: int) -> None:
    with pytest.raises(KitError):
        old_glibc.check_host(system, user, free, tmp_path / "room")


def test_the_room_gets_the_source_and_nothing_else(tmp_path: Path) -> None:
    old_glibc.copy_source(ROOT, tmp_path / "source")
    assert (tmp_path / "source" / "edge" / "__init__.py").is_file()
    assert (tmp_path / "source" / "packaging" / "pyinstaller" / "amauta.spec").is_file()
    assert not (tmp_path / "source" / "tests").exists()
    assert not list((tmp_path / "source").rglob("__pycache__"))


@pytest.mark.skipif(not sys.platform.startswith("linux") or not shutil.which("cc"), reason="needs a C compiler")
def test_a_flag_the_compiler_does_not_know_is_dropped_and_the_variant_written_down(tmp_path: Path) -> None:
    told = in_front(tmp_path, tmp_path / "degraded", "")
    (tmp_path / "ggml-cpu-newest.dir").mkdir()
    (tmp_path / "a.c").write_text("const char *word(void) { return WORD; }\n", encoding="ascii")
    command = [
        told["CC"],
        "-march=armv9.7-a+none",
        '-DWORD="two words"',
        "-o",
        "ggml-cpu-newest.dir/a.o",
        "-c",
        "a.c",
    ]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, **told}, check=True)
    assert b"two words" in (tmp_path / "ggml-cpu-newest.dir" / "a.o").read_bytes()
    assert (tmp_path / "degraded").read_text(encoding="ascii") == "newest\n"


def test_the_verb_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["freeze", "--help"])
    assert left.value.code == 0
    said = capsys.readouterr()
    assert "--old-glibc" in said.out + said.err


def test_the_workflow_builds_the_three_kinds_with_our_own_commands() -> None:
    yaml = pytest.importorskip("yaml", reason="no YAML reader is installed here")
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "freeze.yml").read_text(encoding="utf-8"))
    kinds = {row["platform"] for row in flow["jobs"]["linux"]["strategy"]["matrix"]["include"]}
    assert kinds == {"linux-x86_64", "linux-aarch64"}
    assert "windows" in flow["jobs"]["windows"]["runs-on"]
    for job in flow["jobs"].values():
        steps = job["steps"]
        assert any("amauta-kit freeze" in step.get("run", "") for step in steps)
        assert any("environment.py" in step.get("run", "") for step in steps)
        for step in steps:
            assert "uses" not in step or step["uses"].rsplit("@v", 1)[1].isdigit()

"""Setting up says in one sentence what is missing, and keeps what took long."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from devkit.llama_converter import ensure_converter, unpack
from devkit.llama_wheel import ensure_wheel, left_out, settings
from devkit.setup_words import SetupError
from devkit.wheel_file import rewrite
from edge.cache import cache_folder, converter_folder, llama_folder

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "packaging" / "devkit" / "environment.py"
RECORD, TAGS = "llama-1.dist-info/RECORD", "llama-1.dist-info/WHEEL"


def wheel(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        names = ["bin/libggml-cpu-haswell.so", "bin/libggml-cpu-sapphirerapids.so", "llama_cpp/__init__.py"]
        for name in names:
            archive.writestr(name, name)
        archive.writestr(TAGS, "Wheel-Version: 1.0\nTag: py3-none-linux_x86_64\n\n")
        names.append(TAGS)
        archive.writestr(RECORD, "".join(f"{name},sha256=x,1\n" for name in names))
    return path


def test_the_amx_variant_is_left_out_of_the_wheel_and_of_its_list(tmp_path: Path) -> None:
    (tmp_path / "ready").mkdir()
    ready = rewrite(wheel(tmp_path / "llama-1-py3-none-win_amd64.whl"), tmp_path / "ready", ["sapphirerapids"])
    assert ready.name == "llama-1-py3-none-win_amd64.whl"
    with zipfile.ZipFile(ready) as archive:
        assert "sapphirerapids" not in " ".join(archive.namelist())
        assert "sapphirerapids" not in archive.read(RECORD).decode()
        assert "libggml-cpu-haswell.so" in archive.read(RECORD).decode()
        assert archive.read("llama_cpp/__init__.py") == b"llama_cpp/__init__.py"


def test_a_wheel_for_another_machine_says_so_and_its_list_still_fits(tmp_path: Path) -> None:
    (tmp_path / "ready").mkdir()
    made = wheel(tmp_path / "llama-1-py3-none-linux_x86_64.whl")
    ready = rewrite(made, tmp_path / "ready", {"sapphirerapids", "armv9.2_1"}, "aarch64")
    assert ready.name == "llama-1-py3-none-linux_aarch64.whl"
    with zipfile.ZipFile(ready) as archive:
        tags, listed = archive.read(TAGS), archive.read(RECORD).decode()
    assert tags == b"Wheel-Version: 1.0\nTag: py3-none-linux_aarch64\n\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(tags).digest()).rstrip(b"=").decode()
    assert f"{TAGS},sha256={digest},{len(tags)}\n" in listed


def test_the_build_for_arm_has_the_options_of_ours_and_names_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    own, other = settings("")["CMAKE_ARGS"].split(), settings("aarch64")["CMAKE_ARGS"].split()
    assert other == [*own, "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64"]
    monkeypatch.setenv("AMAUTA_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError, match="g\\+\\+-aarch64-linux-gnu"):
        ensure_wheel(Path(sys.executable), "aarch64")


def test_what_an_old_compiler_builds_wrongly_is_left_out() -> None:
    assert left_out(12) == {"sapphirerapids"}
    assert {"sapphirerapids", "armv8.6_1", "armv8.6_2", "armv9.2_2"} <= left_out(10) & left_out(0)
    assert "armv8.2_2" not in left_out(10)


def test_a_kept_wheel_is_used_again_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAUTA_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(SetupError, match=r"g\+\+"):
        ensure_wheel(Path(sys.executable))
    llama_folder().mkdir(exist_ok=True)
    kept = wheel(llama_folder() / "llama_cpp_python-1-py3-none-any.whl")
    assert ensure_wheel(Path(sys.executable)) == kept


def test_the_cache_is_where_the_system_keeps_such_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AMAUTA_CACHE", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "amauta"


def source_distribution(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            entry = tarfile.TarInfo(f"llama_cpp_python-1/{name}")
            entry.size = len(name)
            archive.addfile(entry, io.BytesIO(name.encode()))
    return path


def test_the_converter_is_kept_and_nothing_else_of_the_source(tmp_path: Path) -> None:
    there = "vendor/llama.cpp/"
    wanted = [f"{there}{name}" for name in ("convert_hf_to_gguf.py", "conversion/base.py", "gguf-py/gguf/gguf.py")]
    others = [f"{there}src/llama.cpp", f"{there}conversion/../../../../away.py", "vendor/other/convert_hf_to_gguf.py"]
    source = source_distribution(tmp_path / "s.tar.gz", *wanted, *others)
    unpack(source, tmp_path / "to")
    kept = sorted(p.relative_to(tmp_path / "to").as_posix() for p in (tmp_path / "to").rglob("*") if p.is_file())
    assert kept == ["complete", "conversion/base.py", "convert_hf_to_gguf.py", "gguf-py/gguf/gguf.py"]
    assert not (tmp_path / "away.py").exists()


def test_a_source_without_the_converter_is_said_in_words(tmp_path: Path) -> None:
    source = source_distribution(tmp_path / "old.tar.gz", "vendor/llama.cpp/src/llama.cpp")
    with pytest.raises(SetupError, match=r"old\.tar\.gz"):
        unpack(source, tmp_path / "to")
    assert not (tmp_path / "to" / "complete").exists()


def test_a_kept_converter_is_used_again_without_asking_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAUTA_CACHE", str(tmp_path))
    with pytest.raises((SetupError, OSError)):
        ensure_converter(tmp_path / "no-python")
    converter_folder().mkdir(parents=True)
    (converter_folder() / "complete").write_text("1")
    assert ensure_converter(tmp_path / "no-python") == converter_folder()


def test_an_old_python_is_told_so_in_three_languages() -> None:
    code = f"import sys; sys.version_info = (3, 8, 1, 'final', 0); exec(open({str(SCRIPT)!r}, encoding='utf-8').read())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 3
    assert done.stderr.count("3.8") == 3


def test_requirements_name_no_address_and_pin_every_package_of_a_device_by_hash() -> None:
    for path in sorted((ROOT / "packaging" / "requirements").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        names = [line for line in text.splitlines() if line[:1].isalnum()]
        assert all("==" in line for line in names)
        if path.name in ("device.txt", "dev.txt", "hub.txt"):
            assert all(line.endswith("\\") for line in names)

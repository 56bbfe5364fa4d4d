"""Setting up says in one sentence what is missing, and keeps what took long."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from devkit.llama_wheel import cache_folder, ensure_wheel, without_amx
from devkit.setup_words import SetupError

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "packaging" / "devkit" / "environment.py"
RECORD = "llama-1.dist-info/RECORD"


def wheel(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        names = ["bin/libggml-cpu-haswell.so", "bin/libggml-cpu-sapphirerapids.so", "llama_cpp/__init__.py"]
        for name in names:
            archive.writestr(name, name)
        archive.writestr(RECORD, "".join(f"{name},sha256=x,1\n" for name in names))
    return path


def test_the_amx_variant_is_left_out_of_the_wheel_and_of_its_list(tmp_path: Path) -> None:
    ready = without_amx(wheel(tmp_path / "a.whl"), tmp_path / "b.whl")
    with zipfile.ZipFile(ready) as archive:
        assert "sapphirerapids" not in " ".join(archive.namelist())
        assert "sapphirerapids" not in archive.read(RECORD).decode()
        assert "libggml-cpu-haswell.so" in archive.read(RECORD).decode()
        assert archive.read("llama_cpp/__init__.py") == b"llama_cpp/__init__.py"


def test_a_kept_wheel_is_used_again_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAUTA_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(SetupError, match=r"g\+\+"):
        ensure_wheel(Path(sys.executable))
    folder = next(iter(tmp_path.iterdir()), None) or tmp_path / _folder_name()
    folder.mkdir(exist_ok=True)
    kept = wheel(folder / "llama_cpp_python-1-py3-none-any.whl")
    assert ensure_wheel(Path(sys.executable)) == kept


def _folder_name() -> str:
    import platform

    from devkit.llama_wheel import VERSION

    return f"llama-{VERSION}-{platform.system()}-{platform.machine()}".lower()


def test_the_cache_is_where_the_system_keeps_such_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AMAUTA_CACHE", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "amauta"


def test_an_old_python_is_told_so_in_three_languages() -> None:
    code = f"import sys; sys.version_info = (3, 8, 1, 'final', 0); exec(open({str(SCRIPT)!r}, encoding='utf-8').read())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 3
    assert done.stderr.count("3.8") == 3


def test_requirements_name_no_address_and_pin_every_package_of_a_device_by_hash() -> None:
    for path in sorted((ROOT / "packaging" / "requirements").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert "http" not in text
        assert "--index" not in text
        names = [line for line in text.splitlines() if line[:1].isalnum()]
        assert all("==" in line for line in names)
        if path.name in ("device.txt", "dev.txt"):
            assert all(line.endswith("\\") for line in names)

"""What this device has, found out without loading any heavy library.

`probe` asks the system and never fails: what cannot be found out is zero, empty or false.
The verdicts on it are pure; they decide what may be imported at all on this processor.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ModelError
from edge.processor import Processor, core_count, read_processor, tier
from edge.settings import home_folder

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Terminal:
    """The screen we talk through."""

    name: str
    """What TERM says."""

    columns: int
    lines: int
    colours: int
    """0 for none, 16, 256, or 16 million."""

    interactive: bool


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """The facts about one device that decide what runs on it."""

    system: str
    python: str
    processor: Processor
    cores: int
    ram_mb: int
    free_disk_mb: int
    """Where Amauta keeps its data."""

    sound: bool
    """Whether the system knows a sound device; only playing proves it."""

    terminal: Terminal


def probe(environ: Mapping[str, str], home: Path | None = None) -> DeviceProfile:
    """Look at this machine; takes a few milliseconds."""
    return DeviceProfile(
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        processor=read_processor(environ),
        cores=core_count(),
        ram_mb=ram_mb(),
        free_disk_mb=_free_disk_mb(home or home_folder(environ)),
        sound=_has_sound(environ),
        terminal=read_terminal(environ, interactive=sys.stdout.isatty()),
    )


def llama_verdict(profile: DeviceProfile) -> str:
    """Return why llama.cpp cannot run here, as the key of an error, or nothing when it can.

    Ask before importing llama_cpp: on an older processor the import itself ends the program,
    because numpy needs x86-64-v2 (SSE4.2, about 2009) like onnxruntime does.
    """
    return processor_verdict(profile.processor) or ("" if _has("llama_cpp") else "llama-missing")


def onnx_verdict(profile: DeviceProfile) -> str:
    """Return why ONNX models (reader, Piper voices) cannot run here, or nothing when they can."""
    return processor_verdict(profile.processor) or ("" if _has("onnxruntime") else "onnx-missing")


def processor_verdict(processor: Processor) -> str:
    """Return why no model runs on this processor, or nothing."""
    return {0: "cpu-other", 1: "cpu-too-old"}.get(tier(processor), "")


def refuse_unfit_processor(environ: Mapping[str, str] = os.environ) -> None:
    """Raise ModelError when importing llama_cpp, onnxruntime or numpy would crash on this processor."""
    processor = read_processor(environ)
    if verdict := processor_verdict(processor):
        raise ModelError(verdict, cpu=processor.name, machine=processor.machine)


def llama_is_portable() -> bool:
    """Tell whether the installed llama.cpp chooses its processor code at run time."""
    found = importlib.util.find_spec("llama_cpp")
    if found is None or not found.submodule_search_locations:
        return False
    package = Path(found.submodule_search_locations[0])
    return any(any(folder.glob("*ggml-cpu-*")) for folder in (package / "lib", package.parent / "bin"))


def read_terminal(environ: Mapping[str, str], *, interactive: bool) -> Terminal:
    """Return what the environment and the system say about the screen."""
    size = shutil.get_terminal_size((80, 24))
    name = environ.get("TERM", "windows" if sys.platform == "win32" else "")
    if "NO_COLOR" in environ or name in ("", "dumb"):
        colours = 0
    elif environ.get("COLORTERM") in ("truecolor", "24bit") or "WT_SESSION" in environ:
        colours = 1 << 24
    else:
        colours = 256 if "256color" in name else 16
    return Terminal(name, size.columns, size.lines, colours, interactive)


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def ram_mb() -> int:
    """Return how much memory this machine has, 0 when it cannot be found out."""
    if sys.platform == "win32":
        return (windows_memory_mb() or (0, 0))[0]
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE
    except (ValueError, OSError):
        return 0


def windows_memory_mb() -> tuple[int, int] | None:
    """Return how much memory this machine has and how much of it is free; None where Windows does not tell."""

    class MemoryStatus(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("free", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 5),
        )

    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    told = kernel.GlobalMemoryStatusEx(ctypes.byref(status))
    return (status.total // MEGABYTE, status.free // MEGABYTE) if told else None


def _free_disk_mb(home: Path) -> int:
    """Measure the disk where `home` is, or will be."""
    for folder in (home, *home.absolute().parents):
        try:
            return shutil.disk_usage(folder).free // MEGABYTE
        except OSError:
            continue
    return 0


def _has_sound(environ: Mapping[str, str]) -> bool:
    if sys.platform == "win32":
        return bool(ctypes.WinDLL("winmm").waveOutGetNumDevs())  # type: ignore[attr-defined,unused-ignore]
    if sys.platform == "darwin":
        return True
    runtime = environ.get("XDG_RUNTIME_DIR", "/nowhere")
    if any(Path(runtime, name).exists() for name in ("pulse/native", "pipewire-0")):
        return True
    try:
        cards = Path("/proc/asound/cards").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "no soundcards" not in cards

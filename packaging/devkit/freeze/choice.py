"""What goes into the frozen app, and what of what PyInstaller gathered is left out.

Pure: names in, decisions out. PyInstaller's lists are triples (name inside the folder,
file, kind); the recipe `packaging/pyinstaller/amauta.spec` hands them here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

Entry = tuple[str, str, str]

IMPORTED_BY_NAME = ("edge", "tui", "textual", "zeroconf", "spake2")
"""Packages of which PyInstaller cannot see every import; all of their modules come along, but for tests."""

LLAMA_LIBRARIES = (
    "libllama.so", "libggml.so", "libggml.so.0", "libggml-base.so.0",
    "llama.dll", "ggml.dll", "ggml-base.dll", "libllama.dylib", "libggml*.dylib",
)  # fmt: skip
"""Each once: a wheel holds three copies of every library, and no links."""

LLAMA_PLACE = "llama_cpp/lib"
LLAMA_SOURCES = ("llama_grammar.py",)
"""Read from their file, without the package around them; what is frozen lies in no file."""

CRASHES_ON_AMX = "*sapphirerapids*"

ESPEAK_VOICES = (
    "lang/roa/es", "lang/roa/es-419", "lang/roa/pt", "lang/roa/pt-BR", "lang/roa/ht", "lang/roa/pap", "lang/sai/gn",
    "lang/azc/nci", "lang/myn/quc", "lang/qu", "lang/gmw/en", "lang/gmw/en-US",
)  # fmt: skip
ESPEAK_DICTIONARIES = tuple(f"{lang}_dict" for lang in ("es", "pt", "qu", "gn", "nci", "quc", "ht", "pap", "en"))
ESPEAK_BASE = ("phondata", "phonindex", "phontab", "intonations")
ESPEAK_KEPT = frozenset({*ESPEAK_VOICES, *ESPEAK_DICTIONARIES, *ESPEAK_BASE})
"""1 MB of the 20 MB: the languages of our lessons, and those of the region."""

LEFT_OUT = ("libasound.so*", "libreadline.so*", "libtinfo.so*", "libncurses*.so*", "readline.*.so", "libmvec.so*")
"""Sound belongs to the machine it plays on; line editing is used by nothing here."""

WORTH_STRIPPING = (
    "*/libpython3*.so*", "*/lib-dynload/*.so", "*/libllama.so*", "*/libggml*.so*", "*/zstandard/*.so",
    "*/cryptography/*.so", "*/_miniaudio*.so", "*/fontTools/*.so",
)  # fmt: skip
"""Only these: stripping numpy's OpenBLAS breaks it."""


def is_wanted(entry: Entry) -> bool:
    """Tell whether what PyInstaller gathered stays; links are left out, each library lies where it is looked for."""
    name, _, kind = entry
    file = PurePosixPath(name.replace("\\", "/")).name
    return kind != "SYMLINK" and not any(fnmatch(file, pattern) for pattern in LEFT_OUT)


def wanted(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that stay, in their order."""
    return [entry for entry in entries if is_wanted(entry)]


def llama_binaries(package: Path, variants: Sequence[Path]) -> list[tuple[str, str]]:
    """Return llama.cpp's libraries and the processor variants, all for one folder."""
    found = [path for pattern in LLAMA_LIBRARIES for path in sorted((package / "lib").glob(pattern))]
    fit = [path for path in variants if not fnmatch(path.name, CRASHES_ON_AMX)]
    return [(str(path), LLAMA_PLACE) for path in (*found, *fit)]


def llama_sources(package: Path) -> list[tuple[str, str]]:
    """Return the files of llama-cpp-python that are read as files."""
    return [(str(package / name), package.name) for name in LLAMA_SOURCES]


def espeak_data(package: Path) -> list[tuple[str, str]]:
    """Return the files of espeak-ng that speak our languages; `package` is Piper's."""
    root = package / "espeak-ng-data"
    files = sorted(path for path in root.rglob("*") if path.is_file())
    kept = [path for path in files if path.relative_to(root).as_posix() in ESPEAK_KEPT]
    return [(str(path), f"piper/{path.parent.relative_to(package).as_posix()}") for path in kept]


def is_worth_stripping(file: Path) -> bool:
    """Tell whether symbols may be taken out of this library, named as inside the folder."""
    return any(fnmatch(file.as_posix(), pattern) for pattern in WORTH_STRIPPING)

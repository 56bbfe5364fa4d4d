"""The licences of everything the frozen app carries, gathered from where each part keeps its own.

Python packages: the licence files named in their metadata. Libraries of the system: the copyright
file of the Debian package they came from. Python itself: its own licence file.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

FOLDER = "LICENCIAS"
LIST = "LISTA.txt"
IS_LICENCE = re.compile(r"(?i)^(licen[cs]e|copying|notice|authors|copyright|thirdparty)[^/]*$")
NO_TEXT = (".py", ".pyc", ".so", ".pyi")
DOCUMENTS = Path("/usr/share/doc")


@dataclass(frozen=True, slots=True)
class Notice:
    """One part that is carried, under which licence, and the texts that must travel with it."""

    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]


def notices_of(names: Sequence[str]) -> list[Notice]:
    """Return the notice of each installed distribution, in order."""
    return [_of_distribution(metadata.distribution(name)) for name in names]


def python_notice() -> Notice:
    """Return the notice of the Python that is carried."""
    library = Path(sysconfig.get_path("stdlib"))
    places = (library / "LICENSE.txt", DOCUMENTS / f"{library.name}/copyright", library.parent / "LICENSE.txt")
    return Notice("Python", sysconfig.get_python_version(), "PSF-2.0", tuple(p for p in places if p.is_file())[:1])


def system_notices(libraries: Sequence[str]) -> list[Notice]:
    """Return the notices of the machine's own libraries that were taken along, where Debian's records know them."""
    if not libraries or not shutil.which("dpkg-query"):
        return []
    texts: dict[str, Path] = {}
    for library in libraries:
        done = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True, check=False)
        package = done.stdout.split(":", 1)[0].split(",", 1)[0].strip()
        if package and (text := DOCUMENTS / package / "copyright").is_file():
            texts[package] = text
    return [Notice(package, "", "", (text,)) for package, text in sorted(texts.items())]


def write_notices(folder: Path, notices: Sequence[Notice], heading: str) -> Path:
    """Lay the texts under `folder`/LICENCIAS, each part in a folder of its own, and a list of all."""
    place = folder / FOLDER
    lines = [heading, ""]
    for notice in notices:
        lines.append("  ".join(part for part in (notice.name, notice.version, notice.licence) if part))
        for number, text in enumerate(notice.texts):
            name = text.name if number == 0 or text.name not in {t.name for t in notice.texts[:number]} else ""
            target = place / notice.name / (name or f"{number}-{text.name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(text, target)
    place.mkdir(parents=True, exist_ok=True)
    (place / LIST).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def _of_distribution(found: metadata.Distribution) -> Notice:
    about = found.metadata
    licence = _first(about, "License-Expression") or _first(about, "License") or _classified(about)
    texts = [Path(str(file.locate())) for file in found.files or () if _is_text(file)]
    return Notice(about["Name"], about["Version"], licence, tuple(sorted(text for text in texts if text.is_file())))


def _is_text(file: metadata.PackagePath) -> bool:
    return bool(IS_LICENCE.match(file.name)) and file.suffix not in NO_TEXT


def _first(about: metadata.PackageMetadata, field: str) -> str:
    """Return the first line: some write the whole text where its name belongs."""
    values = about.get_all(field) or [""]
    lines = str(values[0]).strip().splitlines()
    return lines[0][:60] if lines else ""


def _classified(about: metadata.PackageMetadata) -> str:
    names = [line.rsplit("::", 1)[-1].strip() for line in about.get_all("Classifier") or () if "License ::" in line]
    return ", ".join(names) or "?"

"""Start a frozen folder as a school would, and see that it answers and speaks.

Nothing of this machine's own Python, settings or home reaches it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from devkit.errors import KitError

PATIENCE_S = 900
QUESTION = "¿Cómo se alimentan las plantas?"
SOUND = "proof.wav"
FORM = "proof.xlsx"
STARTS: tuple[tuple[str, ...], ...] = (
    ("--version",),
    ("ask", QUESTION, "--json"),
    ("speak", "Hola", "--lang", "es", "--out", SOUND),
    ("models", "try", "Hola", "--max-tokens", "3"),
    ("clinic", "xlsform", "child-cough", FORM),
    ("clinic", "import", FORM),
)
"""Answer bank and search, espeak-ng, llama.cpp with the embedded model, a clinic's forms."""


def program_of(folder: Path) -> Path:
    """Return the program inside a frozen folder."""
    return folder / ("amauta.exe" if os.name == "nt" else "amauta")


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment with nothing in it but what every machine has."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, "AMAUTA_HOME": str(home)}


def prove(folder: Path, starts: Sequence[Sequence[str]] = STARTS) -> None:
    """Run the frozen app in a strange folder; raise KitError for the first start that fails."""
    with tempfile.TemporaryDirectory() as place:
        for arguments in starts:
            command = [str(program_of(folder).absolute()), *arguments]
            try:
                done = subprocess.run(
                    command,
                    cwd=place,
                    env=clean_environment(Path(place, "home")),
                    capture_output=True,
                    timeout=PATIENCE_S,
                    check=False,
                )
                wrong = done.returncode or not _kept_its_word(arguments, Path(place))
                tail = done.stderr.decode("utf-8", "replace").strip()[-800:]
            except (OSError, subprocess.TimeoutExpired) as error:
                wrong, tail = True, str(error)
            if wrong:
                raise KitError("freeze-not-running", command=" ".join(arguments), tail=tail or "-")


def _kept_its_word(arguments: Sequence[str], place: Path) -> bool:
    if QUESTION in arguments:  # answered from the index that came along
        return not (place / "home" / "index").exists()
    sound = place / SOUND
    return SOUND not in arguments or (sound.is_file() and sound.stat().st_size > 1000)

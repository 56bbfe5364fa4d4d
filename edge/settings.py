"""What was chosen on this device, read once at the start and passed on.

`settings.toml` in Amauta's folder, then `AMAUTA_*` from the environment. Nothing
here is a singleton: `main` reads it and hands it to whoever needs it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from edge.errors import EdgeError
from edge.files import write_atomic
from edge.stick import stick_folder
from edge.update.places import current_folder
from edge.words import LANGUAGES

THEMES = ("dark", "light")
SPEEDS = ("slow", "normal", "fast")
PLACES = ("school", "clinic")


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one device. `home` is where Amauta keeps everything."""

    home: Path
    lang: str = ""
    """Empty until the first run has asked."""

    theme: str = "dark"
    sound: bool = True
    """Whether answers may be spoken at all."""

    speed: str = "normal"
    """How fast the voice speaks."""

    share_turns: bool = False
    """Whether an adult allowed what was asked and answered to leave this device; attempts alone leave otherwise."""

    place: str = "school"
    """What the device serves: a clinic has its own packs beside the others."""

    shelves: tuple[Path, ...] = ()
    """Folders that hold packs, voices and models beside those of `home`: the release in use, then the stick the app
    runs from. Never saved."""

    release: int = 0
    """The number of the release in use; 0 is what came with the app. Never saved."""

    @property
    def spoken_lang(self) -> str:
        """The language to use now, also before the first run asked."""
        return self.lang or LANGUAGES[0]

    @property
    def store_path(self) -> Path:
        """Where attempts and turns are kept."""
        return self.home / "amauta.db"

    @property
    def packs_folder(self) -> Path:
        """Packs added on this device, beside the embedded ones."""
        return self.home / "packs"

    @property
    def index_folder(self) -> Path:
        """Search indexes; may be deleted at any time."""
        return self.home / "index"

    @property
    def voices_folder(self) -> Path:
        """Piper voices: NAME.onnx with NAME.onnx.json."""
        return self.home / "voices"

    @property
    def models_folder(self) -> Path:
        """Models added on this device, beside the embedded ones."""
        return self.home / "models"

    def folders(self, what: Literal["packs", "voices", "models"]) -> list[Path]:
        """Return where to look for `what`: what was added on this device comes first."""
        return [self.home / what, *(shelf / what for shelf in self.shelves)]


def home_folder(environ: Mapping[str, str]) -> Path:
    """Return Amauta's folder: AMAUTA_HOME, or the system's place for such data."""
    if chosen := environ.get("AMAUTA_HOME"):
        return Path(chosen)
    if local := environ.get("LOCALAPPDATA"):
        return Path(local) / "Amauta"
    if data := environ.get("XDG_DATA_HOME"):
        return Path(data) / "amauta"
    return Path.home() / ".local" / "share" / "amauta"


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raise EdgeError when the file or a value is not usable."""
    home = home_folder(environ)
    path = home / "settings.toml"
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdgeError("settings-broken", path=path, reason=str(error)) from error
    except OSError as error:
        raise EdgeError("settings-unreadable", path=path, reason=error.strerror or str(error)) from error
    for name in ("lang", "theme", "speed", "place"):
        if value := environ.get(f"AMAUTA_{name.upper()}"):
            found[name] = value
    if "AMAUTA_SOUND" in environ:
        found["sound"] = environ["AMAUTA_SOUND"] not in ("0", "no", "off")
    number, folder = current_folder(home.absolute())
    shelves = tuple(shelf for shelf in (folder, stick_folder(environ)) if shelf)
    return _checked(Settings(home, shelves=shelves, release=number), found, path)


def _checked(settings: Settings, found: Mapping[str, Any], path: Path) -> Settings:
    allowed: dict[str, tuple[Any, ...]] = {
        "lang": ("", *LANGUAGES),
        "theme": THEMES,
        "speed": SPEEDS,
        "place": PLACES,
        "sound": (True, False),
        "share_turns": (True, False),
    }
    for name, value in found.items():
        if name not in allowed:
            raise EdgeError("setting-unknown", name=name, path=path)
        if value not in allowed[name] or (True in allowed[name]) != isinstance(value, bool):
            choices = ", ".join(str(choice) for choice in allowed[name] if choice != "")
            raise EdgeError("setting-wrong", name=name, value=str(value), choices=choices)
    return replace(settings, **found)


def save(settings: Settings) -> None:
    """Keep the settings; raise EdgeError when the disk is full or read-only."""
    unsaved = {"home", "shelves", "release"}
    if settings.place == PLACES[0]:
        unsaved.add("place")  # An older release, which a device may go back to, does not know it.
    values = {name: value for name, value in asdict(settings).items() if name not in unsaved}
    lines = [f"{name} = {_as_toml(value)}\n" for name, value in values.items()]
    path = settings.home / "settings.toml"
    try:
        write_atomic(path, "".join(lines).encode())
    except OSError as error:
        raise EdgeError("settings-unwritable", path=path, reason=error.strerror or str(error)) from error


def _as_toml(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'

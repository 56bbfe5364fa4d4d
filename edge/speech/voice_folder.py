"""Put Piper voices into the folder of voices, take them out, and check that they speak.

A receipt beside the two files, NAME.sha256, is written last: without it a voice was never
whole. Choosing and loading a voice belongs to `voice`.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from edge.errors import SpeechError
from edge.files import sha256_of, write_atomic
from edge.speech.voice import InstalledVoice, language, open_installed, read_voice

_TRIAL = {"es": "Hola.", "pt": "Olá."}


def admit(file: Path, folder: Path, *, dry_run: bool, move: bool = False) -> InstalledVoice:
    """Check a voice by letting it speak, then copy it, or move it; raise SpeechError when it may not come in."""
    if file.suffix != ".onnx" or not file.is_file():
        raise SpeechError("voice-name", name=str(file)[:200])
    voice = read_voice(file)
    if _receipt(folder / file.name).exists():
        raise SpeechError("voice-exists", name=voice.name)
    _try(voice)
    if not dry_run:
        try:
            _copy(voice, folder, move=move)
        except OSError as error:
            _forget(folder / file.name)
            raise SpeechError("voice-disk", path=folder, reason=error.strerror or str(error)) from error
        voice = replace(voice, path=folder / file.name)
    return voice


def remove(name: str, folder: Path, *, dry_run: bool) -> None:
    """Delete an installed voice; raise SpeechError when there is none of this name."""
    if name not in {path.name.removesuffix(".onnx") for path in folder.glob("*.onnx")}:
        raise SpeechError("voice-unknown", name=name[:60])
    if dry_run:
        return
    try:
        for path in _files(folder / f"{name}.onnx"):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise SpeechError("voice-disk", path=folder, reason=error.strerror or str(error)) from error


def check(path: Path) -> None:
    """Raise SpeechError when a voice does not speak or is not what was installed."""
    voice = read_voice(path)
    receipt = _receipt(path)
    # A voice that somebody copied here by hand has no receipt; speaking is its only test.
    if receipt.exists() and receipt.read_text(encoding="utf-8", errors="replace").strip() != sha256_of(path):
        raise SpeechError("voice-broken", path=path, reason="SHA-256")
    _try(voice)


def _try(voice: InstalledVoice) -> None:
    lang = language(voice.lang)
    spoken = open_installed(voice, lang, "normal").pcm(_TRIAL.get(lang, "Hello."))
    if len(spoken) < voice.rate // 10 or not any(spoken):
        raise SpeechError("voice-broken", path=voice.path, reason=f"{len(spoken)} bytes")


def _copy(voice: InstalledVoice, folder: Path, *, move: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model, about, receipt = _files(folder / voice.path.name)
    receipt.unlink(missing_ok=True)
    wanted = sha256_of(voice.path)
    bring = shutil.move if move else shutil.copyfile
    bring(voice.path, model)
    bring(voice.path.with_name(about.name), about)
    digest = sha256_of(model)
    if digest != wanted:
        raise OSError(5, "SHA-256")
    write_atomic(receipt, f"{digest}\n".encode())


def _forget(path: Path) -> None:
    with suppress(OSError):
        for part in _files(path):
            part.unlink(missing_ok=True)


def _files(path: Path) -> tuple[Path, Path, Path]:
    return path, path.with_name(f"{path.name}.json"), _receipt(path)


def _receipt(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix('.onnx')}.sha256")

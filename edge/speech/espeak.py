"""espeak-ng, borrowed from inside Piper's package: no system package, a voice on every machine.

Sound comes out as 16-bit mono samples; nothing is played here. The library keeps its state in
one place for the whole process, so one lock serves everybody who uses it, Piper too.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock

from edge.errors import SpeechError

LOCK = Lock()
"""Hold it for every call into espeak-ng, also for Piper's own ones."""

VOICES = {
    "es": "es-419", "pt": "pt-br", "en": "en-us",
    "qu": "qu", "gn": "gn", "nci": "nci", "quc": "quc", "ht": "ht", "pap": "pap",
}  # fmt: skip
"""Our language to espeak's voice."""

UNPROVEN = ("qu", "gn", "nci", "quc", "ht", "pap")
"""Spoken letter by letter from tiny dictionaries, and not judged by speakers yet."""

_SYNCHRONOUS, _DONT_EXIT, _UTF8, _RATE, _OK = 2, 0x8000, 1, 1, 0
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The one espeak-ng of this process."""

    def __init__(self, library: ctypes.CDLL, rate: int) -> None:
        self._library = library
        self.rate = rate

    def pcm(self, text: str, voice: str, words_per_minute: int, stop: Callable[[], bool] = lambda: False) -> bytes:
        """Return `text` as sound; less of it when `stop` says so in between."""
        samples = bytearray()

        def take(wave: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
            if count > 0 and wave:
                samples.extend(ctypes.string_at(wave, 2 * count))
            return int(stop())

        encoded = text.replace("\0", " ").encode("utf-8", "replace")
        with LOCK:
            callback = _Callback(take)
            self._library.espeak_SetSynthCallback(callback)
            if self._library.espeak_SetVoiceByName(voice.encode()) != _OK:
                raise SpeechError("speech-voice", voice=voice)
            self._library.espeak_SetParameter(_RATE, words_per_minute, 0)
            done = self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _UTF8, None, None)
            self._library.espeak_SetSynthCallback(_Callback())
        if done != _OK:
            raise SpeechError("speech-failed", reason=f"espeak-ng {done}")
        return bytes(samples)


@cache
def espeak() -> Espeak:
    """Return espeak-ng, ready to speak; raise SpeechError when Piper's package is not whole."""
    folder = _piper_folder()
    try:
        library = ctypes.CDLL(str(_library_in(folder)))
        library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        library.espeak_SetSynthCallback.argtypes = [_Callback]
        library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        library.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
        library.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
    except (OSError, AttributeError) as error:
        raise SpeechError("speech-missing", reason=str(error)) from error
    with LOCK:
        # Without DONT_EXIT, missing data would end our process.
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, str(folder / "espeak-ng-data").encode(), _DONT_EXIT)
    if rate <= 0:
        raise SpeechError("speech-missing", reason=f"espeak-ng-data {rate}")
    return Espeak(library, rate)


def _piper_folder() -> Path:
    """Find Piper's package without importing it, which would load onnxruntime."""
    found = importlib.util.find_spec("piper")
    if found is None or not found.submodule_search_locations:
        raise SpeechError("speech-missing", reason="piper")
    return Path(found.submodule_search_locations[0])


def _library_in(folder: Path) -> Path:
    names = [path for path in folder.glob("espeakbridge*") if path.suffix in (".so", ".pyd", ".dylib")]
    if not names:
        raise SpeechError("speech-missing", reason="espeakbridge")
    return names[0]

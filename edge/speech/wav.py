"""Keep speech as a 16-bit mono WAV file."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable
from errno import EISDIR, ENOENT
from os import strerror
from pathlib import Path

from edge.errors import SpeechError
from edge.files import write_atomic


def write_wav(path: Path, rate: int, parts: Iterable[bytes]) -> float:
    """Write samples as a WAV file, whole or not at all, and return its length in seconds.

    Raises SpeechError when there is nothing to hear, or when the file cannot be written.
    """
    content = io.BytesIO()
    samples = 0
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        for part in parts:
            samples += len(part) // 2
            file.writeframes(part)
    if not samples:
        raise SpeechError("speech-empty")
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, strerror(EISDIR))
        if not path.parent.is_dir():
            # A folder written wrongly must not appear by itself.
            raise FileNotFoundError(ENOENT, strerror(ENOENT))
        write_atomic(path, content.getvalue())
    except OSError as error:
        raise SpeechError("wav-unwritable", path=path, reason=error.strerror or str(error)) from error
    return samples / rate

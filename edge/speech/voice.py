"""Choose who speaks: a Piper voice when one is installed, espeak-ng otherwise.

A voice takes a sentence as written and returns 16-bit mono samples; playing them belongs to
`speaker`, keeping them to `wav`.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edge.errors import SpeechError
from edge.settings import Settings
from edge.speech.espeak import LOCK, VOICES, Espeak, espeak
from edge.speech.plain import sentences
from edge.speech.say import speakable
from edge.speech.wav import write_wav

if TYPE_CHECKING:
    from piper import PiperVoice

_WORDS_PER_MINUTE = {"slow": 115, "normal": 150, "fast": 190}
_LENGTHS = {"slow": 1.3, "normal": 1.0, "fast": 0.8}
LONGEST_TEXT = 20_000
"""Characters in one WAV file: about half an hour, 60 MB."""


class Voice(Protocol):
    """Whoever can turn a sentence into sound."""

    name: str
    rate: int
    """Samples a second."""

    def pcm(self, sentence: str) -> bytes:
        """Return the sentence as 16-bit mono samples."""


@dataclass(frozen=True, slots=True)
class InstalledVoice:
    """A Piper voice on this disk: NAME.onnx with NAME.onnx.json."""

    name: str
    path: Path
    lang: str
    """The espeak voice it was trained with, such as es-419."""

    rate: int
    speakers: int


class EspeakVoice:
    """A robot's voice, on every machine, at once."""

    def __init__(self, espeak: Espeak, lang: str, speed: str) -> None:
        self.name = f"espeak-ng {VOICES[lang]}"
        self.rate = espeak.rate
        self._espeak = espeak
        self._lang = lang
        self._words_per_minute = _WORDS_PER_MINUTE[speed]

    def pcm(self, sentence: str) -> bytes:
        """Return the sentence as 16-bit mono samples."""
        return self._espeak.pcm(speakable(sentence, self._lang), VOICES[self._lang], self._words_per_minute)


class NeuralVoice:
    """A human-like voice from an installed file."""

    def __init__(self, installed: InstalledVoice, piper: PiperVoice, lang: str, speed: str) -> None:
        self.name = installed.name
        self.rate = installed.rate
        self._piper = piper
        self._lang = lang
        self._length = _LENGTHS[speed]

    def pcm(self, sentence: str) -> bytes:
        """Return the sentence as 16-bit mono samples."""
        from piper import SynthesisConfig

        said = speakable(sentence, self._lang)
        how = SynthesisConfig(length_scale=self._length * self._piper.config.length_scale)
        try:
            with LOCK:
                # Piper asks espeak-ng for the phonemes; synthesis comes piece by piece in between.
                chunks = [chunk.audio_int16_bytes for chunk in self._piper.synthesize(said, how)]
        except _refusals() as error:
            raise SpeechError("speech-failed", reason=_first_line(error)) from error
        return b"".join(chunks)


def language(code: str) -> str:
    """Return our name for a language code such as es, es-MX or pt_BR; raise SpeechError if unknown."""
    base = code.strip().casefold().replace("_", "-").partition("-")[0]
    if base not in VOICES:
        raise SpeechError("speech-lang", lang=code[:40], choices=", ".join(VOICES))
    return base


def open_voice(settings: Settings, lang: str) -> Voice:
    """Return the best voice here for `lang`; a Piper voice that does not load gives way to espeak-ng."""
    known = language(lang)
    for installed in (voice for folder in settings.folders("voices") for voice in installed_voices(folder)):
        if installed.lang.partition("-")[0] == known:
            try:
                return open_installed(installed, known, settings.speed)
            except SpeechError:
                continue
    return EspeakVoice(espeak(), known, settings.speed)


def installed_voices(folder: Path) -> list[InstalledVoice]:
    """Return the Piper voices in `folder` whose description can be read, in order of name."""
    found = []
    for path in sorted(folder.glob("*.onnx")):
        try:
            found.append(read_voice(path))
        except SpeechError:
            continue
    return found


def read_voice(path: Path) -> InstalledVoice:
    """Read what a voice says about itself; raise SpeechError when that is missing or broken."""
    about = path.with_name(f"{path.name}.json")
    try:
        facts = json.loads(about.read_text(encoding="utf-8"))
        return InstalledVoice(
            name=path.name.removesuffix(".onnx"),
            path=path,
            lang=str(facts["espeak"]["voice"]).casefold(),
            rate=int(facts["audio"]["sample_rate"]),
            speakers=int(facts["num_speakers"]),
        )
    except OSError as error:
        raise SpeechError("voice-undescribed", path=about, reason=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SpeechError("voice-undescribed", path=about, reason=str(error)) from error


def open_installed(installed: InstalledVoice, lang: str, speed: str) -> Voice:
    """Load a Piper voice; raise SpeechError when its files are not what they should be."""
    import onnxruntime
    from piper import PiperConfig, PiperVoice

    # Its warnings about single phonemes would land on the screen.
    logging.getLogger("piper").propagate = False
    logging.getLogger("piper").addHandler(logging.NullHandler())
    options = onnxruntime.SessionOptions()
    # Two threads were slower than one on old laptops.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        about = installed.path.with_name(f"{installed.path.name}.json").read_text(encoding="utf-8")
        config = PiperConfig.from_dict(json.loads(about))
        session = onnxruntime.InferenceSession(str(installed.path), options, providers=["CPUExecutionProvider"])
    except _refusals() as error:
        raise SpeechError("voice-broken", path=installed.path, reason=_first_line(error)) from error
    return NeuralVoice(installed, PiperVoice(session=session, config=config), lang, speed)


def _refusals() -> tuple[type[Exception], ...]:
    """Return what Piper and onnxruntime raise for files and texts they cannot use."""
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    return (
        refusals.Fail, refusals.InvalidArgument, refusals.InvalidGraph, refusals.InvalidProtobuf,
        refusals.NoModel, refusals.NoSuchFile, refusals.NotImplemented, refusals.RuntimeException,
        RuntimeError, OSError, ValueError, KeyError, TypeError, IndexError,
    )  # fmt: skip


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def speak_to_wav(voice: Voice, text: str, path: Path) -> float:
    """Write `text` as a WAV file and return its length in seconds."""
    if len(text) > LONGEST_TEXT:
        raise SpeechError("speech-long", characters=len(text), most=LONGEST_TEXT)
    return write_wav(path, voice.rate, (voice.pcm(sentence) for sentence in sentences(text)))

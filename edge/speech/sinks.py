"""Where sound goes: the sound card, a player program, or nowhere.

A sink plays one sentence at a time, blocks until it was heard, and gives up within a few
hundredths of a second when asked. Which one to use is found out by trying.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from functools import cache
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from edge.errors import SpeechError

if TYPE_CHECKING:
    import miniaudio

Stop = Callable[[], bool]

_POLL_SECONDS = 0.02
_BUFFER_MILLISECONDS = 60
"""One of the three buffers a card fills in turn."""

_PLAYERS = {
    "pw-play": ("--rate={rate}", "--channels=1", "--format=s16", "-"),
    "paplay": ("--raw", "--rate={rate}", "--channels=1", "--format=s16le"),
    "aplay": ("-q", "-t", "raw", "-f", "S16_LE", "-r", "{rate}", "-c", "1", "-"),
}
"""Programs that play raw samples from their standard input, best first."""


class Sink(Protocol):
    """Something that plays."""

    def play(self, pcm: bytes, stop: Stop) -> None:
        """Play until the end or until `stop`; raise SpeechError when the device is gone."""

    def close(self) -> None:
        """Let go of the device."""


class NullSink:
    """Nowhere: for machines without sound. Takes no time."""

    def play(self, pcm: bytes, stop: Stop) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class CardSink:
    """The sound card, through miniaudio."""

    def __init__(self, device: miniaudio.PlaybackDevice) -> None:
        self._device = device

    @classmethod
    def open(cls, rate: int, backends: tuple[str, ...] = ()) -> CardSink:
        """Open the sound card; `backends` are miniaudio's names, by default the usual ones."""
        try:
            import miniaudio
        except (ImportError, OSError) as error:
            raise SpeechError("sound-none", reason=str(error)) from error
        quiet_alsa()
        names = backends or _usual_backends()
        try:
            device = miniaudio.PlaybackDevice(
                nchannels=1,
                sample_rate=rate,
                buffersize_msec=_BUFFER_MILLISECONDS,
                backends=[miniaudio.Backend[name] for name in names],
                app_name="amauta",
            )
        except miniaudio.MiniaudioError as error:
            raise SpeechError("sound-none", reason=str(error)) from error
        return cls(device)

    def play(self, pcm: bytes, stop: Stop) -> None:
        """Play until the end or until `stop`."""
        import miniaudio

        ended = Event()
        feed = _feed(pcm, self._device.sample_rate, ended)
        next(feed)
        try:
            self._device.start(feed)
            seconds = len(pcm) / 2 / self._device.sample_rate
            # A card that takes no samples any more must not hold us for ever.
            for _ in range(int((2 * seconds + 3) / _POLL_SECONDS)):
                if ended.wait(_POLL_SECONDS) or stop():
                    break
            self._device.stop()
        except miniaudio.MiniaudioError as error:
            raise SpeechError("sound-lost", reason=str(error)) from error

    def close(self) -> None:
        """Let go of the sound card."""
        self._device.close()


class PlayerSink:
    """A player program; it is started for each sentence."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command

    @classmethod
    def open(cls, rate: int) -> PlayerSink:
        """Find a player that works here, by letting it play a moment of silence."""
        for name, arguments in _PLAYERS.items():
            if program := shutil.which(name):
                sink = cls((program, *(argument.format(rate=rate) for argument in arguments)))
                try:
                    sink.play(bytes(rate // 10), lambda: False)
                except SpeechError:
                    continue
                return sink
        raise SpeechError("sound-none", reason="no player")

    def play(self, pcm: bytes, stop: Stop) -> None:
        """Play until the end or until `stop`, which ends the program."""
        quiet = subprocess.DEVNULL
        try:
            player = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
        except OSError as error:
            raise SpeechError("sound-lost", reason=str(error)) from error
        with player:
            broken = _pour(player, pcm, stop)
            while not broken and player.poll() is None and not stop():
                try:
                    player.wait(_POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
            if stop():
                player.kill()
        if not stop() and (broken or player.returncode):
            raise SpeechError("sound-lost", reason=f"{self._command[0]} {player.returncode}")

    def close(self) -> None:
        """Do nothing: no program runs between sentences."""


def open_sink(rate: int) -> Sink:
    """Return the first way to make sound that works here; raise SpeechError when there is none."""
    for opener in (CardSink.open, PlayerSink.open):
        try:
            return opener(rate)
        except SpeechError:
            continue
    raise SpeechError("sound-none", reason="")


@cache
def quiet_alsa() -> object:
    """Stop libasound from writing its troubles over the screen; return what must stay alive."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        alsa = ctypes.CDLL("libasound.so.2")
        handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)(
            lambda *_: None
        )
        alsa.snd_lib_error_set_handler(handler)
    except (OSError, AttributeError):
        return None
    return alsa, handler


def _usual_backends() -> tuple[str, ...]:
    if sys.platform == "win32":
        return "WASAPI", "DSOUND", "WINMM"
    return ("COREAUDIO",) if sys.platform == "darwin" else ("PULSEAUDIO", "ALSA")


def _feed(pcm: bytes, rate: int, ended: Event) -> Generator[bytes, int, None]:
    """Give the card what it asks for, then silence until its own buffer was heard."""
    sound = pcm + bytes(2 * (4 * _BUFFER_MILLISECONDS * rate // 1000))
    position = 0
    frames = yield b""
    while True:
        piece = sound[position : position + 2 * frames]
        position += len(piece)
        if position >= len(sound):
            ended.set()
        frames = yield piece.ljust(2 * frames, b"\0")


def _pour(player: subprocess.Popen[Any], pcm: bytes, stop: Stop) -> bool:
    """Write the samples little by little; tell whether the player broke off."""
    if player.stdin is None:
        return True
    try:
        with player.stdin as pipe:
            for start in range(0, len(pcm), 2048):
                if stop():
                    player.kill()
                    return False
                pipe.write(pcm[start : start + 2048])
                pipe.flush()
    except OSError:
        return not stop()
    return False

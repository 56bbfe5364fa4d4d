"""Sentences are spoken in order and in the background; silence comes at once; no sound is no trouble."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.errors import SpeechError
from edge.speech.sinks import CardSink, NullSink, PlayerSink, Sink, Stop
from edge.speech.speaker import Speaker
from promptness import within

RATE = 16000


@dataclass
class TalkingClock:
    """A voice: one tenth of a second for each letter."""

    name: str = "clock"
    rate: int = RATE
    fails_on: str = ""

    def pcm(self, sentence: str) -> bytes:
        if sentence == self.fails_on:
            raise SpeechError("speech-failed", reason=sentence)
        return sentence.encode() + b"\1" * (2 * RATE * len(sentence) // 10 - len(sentence.encode()))


@dataclass
class Ear:
    """A sink that hears in real time and remembers what it heard to the end."""

    heard: list[str] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    closed: bool = False

    def play(self, pcm: bytes, stop: Stop) -> None:
        self.started.set()
        end = time.monotonic() + len(pcm) / 2 / RATE
        while time.monotonic() < end:
            if stop():
                return
            time.sleep(0.005)
        self.heard.append(pcm.split(b"\1")[0].decode())

    def close(self) -> None:
        self.closed = True


def test_sentences_are_spoken_in_order_without_blocking() -> None:
    ear = Ear()
    speaker = Speaker(TalkingClock(), lambda _: ear)
    with within(0.1):
        for sentence in ("a", "b", "c"):
            speaker.put(sentence)
    assert speaker.busy
    assert speaker.wait(5)
    assert not speaker.busy
    assert ear.heard == ["a", "b", "c"]
    speaker.close()
    assert ear.closed


def test_hush_is_silence_within_a_fifth_of_a_second_and_forgets_what_waited() -> None:
    ear = Ear()
    speaker = Speaker(TalkingClock(), lambda _: ear)
    speaker.put("a very long sentence " * 5)
    speaker.put("never heard")
    assert ear.started.wait(10)
    with within(0.2):
        speaker.hush()
        assert speaker.wait(10)
    speaker.put("x")
    assert speaker.wait(10)
    speaker.close()
    assert ear.heard == ["x"]


def test_closing_in_the_middle_of_a_sentence_is_quick_and_may_be_repeated() -> None:
    speaker = Speaker(TalkingClock(), lambda _: Ear())
    speaker.put("a very long sentence " * 5)
    with within(0.5):
        speaker.close()
        speaker.close()
    speaker.put("a")
    assert speaker.wait(10)
    speaker.close()


def no_sound(_rate: int) -> Sink:
    raise SpeechError("sound-none", reason="")


def test_without_a_device_it_says_so_once_and_goes_on() -> None:
    problems: list[SpeechError] = []
    speaker = Speaker(TalkingClock(), no_sound, problems.append)
    for _ in range(5):
        speaker.put("a very long sentence")
        assert speaker.wait(1)
    speaker.close()
    assert speaker.problem == "sound-none"
    assert len(problems) == 1
    assert "no sound" in str(problems[0])


@dataclass
class Unplugged(Ear):
    """A device that is pulled out."""

    def play(self, pcm: bytes, stop: Stop) -> None:
        raise SpeechError("sound-lost", reason="unplugged")


def test_a_device_that_is_pulled_out_is_let_go() -> None:
    device = Unplugged()
    speaker = Speaker(TalkingClock(), lambda _: device)
    for _ in range(3):
        speaker.put("a")
    assert speaker.wait(2)
    assert device.closed
    assert speaker.problem == "sound-lost"
    speaker.close()


def test_a_sentence_the_voice_cannot_say_is_skipped() -> None:
    ear = Ear()
    problems: list[SpeechError] = []
    speaker = Speaker(TalkingClock(fails_on="b"), lambda _: ear, problems.append)
    for sentence in ("a", "b", "c", "b"):
        speaker.put(sentence)
    assert speaker.wait(10)
    assert ear.heard == ["a", "c"]
    assert speaker.problem == "speech-failed"
    assert len(problems) == 1
    speaker.close()


def test_the_sound_card_plays_in_real_time_and_stops_at_once() -> None:
    # miniaudio's own pretended card: everything but the loudspeaker is real.
    card = CardSink.open(RATE, ("NULL",))
    started = time.monotonic()
    card.play(bytes(RATE), lambda: False)
    assert 0.45 < time.monotonic() - started < 10
    started = time.monotonic()
    with within(0.3):
        card.play(bytes(RATE * 20), lambda: time.monotonic() - started > 0.1)
    card.close()


def test_speaking_on_the_card_falls_silent_within_a_fifth_of_a_second() -> None:
    speaker = Speaker(TalkingClock(), lambda rate: CardSink.open(rate, ("NULL",)))
    speaker.put("a very long sentence")
    time.sleep(0.3)
    with within(0.2):
        speaker.hush()
        assert speaker.wait(10)
    speaker.close()


def player(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable} -IS\nimport sys, time\n{script}\n")
    path.chmod(0o755)


SLOW_PLAYER = "while sys.stdin.buffer.read(3200): time.sleep(0.1)"
needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="Windows runs no scripts as programs")


@needs_scripts
def test_a_player_program_is_used_and_ended_when_silence_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player(tmp_path, "paplay", "sys.exit(1)")
    player(tmp_path, "aplay", SLOW_PLAYER)
    monkeypatch.setenv("PATH", str(tmp_path))
    sink = PlayerSink.open(RATE)
    started = time.monotonic()
    with within(0.6):
        sink.play(bytes(2 * RATE * 20), lambda: time.monotonic() - started > 0.3)


@needs_scripts
def test_a_player_that_has_heard_everything_is_ended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player(tmp_path, "aplay", "time.sleep(9 if len(sys.stdin.buffer.read()) > 4000 else 0)")
    monkeypatch.setenv("PATH", str(tmp_path))
    sink = PlayerSink.open(RATE)
    started = time.monotonic()
    with within(0.6):
        sink.play(bytes(8000), lambda: time.monotonic() - started > 0.3)


@needs_scripts
@pytest.mark.parametrize("script", ["sys.exit(1)", "sys.stdin.buffer.read(100); sys.exit(3)"])
def test_players_that_fail_are_no_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    player(tmp_path, "aplay", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpeechError) as caught:
        PlayerSink.open(RATE)
    assert caught.value.key == "sound-none"


def test_the_null_sink_takes_no_time() -> None:
    with within(0.1):
        NullSink().play(bytes(10**7), lambda: False)

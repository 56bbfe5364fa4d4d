"""Text becomes sound, with nothing installed beside the wheels; the sound is measured."""

from __future__ import annotations

import array
import json
import math
import os
import shutil
import sys
import threading
import wave
from pathlib import Path

import pytest

from edge.errors import SpeechError
from edge.settings import Settings
from edge.speech.espeak import VOICES, espeak
from edge.speech.voice import (
    LONGEST_TEXT,
    installed_voices,
    language,
    open_installed,
    open_voice,
    read_voice,
    speak_to_wav,
)
from edge.words import LANGUAGES
from promptness import within

TINY = Path(__file__).parents[1] / "data" / "voices" / "es_tiny.onnx"


def loudness(pcm: bytes) -> float:
    samples = array.array("h", pcm)
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


def seconds(pcm: bytes, rate: int) -> float:
    return len(pcm) / 2 / rate


def with_tiny(home: Path, lang: str = "es-419") -> Settings:
    settings = Settings(home)
    settings.voices_folder.mkdir()
    shutil.copy(TINY, settings.voices_folder / "tiny.onnx")
    about = json.loads(TINY.with_name("es_tiny.onnx.json").read_text(encoding="utf-8"))
    about["espeak"]["voice"] = lang
    (settings.voices_folder / "tiny.onnx.json").write_text(json.dumps(about), encoding="utf-8")
    return settings


@pytest.mark.parametrize("lang", VOICES)
def test_every_language_speaks_without_any_installed_voice(tmp_path: Path, lang: str) -> None:
    voice = open_voice(Settings(tmp_path), lang)
    pcm = voice.pcm("Mama, papa, amauta.")
    assert 0.8 < seconds(pcm, voice.rate) < 6
    assert loudness(pcm) > 500


def test_more_text_takes_longer_and_a_slow_voice_too(tmp_path: Path) -> None:
    lengths = {
        speed: len(open_voice(Settings(tmp_path, speed=speed), "es").pcm("Buenos días, niñas y niños."))
        for speed in ("slow", "normal", "fast")
    }
    assert lengths["slow"] > 1.15 * lengths["normal"] > 1.3 * lengths["fast"]
    voice = open_voice(Settings(tmp_path), "es")
    assert len(voice.pcm("Uno, dos, tres, cuatro.")) > 1.5 * len(voice.pcm("Uno."))


def test_numbers_sound_as_their_words(tmp_path: Path) -> None:
    voice = open_voice(Settings(tmp_path), "es")
    # espeak-ng never says the same twice to the sample.
    for written, said in (("Tengo 21 años.", "Tengo veintiún años."), ("[[x]] **Hola**", "x Hola.")):
        assert len(voice.pcm(written)) == pytest.approx(len(voice.pcm(said)), rel=0.02)


def test_espeak_stops_when_told() -> None:
    text = "Había una vez un sapo que vivía en el río. " * 400
    heard: list[bool] = []
    with within(0.2):
        pcm = espeak().pcm(text, "es-419", 150, stop=lambda: bool(heard.append(True)) or len(heard) > 2)
    assert len(pcm) < 2 * 22050 * 5
    assert loudness(espeak().pcm("Y sigue hablando.", "es-419", 150)) > 500


def test_a_piper_voice_is_preferred_and_really_speaks(tmp_path: Path) -> None:
    settings = with_tiny(tmp_path)
    voice = open_voice(settings, "es")
    assert (voice.name, voice.rate) == ("tiny", 16000)
    pcm = voice.pcm("Hola, ¿qué tal? Tengo 21 años.")
    assert seconds(pcm, voice.rate) > 1
    assert loudness(pcm) > 500
    slow = open_voice(Settings(tmp_path, speed="slow"), "es").pcm("Hola, ¿qué tal? Tengo 21 años.")
    assert len(slow) > 1.15 * len(pcm)


def test_a_voice_of_another_language_is_not_taken(tmp_path: Path) -> None:
    settings = with_tiny(tmp_path, "pt-br")
    assert open_voice(settings, "pt").name == "tiny"
    assert open_voice(settings, "es").name == "espeak-ng es-419"


def test_a_broken_voice_gives_way_to_espeak(tmp_path: Path) -> None:
    settings = with_tiny(tmp_path)
    model = settings.voices_folder / "tiny.onnx"
    model.write_bytes(model.read_bytes()[:40_000])
    assert open_voice(settings, "es").name == "espeak-ng es-419"
    with pytest.raises(SpeechError) as caught:
        open_installed(read_voice(model), "es", "normal")
    assert caught.value.key == "voice-broken"
    (settings.voices_folder / "tiny.onnx.json").write_text("{}")
    assert installed_voices(settings.voices_folder) == []


def test_piper_and_espeak_speak_from_two_threads_without_mixing(tmp_path: Path) -> None:
    settings = with_tiny(tmp_path)
    piper, robot = open_voice(settings, "es"), open_voice(settings, "pt")
    sentence = "Olá, hoje temos dez laranjas."
    alone = {voice.name: len(voice.pcm(sentence)) for voice in (piper, robot)}
    found: dict[str, set[int]] = {piper.name: set(), robot.name: set()}

    def work(name: str) -> None:
        voice = {piper.name: piper, robot.name: robot}[name]
        for _ in range(8):
            found[name].add(len(voice.pcm(sentence)))

    threads = [threading.Thread(target=work, args=(name,)) for name in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, lengths in found.items():
        assert min(lengths) > 0.98 * alone[name]
        assert max(lengths) < 1.02 * alone[name]


def test_a_wav_file_is_16_bit_mono_and_as_long_as_said(tmp_path: Path) -> None:
    path = tmp_path / "hola.wav"
    said = speak_to_wav(open_voice(Settings(tmp_path), "es"), "Hola. Me llamo Rosa y tengo 9 años.", path)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22050)
        assert file.getnframes() / file.getframerate() == pytest.approx(said)
        assert loudness(file.readframes(file.getnframes())) > 500
    assert 1.5 < said < 8


@pytest.mark.parametrize(
    ("text", "out", "key"),
    [
        ("Hola.", "missing/hola.wav", "wav-unwritable"),
        ("Hola.", ".", "wav-unwritable"),
        (" \x00 ¿? ", "hola.wav", "speech-empty"),
        ("a" * (LONGEST_TEXT + 1), "hola.wav", "speech-long"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path: Path, text: str, out: str, key: str) -> None:
    with pytest.raises(SpeechError) as caught:
        speak_to_wav(open_voice(Settings(tmp_path), "es"), text, tmp_path / out)
    assert caught.value.key == key
    for lang in LANGUAGES:
        assert len(caught.value.say(lang).splitlines()) == 2
    assert not (tmp_path / "missing").exists()


def test_language_codes_are_understood_or_refused() -> None:
    assert [language(code) for code in ("es", "es-MX", "pt_BR", " EN ", "qu")] == [
        "es",
        "es",
        "pt",
        "en",
        "qu",
    ]
    for wrong in ("", "zz", "español", "e" * 1000):
        with pytest.raises(SpeechError, match="cannot speak"):
            language(wrong)


def test_speaking_with_espeak_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pathlib import Path; from edge.settings import Settings\n"
        "from edge.speech.voice import open_voice; from edge.speech.speaker import Speaker\n"
        "assert open_voice(Settings(Path('/nowhere')), 'es').pcm('Hola.')\n"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'onnxruntime', 'piper', 'miniaudio')))"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0

"""`amauta speak`: read a text aloud, or into a WAV file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.command_line import ExitCode
from edge.errors import SpeechError
from edge.settings import Settings
from edge.speech.espeak import UNPROVEN
from edge.speech.plain import sentences
from edge.speech.speaker import Speaker
from edge.speech.voice import LONGEST_TEXT, Voice, language, open_voice, speak_to_wav
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `speak`."""
    parser.add_argument("text", metavar="TEXT", help=words.say("verbs.speak.text"))
    parser.add_argument("--lang", metavar="L", help=words.say("verbs.speak.lang"))
    parser.add_argument("--out", metavar="WAV", type=Path, help=words.say("verbs.speak.out"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Speak, or write the sound."""
    words = words_for("edge", settings.spoken_lang)
    lang = language(args.lang if args.lang is not None else settings.spoken_lang)
    text = _standard_input() if args.text == "-" else args.text
    if not sentences(text[:LONGEST_TEXT]):
        raise SpeechError("speech-empty")
    voice = open_voice(settings, lang)
    if lang in UNPROVEN:
        sys.stderr.write(f"{words.say('speech.unproven', lang=lang)}\n")
    if args.out is None:
        _play(voice, text)
        return ExitCode.DONE
    seconds = speak_to_wav(voice, text, args.out)
    facts = {"path": args.out, "seconds": f"{seconds:.1f}", "voice": voice.name}
    sys.stderr.write(f"{words.say('speech.saved', **facts)}\n")
    return ExitCode.DONE


def _play(voice: Voice, text: str) -> None:
    problems: list[SpeechError] = []
    speaker = Speaker(voice, on_problem=problems.append)
    try:
        for sentence in sentences(text):
            speaker.put(sentence)
        # In short waits, so that Ctrl+C is heard.
        while not speaker.wait(0.2):
            pass
    finally:
        speaker.close()
    if problems:
        raise problems[0]


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read(4 * LONGEST_TEXT + 4).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= 4 * LONGEST_TEXT:
            raise SpeechError("speech-long", characters=4 * LONGEST_TEXT, most=LONGEST_TEXT) from error
        raise SpeechError("speech-text", reason=error.reason) from error
    except OSError as error:
        raise SpeechError("speech-text", reason=error.strerror or str(error)) from error

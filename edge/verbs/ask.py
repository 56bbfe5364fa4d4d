"""`amauta ask`: one question, one answer with its source."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from edge.cli import lang_of
from edge.command_line import ExitCode
from edge.errors import EdgeError, StoreError
from edge.library.library import Library
from edge.settings import Settings
from edge.tutor.numbers import numbers_of
from edge.tutor.reply import Piece, Reply, Sentence, Waiting
from edge.tutor.workshop import open_tutor
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `ask`."""
    parser.add_argument("question", metavar="QUESTION", help=words.say("verbs.ask.question"))
    parser.add_argument("--lesson", metavar="ID", help=words.say("verbs.ask.lesson"))
    parser.add_argument("--lang", metavar="L", help=words.say("verbs.ask.lang"))
    parser.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    parser.add_argument("--out", metavar="WAV", type=Path, help=words.say("verbs.ask.out"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Answer one question on stdout; keep the turn."""
    lang = lang_of(args.lang, settings)
    library = Library.open(settings)
    try:
        if args.lesson is not None:
            library.lesson(args.lesson)
        reply, spoken = _answer(args, settings, library, lang)
    finally:
        library.close()
    if args.json:
        _is_read(f"{as_json(reply)}\n")
    else:
        for source in reply.sources:
            line = words_for("edge", settings.spoken_lang).say("ask.source", title=source.place, lesson=source.lesson)
            _is_read(f"\n{line}\n")
    if reply.trouble is not None:
        sys.stderr.write(f"{reply.trouble.say(settings.spoken_lang)}\n")
    if reply.mode == "guard" and (trouble := numbers_of(settings).trouble) is not None:
        sys.stderr.write(f"{trouble.say(settings.spoken_lang)}\n")
    _keep(args.question, reply, settings)
    if args.out is not None:
        _write_wav(args.out, spoken, settings, lang)
    return ExitCode.DONE


def _answer(args: argparse.Namespace, settings: Settings, library: Library, lang: str) -> tuple[Reply, list[str]]:
    """Run the turn; without --json the pieces appear as they come."""
    spoken: list[str] = []
    reply: Reply | None = None
    read = True
    turn = open_tutor(settings, library).answer(
        args.question, lang=lang, lesson=args.lesson, stop=lambda: not (read or args.out)
    )
    for event in turn:
        match event:
            case Piece(text) if not args.json:
                read = _is_read(text)
            case Sentence(text):
                spoken.append(text)
            case Waiting():
                sys.stderr.write(f"{event.say(words_for('edge', settings.spoken_lang))}\n")
                sys.stderr.flush()
            case Reply():
                reply = event
    assert reply is not None, "a turn ends with its reply"
    if not args.json:
        _is_read("\n")
    return reply, spoken


def _is_read(text: str) -> bool:
    """Write to stdout and tell whether anybody reads it; `| head` may have gone, and the turn is kept nevertheless."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def as_json(reply: Reply) -> str:
    """Return the reply as the command contract has it."""
    fields = {
        "answer": reply.text,
        "mode": reply.mode,
        "sources": [
            {
                "pack": s.pack,
                "lesson": s.lesson,
                "title": s.title,
                "passage": s.passage,
                "page": s.page,
                "section": s.section,
            }
            for s in reply.sources
        ],
        "lang": reply.lang,
        "first_piece_ms": reply.first_piece_ms,
        "total_ms": reply.total_ms,
        "model": reply.model,
    }
    return json.dumps(fields, ensure_ascii=False)


def _keep(question: str, reply: Reply, settings: Settings) -> None:
    """Keep the turn; an answer already given is not taken back because the disk is full."""
    from edge.learning.store import Store

    try:
        store = Store.open(settings.store_path)
        try:
            lesson = reply.sources[0].lesson if reply.sources else ""
            now = datetime.now(UTC).isoformat(timespec="seconds")
            store.append_turn(learner="", question=question, mode=reply.mode, text=reply.text, lesson=lesson, at=now)
        finally:
            store.close()
    except StoreError as error:
        sys.stderr.write(f"{error.say(settings.spoken_lang)}\n")


def _write_wav(path: Path, sentences: list[str], settings: Settings, lang: str) -> None:
    """Speak the answer into a WAV file."""
    from edge.speech.voice import open_voice
    from edge.speech.wav import write_wav

    voice = open_voice(settings, lang)
    try:
        write_wav(path, voice.rate, (voice.pcm(sentence) for sentence in sentences))
    except OSError as error:
        raise EdgeError("out-unwritable", path=path, reason=error.strerror or str(error)) from error

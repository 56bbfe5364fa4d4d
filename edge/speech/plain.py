"""Lay bare the sentences in a text: no Markdown, no control characters, one sentence at a time.

Pure. Knows nothing of how anything is said; that is `say`.
"""

from __future__ import annotations

import re
import unicodedata

from edge.speech.lexicon import LEXICONS

LONGEST_SENTENCE = 300
"""Longer ones are cut where they may be, so that sound starts early and stops at once."""

_FENCE = re.compile(r"^\s*(```|~~~).*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>")
_RULE = re.compile(r"^\s*([-*_=|:+\s]*)$")
_LEAD = re.compile(r"^\s*(?:>\s*)*(?:#{1,6}\s+|[-*+•]\s+(?:\[[ xX]\]\s*)?)?")
_BLANK = re.compile(r"_{2,}")
_EMPHASIS = re.compile(r"(?<![\w*])[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?![\w*])|\*{2,3}|~~|`")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|-])")
_END = re.compile(r"[.!?…]+[\"»”’')]*\s+")
_START = "¿¡«“‘\"'(—–-"
_SHORT = frozenset(word.casefold() for lexicon in LEXICONS.values() for word in lexicon.abbreviations)


def plain(text: str) -> str:
    """Return `text` without Markdown, one paragraph a line, each line ending like a sentence."""
    clean = _FENCE.sub("", _TAG.sub(" ", _printable(text)))
    lines = (_plain_line(line) for line in clean.splitlines())
    return "\n".join(line for line in lines if line)


def sentences(text: str) -> list[str]:
    """Return the sentences of `text`, in order, none of them blank or longer than can be stopped."""
    found: list[str] = []
    for line in plain(text).splitlines():
        start = 0
        for end in _END.finditer(line):
            if _ends_here(line, start, end.start(), end.end()):
                found.append(line[start : end.end()].strip())
                start = end.end()
        found.append(line[start:].strip())
    return [part for sentence in found if _says_something(sentence) for part in _short_enough(sentence)]


def _plain_line(line: str) -> str:
    if _RULE.match(line) and not _BLANK.search(line):
        return ""
    bare = _LEAD.sub("", line, count=1)
    bare = _LINK.sub(r"\1", bare)
    if bare.count("|") >= 2:
        bare = bare.strip().strip("|")
    bare = bare.replace("|", ", ")
    bare = _EMPHASIS.sub("", _BLANK.sub(" … ", _ESCAPE.sub(r"\1", bare)))
    bare = " ".join(bare.replace("[", " ").replace("]", " ").split())
    if not _says_something(bare):
        return ""
    return bare if bare[-1] in ".!?…:;,\"»”’')" else f"{bare}."


def _printable(text: str) -> str:
    """Drop control and invisible characters, and halves of characters."""
    whole = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (c if c == "\n" or c.isprintable() else " " for c in whole)
    return "".join(kept)


def _ends_here(line: str, start: int, end: int, next_start: int) -> bool:
    """Tell a sentence's end from the point of an abbreviation or of a list number."""
    if next_start == len(line):
        return False
    before = line[max(start, end - 30) : end].casefold().split(" ")
    last, two = before[-1], " ".join(before[-2:])
    if line[end] == "." and (f"{last.lstrip('(«¿¡')}." in _SHORT or f"{two}." in _SHORT):
        return False
    if line[end] == "." and len(before) == 1 and last.isdigit():
        return False
    following = line[next_start]
    return following in _START or following.isupper() or following.isdigit() or line[end] == "…"


def _short_enough(sentence: str) -> list[str]:
    parts = []
    while len(sentence) > LONGEST_SENTENCE:
        window = sentence[:LONGEST_SENTENCE]
        cut = max(window.rfind(mark) for mark in (", ", "; ", ": "))
        if cut < LONGEST_SENTENCE // 3:
            cut = window.rfind(" ")
        if cut < 1:
            cut = LONGEST_SENTENCE - 1
        parts.append(sentence[: cut + 1].strip())
        sentence = sentence[cut + 1 :].strip()
    return [part for part in [*parts, sentence] if _says_something(part)]


def _says_something(text: str) -> bool:
    return any(c.isalnum() or c in "+=<>%" for c in text)

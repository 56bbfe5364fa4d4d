"""Make exercises in finding a sentence and copying it, from any text.

A small model learns to answer from a passage only by doing it very often. These
questions name a few words of one sentence; the answer is that sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from edge.tutor.features import sentence_spans, words_of
from quantize.lm.prompts import NOT_SAID, Example, grounded
from quantize.lm.sources import Document

ASK = {
    "es": (
        "¿Qué dice sobre {words}?",
        "¿Qué se sabe de {words}?",
        "Háblame de {words}.",
        "{words}",
        "¿{words}?",
    ),
    "pt": (
        "O que diz sobre {words}?",
        "O que se sabe de {words}?",
        "Fale de {words}.",
        "{words}",
        "{words}?",
    ),
}
AND = {"es": " y ", "pt": " e "}
PASSAGE_CHARS = (150, 520)
MOST_SIGNS = 2
"""Passages with more equation signs than this are formulas."""

SENTENCE_CHARS = (25, 220)
ABSENT = 0.03


def copying_examples(documents: Sequence[Document], count: int, random: Random) -> Iterator[Example]:
    """Yield up to `count` exercises, as many from each source as from any other."""
    by_source: dict[str, list[tuple[str, str]]] = {}
    for document in documents:
        if not document.held:
            by_source.setdefault(document.source, []).extend(
                (document.lang, passage) for passage in passages_of(document.text) if _is_prose(passage)
            )
    for source in sorted(by_source):
        places = by_source[source]
        random.shuffle(places)
        share = count // len(by_source)
        rounds = max(1, min(5, share // max(1, len(places))))
        for lang, passage in (places * rounds)[:share]:
            example = _ask(lang, passage, random.choice(places), random)
            if example:
                yield example


def passages_of(text: str) -> Iterator[str]:
    """Yield runs of whole sentences, about as long as a lesson's paragraph."""
    least, most = PASSAGE_CHARS
    for line in text.splitlines():
        run = ""
        for start, end in sentence_spans(line):
            sentence = line[start:end]
            if len(run) + len(sentence) > most:
                if len(run) >= least:
                    yield run
                run = ""
            run = f"{run} {sentence}".strip()
        if least <= len(run) <= most:
            yield run


def _is_prose(passage: str) -> bool:
    return sum(passage.count(sign) for sign in "=^_|") <= MOST_SIGNS


def _ask(lang: str, passage: str, other: tuple[str, str], random: Random) -> Example | None:
    least, most = SENTENCE_CHARS
    sentences = [passage[start:end] for start, end in sentence_spans(passage) if least <= end - start <= most]
    if len(sentences) < 2:
        return None
    sentence = random.choice(sentences)
    mine = {word.stem for other in sentences if other != sentence for word in words_of(other)}
    words = [sentence[w.start : w.end] for w in words_of(sentence) if w.stem and w.stem not in mine]
    if not words:
        return None
    chosen = random.sample(words, min(len(words), random.choice((1, 2, 2, 3))))
    shown = AND[lang].join((", ".join(chosen[:-1]), chosen[-1])) if len(chosen) > 1 else chosen[0]
    question = random.choice(ASK[lang]).format(words=shown.lower() if random.random() < 0.5 else shown)
    if random.random() < ABSENT and other[0] == lang and not _mentions(other[1], chosen):
        return grounded("copy", lang, other[1], question, NOT_SAID[lang])
    return grounded("copy", lang, passage, question, sentence)


def _mentions(passage: str, words: Sequence[str]) -> bool:
    said = {word.stem for word in words_of(passage)}
    return any(word.stem in said for text in words for word in words_of(text))

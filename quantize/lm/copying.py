"""Make exercises in finding a sentence and copying it, from any text.

A small model learns to answer from a passage only by doing it very often. Each question is about one sentence: by a
few of its words, by its beginning, by what stands before it, by what it defines, or by a piece taken out of it. The
answer is that sentence, word for word; where it was taken away, or the passage is another, that the text does not say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random

from edge.tutor.features import sentence_spans, words_of
from quantize.lm.prompts import NOT_SAID, Example, grounded
from quantize.lm.sources import Document
from quantize.reader.cloze import make_cloze
from quantize.reader.corpus import Passage

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
BEGINS = {"es": "Copia la frase que empieza por «{words}».", "pt": "Copie a frase que começa por «{words}»."}
FOLLOWS = {"es": "¿Qué dice después de «{words}»?", "pt": "O que diz depois de «{words}»?"}
DEFINES = {"es": "¿Qué {verb} {words}?", "pt": "O que {verb} {words}?"}
DEFINITION = {
    "es": re.compile(r"((?:El|La|Los|Las|Un|Una) [^,;:.]{3,40}?) (es|son) (?:un|una|unos|unas|el|la|los|las) "),
    "pt": re.compile(r"((?:O|A|Os|As|Um|Uma) [^,;:.]{3,40}?) (é|são) (?:um|uma|uns|umas|o|a|os|as) "),
}
PASSAGE_CHARS = (150, 560)
MOST_SIGNS = 2
"""Passages with more equation signs than this are formulas."""

SENTENCE_CHARS = (25, 220)
ABSENT = 0.12
NEW_STEMS = 0.5
"""A question is not answered by a text that lacks so many of its telling words."""


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


def without(passage: str, sentence: str) -> str:
    """Return the passage with that sentence taken away."""
    kept = (passage[start:end] for start, end in sentence_spans(passage))
    return " ".join(part for part in kept if part != sentence)


def _is_prose(passage: str) -> bool:
    return sum(passage.count(sign) for sign in "=^_|") <= MOST_SIGNS


def _ask(lang: str, passage: str, other: tuple[str, str], random: Random) -> Example | None:
    least, most = SENTENCE_CHARS
    sentences = [passage[start:end] for start, end in sentence_spans(passage)]
    chosen = [number for number, sentence in enumerate(sentences) if least <= len(sentence) <= most]
    if len(sentences) < 2 or not chosen:
        return None
    at = random.choice(chosen)
    question = _question(lang, sentences, at, random)
    if not question:
        return None
    if random.random() < ABSENT:
        rest = other[1] if other[0] == lang and random.random() < 0.5 else without(passage, sentences[at])
        asked = _stems(question) & _stems(passage)
        return None if _may_answer(rest, asked) else grounded("copy", lang, rest, question, NOT_SAID[lang])
    return grounded("copy", lang, passage, question, sentences[at])


def _question(lang: str, sentences: Sequence[str], at: int, random: Random) -> str | None:
    """Return a question that only the sentence at that place answers."""
    sentence = sentences[at]
    defined = DEFINITION[lang].match(sentence)
    if defined and random.random() < 0.5:
        thing = defined[1][0].lower() + defined[1][1:]
        return DEFINES[lang].format(verb=defined[2], words=thing)
    draw = random.random()
    if draw < 0.45:
        made = make_cloze([Passage("copy", "", "train", lang, sentence)], 1, random)
        return made[0].text if made and _stems(made[0].text) & _only_in(sentences, at) else None
    if draw < 0.55:
        words = " ".join(sentence.split()[: random.randint(2, 4)])
        return BEGINS[lang].format(words=words) if sum(other.startswith(words) for other in sentences) == 1 else None
    if draw < 0.62 and at > 0:
        return FOLLOWS[lang].format(words=" ".join(sentences[at - 1].split()[-random.randint(3, 6) :]))
    return _by_words(lang, sentences, at, random)


def _by_words(lang: str, sentences: Sequence[str], at: int, random: Random) -> str | None:
    sentence, only = sentences[at], _only_in(sentences, at)
    words = [sentence[word.start : word.end] for word in words_of(sentence) if word.stem in only]
    if not words:
        return None
    chosen = random.sample(words, min(len(words), random.choice((1, 2, 2, 3))))
    shown = AND[lang].join((", ".join(chosen[:-1]), chosen[-1])) if len(chosen) > 1 else chosen[0]
    return random.choice(ASK[lang]).format(words=shown.lower() if random.random() < 0.5 else shown)


def _only_in(sentences: Sequence[str], at: int) -> set[str]:
    """Return the stems of one sentence that the others do not have."""
    return _stems(sentences[at]).difference(*(_stems(other) for n, other in enumerate(sentences) if n != at))


def _may_answer(passage: str, asked: set[str]) -> bool:
    """Tell whether a text could still be taken for an answer: it says much of what the question says."""
    return not passage or len(asked - _stems(passage)) < NEW_STEMS * max(1, len(asked))


def _stems(text: str) -> set[str]:
    return {word.stem for word in words_of(text) if word.stem}

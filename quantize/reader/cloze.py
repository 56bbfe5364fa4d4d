"""Make questions out of plain sentences: take a piece out and ask for it, in words that do not quite match.

The questions are clumsy, but their answers are exact. They teach the network to
find a sentence by what it is about before it meets the few real questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from edge.tutor.features import NUMBER_WORDS, Word, sentence_spans, words_of
from quantize.reader.corpus import Passage, Question

OPENERS = {
    "es": {
        "number": ("¿Cuántos", "¿Cuántas", "¿Cuánto", "¿Qué número de"),
        "year": ("¿Cuándo", "¿En qué año", "¿En qué fecha"),
        "name": ("¿Quién", "¿Dónde", "¿Cómo se llama", "¿Qué", "¿Cuál es el nombre de"),
        "thing": ("¿Qué", "¿Cuál es", "¿Qué es", "¿Por qué", "¿Para qué", "¿Cómo", "¿Cuáles son", "¿De qué"),
    },
    "pt": {
        "number": ("Quantos", "Quantas", "Quanto", "Qual é o número de"),
        "year": ("Quando", "Em que ano", "Em que data"),
        "name": ("Quem", "Onde", "Como se chama", "Que", "Qual é o nome de"),
        "thing": ("O que", "Qual é", "O que é", "Por que", "Para que", "Como", "Quais são", "De que"),
    },
}

PLACE_OPENERS = ("¿Dónde", "¿En qué lugar", "¿En qué", "Onde", "Em que lugar")
JOINS = ("de", "del", "da", "do", "dos", "la", "y", "e")


def make_cloze(passages: Sequence[Passage], each: int, random: Random) -> list[Question]:
    """Return up to `each` questions about every passage."""
    questions: list[Question] = []
    for number, passage in enumerate(passages):
        spans = [span for span in sentence_spans(passage.text) if span[1] - span[0] > 30]
        for start, end in random.sample(spans, min(each, len(spans))):
            question = _ask(passage, number, start, end, random)
            if question:
                questions.append(question)
    return questions


def _ask(passage: Passage, number: int, start: int, end: int, random: Random) -> Question | None:
    words = words_of(passage.text[start:end])
    if not 6 <= len(words) <= 60:
        return None
    first, last, kind = _pick(words, random)
    before = words[first - 1].folded if first else ""
    opener = random.choice(PLACE_OPENERS if kind == "name" and before in ("en", "em") else OPENERS[passage.lang][kind])
    rest = _reword(words, first, last, random)
    if sum(1 for word in rest if len(word) > 3) < 2:
        return None
    text = f"{opener} {' '.join(rest)}?"
    left, right = start + words[first].start, start + words[last].end
    return Question("cloze", passage.split, text, number, left, right, (passage.text[left:right],), True)


def _pick(words: Sequence[Word], random: Random) -> tuple[int, int, str]:
    """Choose what to ask for: a number with what it counts, a name, or a few words without a sign among them."""
    numbers = [i for i, w in enumerate(words) if w.folded[0].isdigit() or w.folded in NUMBER_WORDS]
    names = [i for i, w in enumerate(words) if i > 0 and w.capital and not words[i - 1].capital]
    draw = random.random()
    if numbers and draw < 0.4:
        at = random.choice(numbers)
        year = len(words[at].folded) == 4 and words[at].folded.isdigit()
        counts = not year and at + 1 < len(words) and bool(words[at + 1].stem) and random.random() < 0.3
        return at, at + counts, "year" if year else "number"
    if names and draw < 0.75:
        first = last = random.choice(names)
        while last + 1 < len(words) and (
            words[last + 1].capital
            or (words[last + 1].folded in JOINS and last + 2 < len(words) and words[last + 2].capital)
        ):
            last += 1
        return first, last, "name"
    content = [i for i, w in enumerate(words) if w.stem and w.folded.isalpha()] or [0]
    first = last = random.choice(content)
    for _ in range(random.choice((0, 1, 1, 2, 3, 4, 6))):
        if last + 1 < len(words) and words[last + 1].folded[0].isalnum():
            last += 1
    while last > first and not words[last].stem:
        last -= 1
    return first, last, "thing"


def _reword(words: Sequence[Word], first: int, last: int, random: Random) -> list[str]:
    """Keep part of the rest, near the gap, with some endings changed and some order lost."""
    reach = random.randint(5, 14)
    near = [i for i in range(len(words)) if not first <= i <= last and first - reach <= i <= last + reach]
    drop = random.choice((0.2, 0.35, 0.5))
    kept = [_bend(words[i].folded, random) for i in near if words[i].folded.isalnum() and random.random() > drop]
    if len(kept) > 3 and random.random() < 0.4:
        cut = random.randint(1, len(kept) - 1)
        kept = kept[cut:] + kept[:cut]
    return kept[:16]


def _bend(word: str, random: Random) -> str:
    """Change a word's ending now and then, as another way of asking would."""
    if len(word) < 5 or random.random() > 0.15:
        return word
    if word.endswith("s"):
        return word[:-1]
    return random.choice((f"{word}s", word[:-1] + "ar", word[:-1] + "o", word[:-1] + "a"))

"""Learn the vocabulary: pieces of words, and how much each stem tells about a topic."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from edge.files import write_atomic
from edge.tutor.encoding import SPECIAL_PIECES
from edge.tutor.features import words_of

SEEN_AT_LEAST = 3


def make_vocabulary(texts: Sequence[str], size: int, path: Path) -> None:
    """Write the vocabulary that `texts` suggest, as the reader on the device loads it."""
    counted: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    for text in texts:
        words = words_of(text)
        counted.update(word.folded for word in words)
        documents.update({word.stem for word in words if word.stem})
    weights = {
        stem: round(math.log(len(texts) / count), 1) for stem, count in documents.items() if count >= SEEN_AT_LEAST
    }
    content = {"pieces": _learn_pieces(counted, size), "weights": dict(sorted(weights.items()))}
    write_atomic(path, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def _learn_pieces(counted: Counter[str], size: int) -> list[str]:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token=SPECIAL_PIECES[1]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=list(SPECIAL_PIECES), show_progress=False, limit_alphabet=160
    )
    tokenizer.train_from_iterator(_repeated(counted), trainer)
    found: dict[str, int] = tokenizer.get_vocab()
    return sorted(found, key=lambda piece: found[piece])


def _repeated(counted: Counter[str]) -> Iterable[str]:
    for word, count in sorted(counted.items()):
        for _ in range(min(count, 2000) if count > 1 else 0):
            yield word

"""Find, in the passages of the library, the sentence that answers a question.

A small network reads the question beside each passage; a calibration turns what it
says, and what the words themselves say, into the probability that a sentence answers.
It invents nothing: it points at text that is there, or is not sure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.onnx.session import open_session, refusals
from edge.tutor.clues import Asked
from edge.tutor.encoding import Vocabulary, lay_out, parse_vocabulary, sequences, understand
from edge.tutor.seen import Judge, Seen, describe, parse_judge

NETWORK, VOCABULARY, CARD = "reader.onnx", "vocabulary.json", "card.json"
THREADS = 1
"""Two are no faster on rows of a hundred pieces: they wait for each other (`python -m benchmarks onnx_reader`)."""
AT_MOST = 5
MAX_PASSAGES = 12
MAX_PASSAGE_LETTERS = 6000
KEPT_ROWS = 256
"""So many pairs of question and passage are not read again: 10 kB each, at most."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence that may answer, where it stands, and how sure the reader is."""

    passage: int
    sentence: str
    """Verbatim, as it stands in the passage."""

    confidence: float
    """The probability, measured on questions held out from training, that this sentence answers."""

    start: int
    end: int
    find_span: Callable[[], str] = field(repr=False, compare=False)

    @property
    def span(self) -> str:
        """Return the few words of the sentence that answer best, verbatim."""
        return self.find_span()


class Reader:
    """The network, its vocabulary and its judge, ready to read."""

    def __init__(self, session: Any, vocabulary: Vocabulary, judge: Judge) -> None:
        self._session = session
        self._vocabulary = vocabulary
        self._judge = judge
        self._logits = lru_cache(maxsize=KEPT_ROWS)(self._run)

    @classmethod
    def open(cls, folder: Path | None = None, threads: int = THREADS) -> Reader:
        """Open the reader in `folder`, or the embedded one; raise ModelError when it cannot be trusted."""
        place = folder or Path(str(files("edge").joinpath("models", "reader")))
        card = _read_card(place)
        content = {name: _read_checked(place / name, card) for name in (NETWORK, VOCABULARY)}
        try:
            vocabulary = parse_vocabulary(content[VOCABULARY])
            judge = parse_judge(card["calibration"])
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError("reader-damaged", path=place, reason=str(error)) from error
        return cls(_session(content[NETWORK], place, threads), vocabulary, judge)

    def read(self, question: str, passages: Sequence[str], lang: str) -> list[Reading]:
        """Return the sentences that may answer, the surest first, at most five; `passages` best first."""
        del lang  # one network reads Spanish and Portuguese
        many = self.look(question, passages)
        judged = sorted(zip(self._judge.confidences(many), many, strict=True), key=lambda pair: -pair[0])[:AT_MOST]
        return [self._reading(question, passages, seen, confidence) for confidence, seen in judged]

    def _reading(self, question: str, passages: Sequence[str], seen: Seen, confidence: float) -> Reading:
        text = passages[seen.passage]

        def span() -> str:
            first, last = self._judge.best_words(self.understand(question), seen)
            return text[first:last]

        return Reading(seen.passage, text[seen.start : seen.end], confidence, seen.start, seen.end, span)

    def understand(self, question: str) -> Asked:
        """Look at a question as the reader does."""
        return understand(question, self._vocabulary)

    def look(self, question: str, passages: Sequence[str]) -> list[Seen]:
        """Describe every sentence of the passages; what calibration and evaluation start from."""
        asked = self.understand(question)
        if not asked.words:
            return []
        many: list[Seen] = []
        for number, text in enumerate(passages[:MAX_PASSAGES]):
            found = lay_out(asked, text[:MAX_PASSAGE_LETTERS], self._vocabulary)
            read = [(row, self._logits(tuple(row.ids), tuple(row.kinds))) for row in sequences(found)]
            many.extend(describe(number, found, read))
        return many

    def _run(self, ids: Sequence[int], kinds: Sequence[int]) -> Any:
        """Return what the network says of each piece of one row.

        Rows go alone: together the shorter ones would be filled up, and since int8 scales are shared, what is said of
        a passage would depend on the others.
        """
        import numpy as np

        table = np.array([ids], dtype=np.int64)
        given = {
            "input_ids": table,
            "token_type_ids": np.array([kinds], dtype=np.int64),
            "attention_mask": np.ones_like(table),
        }
        return self._session.run(None, given)[0][0]


def _read_card(place: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads((place / CARD).read_bytes())
    except OSError as error:
        raise ModelError("reader-missing", path=place / CARD, reason=error.strerror or str(error)) from error
    except ValueError as error:
        raise ModelError("reader-damaged", path=place / CARD, reason=str(error)) from error
    return card


def _read_checked(path: Path, card: Mapping[str, Any]) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError("reader-missing", path=path, reason=error.strerror or str(error)) from error
    try:
        wanted = card["files"][path.name]["sha256"]
    except (KeyError, TypeError) as error:
        raise ModelError("reader-damaged", path=path.with_name(CARD), reason=str(error)) from error
    if hashlib.sha256(content).hexdigest() != wanted:
        raise ModelError("reader-altered", path=path, size=len(content), wanted=card["files"][path.name]["size"])
    return content


def _session(network: bytes, place: Path, threads: int) -> Any:
    try:
        return open_session(network, threads)
    except refusals() as error:
        raise ModelError("reader-damaged", path=place / NETWORK, reason=str(error)[:200]) from error

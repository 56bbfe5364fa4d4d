"""Find, in the passages of the library, the sentence that answers a question.

A small network reads the question beside each passage; a calibration turns what it
says, and what the words themselves say, into the probability that a sentence answers.
It invents nothing: it points at text that is there, or is not sure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.tutor.clues import Asked
from edge.tutor.encoding import PAD, Vocabulary, lay_out, parse_vocabulary, sequences, understand
from edge.tutor.seen import Judge, Seen, describe, parse_judge

NETWORK, VOCABULARY, CARD = "reader.onnx", "vocabulary.json", "card.json"
THREADS = 2
AT_MOST = 5
MAX_PASSAGES = 12
MAX_PASSAGE_LETTERS = 6000


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence that may answer, where it stands, and how sure the reader is."""

    passage: int
    sentence: str
    """Verbatim, as it stands in the passage."""

    span: str
    """The few words of the sentence that answer best, verbatim."""

    confidence: float
    """The probability, measured on questions held out from training, that this sentence answers."""

    start: int
    end: int


class Reader:
    """The network, its vocabulary and its judge, ready to read."""

    def __init__(self, session: Any, vocabulary: Vocabulary, judge: Judge) -> None:
        self._session = session
        self._vocabulary = vocabulary
        self._judge = judge

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
        first, last = self._judge.best_words(self.understand(question), seen)
        return Reading(seen.passage, text[seen.start : seen.end], text[first:last], confidence, seen.start, seen.end)

    def understand(self, question: str) -> Asked:
        """Look at a question as the reader does."""
        return understand(question, self._vocabulary)

    def look(self, question: str, passages: Sequence[str]) -> list[Seen]:
        """Describe every sentence of the passages; what calibration and evaluation start from."""
        asked = self.understand(question)
        if not asked.words:
            return []
        laid = [lay_out(asked, text[:MAX_PASSAGE_LETTERS], self._vocabulary) for text in passages[:MAX_PASSAGES]]
        rows = [(number, row) for number, found in enumerate(laid) for row in sequences(found)]
        if not rows:
            return []
        logits = self._run([(row.ids, row.kinds) for _, row in rows])
        many: list[Seen] = []
        for number, found in enumerate(laid):
            read = [
                (row, values[: len(row.ids)]) for (of, row), values in zip(rows, logits, strict=True) if of == number
            ]
            many.extend(describe(number, found, read))
        return many

    def _run(self, parts: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Any:
        import numpy as np

        longest = max(len(ids) for ids, _ in parts)
        table = np.full((len(parts), longest), PAD, dtype=np.int64)
        kinds = np.zeros_like(table)
        for row, (mine, of_mine) in enumerate(parts):
            table[row, : len(mine)] = mine
            kinds[row, : len(of_mine)] = of_mine
        given = {"input_ids": table, "token_type_ids": kinds, "attention_mask": (table != PAD).astype(np.int64)}
        return self._session.run(None, given)[0]


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
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except (RuntimeError, ValueError, onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf) as error:
        raise ModelError("reader-damaged", path=place / NETWORK, reason=str(error)[:200]) from error

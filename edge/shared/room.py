"""Load a model so that many pupils share it: one memory for all conversations, common beginnings kept once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.llama.history import Fitted, fit, turns_of, without
from edge.llama.loading import load_model, open_context
from edge.llama.sequences import Sequences
from edge.llama.vocabulary import Vocabulary
from edge.tutor.adapter import put_on
from edge.tutor.engine import Message
from edge.tutor.tuning import Tuning

LESSON_TOKENS, SEAT_TOKENS = 2048, 640
"""Room for what all have in common, and for what each seat has of its own."""

BATCH_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Room:
    """A loaded model with its seats."""

    name: str
    sequences: Sequences
    vocabulary: Vocabulary
    most_tokens: int
    """Of one question with its answer."""

    def fit(self, messages: Sequence[Message], answer: int) -> Fitted:
        """Return what of a conversation a seat can hold: system line, lesson and question, and turns as far as they fit."""
        bare = self.vocabulary.conversation(without(messages, turns_of(messages) - 1))
        room = min(self.most_tokens, len(bare) + SEAT_TOKENS) - answer
        return fit(messages, self.vocabulary.conversation, room)


@contextmanager
def opened(path: Path, seats: int, *, tuning: Tuning | None = None, adapter: Path | None = None) -> Iterator[Room]:
    """Load the model for so many seats; raise ModelError when that cannot run here."""
    library, model, head = load_model(path)
    api = library.api
    most = min(LESSON_TOKENS + SEAT_TOKENS, head.context or LESSON_TOKENS)
    settings = api.llama_context_default_params()
    settings.n_ctx = most + seats * SEAT_TOKENS
    settings.n_seq_max = seats
    settings.n_batch = settings.n_ubatch = BATCH_TOKENS
    settings.kv_unified = True
    # Passes over what belongs to others; without it each token would look at everybody's conversation.
    settings.flash_attn_type = 1
    context = open_context(library, model, path, settings, head, tuning)
    vocabulary = Vocabulary(api, model, path.stem)
    sequences = Sequences(library, context, path.stem, vocabulary.size, BATCH_TOKENS, seats)
    try:
        if adapter is not None:
            put_on(library, model, context, adapter)
        yield Room(path.stem, sequences, vocabulary, most)
    finally:
        sequences.close()
        api.llama_model_free(model)

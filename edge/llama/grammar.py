"""Keep an answer within a grammar: of the tokens that the grammar allows, the likeliest.

One `Grammar` follows one answer, in one thread.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import cached_property
from typing import Any

from edge.errors import ModelError
from edge.llama.gbnf import ROOT, refuse_unfit
from edge.llama.schema import grammar_of
from edge.tutor.engine import Shape


class Grammar:
    """What may come next in one answer."""

    def __init__(self, api: Any, vocabulary: Any, shape: Shape) -> None:
        text = shape if isinstance(shape, str) else grammar_of(shape)
        refuse_unfit(text)
        self._api = api
        self._sampler = api.llama_sampler_init_grammar(vocabulary, text.encode(), ROOT.encode())
        if not self._sampler:
            raise ModelError("grammar-wrong", near=text[:20])
        weakref.finalize(self, api.llama_sampler_free, self._sampler)

    def choose(self, scores: Any) -> int | None:
        """Return the likeliest token that is allowed, and go on from it; None when nothing is."""
        import numpy as np

        best = int(scores.argmax())
        # Looking at the whole vocabulary takes long, and the model is usually right by itself.
        if (found := self._allowed(np.array([best]), scores)) is None:
            found = self._allowed(np.arange(len(scores)), scores)
        if found is not None:
            self._api.llama_sampler_accept(self._sampler, found)
        return found

    @cached_property
    def _row(self) -> Any:
        """The form of llama_token_data."""
        import numpy as np

        return np.dtype([("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])

    def _allowed(self, tokens: Any, scores: Any) -> int | None:
        """Return the likeliest of these tokens that the grammar allows, if any."""
        import numpy as np

        rows = np.zeros(len(tokens), self._row)
        rows["id"], rows["logit"] = tokens, scores[tokens]
        data = rows.ctypes.data_as(ctypes.POINTER(self._api.llama_token_data))
        found = self._api.llama_token_data_array(data=data, size=len(rows), selected=-1, sorted=False)
        self._api.llama_sampler_apply(self._sampler, ctypes.byref(found))
        best = int(rows["logit"].argmax())
        return int(rows["id"][best]) if np.isfinite(rows["logit"][best]) else None

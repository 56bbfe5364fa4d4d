"""The vocabulary that an ONNX model carries, read by llama.cpp: the same tokens and the same words as its GGUF."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.llama.vocabulary import Vocabulary
from edge.tutor.gguf import tensor_starts
from edge.tutor.llama_library import load_library


class Words:
    """A vocabulary without weights; close it when done."""

    def __init__(self, content: bytes, path: Path) -> None:
        """Load `content`, a GGUF file without weights that `path` carries; raise ModelError when it is none."""
        library = load_library()
        params = library.api.llama_model_default_params()
        params.n_gpu_layers, params.vocab_only = 0, True
        with tempfile.TemporaryDirectory(prefix="amauta-") as folder:
            # llama.cpp opens files only.
            file = Path(folder) / "vocabulary.gguf"
            try:
                file.write_bytes(content)
            except OSError as error:
                raise ModelError("model-unreadable", path=path, reason=error.strerror or str(error)) from error
            tensor_starts(file)
            self._model: Any = library.api.llama_model_load_from_file(os.fsencode(file), params)
        if not self._model:
            raise ModelError("model-refused", path=path, reason="; ".join(library.complaints) or "-")
        self._api = library.api
        self.vocabulary = Vocabulary(library.api, self._model, path.stem)

    def close(self) -> None:
        """Give the memory back."""
        if self._model:
            self._api.llama_model_free(self._model)
            self._model = None

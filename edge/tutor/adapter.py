"""Put a LoRA adapter on a loaded model: a small file that teaches a model what its base did not know.

An adapter fits one base only. Releases name it `NAME.BASE`, where BASE begins the SHA-256 of the model it was
made with; on any other model its numbers would mean nothing, so there it is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.tutor.gguf import is_adapter
from edge.tutor.llama_library import Library

BASE = re.compile(r"\.([0-9a-f]{16})\Z")
"""What the name of an adapter ends with."""


def fits(adapter_id: str, model_sha256: str) -> bool:
    """Tell whether an adapter was made with this very model."""
    base = BASE.search(adapter_id)
    return base is not None and model_sha256[:16] == base[1]


def refuse_other_base(adapter_id: str, model: str, model_sha256: str) -> None:
    """Raise ModelError unless the adapter was made with this very model."""
    if not fits(adapter_id, model_sha256):
        raise ModelError("adapter-base", name=adapter_id, model=model)


def adapter_for(shelves: Iterable[Path], model_sha256: str) -> Path | None:
    """Return the adapter that the release in use names for a model, if there is one."""
    for shelf in shelves:
        if not shelf.name.isdecimal():
            continue
        from edge.update.receipt import recorded

        for file in recorded(shelf):
            if file.kind == "adapter" and fits(file.id, model_sha256):
                return shelf / file.path
    return None


def put_on(library: Library, model: Any, context: Any, path: Path) -> None:
    """Load the adapter and use it from now on; it is freed with its model. Raise ModelError when that cannot be."""
    if not is_adapter(path):
        raise ModelError("adapter-broken", path=path)
    import ctypes

    api = library.api
    adapter = api.llama_adapter_lora_init(model, os.fsencode(path))
    if not adapter:
        raise ModelError("adapter-refused", path=path, reason="; ".join(library.complaints) or "-")
    adapters, scales = (api.llama_adapter_lora_p_ctypes * 1)(adapter), (ctypes.c_float * 1)(1.0)
    if api.llama_set_adapters_lora(context, adapters, 1, scales) != 0:
        raise ModelError("adapter-refused", path=path, reason="; ".join(library.complaints) or "-")

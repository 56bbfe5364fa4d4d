"""Run llama.cpp's own converter, in a process of its own: `runner.py CONVERTER SPLIT ARGUMENTS...`.

Two things of it are changed: a tokenizer whose hash it has not met gets the split rule that
was read from its tokenizer.json, and sentencepiece is asked for only where there is a file
for it to read. Run by `convert`; never imported by the rest.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any


def main(argv: Sequence[str]) -> None:
    """Convert with the converter in the folder `argv[0]`; what it has not met is split by `argv[1]`."""
    folder, split, *arguments = argv
    sys.path[:0] = [folder, f"{folder}/gguf-py"]
    converter = importlib.import_module("convert_hf_to_gguf")
    base = importlib.import_module("conversion.base")
    known = base.TextModel.get_vocab_base_pre
    asked = NotImplementedError  # what the converter raises for a hash that it has not met

    def split_of(model: Any, tokenizer: Any) -> str:
        try:
            return str(known(model, tokenizer))
        except asked:
            if not split:
                raise
            return split

    pieces = base.TextModel._create_vocab_sentencepiece

    def pieces_of(model: Any) -> Any:
        if not (model.dir_model / "tokenizer.model").is_file():  # before sentencepiece itself is asked for
            raise FileNotFoundError(model.dir_model / "tokenizer.model")
        return pieces(model)

    base.TextModel.get_vocab_base_pre = split_of
    base.TextModel._create_vocab_sentencepiece = pieces_of
    sys.argv[1:] = arguments
    converter.main()


if __name__ == "__main__":
    main(sys.argv[1:])

"""Turn one of our GGUF files back into a Hugging Face folder, so that training can go on from what shipped.

The weights are exactly what the file's blocks stand for, in 32 bits; the vocabulary, its merges, the split rule
and the chat template are the file's own. Files that `convert` did not write (another architecture, another split
rule) are refused: what they mean is their makers' to say. By hand: `python -m quantize.lm.revive MODEL.gguf FOLDER`.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tutor.gguf import read_head
from quantize.lm.convert import TENSORS
from quantize.lm.history import add_history
from quantize.lm.settings import Shape
from quantize.lm.tokenizer import LLAMA_CPP_SPLIT, write_tokenizer
from quantize.recipe import RecipeError

HUGGING_FACE = {ours: theirs for theirs, ours in TENSORS.items()}


def revive(model: Path, output: Path) -> None:
    """Write config, weights and tokenizer of the GGUF file `model` into the folder `output`."""
    read_head(model)  # refuses damaged files in words
    import gguf

    reader = gguf.GGUFReader(model)
    shape = shape_of(model, reader)
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    _write_tokenizer(model, reader, output)
    _write_weights(reader, shape, output)
    card = model.with_name("card.json")
    if card.is_file():
        facts = json.loads(card.read_bytes())
        add_history(None, facts["model"], facts["training_tokens"], output)


def shape_of(model: Path, reader: Any) -> Shape:
    """Return the sizes of the network in an open GGUF file; raise RecipeError when it is not one of ours."""
    facts = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("tokenizer.ggml.t")}
    kind, split = str(facts.get("general.architecture")), str(facts.get("tokenizer.ggml.pre"))
    if kind != "llama" or split != LLAMA_CPP_SPLIT:
        raise RecipeError("revive-foreign", path=model, kind=kind, split=split)
    heads = int(facts["llama.attention.head_count"])
    return Shape(
        vocabulary=int(facts["llama.vocab_size"]),
        context=int(facts["llama.context_length"]),
        hidden=int(facts["llama.embedding_length"]),
        layers=int(facts["llama.block_count"]),
        heads=heads,
        key_heads=int(facts.get("llama.attention.head_count_kv", heads)),
        feed_forward=int(facts["llama.feed_forward_length"]),
        rope_theta=float(facts["llama.rope.freq_base"]),
        epsilon=round(float(facts["llama.attention.layer_norm_rms_epsilon"]), 9),
    )


def weights_of(reader: Any, shape: Shape) -> dict[str, NDArray[np.float32]]:
    """Return every tensor of an open GGUF file under its Hugging Face name, in 32 bits."""
    from gguf.quants import dequantize

    found: dict[str, NDArray[np.float32]] = {}
    for tensor in reader.tensors:
        content = np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        name = hugging_face_name(tensor.name)
        if name.endswith("q_proj.weight"):
            content = _halves(content, shape.heads)
        if name.endswith("k_proj.weight"):
            content = _halves(content, shape.key_heads)
        found[name] = content.copy()
    return found


def hugging_face_name(tensor: str) -> str:
    """Return what `transformers` calls a tensor of llama.cpp; the inverse of `convert.gguf_name`."""
    if tensor == "token_embd.weight":
        return "model.embed_tokens.weight"
    if tensor == "output_norm.weight":
        return "model.norm.weight"
    _, layer, rest = tensor.split(".", 2)
    return f"model.layers.{layer}.{HUGGING_FACE[rest]}"


def _halves(content: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Undo `convert`'s interleaving of the rotary halves of each head."""
    rows, columns = content.shape
    return content.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _write_weights(reader: Any, shape: Shape, output: Path) -> None:
    import torch

    from quantize.lm.export import save_network
    from quantize.lm.network import Llama

    network = Llama(shape)
    network.load_state_dict({name: torch.from_numpy(content) for name, content in weights_of(reader, shape).items()})
    save_network(network, output)


def _write_tokenizer(model: Path, reader: Any, output: Path) -> None:
    import gguf

    fields: Mapping[str, Any] = reader.fields
    tokens: list[str] = fields["tokenizer.ggml.tokens"].contents()
    kinds: list[int] = fields["tokenizer.ggml.token_type"].contents()
    merges: list[str] = fields["tokenizer.ggml.merges"].contents()
    kept = {token: number for number, token in enumerate(tokens) if kinds[number] != gguf.TokenType.UNUSED}
    control = [token for number, token in enumerate(tokens) if kinds[number] == gguf.TokenType.CONTROL]
    if [kept[token] for token in control] != list(range(len(control))):
        raise RecipeError("revive-foreign", path=model, kind="llama", split=f"control tokens {control}")
    template: str = fields["tokenizer.chat_template"].contents()
    write_tokenizer(kept, [(a, b) for a, b in (merge.split(" ") for merge in merges)], template, output)


if __name__ == "__main__":
    revive(Path(sys.argv[1]), Path(sys.argv[2]))

"""The public stories260K weights (llama2.c) as a Hugging Face folder and a GGUF file, to measure on weights not ours.

The model writes English children's stories; rows of 64 and 172 numbers leave llama.cpp
little choice of types, which is said wherever it is measured.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEIGHTS = Path(__file__).parents[2] / "shared" / "weights" / "stories260K"
MATRICES = {
    "wq": "attn_q",
    "wk": "attn_k",
    "wv": "attn_v",
    "wo": "attn_output",
    "w1": "ffn_gate",
    "w2": "ffn_down",
    "w3": "ffn_up",
}
HUGGING_FACE = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_down": "mlp.down_proj", "ffn_up": "mlp.up_proj",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
}  # fmt: skip
BYTE, NORMAL, CONTROL, UNKNOWN = 6, 1, 3, 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """The head of a llama2.c file."""

    hidden: int
    feed_forward: int
    layers: int
    heads: int
    key_heads: int
    vocabulary: int
    context: int


def present() -> bool:
    """Tell whether the weights are here."""
    return (WEIGHTS / "stories260K.bin").is_file()


def read_weights(path: Path) -> tuple[Sizes, dict[str, NDArray[np.float32]]]:
    """Return the sizes and every tensor by its name in llama.cpp, whose order of rows is that of llama2.c."""
    content = path.read_bytes()
    sizes = Sizes(*struct.unpack("<7i", content[:28]))
    numbers = np.frombuffer(content, dtype=np.float32, offset=28)
    keys = sizes.hidden * sizes.key_heads // sizes.heads
    shapes: list[tuple[str, tuple[int, ...]]] = [
        ("token_embd", (sizes.vocabulary, sizes.hidden)),
        ("attn_norm", (sizes.layers, sizes.hidden)),
        ("wq", (sizes.layers, sizes.hidden, sizes.hidden)),
        ("wk", (sizes.layers, keys, sizes.hidden)),
        ("wv", (sizes.layers, keys, sizes.hidden)),
        ("wo", (sizes.layers, sizes.hidden, sizes.hidden)),
        ("ffn_norm", (sizes.layers, sizes.hidden)),
        ("w1", (sizes.layers, sizes.feed_forward, sizes.hidden)),
        ("w2", (sizes.layers, sizes.hidden, sizes.feed_forward)),
        ("w3", (sizes.layers, sizes.feed_forward, sizes.hidden)),
        ("output_norm", (sizes.hidden,)),
    ]
    found: dict[str, NDArray[np.float32]] = {}
    at = 0
    for name, shape in shapes:
        count = int(np.prod(shape))
        values = numbers[at : at + count].reshape(shape)
        at += count
        if name in ("token_embd", "output_norm"):
            found[f"{name}.weight"] = values
        else:
            for layer in range(sizes.layers):
                found[f"blk.{layer}.{MATRICES.get(name, name)}.weight"] = values[layer]
    return sizes, found


def write_folder(folder: Path) -> None:
    """Write config and weights as `transformers` has them."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes, tensors = read_weights(WEIGHTS / "stories260K.bin")
    config = LlamaConfig(
        vocab_size=sizes.vocabulary,
        hidden_size=sizes.hidden,
        intermediate_size=sizes.feed_forward,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.key_heads,
        max_position_embeddings=sizes.context,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config)
    state = {_theirs(name): torch.from_numpy(_turned(name, values, sizes)) for name, values in tensors.items()}
    missing = set(model.load_state_dict(state, strict=False).missing_keys)
    assert missing <= {"lm_head.weight"}, missing
    model.tie_weights()
    model.save_pretrained(folder)


def write_gguf(output: Path) -> None:
    """Write the 16-bit GGUF file with the vocabulary of tok512.bin."""
    import gguf

    sizes, tensors = read_weights(WEIGHTS / "stories260K.bin")
    writer = gguf.GGUFWriter(output, "llama")
    writer.add_name("stories260K")
    writer.add_context_length(sizes.context)
    writer.add_embedding_length(sizes.hidden)
    writer.add_block_count(sizes.layers)
    writer.add_feed_forward_length(sizes.feed_forward)
    writer.add_head_count(sizes.heads)
    writer.add_head_count_kv(sizes.key_heads)
    writer.add_rope_dimension_count(sizes.hidden // sizes.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(sizes.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    _add_words(writer, sizes.vocabulary)
    for name, values in tensors.items():
        writer.add_tensor(name, values.astype(np.float32 if values.ndim == 1 else np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_words(writer: Any, size: int) -> None:
    words, scores, kinds = [], [], []
    for number, (word, score) in enumerate(read_words(WEIGHTS / "tok512.bin", size)):
        if number < 3:
            word, kind = (b"<unk>", b"<s>", b"</s>")[number], UNKNOWN if number == 0 else CONTROL
        elif number < 259:
            word, kind = f"<0x{number - 3:02X}>".encode(), BYTE
        else:
            word, kind = word.replace(b" ", "▁".encode()), NORMAL
        words.append(word)
        scores.append(score)
        kinds.append(kind)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(words)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)


def read_words(path: Path, size: int) -> list[tuple[bytes, float]]:
    """Return each word of a llama2.c vocabulary and its score."""
    content, at, found = path.read_bytes(), 4, []
    for _ in range(size):
        score, length = struct.unpack_from("<fi", content, at)
        found.append((content[at + 8 : at + 8 + length], score))
        at += 8 + length
    return found


def _theirs(name: str) -> str:
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, part, _ = name.split(".")
    return f"model.layers.{layer}.{HUGGING_FACE[part]}.weight"


def _turned(name: str, values: NDArray[np.float32], sizes: Sizes) -> NDArray[np.float32]:
    """Put the rotary halves of queries and keys where `transformers` wants them."""
    heads = sizes.heads if "attn_q" in name else sizes.key_heads
    if "attn_q" not in name and "attn_k" not in name:
        return values.copy()
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)

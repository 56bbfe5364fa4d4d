"""Turn a Hugging Face Llama folder with our own tokenizer into a GGUF file of 16-bit numbers.

llama.cpp's own converter refuses vocabularies it has not met; ours splits text by
a rule that it knows ("qwen2"), and `verify` proves that both read text alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.lm.tokenizer import CONTROL, END_OF_TEXT, LLAMA_CPP_SPLIT, TURN_END

TENSORS = {
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
}


def convert(folder: Path, name: str, licence: str, output: Path) -> None:
    """Write `output`, a GGUF file with weights, vocabulary and chat template."""
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_bytes())
    output.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(output, "llama")
    _add_facts(writer, config, name, licence)
    _add_vocabulary(writer, folder, config["vocab_size"])
    for tensor, content in load_file(folder / "model.safetensors").items():
        if tensor != "lm_head.weight":
            writer.add_tensor(gguf_name(tensor), _laid_out(tensor, content, config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_name(tensor: str) -> str:
    """Return what llama.cpp calls a tensor of `transformers`."""
    if tensor == "model.embed_tokens.weight":
        return "token_embd.weight"
    if tensor == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = tensor.split(".", 3)
    return f"blk.{layer}.{TENSORS[rest]}"


def _laid_out(tensor: str, content: NDArray[np.float32], config: Mapping[str, Any]) -> NDArray[Any]:
    """Return a tensor as llama.cpp wants it: norms in 32 bits, rotary halves interleaved."""
    if content.ndim == 1:
        return content.astype(np.float32)
    if tensor.endswith("q_proj.weight"):
        content = _interleave(content, config["num_attention_heads"])
    if tensor.endswith("k_proj.weight"):
        content = _interleave(content, config["num_key_value_heads"])
    return content.astype(np.float16)


def _interleave(content: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    rows, columns = content.shape
    return content.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _add_facts(writer: Any, config: Mapping[str, Any], name: str, licence: str) -> None:
    import gguf

    writer.add_name(name)
    writer.add_license(licence)
    writer.add_languages(["es", "pt"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _add_vocabulary(writer: Any, folder: Path, size: int) -> None:
    import gguf

    tokenizer = json.loads((folder / "tokenizer.json").read_bytes())
    numbers: dict[str, int] = tokenizer["model"]["vocab"] | {
        token["content"]: token["id"] for token in tokenizer["added_tokens"]
    }
    tokens = [f"[UNUSED{number}]" for number in range(size)]
    kinds = [int(gguf.TokenType.UNUSED)] * size
    for token, number in numbers.items():
        tokens[number] = token
        kinds[number] = int(gguf.TokenType.CONTROL if token in CONTROL else gguf.TokenType.NORMAL)
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(LLAMA_CPP_SPLIT)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(numbers[END_OF_TEXT])
    writer.add_eos_token_id(numbers[TURN_END])
    writer.add_pad_token_id(numbers[END_OF_TEXT])
    writer.add_add_bos_token(False)
    template = folder / "chat_template.jinja"
    writer.add_chat_template(template.read_text(encoding="utf-8"))

"""Train the model's own vocabulary, and keep it as `transformers` would.

Byte-level pairs with the split rule that llama.cpp knows as "qwen2", so that the
GGUF file needs nothing special. Exchanges are written as ChatML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.tutor.engine import Message

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
CONTROL = (END_OF_TEXT, TURN_START, TURN_END)
"""Their numbers are 0, 1 and 2."""

LLAMA_CPP_SPLIT = "qwen2"
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def train_tokenizer(texts: Iterable[str], vocabulary: int, folder: Path) -> None:
    """Learn the vocabulary from `texts` and write a tokenizer folder."""
    from tokenizers import pre_tokenizers, trainers

    tokenizer = _empty()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(CONTROL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    _save(tokenizer, CHAT_TEMPLATE, folder)


def write_tokenizer(numbers: Mapping[str, int], merges: Sequence[tuple[str, str]], template: str, folder: Path) -> None:
    """Write a tokenizer folder for a vocabulary that is already known."""
    from tokenizers import AddedToken

    tokenizer = _empty(numbers, merges)
    tokenizer.add_special_tokens([AddedToken(piece, special=True) for piece in CONTROL])
    _save(tokenizer, template, folder)


def _empty(numbers: Mapping[str, int] | None = None, merges: Sequence[tuple[str, str]] | None = None) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(numbers and dict(numbers), merges and list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _save(tokenizer: Any, template: str, folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END_OF_TEXT, eos_token=TURN_END, pad_token=END_OF_TEXT
    )
    wrapped.chat_template = template
    wrapped.save_pretrained(folder)


def load_tokenizer(folder: Path) -> Any:
    """Return the fast tokenizer of a folder (a `tokenizers.Tokenizer`)."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def chat_prompt(messages: Iterable[Message]) -> str:
    """Write an exchange up to where the model's answer begins."""
    turns = "".join(f"{TURN_START}{m['role']}\n{m['content']}{TURN_END}\n" for m in messages)
    return f"{turns}{TURN_START}assistant\n"

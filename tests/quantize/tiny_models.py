"""Checkpoint folders of every family, made in a second: random weights, a vocabulary learned from a few lines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantize.recipe import RECIPES, ROOT

TEXTS = (
    "El niño bebió agua del río Ñuble; la cigüeña, no. ¿Cuánto es 2 + 3,5? La maestra preguntó otra vez.",
    "A menina não comeu pão às 7h30: que pena, disse a vovó. O coração da criança bate depressa.",
    "Las plantas fabrican su alimento con la luz del sol, el agua y el aire: eso es la fotosíntesis.",
    "Mbaʼéichapa, ñandúpe g̃uarã. Kunankunaqa yachay wasipi wawakuna ñawinchanku.",
)
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
    "{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set prefix = messages[0]['content'] + '\n\n' %}"
    "{% set turns = messages[1:] %}{% else %}{% set prefix = '' %}{% set turns = messages %}{% endif %}"
    "{% for m in turns %}<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ prefix if loop.first else '' }}{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}[SYSTEM_PROMPT] {{ m['content'] }}[/SYSTEM_PROMPT]"
    "{% elif m['role'] == 'user' %}[INST] {{ m['content'] }}[/INST]{% else %} {{ m['content'] }}{{ eos_token }}"
    "{% endif %}{% endfor %}"
)
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA_SPLIT = QWEN_SPLIT.replace(r"|\p{N}|", r"|\p{N}{1,3}|", 1)


class Marks:
    """The control marks of one family: begin, end, and others."""

    def __init__(self, begin: str, end: str, *others: str) -> None:
        self.begin, self.end, self.all = begin, end, tuple(dict.fromkeys((begin, end, *others)))


MARKS = {
    "llama": Marks("<|begin_of_text|>", "<|eot_id|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>"),
    "smollm": Marks("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
    "qwen2": Marks("<|endoftext|>", "<|im_end|>", "<|im_start|>"),
    "qwen3": Marks("<|endoftext|>", "<|im_end|>", "<|im_start|>"),
    "smollm3": Marks("<|endoftext|>", "<|im_end|>", "<|im_start|>"),
    "gemma3": Marks("<bos>", "<end_of_turn>", "<eos>", "<start_of_turn>"),
    "mistral": Marks("<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
}
TEMPLATES = {"llama": LLAMA3, "gemma3": GEMMA, "mistral": MISTRAL}
DECODERS = tuple(MARKS)
ENCODERS = ("bert", "xlm-roberta", "minilm")
LICENCES = {"llama": "llama3.2", "gemma3": "gemma"}


def make(folder: Path, family: str, hidden: int = 64, **changes: Any) -> Path:
    """Write a checkpoint of `family` into `folder`; `changes` go into its config."""
    import torch

    torch.manual_seed(1)
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    if family in ENCODERS:
        _encoder(folder, family, hidden)
    else:
        _decoder(folder, family, hidden, changes)
    (folder / "README.md").write_text(f"---\nlicense: {LICENCES.get(family, 'apache-2.0')}\n---\n# tiny\n")
    return folder


def packs(folder: Path, lessons: int = 12) -> list[Path]:
    """Write a few lessons of each embedded pack into `folder`."""
    made = [folder / name for name in ("primaria", "fundamental")]
    for pack in made:
        (pack / "lessons").mkdir(parents=True)
        whole = ROOT / "edge" / "packs" / pack.name
        shutil.copyfile(whole / "pack.toml", pack / "pack.toml")
        for path in sorted((whole / "lessons").glob("*.md"))[:lessons]:
            shutil.copyfile(path, pack / "lessons" / path.name)
    return made


def recipe(folder: Path, source: Path, packs: list[Path], **replaced: str) -> Path:
    """Write the recipe of a two-minute model for `source` into `folder`; its output is `folder`/out."""
    text = (RECIPES / "recipes" / "release-tiny.toml").read_text(encoding="utf-8")
    lines = {
        'output = "build/models/release-tiny"': f'output = "{folder / "out"}"',
        'packs = ["edge/packs/primaria", "edge/packs/fundamental"]': f"packs = {[str(pack) for pack in packs]}",
        'source = "build/tiny/qwen2"': f'source = "{source}"',
    } | replaced
    for old, new in lines.items():
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def edit(path: Path, **changes: Any) -> None:
    """Change a JSON file of a checkpoint; None takes a name out."""
    found = json.loads(path.read_bytes()) | changes
    path.write_text(json.dumps({name: value for name, value in found.items() if value is not None}))


def _decoder(folder: Path, family: str, hidden: int, changes: Mapping[str, Any]) -> None:
    import transformers

    names = {"llama": "Llama", "smollm": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3", "smollm3": "SmolLM3"}
    names |= {"gemma3": "Gemma3Text", "mistral": "Mistral"}
    words = learn(MARKS[family], LLAMA_SPLIT if family == "llama" else QWEN_SPLIT)
    size = len(words.get_vocab())
    shape = {
        "vocab_size": size, "hidden_size": hidden, "intermediate_size": 2 * hidden, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": hidden // 2, "max_position_embeddings": 256,
        "bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id,
        "initializer_range": 1.6 / hidden**0.5, "tie_word_embeddings": family in ("smollm", "gemma3", "qwen3", "smollm3"),
    }  # fmt: skip
    if family == "gemma3":
        shape |= {"sliding_window": 64, "query_pre_attn_scalar": hidden // 2}
    config = getattr(transformers, f"{names[family]}Config")(**(shape | dict(changes)))
    kind = getattr(transformers, f"{names[family].replace('Text', '')}ForCausalLM")
    kind(config).save_pretrained(folder)
    words.save_pretrained(folder)


def learn(marks: Marks, split: str, size: int = 512) -> Any:
    """Return a byte-level vocabulary with these marks, as `transformers` holds it."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE(ignore_merges=split == LLAMA_SPLIT))
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    core.train_from_iterator(TEXTS, trainer)
    core.add_special_tokens([AddedToken(mark, special=True) for mark in marks.all])
    family = next(name for name, known in MARKS.items() if known.all == marks.all) if marks in MARKS.values() else ""
    template = TEMPLATES.get(family, CHATML)
    if "bos_token" in template:
        number = core.token_to_id(marks.begin)
        core.post_processor = processors.TemplateProcessing(
            single=f"{marks.begin} $A", pair=f"{marks.begin} $A $B", special_tokens=[(marks.begin, number)]
        )
    words = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token=marks.begin, eos_token=marks.end, pad_token=marks.end
    )
    words.chat_template = template
    return words


def _encoder(folder: Path, family: str, hidden: int) -> None:
    import transformers

    shape = {
        "hidden_size": hidden, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 2 * hidden,
        "max_position_embeddings": 130, "initializer_range": 1.6 / hidden**0.5,
    }  # fmt: skip
    words = _unigram() if family == "xlm-roberta" else _wordpiece()
    name = "XLMRoberta" if family == "xlm-roberta" else "Bert"
    config = getattr(transformers, f"{name}Config")(vocab_size=len(words), pad_token_id=words.pad_token_id, **shape)
    getattr(transformers, f"{name}Model")(config).save_pretrained(folder)
    words.save_pretrained(folder)


def _wordpiece() -> Any:
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertTokenizerFast

    core = BertWordPieceTokenizer(strip_accents=False)
    core.train_from_iterator(TEXTS, vocab_size=400, show_progress=False)
    return BertTokenizerFast(tokenizer_object=core._tokenizer, strip_accents=False)


def _unigram() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import XLMRobertaTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    core = Tokenizer(models.Unigram())
    core.pre_tokenizer, core.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    core.train_from_iterator(
        TEXTS, trainers.UnigramTrainer(vocab_size=400, special_tokens=special, unk_token="<unk>", show_progress=False)
    )
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return XLMRobertaTokenizerFast(tokenizer_object=core)

"""A conversion is believed when both models read, score, ask and stop alike; the ways it goes wrong are told apart."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "tokenizers", "llama_cpp")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

from edge.cache import converter_folder
from edge.files import sha256_of
from edge.tutor.engine import Message
from edge.tutor.gguf import read_head
from edge.tutor.llama import LlamaEngine
from quantize.convert import convert as module
from quantize.convert.convert import convert
from quantize.convert.splits import split_rule
from quantize.convert.turns import check_turns, turn_end
from quantize.convert.verify import check_tokens, compare_scores, verify
from quantize.recipe import RecipeError
from quantize.text.template import Template, without_system
from tests.quantize import tiny_models
from tests.quantize.tiny_models import CHATML, Marks, edit, learn

ROOT = Path(__file__).parents[2]
needs_converter = pytest.mark.skipif(
    not (converter_folder() / "complete").is_file(), reason="llama.cpp's converter: environment.py --with quantize"
)
OWN = Marks("<|inicio|>", "<|fin|>", "<|turno|>")
"""Marks that llama.cpp does not know by their text."""

OWN_TEMPLATE = CHATML.replace("<|im_start|>", "<|turno|>").replace("<|im_end|>", "<|fin|>")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen2 checkpoint."""
    return tiny_models.make(tmp_path_factory.mktemp("convert") / "qwen2", "qwen2")


@pytest.fixture(scope="module")
def gguf(folder: Path) -> Path:
    """The same as GGUF."""
    if not (converter_folder() / "complete").is_file():
        pytest.skip("llama.cpp's converter: environment.py --with quantize")
    path = folder.parent / "qwen2.gguf"
    convert(folder, "Tiny", "apache-2.0", path)
    return path


@pytest.fixture
def spoiled(folder: Path, tmp_path: Path) -> Path:
    """A copy of the checkpoint that a test may spoil."""
    return Path(shutil.copytree(folder, tmp_path / "spoiled"))


@pytest.fixture
def engine(gguf: Path) -> Iterator[LlamaEngine]:
    with LlamaEngine.open(gguf) as opened:
        yield opened


def test_the_gguf_file_is_the_model_of_the_checkpoint(folder: Path, gguf: Path, tmp_path: Path) -> None:
    verify(folder, gguf, tmp_path / "proof.json")
    proof = json.loads((tmp_path / "proof.json").read_bytes())
    assert proof["texts"] >= 10
    assert proof["template"] == "identical"
    assert proof["turn_end"] == "<|im_end|>"
    assert proof["score_difference"] < 0.05 * proof["score_spread"]
    assert proof["greedy_same"] > 0.95
    head = read_head(gguf)
    assert head.fields["general.name"] == "Tiny"
    assert head.fields["general.license"] == "apache-2.0"
    assert head.fields["tokenizer.ggml.pre"] == "qwen2"


def test_it_is_written_whole_or_not_at_all(spoiled: Path, tmp_path: Path) -> None:
    edit(spoiled / "config.json", num_hidden_layers=3)
    (spoiled / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(RecipeError) as caught:
        convert(spoiled, "Tiny", "mit", tmp_path / "out" / "x.gguf", converter=converter_folder())
    assert str(spoiled) in caught.value.say("es")
    assert list((tmp_path / "out").iterdir()) == []


@needs_converter
def test_the_converter_of_a_killed_run_cannot_write_into_the_next_one(folder: Path, gguf: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "x.gguf"
    code = "import sys, pathlib as p; from quantize.convert.convert import convert as c; c(p.Path(sys.argv[1]), 'Tiny', 'apache-2.0', p.Path(sys.argv[2]))"
    killed = subprocess.Popen([sys.executable, "-c", code, str(folder), str(output)], cwd=ROOT)
    while not (left := list(output.parent.glob(".x.gguf.*/about.json"))):
        assert killed.poll() is None
    killed.kill()
    killed.wait()
    convert(folder, "Tiny", "apache-2.0", output)
    assert sha256_of(output) == sha256_of(gguf)
    assert not left[0].exists()
    assert list(output.parent.iterdir()) == [output]


def test_other_weights_are_noticed(folder: Path, spoiled: Path, engine: LlamaEngine) -> None:
    from safetensors.torch import load_file, save_file

    assert compare_scores(folder, engine)["greedy_same"] > 0.95
    weights = load_file(spoiled / "model.safetensors")
    weights["model.layers.0.self_attn.q_proj.weight"] += 0.1
    save_file(weights, spoiled / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RecipeError, match="differs by"):
        compare_scores(spoiled, engine)


def test_a_text_that_both_read_differently_is_shown(spoiled: Path, engine: LlamaEngine) -> None:
    tokenizer = json.loads((spoiled / "tokenizer.json").read_bytes())
    split = tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]
    split["Regex"] = split["Regex"].replace(r"\p{N}|", r"\p{N}{1,3}|", 1)
    tokenizer["model"]["merges"].insert(0, ["2", "2"])
    tokenizer["model"]["vocab"]["22"] = 511
    (spoiled / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(RecipeError, match="22 333"):
        check_tokens(spoiled, engine)


def test_a_template_that_the_engine_does_not_write_is_refused(spoiled: Path, engine: LlamaEngine) -> None:
    (spoiled / "chat_template.jinja").write_text(CHATML.replace("\\n", " ").replace("\n", " "))
    with pytest.raises(RecipeError, match="does not write a conversation"):
        check_turns(spoiled, engine)


def test_words_that_a_template_adds_to_the_first_turn_are_told_and_accepted(spoiled: Path, engine: LlamaEngine) -> None:
    dated = CHATML.replace("{{ m['content'] }}", "{{ 'Hoy. ' if loop.first else '' }}{{ m['content'] }}")
    (spoiled / "chat_template.jinja").write_text(dated)
    assert check_turns(spoiled, engine)["template"] == "preamble"


def test_a_model_that_names_another_end_than_its_template_would_loop_on_assistant(
    spoiled: Path, engine: LlamaEngine
) -> None:
    edit(spoiled / "tokenizer_config.json", eos_token="<|endoftext|>")
    edit(spoiled / "config.json", eos_token_id=engine.tokens_of("<|endoftext|>", special=True)[0])
    (spoiled / "generation_config.json").unlink(missing_ok=True)
    with pytest.raises(RecipeError) as caught:
        check_turns(spoiled, engine)
    words = caught.value.say("en")
    assert "<|im_end|>" in words
    assert "loop on the word “assistant”" in words


def test_a_generation_config_that_knows_the_end_is_enough(spoiled: Path, engine: LlamaEngine) -> None:
    end = engine.tokens_of("<|im_end|>", special=True)[0]
    edit(spoiled / "tokenizer_config.json", eos_token="<|endoftext|>")
    other = engine.tokens_of("<|endoftext|>", special=True)[0]
    (spoiled / "generation_config.json").write_text(json.dumps({"eos_token_id": [other, end]}))
    assert check_turns(spoiled, engine)["turn_end"] == "<|im_end|>"


def test_a_template_without_any_end_is_refused(spoiled: Path, engine: LlamaEngine) -> None:
    (spoiled / "chat_template.jinja").write_text(CHATML.replace("<|im_end|>", ""))
    with pytest.raises(RecipeError, match="ends an answer with no mark"):
        turn_end(Template(spoiled))


def test_a_base_model_has_no_template_to_check(spoiled: Path, engine: LlamaEngine) -> None:
    (spoiled / "chat_template.jinja").unlink()
    edit(spoiled / "tokenizer_config.json", chat_template=None)
    assert check_turns(spoiled, engine) == {"template": "none"}


@needs_converter
def test_a_broken_end_really_loops_in_the_engine_and_a_right_one_stops(tmp_path: Path) -> None:
    """The fault itself: one model, its end mark named or not, asked by the engine that ships."""
    good, bad = parrot(tmp_path / "good"), tmp_path / "bad"
    shutil.copytree(good, bad)
    other = json.loads((good / "config.json").read_bytes())["bos_token_id"]
    edit(bad / "tokenizer_config.json", eos_token="<|inicio|>")
    edit(bad / "config.json", eos_token_id=other)
    (bad / "generation_config.json").unlink(missing_ok=True)
    asked: list[Message] = [{"role": "user", "content": "Hola"}]
    for name, folder in (("good", good), ("bad", bad)):
        convert(folder, name, "mit", tmp_path / f"{name}.gguf", numbers="f32")
        with LlamaEngine.open(tmp_path / f"{name}.gguf") as engine:
            template = Template(folder)
            tokens = engine.tokens_of(template.render(asked, ask=True), special=True)
            said = "".join(engine.stream(asked, max_tokens=24)) if name == "good" else ""
            ends = engine.ends(turn_end(template))
            if name == "good":
                assert ends
                assert "assistant" not in said
            else:
                assert not ends
                assert greedy(engine, tokens, 40).count("assistant") >= 2
                with pytest.raises(RecipeError, match="assistant"):
                    check_turns(folder, engine)


def parrot(folder: Path) -> Path:
    """A model that answers "Hola" and ends its turn, after which it would begin the next header for ever."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    words = learn(OWN, tiny_models.QWEN_SPLIT)
    words.chat_template = OWN_TEMPLATE
    size = len(words.get_vocab())
    torch.manual_seed(1)
    torch.set_num_threads(1)
    config = Qwen2Config(
        vocab_size=size, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=256, bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id, tie_word_embeddings=True,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config)
    turn = "<|turno|>assistant\nHola<|fin|>\n"
    text = f"<|turno|>user\nHola<|fin|>\n{turn * 6}"
    tokens = torch.tensor([words(text, add_special_tokens=False)["input_ids"]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    for _ in range(60):
        loss = model(tokens, labels=tokens).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval().save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def greedy(engine: LlamaEngine, tokens: list[int], most: int) -> str:
    """Go on as an engine does that sees no end."""
    grown = list(tokens)
    while len(grown) < len(tokens) + most:
        token = int(list(engine.logits_of(grown))[-1].argmax())
        if engine.ends(token):
            break
        grown.append(token)
    return engine.bytes_of(grown[len(tokens) :]).decode("utf-8", "replace")


def test_a_model_without_a_system_role_gets_its_words_with_the_first_question() -> None:
    said: list[Message] = [{"role": "system", "content": "Sé breve."}, {"role": "user", "content": "¿Qué es?"}]
    assert without_system(said) == [{"role": "user", "content": "Sé breve.\n\n¿Qué es?"}]


def spelled(*steps: dict[str, Any], kind: str = "BPE") -> dict[str, Any]:
    return {"model": {"type": kind}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": list(steps)}}


BYTES = {"type": "ByteLevel", "use_regex": False}
RULED_BYTES = {"type": "ByteLevel", "use_regex": True}


def split(rule: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": rule}}


@pytest.mark.parametrize(
    ("tokenizer", "name"),
    [
        (spelled(split(tiny_models.QWEN_SPLIT), BYTES), "qwen2"),
        (spelled(split(tiny_models.LLAMA_SPLIT), BYTES), "llama-bpe"),
        (spelled(split(tiny_models.QWEN_SPLIT.replace(r"\r\n", "\r\n").replace(r"[\r\n]", "[\r\n]")), BYTES), "qwen2"),
        ({"model": {"type": "BPE"}, "pre_tokenizer": RULED_BYTES}, "gpt-2"),
        (spelled({"type": "Digits", "individual_digits": True}, RULED_BYTES), "smollm"),
        (spelled(split(r"\w+"), BYTES), ""),
        (spelled(split(tiny_models.QWEN_SPLIT), BYTES, kind="Unigram"), ""),
        ({"model": {"type": "BPE"}, "pre_tokenizer": None}, ""),
    ],
)
def test_the_split_rule_is_read_from_the_tokenizer(tokenizer: dict[str, Any], name: str) -> None:
    assert split_rule(tokenizer) == name


def test_a_rule_that_llama_cpp_has_not_is_said_in_words(
    spoiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = "NotImplementedError: BPE pre-tokenizer was not recognized - update get_vocab_base_pre()"
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: Done(failed))
    with pytest.raises(RecipeError, match="splits text"):
        convert(spoiled, "Tiny", "mit", tmp_path / "x.gguf", converter=tmp_path)


class Done:
    """A program that ended badly, and what it said."""

    returncode = 1

    def __init__(self, stderr: str) -> None:
        self.stderr = stderr


def test_a_full_disk_is_told_as_one(spoiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "OSError: [Errno 28] No space left on device"
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: Done(said))
    with pytest.raises(OSError, match="No space left"):
        convert(spoiled, "Tiny", "mit", tmp_path / "x.gguf", converter=tmp_path)


def test_a_missing_converter_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAUTA_CACHE", str(tmp_path))
    with pytest.raises(RecipeError, match="--with quantize"):
        convert(tmp_path, "Tiny", "mit", tmp_path / "x.gguf")

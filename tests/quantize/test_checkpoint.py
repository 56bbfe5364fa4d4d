"""A checkpoint is believed only after it was read to its last byte; whatever is wrong is one sentence."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "safetensors", "huggingface_hub")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

from safetensors.numpy import load_file, save_file

from quantize.checkpoint import fetch as module
from quantize.checkpoint.facts import read_facts
from quantize.checkpoint.families import FAMILIES
from quantize.checkpoint.fetch import fetch
from quantize.checkpoint.licence import check_name, is_llama, licence_in
from quantize.checkpoint.weights import check_weights, read_header
from quantize.recipe import RecipeError
from tests.quantize import tiny_models

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good Llama checkpoint."""
    return tiny_models.make(tmp_path_factory.mktemp("checkpoint") / "good", "llama")


@pytest.fixture
def source(whole: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    folder = tmp_path / "source"
    folder.mkdir()
    for path in whole.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def said(source: Path | str, output: Path, revision: str = "") -> str:
    with pytest.raises(RecipeError) as caught:
        fetch(str(source), revision, output)
    assert not (output / "checkpoint.json").exists()
    for lang in ("es", "pt", "en"):
        assert len(caught.value.say(lang).splitlines()) == 2
    return caught.value.say("en")


def test_a_good_checkpoint_is_named_counted_and_hashed(source: Path, tmp_path: Path) -> None:
    facts = fetch(str(source), "", tmp_path / "out")
    weights = load_file(source / "model.safetensors")
    assert (facts.family, facts.architecture) == ("llama", "LlamaForCausalLM")
    assert facts.parameters == sum(value.size for value in weights.values())
    assert facts.licence == "llama3.2"
    assert facts.notice == "Built with Llama"
    assert read_facts(tmp_path / "out") == facts
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (source / "tokenizer.json").read_bytes()


def test_other_weights_are_another_hash_and_the_same_ones_the_same(source: Path, tmp_path: Path) -> None:
    first = fetch(str(source), "", tmp_path / "a")
    weights = load_file(source / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"] * 2
    save_file(weights, source / "model.safetensors")
    assert fetch(str(source), "", tmp_path / "b").sha256 != first.sha256
    again = fetch(str(source), "", tmp_path / "a")  # brought anew although there was one of the same size
    assert again.sha256 == fetch(str(source), "", tmp_path / "b").sha256


def test_a_truncated_file_says_how_long_it_should_be(source: Path, tmp_path: Path) -> None:
    path = source / "model.safetensors"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-100])
    words = said(source, tmp_path / "out")
    assert str(size) in words
    assert str(size - 100) in words


@pytest.mark.parametrize("length", [0, 7, 8, 300])
def test_a_file_of_a_few_bytes_is_not_whole(length: int, source: Path, tmp_path: Path) -> None:
    path = source / "model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    assert "not whole" in said(source, tmp_path / "out")


def test_a_header_that_contradicts_itself_is_damaged(source: Path, tmp_path: Path) -> None:
    path = source / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"F32"', b'"F16"', 1))
    assert "damaged" in said(source, tmp_path / "out")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_names_its_tensor(value: float, source: Path, tmp_path: Path) -> None:
    weights = {name: value.copy() for name, value in load_file(source / "model.safetensors").items()}
    weights["model.layers.1.mlp.up_proj.weight"][3, 5] = value
    save_file(weights, source / "model.safetensors")
    assert "model.layers.1.mlp.up_proj.weight" in said(source, tmp_path / "out")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_every_kind_of_number_is_looked_at(dtype: str, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file as save

    good = torch.linspace(-3, 3, 64).to(getattr(torch, dtype))
    save({"a": good, "b": torch.arange(4)}, tmp_path / "x.safetensors")
    assert check_weights([tmp_path / "x.safetensors"]).parameters == 68
    bad = good.clone()
    bad[-1] = float("nan")
    save({"a": bad}, tmp_path / "x.safetensors")
    with pytest.raises(RecipeError, match=r"tensor a\b"):
        check_weights([tmp_path / "x.safetensors"])


def test_tensors_are_read_in_blocks_that_need_not_hold_them_whole(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hashlib import sha256

    path = source / "model.safetensors"
    monkeypatch.setattr("quantize.checkpoint.weights.BLOCK_BYTES", 64)
    assert check_weights([path]).sha256 == sha256(path.read_bytes()).hexdigest()
    assert sum(tensor.numbers for tensor in read_header(path)) == check_weights([path]).parameters


def test_an_unknown_architecture_names_those_that_are_known(source: Path, tmp_path: Path) -> None:
    tiny_models.edit(source / "config.json", architectures=["MambaForCausalLM"])
    words = said(source, tmp_path / "out")
    assert "MambaForCausalLM" in words
    assert "Qwen3ForCausalLM" in words


def test_a_missing_tokenizer_is_said_before_any_long_work(source: Path, tmp_path: Path) -> None:
    (source / "tokenizer.json").unlink()
    assert "tokenizer" in said(source, tmp_path / "out")


def test_a_missing_part_is_named(source: Path, tmp_path: Path) -> None:
    weights = load_file(source / "model.safetensors")
    names = sorted(weights)
    for number, part in enumerate((names[:5], names[5:]), start=1):
        save_file({name: weights[name] for name in part}, source / f"model-0000{number}-of-00002.safetensors")
    (source / "model.safetensors").unlink()
    table = {name: f"model-0000{1 if name in names[:5] else 2}-of-00002.safetensors" for name in names}
    (source / "model.safetensors.index.json").write_text(json.dumps({"weight_map": table}))
    assert fetch(str(source), "", tmp_path / "out").parameters == sum(value.size for value in weights.values())
    (source / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002.safetensors" in said(source, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "content"), [("config.json", "{"), ("tokenizer.json", "[]"), ("config.json", None)], ids=str
)
def test_a_broken_or_absent_file_is_named(name: str, content: str | None, source: Path, tmp_path: Path) -> None:
    (source / name).unlink()
    if content is not None:
        (source / name).write_text(content)
    assert name in said(source, tmp_path / "out")


def test_pickles_are_refused_unless_somebody_trusts_them(source: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file as load

    weights = load(source / "model.safetensors")
    torch.save(weights, source / "pytorch_model.bin")
    (source / "model.safetensors").unlink()
    assert "pickle" in said(source, tmp_path / "out")
    facts = fetch(str(source), "", tmp_path / "out", allow_pickle=True)
    assert facts.parameters == sum(value.numel() for value in weights.values())
    assert not list((tmp_path / "out").glob("*.bin"))


def test_a_pickle_that_would_run_a_program_runs_none(source: Path, tmp_path: Path) -> None:
    import os
    import pickle

    class Bomb:
        """What a hostile file does when it is opened."""

        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    (source / "model.safetensors").unlink()
    (source / "pytorch_model.bin").write_bytes(pickle.dumps({"a": Bomb()}, protocol=2))
    with pytest.raises(RecipeError, match="damaged"):
        fetch(str(source), "", tmp_path / "out", allow_pickle=True)
    assert not (tmp_path / "ran").exists()


def test_a_pickle_beside_safetensors_is_left_behind(source: Path, tmp_path: Path) -> None:
    (source / "training_args.bin").write_bytes(b"anything")
    (source / "pytorch_model.bin").write_bytes(b"anything")
    fetch(str(source), "", tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.bin"))


def test_a_model_of_the_hub_needs_one_exact_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> str:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr("huggingface_hub.snapshot_download", never)
    for revision in ("", "main", COMMIT[:39]):
        assert "exact version" in said("somebody/some-model", tmp_path / "out", revision)


def test_a_pinned_model_is_downloaded_at_that_commit_and_checked(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(name: str, *, revision: str, local_dir: Path, allow_patterns: list[str]) -> str:
        asked.append((name, revision))
        assert "*.bin" not in allow_patterns
        for path in source.iterdir():
            (Path(local_dir) / path.name).write_bytes(path.read_bytes())
        return str(local_dir)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    facts = fetch("somebody/Llama-tiny", COMMIT, tmp_path / "out")
    assert asked == [("somebody/Llama-tiny", COMMIT)]
    assert (facts.source, facts.revision) == ("somebody/Llama-tiny", COMMIT)


def test_without_a_network_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from requests.exceptions import ConnectionError as Offline

    def fail(*_: object, **__: object) -> str:
        raise Offline("no route to host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    assert "no route to host" in said("somebody/some-model", tmp_path / "out", COMMIT)


def test_what_is_neither_a_folder_nor_a_name_of_the_hub_is_said(tmp_path: Path) -> None:
    assert "/no/such/place" in said("/no/such/place", tmp_path / "out")


def test_an_interrupted_copy_goes_on_and_copies_nothing_twice(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    whole_copy = module.shutil.copy2

    def until_the_power_fails(here: Path, there: Path) -> object:
        if len(copied) == 3:
            raise KeyboardInterrupt
        copied.append(here.name)
        return whole_copy(here, there)

    monkeypatch.setattr(module.shutil, "copy2", until_the_power_fails)
    with pytest.raises(KeyboardInterrupt):
        fetch(str(source), "", tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint.json").exists()
    first = list(copied)
    monkeypatch.setattr(module.shutil, "copy2", lambda a, b: (copied.append(a.name), whole_copy(a, b)))
    fetch(str(source), "", tmp_path / "out")
    assert len(copied) == len(set(copied)), first


def test_the_licence_of_what_it_was_made_from_goes_on_with_a_student(source: Path, tmp_path: Path) -> None:
    fetch(str(source), "", tmp_path / "parent")
    (tmp_path / "parent" / "README.md").unlink()
    (tmp_path / "parent" / "README.md").write_text("---\nlicense: mit\n---\n")
    facts = fetch(str(tmp_path / "parent"), "", tmp_path / "child")
    assert (facts.licence, facts.notice, facts.source) == ("llama3.2", "Built with Llama", "source")


@pytest.mark.parametrize(
    ("licence", "source", "duty"),
    [
        ("llama3.1", "somebody/anything", True),
        ("unknown", "meta-llama/Llama-3.1-8B", True),
        ("unknown", "somebody/tinyllama", False),
        ("apache-2.0", "TinyLlama/TinyLlama-1.1B", False),
        ("mit", "somebody/Llama-like", False),
        ("other", "somebody/my-llama-3", True),
    ],
)
def test_llama_asks_for_its_name_and_nobody_else_does(licence: str, source: str, duty: bool) -> None:
    assert is_llama(licence, source) is duty
    check_name("Llama-Wayra-1B", licence, source)
    if duty:
        with pytest.raises(RecipeError, match="Llama-Wayra"):
            check_name("Wayra", licence, source)


def test_the_particular_licence_counts_before_other() -> None:
    assert licence_in("---\nlicense: other\nlicense_name: llama3.1\n---\n# x") == "llama3.1"
    assert licence_in("---\nlanguage: es\nlicense: 'apache-2.0'\n---") == "apache-2.0"
    assert licence_in("license: mit") == "unknown"


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "gemma3"])
def test_other_families_are_told_apart(family: str, tmp_path: Path) -> None:
    facts = fetch(str(tiny_models.make(tmp_path / "in", family)), "", tmp_path / "out")
    assert facts.family == family
    assert facts.group().kind == ("decoder" if family == "gemma3" else "encoder")


def test_every_family_of_the_issue_is_known() -> None:
    names = {family.name for family in FAMILIES.values()}
    assert names == {"llama", "qwen2", "qwen3", "gemma3", "mistral", "smollm3", "bert", "xlm-roberta"}

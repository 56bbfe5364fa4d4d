"""The whole path of a language model on a tiny recipe: from lessons to a GGUF file that answers."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "gguf", "tokenizers")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

from edge.errors import EdgeError
from edge.release import card
from edge.release.card import CAPABILITIES
from edge.tutor.gguf import read_head
from edge.tutor.llama import LlamaEngine
from quantize.cli import main
from quantize.lm.convert import gguf_name
from quantize.lm.settings import LmSettings
from quantize.lm.squeeze import quantize
from quantize.recipe import RECIPES, load_recipe, read_table

STEPS = [
    "corpus",
    "tokenizer",
    "encode",
    "train",
    "export",
    "convert",
    "verify",
    "quantize",
    "evaluate",
    "ship",
]
TINY = RECIPES / "recipes" / "mini-tiny.toml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run: `work` with everything on the way, `out` with what would ship."""
    folder = tmp_path_factory.mktemp("mini")
    recipe = TINY.read_text(encoding="utf-8").replace("build/models/mini-tiny", str(folder / "out"))
    (folder / "tiny.toml").write_text(recipe, encoding="utf-8")
    assert main(["run", str(folder / "tiny.toml"), "--work", str(folder / "work")]) == 0
    return folder


def test_it_makes_a_model_that_answers(made: Path) -> None:
    path = made / "out" / "mini-tiny.gguf"
    assert read_head(path).architecture == "llama"
    with LlamaEngine.open(path) as engine:
        assert engine.context_tokens == 128
        list(engine.stream([{"role": "user", "content": "olá"}], max_tokens=8))


def test_the_gguf_is_the_model_that_was_trained(made: Path) -> None:
    proof = json.loads((made / "work" / "verify.json").read_bytes())
    assert proof["texts"] >= 10
    assert proof["score_difference"] < 0.1
    assert proof["greedy_same"] > 0.95


def test_a_model_that_proved_nothing_may_do_nothing(made: Path) -> None:
    report = card.load(made / "out" / "card.json")
    assert set(report.capabilities) == set(CAPABILITIES) - {"exercise"}, "nothing measures that yet"
    assert not any(report.allows(name) for name in CAPABILITIES)


def test_the_training_learned_something(made: Path) -> None:
    rows = [json.loads(line) for line in (made / "work" / "train" / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["loss"] < 6.5  # chance is ln 1024 = 6.9


class PowerCutError(Exception):
    """The lights went out."""


def test_a_training_cut_off_goes_on_where_it_was_and_ends_the_same(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from quantize.lm import train

    settings = replace(read_table(load_recipe(str(TINY)), LmSettings), tokens=12 * 8 * 128, minutes=60.0)
    streams = made / "work" / "streams"
    train.train(streams, settings, 1, tmp_path / "whole")
    monkeypatch.setattr(train, "CHECKPOINT_SECONDS", 0.0)
    drawn = 0

    class Unlucky(train.Batches):
        """Batches until the power fails."""

        def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            nonlocal drawn
            drawn += 1
            if drawn == 8:
                raise PowerCutError
            return super().draw()

    monkeypatch.setattr(train, "Batches", Unlucky)
    with pytest.raises(PowerCutError):
        train.train(streams, settings, 1, tmp_path / "cut")
    assert not (tmp_path / "cut" / "model.pt").exists()
    train.train(streams, settings, 1, tmp_path / "cut")
    assert drawn == 8 + 12 - 7  # seven steps were kept
    whole, cut = (torch.load(tmp_path / name / "model.pt", weights_only=True)["model"] for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_a_second_run_finds_everything_done(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(made / "tiny.toml"), "--work", str(made / "work")]) == 0
    said = capsys.readouterr().err
    assert said.count("already done") == 10
    assert "made in" not in said


def test_a_lost_file_is_made_again_and_only_what_depends_on_it(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made / "work" / "mini-tiny.gguf").unlink()
    assert main(["run", str(made / "tiny.toml"), "--work", str(made / "work")]) == 0
    said = capsys.readouterr().err
    assert "quantize: made in" in said
    assert "train: already done" in said
    assert "evaluate: already done" in said  # the same bytes came out again


def test_its_steps_can_be_listed(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["steps", str(TINY), "--work", str(made / "elsewhere")]) == 0
    names = [line.split()[2] for line in capsys.readouterr().out.splitlines()]
    assert names == STEPS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"free_chat f1 0.60"', '"free_chat f1"'), "free_chat f1"),
        (('"Q8_0"', '"Q1_x"'), "Q1_x"),
        (("rows = 8", "rowz = 8"), "rowz"),
    ],
    ids=["a gate without its least value", "an unknown format", "a name that means nothing"],
)
def test_a_mistake_in_the_recipe_is_said_in_words(
    made: Path, tmp_path: Path, change: tuple[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = (made / "tiny.toml").read_text(encoding="utf-8")
    assert change[0] in recipe
    path = tmp_path / "wrong.toml"
    path.write_text(recipe.replace(*change), encoding="utf-8")
    assert main(["run", str(path), "--work", str(made / "work")]) == 1
    assert words in capsys.readouterr().err


def test_what_llama_cpp_cannot_quantize_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with pytest.raises(EdgeError) as caught:
        quantize(tmp_path / "x.gguf", "Q8_0", tmp_path / "y.gguf")
    assert "x.gguf" in caught.value.say("es")
    assert not (tmp_path / "y.gguf").exists()


def test_every_tensor_has_its_name_in_llama_cpp() -> None:
    assert gguf_name("model.embed_tokens.weight") == "token_embd.weight"
    assert gguf_name("model.layers.11.self_attn.k_proj.weight") == "blk.11.attn_k.weight"
    assert gguf_name("model.norm.weight") == "output_norm.weight"


def test_the_tiny_model_grows_teaches_and_is_followed_by_its_student(made: Path) -> None:
    """The chain base -> teacher -> mini in small: deeper without a new vocabulary, then shallower again, taught."""
    pytest.importorskip("accelerate")
    recipe = (made / "tiny.toml").read_text(encoding="utf-8")
    short = recipe.replace("tokens = 150000", "tokens = 16384")

    def run(name: str, origin: str, layers: int) -> Path:
        changed = short.replace("layers = 2", f"{origin}\nlayers = {layers}").replace(
            str(made / "out"), str(made / name)
        )
        (made / f"{name}.toml").write_text(changed.replace('"mini-tiny"', f'"{name}"'), encoding="utf-8")
        assert main(["run", str(made / f"{name}.toml"), "--work", str(made / f"work-{name}")]) == 0
        return made / f"work-{name}" / "hf"

    teacher = run("teacher", f'start = "{made / "work" / "hf"}"', 3)
    student = run("student", f'teacher = "{teacher}"', 2)
    assert (student / "tokenizer.json").read_bytes() == (made / "work" / "hf" / "tokenizer.json").read_bytes()
    assert json.loads((student / "config.json").read_bytes())["num_hidden_layers"] == 2
    found = json.loads((made / "student" / "card.json").read_bytes())
    assert [row["name"] for row in found["history"]] == ["mini-tiny", "teacher", "student"]
    assert found["training_tokens"] == sum(row["tokens"] for row in found["history"])
    assert list((made / "work-student" / "distil" / "teacher").glob("shard-*.npz"))
